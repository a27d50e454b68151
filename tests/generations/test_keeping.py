"""A picture is saved byte for byte as it came; stripped of its notes only if asked to, and never of what must stay."""

import hashlib
import io
import tracemalloc
import zlib
from collections.abc import Callable

import PIL.Image
import pytest

from darkroom.errors import ResultUnavailable
from darkroom.generations.pictures.decoding import Patience, whole
from darkroom.generations.pictures.formats import statement
from darkroom.generations.pictures.formats.parts import Role
from darkroom.generations.pictures.formats.stretch import Stretch, pieces
from darkroom.generations.pictures.stripping import UNTOUCHED
from darkroom.redact.secrets import Redactor
from tests.arriving import looked_at
from tests.attacks.crafted import PROFILE, animated, archive, chunk, encoded, part, riff, segment, zeros
from tests.generations.pictures_made import (
    AIGC,
    GRAPH,
    SECRETIVE,
    SOURCE,
    XMP,
    XMP_ELEMENT,
    comfy,
    exif,
    held,
    in_png,
    noted,
    stated,
)

KINDS = ["PNG", "JPEG", "WEBP"]
JPEG = encoded("JPEG", 64, 64)


def damaged(at: float) -> bytes:
    """A JPEG in whose pixels one byte looks like the start of a segment now."""
    data = bytearray(encoded("JPEG", 256, 256, quality=95))
    place = int(len(data) * at)
    data[place : place + 4] = b"\xff\xe5\x10\x10"
    return bytes(data)


AS_THEY_CAME: dict[str, bytes] = {
    "a ComfyUI graph": comfy(),
    "EXIF": noted("JPEG", exif_data=exif("<", {0x010E: SECRETIVE})),
    "XMP": noted("WEBP", xmp=XMP),
    "a statement of where it comes from": stated(encoded("PNG")),
    "that statement and notes": stated(comfy()),
    "a label in a text": in_png(encoded("PNG"), chunk(b"tEXt", b"AIGC\0" + AIGC)),
    "a comment": JPEG[:20] + segment(0xFE, SECRETIVE) + JPEG[20:],
    "IPTC": JPEG[:20] + segment(0xED, b"Photoshop 3.0\0" + SECRETIVE) + JPEG[20:],
    "two pictures in one": animated("MPO", 2),
    "movement": animated("PNG", 3),
    "a chunk of its own": riff(encoded("WEBP")[12:] + part(b"JUNK", SECRETIVE)),
    "an archive behind it": encoded("PNG") + archive(),
    "no end": encoded("PNG")[:-12],
    "a damaged byte": damaged(0.2),
}


@pytest.mark.parametrize("data", AS_THEY_CAME.values(), ids=AS_THEY_CAME)
def test_a_picture_is_kept_byte_for_byte(data: bytes) -> None:
    picture = looked_at(data)
    assert (picture.data, picture.removed) == (data, None)


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_after_a_damaged_byte_a_decoder_is_given_all_the_rest(at: float) -> None:
    data = damaged(at)
    assert b"".join(pieces(whole(Stretch.of(data), Patience()).data)) == data
    assert looked_at(data, strip=True).data == data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_stripping_leaves_a_picture_the_right_way_up(kind: str, orientation: int, order: str) -> None:
    data = held(kind, orientation, order)
    assert SECRETIVE in data
    picture = looked_at(data, strip=True)
    assert SECRETIVE not in picture.data
    assert picture.removed == "EXIF"
    assert (picture.width, picture.height) == (64, 32)
    with PIL.Image.open(io.BytesIO(picture.data)) as opened:
        assert opened.getexif()[0x0112] == orientation
    assert looked_at(picture.data, strip=True).data == picture.data


@pytest.mark.parametrize("packet", [XMP, XMP_ELEMENT], ids=["as attributes", "as elements"])
@pytest.mark.parametrize("kind", KINDS)
def test_stripping_leaves_the_labels_of_an_ai_s_picture_in_xmp(kind: str, packet: bytes) -> None:
    data = noted(kind, xmp=packet)
    picture = looked_at(data, strip=True)
    assert SOURCE in picture.data
    assert SECRETIVE not in picture.data
    assert (b"TC260:AIGC" in picture.data) == (b"TC260:AIGC" in packet)
    with PIL.Image.open(io.BytesIO(picture.data)) as opened:
        assert "xmp" in opened.info
    assert looked_at(picture.data, strip=True).data == picture.data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", KINDS)
def test_stripping_leaves_the_labels_of_an_ai_s_picture_in_exif(kind: str, order: str) -> None:
    fields: dict[int, bytes | int] = {0x010E: AIGC, 0x010F: SECRETIVE, 0x0112: 6}
    picture = looked_at(noted(kind, exif_data=exif(order, fields)), strip=True)
    with PIL.Image.open(io.BytesIO(picture.data)) as opened:
        assert dict(opened.getexif()) == {0x010E: AIGC.decode(), 0x0112: 6}


LABELS = {
    "a text of that name": chunk(b"tEXt", b"AIGC\0" + AIGC),
    "an international text of that name": chunk(b"iTXt", b"AIGC\0\0\0\0\0" + AIGC),
    "a text of nothing else": chunk(b"tEXt", b"Comment\0" + AIGC),
}


@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
def test_stripping_leaves_a_label_that_is_a_text(label: bytes) -> None:
    data = in_png(comfy(), label)
    assert looked_at(data, strip=True).data == in_png(encoded("PNG"), label)


@pytest.mark.parametrize("make", [comfy, lambda: JPEG[:20] + segment(0xFE, SECRETIVE) + JPEG[20:]], ids=["PNG", "JPEG"])
def test_a_statement_about_these_very_bytes_stays_true(make: Callable[[], bytes]) -> None:
    data = stated(make())
    picture = looked_at(data, strip=True)
    assert (picture.data, picture.removed) == (data, UNTOUCHED)


@pytest.mark.parametrize("make", [comfy, lambda: JPEG[:20] + segment(0xFE, SECRETIVE) + JPEG[20:]], ids=["PNG", "JPEG"])
def test_a_statement_that_was_broken_already_does_not_keep_the_notes(make: Callable[[], bytes]) -> None:
    picture = looked_at(stated(make(), sound=False), strip=True)
    assert GRAPH not in picture.data
    assert SECRETIVE not in picture.data
    assert b"c2pa.hash.data" in picture.data


def test_a_statement_that_lies_in_several_segments_is_put_together() -> None:
    whole_store = b"\0\0\x01\0jumb" + bytes(range(100))
    first, second = whole_store[:50], whole_store[50:]
    data = JPEG[:20]
    data += segment(0xEB, b"JP\0\1\0\0\0\1" + first) + segment(0xEB, b"JP\0\1\0\0\0\2" + whole_store[:8] + second)
    parts = whole(Stretch.of(data + JPEG[20:]), Patience()).parts
    assert b"".join(bytes(each.body) for each in parts if each.role is Role.STATEMENT) == whole_store


NO_STATEMENT = {
    "nothing": b"",
    "no value": b"c2pa.hash.data\0",
    "a value without end": b"c2pa.hash.data\0\0\0\0\x09cbor\x9b" + b"\xff" * 8,
    "a value in a value": b"c2pa.hash.data\0\0\0\1\0cbor" + b"\x81" * 248,
    "another kind of value": b"c2pa.hash.data\0\0\0\0\x09cbor\x05",
    "a hash of an unknown kind": b"c2pa.hash.data\0\0\0\0\x20cbor\xa2calgbx\x41\x64hash\x41\0",
}


@pytest.mark.parametrize("box", NO_STATEMENT.values(), ids=NO_STATEMENT)
def test_what_is_no_statement_holds_nothing(box: bytes) -> None:
    assert not statement.holds(box, Stretch.of(b"data"))


def test_what_was_removed_is_said() -> None:
    data = in_png(comfy(), chunk(b"eXIf", exif("<", {0x010F: SECRETIVE}))) + archive()
    picture = looked_at(data, strip=True)
    assert picture.removed == 'EXIF, the text "prompt", the text "workflow", what followed its end'
    assert picture.data == encoded("PNG")


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_without_notes_is_left_as_it_is(kind: str) -> None:
    data = encoded(kind, icc_profile=PROFILE)
    picture = looked_at(data, strip=True)
    assert (picture.data, picture.removed) == (data, None)
    assert hashlib.sha256(picture.data).digest() == hashlib.sha256(data).digest()


KEY = "nsk_live_4f9aC27b81E0d653"
PACKED_KEY = zlib.compress(KEY.encode())
PACKED = {
    "a packed text": chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"key=" + KEY.encode())),
    "a packed international text": chunk(b"iTXt", b"prompt\0\1\0\0\0" + zlib.compress(KEY.encode())),
    "packed XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x>" + KEY.encode())),
    "a text that is not packed": chunk(b"zTXt", b"a\0\0no zlib")
    + chunk(b"zTXt", b"b\0\0" + zlib.compress(KEY.encode())),
}


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED)
def test_a_picture_that_holds_a_packed_key_is_not_kept(packed: bytes) -> None:
    data = in_png(comfy(), packed)
    with pytest.raises(ResultUnavailable, match="holds a key of yours"):
        looked_at(data, redact=Redactor([KEY]))
    assert looked_at(data, redact=Redactor(["nsk_live_another1key2of3yours"])).data == data


def test_labels_in_packed_xmp_stay() -> None:
    data = in_png(encoded("PNG"), chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)))
    saved = looked_at(data, strip=True).data
    assert SOURCE in saved
    assert SECRETIVE not in saved


def test_of_many_packed_parts_little_is_unpacked() -> None:
    """Each of these would unpack to 15 MiB; there are as many as would fill any machine's memory."""
    profile, text = chunk(b"iCCP", b"a\0\0" + zeros(15 * 2**20)), chunk(b"zTXt", b"a\0\0" + zeros(15 * 2**20))
    data = in_png(encoded("PNG"), *[profile, text] * 500)
    tracemalloc.start()
    try:
        assert looked_at(data, redact=Redactor([KEY])).data == data
        assert tracemalloc.get_traced_memory()[1] < 150 * 2**20
    finally:
        tracemalloc.stop()
