"""What a picture's bytes are, where they end, and their decoding within limits: they may have been made to harm."""

import io
import re
import struct
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import PIL.Image

MAX_PIXELS = 50_000_000
MAX_SIDE = 65_535
"""Pixels: as many as a JPEG can have. A decoder spends memory on every row, however short."""
DECODING_S = 10.0
"""Seconds of processor time for one picture. A small JPEG can ask for hours by naming its pixels again and again."""
AT_ONCE = 2
"""How many pictures are decoded at the same time; one of the largest takes up to 0.8 GB."""
_PIECE = 8192


class Unfit(Exception):
    """Not a picture that we accept; the message goes on after "What came"."""


@dataclass(frozen=True)
class Kind:
    """A format: its own start, and how to find where a file of it ends."""

    name: str
    mime_type: str
    suffix: str
    starts: re.Pattern[bytes]
    end: Callable[[bytes], int]


def whole(data: bytes) -> tuple[Kind, bytes]:
    """The format of the picture and its bytes, without whatever was appended to it.

    Raises:
        Unfit: no PNG, JPEG or WebP, or cut off.
    """
    for kind in KINDS:
        if kind.starts.match(data):
            end = kind.end(data)
            if not 0 < end <= len(data):
                raise Unfit("is cut off before its end")
            return kind, data[:end]
    raise Unfit("is neither PNG, JPEG nor WebP")


@contextmanager
def opened(kind: Kind, data: bytes, seconds: float = DECODING_S) -> "Generator[PIL.Image.Image]":
    """The picture with its header read; its pixels are decoded when they are asked for within the block.

    Blocking: for a worker thread.

    Raises:
        Unfit: too large, or it cannot be decoded, or not within `seconds` of processor time.
    """
    import PIL.Image  # noqa: PLC0415 - heavy, and needed only where pictures are

    try:
        with PIL.Image.open(_Patient(data, seconds), formats=(kind.name,)) as picture:
            picture.decodermaxblock = _PIECE  # so that the decoder comes back often to ask for more
            width, height = picture.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                raise Unfit(f"has {width} × {height} pixels; {_LARGEST}")
            yield picture
    except Unfit:
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise Unfit(f"has too many pixels; {_LARGEST}") from error
    except Exception as error:  # a decoder fed with hostile bytes may raise anything
        raise Unfit(f"cannot be decoded ({type(error).__name__})") from error


_LARGEST = f"{MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} a side are the most"


class _Patient(io.BytesIO):
    """Bytes that can be read as long as the reading thread has not computed for too long."""

    def __init__(self, data: bytes, seconds: float) -> None:
        super().__init__(data)
        self._until = time.thread_time() + seconds

    def read(self, size: int | None = -1, /) -> bytes:
        if time.thread_time() > self._until:
            raise Unfit("takes too long to decode")
        return super().read(size)


def _end_of_png(data: bytes) -> int:
    at, kind = 8, b""
    while kind != b"IEND":
        if at + 12 > len(data):
            return 0
        length, kind = struct.unpack_from(">I4s", data, at)
        at += 12 + length
    return at


_MARKER = re.compile(rb"\xff+([^\x00\xff])")
_AFTER_SCAN = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_END, _SCAN, _ALONE = 0xD9, 0xDA, {0x01, *range(0xD0, 0xD9)}


def _end_of_jpeg(data: bytes) -> int:
    at, pattern = 2, _MARKER
    while found := pattern.search(data, at):
        at, pattern = found.end(), _MARKER
        marker = found.group(1)[0]
        if marker == _END:
            return at
        if marker not in _ALONE:
            at += int.from_bytes(data[at : at + 2])
        if marker == _SCAN:
            pattern = _AFTER_SCAN
    return 0


def _end_of_webp(data: bytes) -> int:
    return 8 + int.from_bytes(data[4:8], "little")


KINDS = (
    Kind("PNG", "image/png", ".png", re.compile(rb"\x89PNG\r\n\x1a\n"), _end_of_png),
    Kind("JPEG", "image/jpeg", ".jpg", re.compile(rb"\xff\xd8\xff"), _end_of_jpeg),
    Kind("WEBP", "image/webp", ".webp", re.compile(rb"RIFF....WEBP", re.DOTALL), _end_of_webp),
)
