"""What is called a picture is one: whole, decoded, within limits, and with nothing behind its end."""

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from darkroom.errors import NotAnImage
from darkroom.generations.pictures.decoding import DECODING_S, MAX_PARTS, MAX_PIXELS, MAX_SIDE, Patience, whole
from darkroom.generations.pictures.formats.stretch import Stretch, pieces
from darkroom.models import Charged
from tests.arriving import Looked, looked_at
from tests.attacks.crafted import (
    HTML,
    PHP,
    PROFILE,
    SIGNATURE,
    animated,
    archive,
    bomb,
    chunk,
    encoded,
    endless_jpeg,
    header,
    photo_cd,
    png,
    riff,
    zeros,
)
from tests.hosts import PATIENCE_S

PNG, JPEG, WEBP, GIF = (encoded(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF"))
PROGRESSIVE = encoded("JPEG", progressive=True)
PACKED = zeros(2**26)
SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"

NO_PICTURE = {
    "nothing": b"",
    "one byte": b"\x89",
    "text": b"no picture here",
    "a web page": HTML,
    "an SVG": SVG,
    "an SVG behind a byte order mark": b"\xef\xbb\xbf" + SVG,
    "a GIF": GIF,
    "a GIF's header before a PNG": b"GIF89a" + PNG,
    "a GIF's header before a program": b"GIF89a;" + PHP,
    "a space before a PNG": b" " + PNG,
    "a program before a JPEG": PHP + JPEG,
    "a BMP": encoded("BMP"),
    "a TIFF": encoded("TIFF"),
    "an icon": encoded("ICO"),
    "a JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 50,
    "a PDF": encoded("PDF"),
    "PostScript": encoded("EPS"),
    "a ZIP": archive(),
    "a program": b"\x7fELF" + b"\0" * 100,
    "RIFF sound": b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 28,
    "a PNG with Unix line ends": PNG.replace(b"\r\n", b"\n", 1),
    "a MNG": b"\x8aMNG\r\n\x1a\n" + b"\0" * 50,
    "a JPEG that starts like none": b"\xff\xd8\x00" + JPEG[3:],
}
CUT_OFF = {
    "a PNG's first bytes": SIGNATURE,
    "half of a PNG": PNG[: len(PNG) // 2],
    "a PNG whose chunk claims four gigabytes": SIGNATURE + header(9, 9) + b"\xff\xff\xff\xffIDAT" + b"\0" * 99,
    "a JPEG's first bytes": JPEG[:3],
    "half of a JPEG": JPEG[: len(JPEG) // 2],
    "half of a progressive JPEG": PROGRESSIVE[: len(PROGRESSIVE) // 2],
    "a JPEG without its last pixels": JPEG[:-10],
    "a JPEG whose segment claims more": b"\xff\xd8\xff\xe0\xff\xff" + b"\0" * 99,
    "half of a WebP": WEBP[: len(WEBP) // 2],
    "a WebP without its last byte": WEBP[:-1],
    "a WebP that claims four gigabytes": riff(WEBP[12:], 0xFFFFFFFF),
    "a JPEG named PNG": SIGNATURE + JPEG + chunk(b"IEND", b""),
    "a WebP named JPEG": b"\xff\xd8\xff\xe0\x00\x10" + WEBP + b"\xff\xd9",
}
UNDECODABLE = {
    "a PNG's signature and zeros, then an end": SIGNATURE + b"\0" * 96 + chunk(b"IEND", b""),
    "a PNG named WebP": riff(PNG),
    "a Photo CD in a PNG's clothes": photo_cd(),
    "a WebP of nothing": riff(b""),
    "a WebP that claims less": riff(WEBP[12:], 40),
    "a PNG without pixels": SIGNATURE + header(9, 9) + chunk(b"IEND", b""),
    "a PNG with too few pixels": png(90, 90, pixels=zlib.compress(b"\0" * 100)),
    "a PNG with broken pixels": png(9, 9, pixels=b"no zlib at all"),
    "a PNG with a wrong checksum": PNG[:29] + b"\0\0\0\0" + PNG[33:],
    "a PNG of no width": png(0, 9),
    "a PNG of no height": png(9, 0),
    "a PNG of a depth that there is not": SIGNATURE + header(9, 9, depth=7) + PNG[33:],
    "a PNG of a colour that there is not": SIGNATURE + header(9, 9, colour=5) + PNG[33:],
    "a JPEG of nothing": b"\xff\xd8\xff\xd9",
    "a JPEG without tables": JPEG.replace(b"\xff\xdb", b"\xff\xfe").replace(b"\xff\xc4", b"\xff\xfe"),
    "a colour profile of 64 MiB, packed": png(9, 9, chunk(b"iCCP", b"a\0\0" + PACKED)),
}
TOO_LARGE = {
    "a bomb of 30,000 × 30,000 zeros": bomb(30_000),
    "a header of 60,000 × 60,000": png(60_000, 60_000, pixels=b""),
    "a header of the most there can be": png(2**31 - 1, 2**31 - 1, pixels=b""),
    "a row more than 50 megapixels": png(10_000, 5_001, pixels=b""),
    "a single row": png(50_000_000, 1, pixels=b""),
    "a single column": png(1, 50_000_000, pixels=b""),
    "a column a little too high": png(9, MAX_SIDE + 1, pixels=b""),
    "a JPEG of 65,500 × 65,500": JPEG.replace(b"\0\x24\0\x40", b"\xff\xdc\xff\xdc"),
    "a WebP of 16,383 × 16,383": WEBP.replace(b"\x40\0\x24\0", b"\xff\x3f\xff\x3f"),
}


def refusal(data: bytes, seconds: float = DECODING_S) -> str:
    with pytest.raises(NotAnImage) as caught:
        looked_at(data, seconds)
    assert caught.value.charged is Charged.YES
    assert ("get_status" in caught.value.next_step) is caught.value.passing
    return caught.value.message


@pytest.mark.parametrize("data", NO_PICTURE.values(), ids=NO_PICTURE)
def test_what_does_not_start_like_a_picture_is_none(data: bytes) -> None:
    assert "neither PNG, JPEG nor WebP" in refusal(data)


AVIF = b"\0\0\0\x1cftypavif" + b"\0" * 100
FOR_GOOD = {
    "an SVG": (SVG, "an SVG drawing"),
    "an AVIF": (AVIF, "an AVIF picture"),
    "a video": (AVIF.replace(b"ftypavif", b"ftypisom"), "a video"),
}
FOR_NOW = {
    "a web page": (HTML, "a web page"),
    "JSON": (b'{"error": "not ready"}', "JSON"),
    "half of a PNG": (CUT_OFF["half of a PNG"], "cut off"),
}


@pytest.mark.parametrize(("data", "what"), FOR_GOOD.values(), ids=FOR_GOOD)
def test_a_file_of_another_kind_is_refused_for_good_by_its_kind_and_its_host(data: bytes, what: str) -> None:
    with pytest.raises(NotAnImage) as caught:
        looked_at(data, origin="files.example")
    assert f"What came from files.example is neither PNG, JPEG nor WebP, but {what}." in caught.value.message
    assert (caught.value.passing, caught.value.final) == (False, True)


@pytest.mark.parametrize(("data", "what"), FOR_NOW.values(), ids=FOR_NOW)
def test_what_stands_in_a_picture_s_place_for_a_while_is_asked_for_again(data: bytes, what: str) -> None:
    with pytest.raises(NotAnImage) as caught:
        looked_at(data)
    assert what in caught.value.message
    assert (caught.value.passing, caught.value.final) == (True, False)


@pytest.mark.parametrize("data", CUT_OFF.values(), ids=CUT_OFF)
def test_a_picture_that_is_cut_off_is_none(data: bytes) -> None:
    assert "cut off" in refusal(data)


@pytest.mark.parametrize("data", UNDECODABLE.values(), ids=UNDECODABLE)
def test_a_picture_that_cannot_be_decoded_is_none(data: bytes) -> None:
    assert "cannot be decoded" in refusal(data)


@pytest.mark.parametrize("data", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_picture_that_is_too_large_is_not_decoded(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image.core, "new", None)  # nobody can make room for pixels
    assert "pixels; 50 megapixels" in refusal(data)


def test_a_picture_that_takes_too_long_is_given_up() -> None:
    assert "takes too long" in refusal(endless_jpeg(scans=5_000), seconds=0.5)


ENDLESS = {
    "nothing but a marker's start": b"\xff\xd8" + b"\xff" * 2**22,
    "that behind a scan": b"\xff\xd8\xff\xda\x00\x02" + b"\xff" * 2**22,
}


@pytest.mark.parametrize("data", ENDLESS.values(), ids=ENDLESS)
def test_the_search_for_an_end_does_not_grow_with_the_square(data: bytes, tmp_path: Path) -> None:
    """Where it did, this took hours, and no other thread of the process got on."""
    (tmp_path / "picture").write_bytes(data)
    code = (
        "import sys; from pathlib import Path; from tests.arriving import looked_at\n"
        "looked_at(Path(sys.argv[1]).read_bytes())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "picture")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert "What came is cut off" in done.stderr


def test_the_search_for_an_end_is_given_up_too() -> None:
    assert "takes too long" in refusal(b"\xff\xd8\xff\xda\0\2" + b"\xff\0" * 2**15, seconds=-1)


def test_the_search_for_an_end_goes_in_small_steps_so_that_others_get_on() -> None:
    steps = 0

    class Counting(Patience):
        def check(self) -> None:
            nonlocal steps
            steps += 1

    data = b"\xff\xd8\xff\xda\0\2" + b"\xff\0" * 2**20 + b"\xff\xd9"
    assert b"".join(pieces(whole(Stretch.of(data), Counting()).data)) == data
    assert steps >= len(data) / 2**16


IN_PIECES = {
    "a PNG": SIGNATURE + chunk(b"IDAT", b"") * (MAX_PARTS + 1) + chunk(b"IEND", b""),
    "a PNG that needs none of them": SIGNATURE + chunk(b"prVt", b"") * (MAX_PARTS + 1) + chunk(b"IEND", b""),
    "a JPEG": b"\xff\xd8" + b"\xff\x01" * (MAX_PARTS + 1) + b"\xff\xd9",
    "a WebP": riff(b"JUNK\0\0\0\0" * (MAX_PARTS + 1)),
    "a WebP that moves": riff(
        b"ANMF" + struct.pack("<I", 16 + 8 * MAX_PARTS) + b"\0" * 16 + b"ALPH\0\0\0\0" * MAX_PARTS
    ),
}


@pytest.mark.parametrize("data", IN_PIECES.values(), ids=IN_PIECES)
def test_a_picture_in_more_pieces_than_any_has_is_given_up(data: bytes) -> None:
    assert "too many pieces" in refusal(data)


def test_a_decoder_is_given_little_at_a_time_so_that_it_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at the clock only when it asks for more: 64 KiB can hold hundreds of scans of the whole picture."""
    sizes: list[int] = []
    opened = PIL.Image.open

    def watched(file: io.BytesIO, **named: Any) -> PIL.Image.Image:
        read = file.read

        def counted(size: int = -1, /) -> bytes:
            sizes.append(size)
            return read(size)

        monkeypatch.setattr(file, "read", counted)
        return opened(file, **named)

    monkeypatch.setattr(PIL.Image, "open", watched)
    looked_at(encoded("JPEG", 900, 900, quality=100))
    assert 0 < max(sizes) <= 8192


ENDS = [PNG, JPEG, WEBP]
"""Sound pictures; each must be found again at the start of something longer."""
BEHIND = {
    "a ZIP": archive(),
    "a program": PHP,
    "a web page": HTML,
    "another picture": PNG,
    "a JPEG's end": b"\xff\xd9",
    "a PNG's end": chunk(b"IEND", b""),
    "zeros": b"\0" * 4096,
    "one byte": b"\n",
    "a chunk": chunk(b"tEXt", b"a\0" + PHP),
}


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("data", ENDS, ids=["PNG", "JPEG", "WebP"])
def test_what_is_appended_to_a_picture_is_cut_off_where_it_is_stripped(data: bytes, behind: bytes) -> None:
    picture = looked_at(data + behind, strip=True)
    assert picture.data == data
    assert picture.removed == "what followed its end"
    assert not zipfile.is_zipfile(io.BytesIO(picture.data))


SOUND = {
    "a PNG": (PNG, "image/png", ".png"),
    "a PNG with transparency": (encoded("PNG", mode="RGBA"), "image/png", ".png"),
    "a PNG of 16 bits": (encoded("PNG", mode="I;16"), "image/png", ".png"),
    "a PNG in a palette": (encoded("PNG", mode="P"), "image/png", ".png"),
    "a PNG of a thousand pieces": (png(9, 9, *[chunk(b"IDAT", b"")] * 1000), "image/png", ".png"),
    "a PNG with a colour profile": (encoded("PNG", icc_profile=PROFILE), "image/png", ".png"),
    "a JPEG": (JPEG, "image/jpeg", ".jpg"),
    "a progressive JPEG": (encoded("JPEG", progressive=True), "image/jpeg", ".jpg"),
    "a JPEG in CMYK": (encoded("JPEG", mode="CMYK"), "image/jpeg", ".jpg"),
    "a JPEG with restart markers": (encoded("JPEG", restart_marker_blocks=1), "image/jpeg", ".jpg"),
    "a JPEG with a colour profile": (encoded("JPEG", icc_profile=PROFILE), "image/jpeg", ".jpg"),
    "a WebP": (WEBP, "image/webp", ".webp"),
    "a lossless WebP": (encoded("WEBP", lossless=True), "image/webp", ".webp"),
    "a WebP with a colour profile": (encoded("WEBP", icc_profile=PROFILE), "image/webp", ".webp"),
    "a WebP with transparency": (encoded("WEBP", mode="RGBA"), "image/webp", ".webp"),
    "a WebP that moves": (animated("WEBP", 300), "image/webp", ".webp"),
}


@pytest.mark.parametrize(("data", "mime_type", "suffix"), SOUND.values(), ids=SOUND)
def test_a_sound_picture_is_known_for_what_it_is_and_kept_byte_for_byte(
    data: bytes, mime_type: str, suffix: str
) -> None:
    picture: Looked = looked_at(data)
    assert (picture.kind.mime_type, picture.kind.suffix) == (mime_type, suffix)
    assert picture.width * picture.height <= MAX_PIXELS
    assert picture.data == data
