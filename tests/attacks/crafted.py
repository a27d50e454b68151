"""Picture files made to harm, and the parts that they are made of."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import PIL.Image
import PIL.ImageCms
import PIL.ImageOps

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PHP = b"<?php system($_GET['x']); ?>"
HTML = b"<html><script>alert(document.domain)</script></html>"

_make_profile: Any = getattr(PIL.ImageCms, "createProfile")  # noqa: B009 - it has no complete types
PROFILE = PIL.ImageCms.ImageCmsProfile(_make_profile("sRGB")).tobytes()
"""What says how colours are meant."""


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def segment(marker: int, body: bytes) -> bytes:
    """One segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def part(kind: bytes, body: bytes) -> bytes:
    """One chunk of a WebP."""
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """The header of a PNG."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png(width: int, height: int, *extra: bytes, pixels: bytes | None = None) -> bytes:
    """A PNG of that size, black, with further chunks in it."""
    if pixels is None:
        pixels = zlib.compress(b"\0" * (1 + width * 3) * height)
    return SIGNATURE + header(width, height) + b"".join(extra) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """So many zeros as a PNG packs them, without ever having them all in memory: what packs a MiB is repeated."""
    whole, rest = divmod(count, 2**20)
    packer = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    piece = packer.compress(b"\0" * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    check = count % 65_521 << 16 | 1  # Adler-32 of so many zeros
    return b"\x78\x01" + piece * whole + last.compress(b"\0" * rest) + last.flush() + check.to_bytes(4, "big")


def bomb(side: int) -> bytes:
    """A PNG of so many black pixels a side, which is what it says."""
    packed = chunk(b"IDAT", zeros(side * (1 + side // 8)))
    return SIGNATURE + header(side, side, depth=1, colour=0) + packed + chunk(b"IEND", b"")


def encoded(kind: str, width: int = 64, height: int = 36, mode: str = "RGB", **how: object) -> bytes:
    """A sound picture of that format."""
    file = io.BytesIO()
    PIL.ImageOps.fit(PIL.Image.linear_gradient("L"), (width, height)).convert(mode).save(file, kind, **how)
    return file.getvalue()


def animated(kind: str, frames: int) -> bytes:
    """A picture that moves."""
    file = io.BytesIO()
    first, *rest = [PIL.Image.new("RGB", (64, 36), (number % 256, number // 256, 0)) for number in range(frames)]
    first.save(file, kind, save_all=True, append_images=rest, duration=10)
    return file.getvalue()


def archive() -> bytes:
    """A ZIP file with a program in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("run.php", PHP)
    return file.getvalue()


def endless_jpeg(scans: int) -> bytes:
    """A JPEG of a few megabytes that has a decoder go over its 49 million pixels again and again."""
    plain = encoded("JPEG", 7000, 7000, "L", progressive=True, quality=10)
    start, end = list(_scans(plain))[1]
    return plain[:end] + plain[start:end] * scans + plain[end:]


def _scans(jpeg: bytes) -> Iterator[tuple[int, int]]:
    """Where each scan of a JPEG begins and ends."""
    at = 2
    while jpeg[at + 1] != 0xD9:
        start, is_scan = at, jpeg[at + 1] == 0xDA
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
        if is_scan:
            found = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]").search(jpeg, at)
            assert found is not None
            at = found.start()
            yield start, at


def photo_cd() -> bytes:
    """A Photo CD that starts and ends like a PNG."""
    text = bytearray(2**20)
    text[2048 - 41 : 2052 - 41] = b"PCD_"
    broken = header(9, 9)[:-4] + b"\0\0\0\0"
    return SIGNATURE + broken + chunk(b"tEXt", bytes(text)) + chunk(b"IEND", b"")


def riff(body: bytes, length: int | None = None) -> bytes:
    """A WebP file around these chunks, of that length if it is to lie."""
    return b"RIFF" + struct.pack("<I", len(body) + 4 if length is None else length) + b"WEBP" + body
