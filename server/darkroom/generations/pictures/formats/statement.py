"""A check that a picture's statement of origin (C2PA) is about these very bytes."""

import hashlib
import re
from typing import Any, cast

from darkroom.generations.pictures.formats.stretch import Stretch, pieces

_HASHED = re.compile(rb"c2pa\.hash\.data(?:__\d{1,3})?\0")
_HASHED_OTHERWISE = re.compile(rb"c2pa\.hash\.(?:boxes|bmff|collection)")
_MOST = 4
"""The newest assertions are the last ones."""
_DEEPEST = 8
_ALGORITHMS = {"sha256", "sha384", "sha512"}


def holds(store: bytes, data: Stretch) -> bool:
    """True where a statement in this JUMBF box is about `data`, so that it would be broken by taking anything out.

    One that is bound in a way that is not checked here counts as sound.
    """
    places = [found.end() for found in _HASHED.finditer(store)][-_MOST:]
    return any(_matches(store, place, data) for place in places) or _HASHED_OTHERWISE.search(store) is not None


def _matches(store: bytes, place: int, data: Stretch) -> bool:
    box = store.find(b"cbor", place, place + 256)
    if box < 4:
        return False
    try:
        said = _Cbor(store[box + 4 : box - 4 + int.from_bytes(store[box - 4 : box])]).value()
        return _hash(said, data) == said["hash"]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return False  # it is not what the standard says


def _hash(said: dict[str, Any], data: Stretch) -> bytes:
    name = said.get("alg", "sha256")
    if name not in _ALGORITHMS:
        raise ValueError(name)
    digest, covered, at = hashlib.new(name), list[Stretch](), 0
    left_out = cast("list[dict[str, int]]", said.get("exclusions", []))
    for start, length in sorted((each["start"], each["length"]) for each in left_out):
        covered.append(data[at : max(at, start)])
        at = max(at, start + length)
    for piece in pieces([*covered, data[at:]]):
        digest.update(piece)
    return digest.digest()


class _Cbor:
    """Reads a value of CBOR. Raises ValueError, IndexError or TypeError where it is none."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            raise ValueError("too deep")
        first = self._take(1)[0]
        kind, number = first >> 5, first & 31
        if kind == 7:
            return {20: False, 21: True}.get(number)
        if number >= 24:
            number = int.from_bytes(self._take(1 << (number - 24) if number < 28 else -1))
        match kind:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self._take(number)
            case 3:
                return self._take(number).decode()
            case 4:
                return [self.value(depth + 1) for _ in range(self._possible(number))]
            case 5:
                return {self.value(depth + 1): self.value(depth + 1) for _ in range(self._possible(number))}
            case _:
                return self.value(depth + 1)  # what is tagged

    def _possible(self, number: int) -> int:
        if number > len(self._data) - self._at:
            raise ValueError("more than there is")
        return number

    def _take(self, size: int) -> bytes:
        if not 0 <= size <= len(self._data) - self._at:
            raise ValueError("more than there is")
        self._at += size
        return self._data[self._at - size : self._at]
