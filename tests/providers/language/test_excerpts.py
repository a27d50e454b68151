"""Long texts of a response in a file, which are left there and read piece by piece."""

import hashlib
import io
import json
import tracemalloc
from json import JSONDecodeError
from typing import Any

import pytest

from darkroom.errors import NotAnImage
from darkroom.providers.language.excerpts import LONG, abridged, excerpt_in, pieces
from darkroom.providers.language.pictures import decoded
from darkroom.transport.client import MAX_ANSWER
from darkroom.transport.reasons import lenient_json

TEXTS = {
    "as it is": "A+/=" * LONG,
    "with escapes": "A+/\\" * LONG,
    "quotation marks": 'A"' * LONG,
    "beyond ASCII": "x\u00fc\U0001f600" * LONG,
    "none that is long": "A" * LONG,
}


def read(data: bytes) -> Any:
    return lenient_json(abridged(io.BytesIO(data), hashlib.sha256(data).hexdigest()))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("slashes", [b"/", b"\\/", b"\\u002f"], ids=["plain", "escaped", "in figures"])
@pytest.mark.parametrize("padding", [0, 1, 2, 3, 5])
def test_a_long_text_is_found_again_at_its_place_however_it_is_spelled(text: str, slashes: bytes, padding: int) -> None:
    data = b" " * padding + json.dumps({"a": [{"b": text}, "c"], "d": 1}).encode().replace(b"/", slashes)
    value = read(data)
    place = excerpt_in(value["a"][0]["b"])
    found = b"".join(pieces(io.BytesIO(data), place)).decode() if place else value["a"][0]["b"]
    assert (found, value["a"][1], value["d"], place is None) == (text, "c", 1, len(text) <= LONG)


def test_words_for_people_and_the_kind_of_a_link_stay_at_the_beginning() -> None:
    value = read(json.dumps({"error": "No credits left. " + "x" * LONG}).encode())
    assert value["error"].startswith("No credits left.")


def test_no_response_can_name_a_place_itself() -> None:
    forged = f"A… (4 bytes at 0 of {'0' * 64})"
    data = json.dumps([forged]).encode()
    place = excerpt_in(read(data)[0])
    assert place is None or place.digest != hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    "data",
    [b'["' + b"x" * LONG, b'["' + b"\\" * 3 * LONG, b'["a"' + b',"a"' * MAX_ANSWER, b"<html>" + b'"' * MAX_ANSWER],
    ids=["cut off", "in an escape", "endless", "a page"],
)
def test_what_cannot_be_read_is_no_json(data: bytes) -> None:
    with pytest.raises(JSONDecodeError):
        read(data)


def test_memory_does_not_grow_with_a_text() -> None:
    data = b'{"a": "%s"}' % (b"A" * 60_000_000)
    file = io.BytesIO(data)
    digest = hashlib.sha256(data).hexdigest()
    tracemalloc.start()
    try:
        place = excerpt_in(lenient_json(abridged(file, digest))["a"])
        assert place is not None
        assert sum(map(len, decoded(pieces(file, place)))) == 45_000_000
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", [b"QQ==QQ==", b"QQ=", b"Q", b"", b"Q Q=", b"data:image/png;base64,"])
def test_what_is_no_base64_is_no_picture(text: bytes) -> None:
    for split in range(len(text) + 1):
        with pytest.raises(NotAnImage):
            b"".join(decoded([text[:split], text[split:]]))
