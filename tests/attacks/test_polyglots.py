"""A picture that is something else too is saved as it came and shown without that, or stripped of it if asked to."""

import io
import struct
import zipfile

import PIL.Image
import pytest

from darkroom.generations.pictures.decoding import Patience, whole
from darkroom.generations.pictures.formats.stretch import Stretch, pieces
from tests.arriving import looked_at
from tests.attacks.crafted import (
    HTML,
    PHP,
    PROFILE,
    animated,
    archive,
    chunk,
    encoded,
    part,
    riff,
    segment,
    zeros,
)

ZIP = archive()
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF\n"
END = chunk(b"IEND", b"")
PACKED = zeros(2**26)
PNG, JPEG, WEBP = (encoded(kind, icc_profile=PROFILE) for kind in ("PNG", "JPEG", "WEBP"))
PROGRESSIVE = encoded("JPEG", progressive=True)
PLAIN_WEBP = encoded("WEBP")
FRAMES = animated("WEBP", 300)


def in_png(*chunks: bytes, end: bytes = END) -> bytes:
    """With these before its pixels, and another end."""
    place = PNG.index(b"IDAT") - 4
    return PNG[:place] + b"".join(chunks) + PNG[place:-12] + end


def in_jpeg(data: bytes, place: bytes = b"\xff\xdb", picture: bytes = JPEG) -> bytes:
    """With this before the last marker of that kind."""
    at = picture.rindex(place)
    return picture[:at] + data + picture[at:]


def in_frame(data: bytes) -> bytes:
    """A WebP that moves, with this in its last frame."""
    at = FRAMES.rindex(b"ANMF")
    size = struct.unpack_from("<I", FRAMES, at + 4)[0]
    return riff(FRAMES[12:at] + part(b"ANMF", FRAMES[at + 8 : at + 8 + size] + data))


def flagged(webp: bytes, flags: int) -> bytes:
    """With these features announced."""
    at = webp.index(b"VP8X") + 8
    return webp[:at] + bytes((webp[at] | flags,)) + webp[at + 1 :]


# What comes, what of it is saved, and what must not be in that.
HIDDEN: dict[str, tuple[bytes, bytes, bytes]] = {
    "a ZIP in a PNG's end": (in_png(end=chunk(b"IEND", ZIP)), PNG, ZIP),
    "a ZIP in a chunk of its own": (in_png(chunk(b"ziPf", ZIP)), PNG, ZIP),
    "a ZIP in a chunk that calls itself needed": (in_png(chunk(b"ZIPF", ZIP)), PNG, ZIP),
    "a ZIP in a chunk that holds a number": (in_png(chunk(b"gAMA", ZIP)), PNG, ZIP),
    "a PDF in a PNG's text": (in_png(chunk(b"tEXt", b"a\0" + PDF)), PNG, PDF),
    "a script in a PNG's text": (in_png(chunk(b"iTXt", b"a\0\0\0\0\0" + HTML)), PNG, HTML),
    "a program in a PNG's EXIF": (in_png(chunk(b"eXIf", PHP)), PNG, PHP),
    "a text of 64 MiB, packed": (in_png(chunk(b"zTXt", b"a\0\0" + PACKED)), PNG, PACKED),
    "a comment of 64 MiB, packed": (in_png(chunk(b"iTXt", b"a\0\1\0\0\0" + PACKED)), PNG, PACKED),
    "a hundred megabytes of texts, packed": (
        in_png(*[chunk(b"zTXt", b"a\0\0" + zeros(1_000_000))] * 100), PNG, b"zTXt",
    ),
    "a ZIP in a frame of a PNG": (in_png(chunk(b"fdAT", b"\0\0\0\1" + ZIP)), PNG, ZIP),
    "a program in a JPEG's comment": (in_jpeg(segment(0xFE, PHP)), JPEG, PHP),
    "a JPEG in a JPEG's comment": (in_jpeg(segment(0xFE, PROGRESSIVE)), JPEG, PROGRESSIVE),
    "a program in a JPEG's EXIF": (in_jpeg(segment(0xE1, b"Exif\0\0" + PHP)), JPEG, PHP),
    "a program in a JPEG's thumbnail": (in_jpeg(segment(0xE0, b"JFXX\0\x10" + PHP)), JPEG, PHP),
    "a program in the thumbnail of JFIF": (in_jpeg(segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\x09\1" + PHP)), JPEG, PHP),
    "a ZIP where colours are": (in_jpeg(segment(0xE2, b"MPF\0" + ZIP)), JPEG, ZIP),
    "a ZIP behind Adobe's colours": (
        in_jpeg(segment(0xEE, b"Adobe\0d\0\0\0\0\1" + ZIP)), in_jpeg(segment(0xEE, b"Adobe\0d\0\0\0\0\1")), ZIP,
    ),
    "a ZIP in an application's segment": (in_jpeg(segment(0xEF, ZIP)), JPEG, ZIP),
    "a ZIP before the height that nobody reads": (in_jpeg(segment(0xDC, ZIP), b"\xff\xc4"), JPEG, ZIP),
    "a program between a JPEG's segments": (in_jpeg(PHP), JPEG, PHP),
    "a program between a JPEG's scans": (
        in_jpeg(segment(0xFE, PHP), b"\xff\xda", PROGRESSIVE), PROGRESSIVE, PHP,
    ),
    "a ZIP in a WebP's junk": (riff(WEBP[12:] + part(b"JUNK", ZIP)), WEBP, ZIP),
    "a ZIP in the junk of a plain WebP": (riff(PLAIN_WEBP[12:] + part(b"JUNK", ZIP)), PLAIN_WEBP, ZIP),
    "a ZIP behind a WebP's last chunk": (riff(WEBP[12:] + ZIP), WEBP, ZIP),
    "a program in a WebP's notes": (
        flagged(riff(WEBP[12:] + part(b"EXIF", PHP) + part(b"XMP ", HTML)), 0x0C), WEBP, PHP,
    ),
    "a ZIP in a frame of a WebP": (in_frame(part(b"JUNK", ZIP)), FRAMES, ZIP),
    "a ZIP in a frame in a frame": (in_frame(part(b"ANMF", b"\0" * 16 + part(b"VP8 ", ZIP))), FRAMES, ZIP),
}  # fmt: skip


def seen(data: bytes) -> tuple[str, bytes, object]:
    """What is seen of a picture: its pixels, and how their colours are meant."""
    with PIL.Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return picture.mode, picture.tobytes(), picture.info.get("icc_profile")


@pytest.mark.parametrize(("data", "kept", "hidden"), HIDDEN.values(), ids=HIDDEN)
def test_what_a_picture_does_not_need_is_saved_as_it_came_and_reaches_no_decoder(
    data: bytes, kept: bytes, hidden: bytes
) -> None:
    assert hidden in data
    picture = looked_at(data)
    assert (picture.data, picture.removed) == (data, None)
    copy = b"".join(pieces(whole(Stretch.of(data), Patience()).data))
    assert hidden not in copy
    assert not zipfile.is_zipfile(io.BytesIO(copy))
    assert seen(copy)[:2] == seen(kept)[:2]


@pytest.mark.parametrize(("data", "kept", "hidden"), HIDDEN.values(), ids=HIDDEN)
def test_what_a_picture_does_not_need_is_stripped_from_it_where_that_is_wanted(
    data: bytes, kept: bytes, hidden: bytes
) -> None:
    picture = looked_at(data, strip=True)
    assert picture.data == kept
    assert picture.removed
    assert not zipfile.is_zipfile(io.BytesIO(picture.data))


LOOKS = {
    "a PNG": (in_png(chunk(b"tEXt", b"a\0" + PDF), end=chunk(b"IEND", ZIP)), PROFILE),
    "a PNG that moves": (animated("PNG", 300), None),
    "a JPEG": (in_jpeg(segment(0xFE, PHP) + segment(0xE1, b"Exif\0\0" + PHP)), PROFILE),
    "a JPEG with scans": (in_jpeg(segment(0xFE, PHP), b"\xff\xda", PROGRESSIVE), None),
    "a JPEG in CMYK": (encoded("JPEG", mode="CMYK", comment=PHP), None),
    "a JPEG with restart markers": (encoded("JPEG", restart_marker_blocks=1, comment=PHP), None),
    "a JPEG of two pictures": (animated("MPO", 2), None),
    "a WebP": (riff(WEBP[12:] + part(b"JUNK", ZIP)), PROFILE),
    "a WebP with notes": (encoded("WEBP", mode="RGBA", exif=b"Exif\0\0" + PHP, xmp=HTML), None),
    "a WebP that moves": (in_frame(part(b"JUNK", ZIP)), None),
}


@pytest.mark.parametrize(("data", "profile"), LOOKS.values(), ids=LOOKS)
def test_a_picture_looks_the_same_without_what_it_does_not_need(data: bytes, profile: bytes | None) -> None:
    saved = looked_at(data, strip=True).data
    assert len(saved) < len(data)
    assert seen(saved) == seen(data)
    assert seen(saved)[2] == profile
    assert looked_at(saved, strip=True).data == saved


JUMBF = b"\0\0\0\x10jumb\0\0\0\x08c2pa"
PROVENANCE = {
    "a PNG": in_png(chunk(b"caBX", JUMBF)),
    "a JPEG": in_jpeg(segment(0xEB, b"JP\0\1\0\0\0\1" + JUMBF)),
    "a WebP": riff(WEBP[12:] + part(b"C2PA", JUMBF)),
}


@pytest.mark.parametrize("data", PROVENANCE.values(), ids=PROVENANCE)
def test_the_statement_that_an_ai_made_a_picture_is_kept(data: bytes) -> None:
    picture = looked_at(data, strip=True)
    assert (picture.data, picture.removed) == (data, None)


def test_a_frame_in_a_frame_without_end_is_none() -> None:
    nested = b""
    for _ in range(2_000):
        nested = part(b"ANMF", b"\0" * 16 + nested)
    assert looked_at(riff(PLAIN_WEBP[12:] + nested)).width == 64
