"""Long texts of a response that lies in a file: each stays there, and a short one in its place says where."""

import json
import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from darkroom.transport.client import MAX_ANSWER

LONG = 64 * 1024
"""Bytes up to which a text is read with the rest of its response."""
_SHOWN = 200
"""Bytes of a long text that stay at their place: words for people, or the kind of a picture."""
_PIECE = 2**18
_PAGE = 4096
_BETWEEN = re.compile(rb'[^"]*+')
_WITHIN = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_ESCAPED = re.compile(rb"(?:[^\\]++|\\u[0-9a-fA-F]{4}|\\[^u])*+", re.DOTALL)
_LONGEST_ESCAPE = 6
# No response can hold its own hash, so none can pretend to have such a place.
_PLACE = re.compile(r"… \((\d{1,12}) bytes at (\d{1,12}) of ([0-9a-f]{64})\)\Z")


class Excerpt(NamedTuple):
    """The place of a long text: its first byte and its length, as it is spelled in the file with this hash."""

    start: int
    length: int
    digest: str


def abridged(file: IO[bytes], digest: str) -> bytes:
    """The JSON in the file, whose hash is `digest`, with the beginning and the place of each long text instead of it.

    What is no JSON, or leaves more than an ordinary response may have, is cut to its beginning, which is no JSON.
    """
    start = file.read(4)
    file.seek(0)
    if not json.detect_encoding(start).startswith("utf-8"):
        return _capped(file.read(MAX_ANSWER + 1))
    rest, text = bytearray(), None
    for at, run in _runs(file):
        if run != b'"':
            rest += run if text is None or len(rest) - text[0] <= LONG else b""
        elif text is None:
            rest += run
            text = len(rest), at + 1
        else:
            (place, begun), text = text, None
            if at - begun > LONG:
                rest[place:] = _instead(bytes(rest[place : place + _SHOWN]), Excerpt(begun, at - begun, digest))
            rest += run
        if len(rest) > MAX_ANSWER:
            break
    return _capped(bytes(rest))


def excerpt_in(text: str) -> Excerpt | None:
    """The place that stands there instead of a long text; None: there is no such place in it."""
    found = _PLACE.search(text)
    return Excerpt(int(found[2]), int(found[1]), found[3]) if found else None


def pieces(file: IO[bytes], excerpt: Excerpt) -> Iterator[bytes]:
    """The long text, piece by piece, unescaped. Raises ValueError: it is spelled as no text is."""
    file.seek(excerpt.start)
    left, more = b"", excerpt.length
    while more and (read := file.read(min(_PIECE, more))):
        piece, more = left + read, more - len(read)
        found = _ESCAPED.match(piece)
        cut = found.end() if found and more else len(piece)
        piece, left = piece[:cut], piece[cut:]
        if len(left) > _LONGEST_ESCAPE:
            raise ValueError("an escape that is none")
        yield json.loads(b'"%s"' % piece, strict=False).encode() if b"\\" in piece else piece


def _runs(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each quotation mark of the JSON by itself, and what stands between them, with its place in the file."""
    left, at, within = b"", 0, False
    while read := file.read(_PIECE):
        piece, place = left + read, 0
        while place < len(piece):
            found = (_WITHIN if within else _BETWEEN).match(piece, place)
            end = place if found is None else found.end()
            if end > place:
                yield at + place, piece[place:end]
            if piece[end : end + 1] != b'"':  # the rest of it, or of an escape, comes with the next piece
                place = end
                break
            yield at + end, b'"'
            within, place = not within, end + 1
        at, left = at + place, piece[place:]


def _instead(start: bytes, place: Excerpt) -> bytes:
    shown = start.partition(b"\\")[0].decode("utf-8", "ignore")
    return f"{shown}… ({place.length} bytes at {place.start} of {place.digest})".encode()


def _capped(data: bytes) -> bytes:
    return data if len(data) <= MAX_ANSWER else data[:_PAGE] + b"\0"
