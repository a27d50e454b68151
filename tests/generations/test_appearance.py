"""Pictures are shown as people see them, and what browsers show is taken."""

import io
import struct
import zlib
from functools import partial
from pathlib import Path
from statistics import median

import PIL.Image
import pytest

from darkroom.errors import NotAnImage
from darkroom.generations.pictures.preview import contact_sheet, preview
from tests.arriving import looked_at
from tests.attacks.crafted import PROFILE, chunk, encoded, png, segment, zeros
from tests.generations.pictures_made import (
    BLUE,
    GREEN,
    RED,
    grey16,
    held,
    in_png,
    noted,
    packed_profile,
    quarters,
    swapped_profile,
)

PNG, JPEG, WEBP = encoded("PNG"), encoded("JPEG"), encoded("WEBP")
Colour = tuple[int, int, int]


def shown(tmp_path: Path, data: bytes) -> PIL.Image.Image:
    """The preview of a picture."""
    (tmp_path / "picture").write_bytes(data)
    small = preview(partial((tmp_path / "picture").open, "rb"))
    assert small is not None
    return PIL.Image.open(io.BytesIO(small)).convert("RGB")


def at(picture: PIL.Image.Image, x: float, y: float) -> Colour:
    colour = picture.getpixel((int(picture.width * x), int(picture.height * y)))
    assert isinstance(colour, tuple)
    return colour[0], colour[1], colour[2]


def close(one: Colour, other: Colour) -> bool:
    return all(abs(mine - theirs) < 24 for mine, theirs in zip(one, other, strict=True))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_measured_and_shown_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    data = held(kind, orientation)
    picture = looked_at(data)
    assert (picture.width, picture.height) == (64, 32)
    small = shown(tmp_path, data)
    assert small.size == (64, 32)
    assert close(at(small, 0.2, 0.2), RED)
    assert close(at(small, 0.8, 0.2), GREEN)
    assert close(at(small, 0.5, 0.8), BLUE)


def test_pictures_on_a_contact_sheet_are_upright(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / str(number)).write_bytes(held("JPEG", 6))
    sheet = contact_sheet([(number, partial((tmp_path / str(number)).open, "rb")) for number in (1, 2)])
    assert sheet is not None
    drawn = PIL.Image.open(io.BytesIO(sheet)).convert("RGB")
    places = [(x / drawn.width, y / drawn.height) for x in range(drawn.width) for y in range(drawn.height)]
    red, blue = ([y for x, y in places if close(at(drawn, x, y), colour)] for colour in (RED, BLUE))
    assert median(red) < median(blue), "blue is below"


def test_greys_of_16_bits_are_scaled(tmp_path: Path) -> None:
    small = shown(tmp_path, grey16())
    for place in (0.1, 0.25, 0.5, 0.75, 0.9):
        expected = int(63 * place) * 255 // 63
        assert close(at(small, place, 0.5), (expected, expected, expected))


def with_profile(kind: str, profile: bytes) -> bytes:
    file = io.BytesIO()
    how: dict[str, object] = {"lossless": True} if kind == "WEBP" else {}
    quarters().save(file, kind, icc_profile=profile, **how)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_colours_are_shown_as_the_profile_means_them(tmp_path: Path, kind: str) -> None:
    assert close(at(shown(tmp_path, with_profile(kind, PROFILE)), 0.2, 0.2), RED)
    red, green, blue = at(shown(tmp_path, with_profile(kind, swapped_profile())), 0.2, 0.2)
    assert blue > 150 > max(red, green), "its red is meant as blue"


def grey_with_alpha() -> bytes:
    file = io.BytesIO()
    PIL.Image.new("LA", (64, 32), (0, 0)).save(file, "PNG")
    return in_png(file.getvalue(), packed_profile(PROFILE))


USELESS = {
    "one for other colours": (in_png(grey_with_alpha()), (255, 255, 255)),
    "one that is none": (noted("PNG")[:33] + packed_profile(b"no profile" * 50) + noted("PNG")[33:], RED),
    "an empty one": (in_png(noted("PNG"), chunk(b"iCCP", b"")), RED),
    "one with a wrong checksum": (in_png(noted("PNG"), packed_profile(swapped_profile())[:-1] + b"\0"), RED),
    "one that cannot be unpacked": (in_png(noted("PNG"), chunk(b"iCCP", b"a\0\0" + b"no zlib")), RED),
    "one of 12 MiB, packed": (in_png(noted("PNG"), chunk(b"iCCP", b"a\0\0" + zeros(12 * 2**20))), RED),
    "a long one": (in_png(noted("PNG"), packed_profile(swapped_profile() + bytes(5 * 2**20))), RED),
    "a long one in a JPEG": (with_profile("JPEG", swapped_profile() + bytes(5 * 2**20)), RED),
    "a long one in a WebP": (with_profile("WEBP", swapped_profile() + bytes(5 * 2**20)), RED),
}


@pytest.mark.parametrize(("data", "colour"), USELESS.values(), ids=USELESS)
def test_a_profile_of_no_use_is_passed_over(tmp_path: Path, data: bytes, colour: Colour) -> None:
    assert looked_at(data).data == data
    assert close(at(shown(tmp_path, data), 0.2, 0.2), colour)


def cmyk(transform: bytes = b"") -> bytes:
    """A JPEG in CMYK, red at its top left; Pillow writes Adobe's segment, to which this is added."""
    file = io.BytesIO()
    quarters().convert("CMYK").save(file, "JPEG", quality=95)
    data = file.getvalue()
    place = data.index(b"\xff\xee")
    size = int.from_bytes(data[place + 2 : place + 4])
    return data[:place] + segment(0xEE, data[place + 4 : place + 2 + size] + transform) + data[place + 2 + size :]


@pytest.mark.parametrize("more", [0, 1, 2, 100, 60_000])
def test_the_colours_of_a_jpeg_are_right_however_long_the_segment_is_that_tells_them(tmp_path: Path, more: int) -> None:
    data = cmyk(b"x" * more)
    assert looked_at(data).data == data
    small = shown(tmp_path, data)
    assert close(at(small, 0.2, 0.2), RED)
    assert close(at(small, 0.5, 0.8), BLUE)


def red_green_blue(more: bytes = b"") -> bytes:
    """A JPEG of which Adobe's segment alone tells that its colours are plain red, green and blue."""
    file = io.BytesIO()
    quarters().save(file, "JPEG", quality=95, keep_rgb=True)
    data = file.getvalue()
    for letter, number in zip(b"RGB", (1, 2, 3), strict=True):  # its components are named by these elsewhere
        data = data.replace(bytes((letter, 0x11, 0)), bytes((number, 0x11, 0)), 1)
    scan = data.index(b"\xff\xda") + 5
    data = data[:scan] + data[scan:].replace(b"R\0G\0B\0", b"\1\0\2\0\3\0", 1)
    return data[:2] + segment(0xEE, data[6:18] + more) + data[18:]


@pytest.mark.parametrize("more", [0, 1, 100, 60_000])
def test_adobe_s_segment_tells_what_the_components_are_however_long_it_is(tmp_path: Path, more: int) -> None:
    small = shown(tmp_path, red_green_blue(b"x" * more))
    assert close(at(small, 0.2, 0.2), RED)
    assert close(at(small, 0.5, 0.8), BLUE)


def wrong(data: bytes) -> bytes:
    """A chunk whose checksum is wrong."""
    return data[:-1] + bytes((data[-1] ^ 1,))


BROWSERS_SHOW = {
    "a PNG without its end": PNG[:-12],
    "a PNG without its last byte": PNG[:-1],
    "a PNG that ends within its end": PNG[:-7],
    "a PNG without the checksum of its pixels": PNG[:-16],
    "a PNG with a wrong checksum in its end": wrong(PNG),
    "a PNG with a wrong checksum in a profile": in_png(PNG, wrong(packed_profile(PROFILE))),
    "a PNG with a wrong checksum in its gamma": in_png(PNG, wrong(chunk(b"gAMA", struct.pack(">I", 45_455)))),
    "a PNG with a wrong checksum in a text": in_png(PNG, wrong(chunk(b"tEXt", b"a\0b"))),
    "a PNG with a wrong checksum in a statement": in_png(PNG, wrong(chunk(b"caBX", b"jumb"))),
    "a PNG with a broken text": in_png(PNG, chunk(b"zTXt", b"a\0\0no zlib")),
    "a PNG with a text of 64 MiB, packed": in_png(PNG, chunk(b"zTXt", b"a\0\0" + zeros(2**26))),
    "a JPEG without its end": JPEG[:-2],
    "a JPEG without its last byte": JPEG[:-1],
    "a progressive JPEG without its end": encoded("JPEG", progressive=True)[:-2],
    "a grey JPEG without its end": encoded("JPEG", mode="L")[:-2],
    "a JPEG with restart markers and no end": encoded("JPEG", restart_marker_blocks=1)[:-2],
    "a JPEG with a short segment of Adobe": JPEG[:20] + segment(0xEE, b"Adobe") + JPEG[20:],
    "a JPEG with an empty segment of Adobe": JPEG[:20] + segment(0xEE, b"") + JPEG[20:],
    "a JPEG with a broken profile": JPEG[:20] + segment(0xE2, b"ICC_PROFILE\0\1\1no profile") + JPEG[20:],
    "a JPEG with broken EXIF": JPEG[:20] + segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff") + JPEG[20:],
    "a PNG with a damaged byte in a packed text": in_png(PNG, chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"b")[1:])),
    "a WebP whose size counts its first eight bytes too": WEBP[:4] + struct.pack("<I", len(WEBP)) + WEBP[8:],
}


@pytest.mark.parametrize("data", BROWSERS_SHOW.values(), ids=BROWSERS_SHOW)
def test_what_browsers_show_is_taken_and_shown(tmp_path: Path, data: bytes) -> None:
    picture = looked_at(data)
    assert (picture.data, picture.width, picture.height) == (data, 64, 36)
    assert shown(tmp_path, data).size == (64, 36)


HOSTILE_EXIF = {
    "no table": b"II*\0",
    "a table beyond its end": b"II*\0\xff\xff\0\0",
    "a table that claims more fields": b"II*\0\x08\0\0\0\xff\xff\x12\x01\3\0",
    "a table that is its own": b"II*\0\x08\0\0\0\2\0" + b"\x69\x87\4\0\1\0\0\0\x08\0\0\0" * 2 + b"\0" * 4,
    "a value beyond its end": b"II*\0\x08\0\0\0\1\0\x12\x01\2\0\xff\xff\xff\xff\xff\xff\xff\x7f",
    "an orientation of nine": b"II*\0\x08\0\0\0\1\0\x12\x01\3\0\1\0\0\0\x09\0\0\0\0\0\0\0",
    "an orientation in words": b"II*\0\x08\0\0\0\1\0\x12\x01\2\0\1\0\0\0six\0\0\0\0\0",
    "another byte order": b"XX*\0" + b"\xff" * 20,
}


@pytest.mark.parametrize("exif_data", HOSTILE_EXIF.values(), ids=HOSTILE_EXIF)
def test_notes_made_to_harm_turn_nothing_and_break_nothing(exif_data: bytes) -> None:
    data = noted("PNG", exif_data=exif_data)
    picture = looked_at(data)
    assert (picture.data, picture.width, picture.height) == (data, 64, 32)
    assert looked_at(data, strip=True).width == 64


def test_a_profile_that_unpacks_without_end_is_not_unpacked() -> None:
    with pytest.raises(NotAnImage, match="unpacks to more than 16 MiB"):
        looked_at(png(9, 9, chunk(b"iCCP", b"a\0\0" + zeros(2**26))))
