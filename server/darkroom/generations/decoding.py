"""What a picture's bytes are, what of them it needs, and decoding within limits: they may have been made to harm."""

import io
import re
import struct
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

if TYPE_CHECKING:
    import PIL.Image

MAX_PIXELS = 50_000_000
MAX_SIDE = 65_535
"""Pixels: as many as a JPEG can have. A decoder spends memory on every row, however short."""
MAX_PARTS = 100_000
"""Chunks or segments: the largest picture that we fetch has 16,384 of 4 KiB."""
DECODING_S = 10.0
"""Seconds of processor time for one picture. A small JPEG can ask for hours by naming its pixels again and again."""
AT_ONCE = 2
"""How many pictures are decoded at the same time; one of the largest takes up to 0.8 GB."""
_PIECE = 8192

_T = TypeVar("_T")
_Parts = Iterator[bytes | memoryview]
_limiter: RunVar[CapacityLimiter] = RunVar("decoders")


async def decoding(work: Callable[[], _T]) -> _T:
    """What this makes of pictures; on a worker thread, few at a time for all who save and show them together."""
    limiter = _limiter.get(None)
    if limiter is None:  # one for each event loop, so nothing is awaited between looking and setting
        _limiter.set(limiter := CapacityLimiter(AT_ONCE))
    return await to_thread.run_sync(work, limiter=limiter)


class Unfit(Exception):
    """Not a picture that we accept; the message goes on after "What came"."""


class NoPicture(Unfit):
    """It does not begin like one."""


class TooMuch(Unfit):
    """More of it than we look at: that will be so whenever it is fetched."""


class Patience:
    """What looking at one picture may take: so much processor time of the thread that looks, and so many parts."""

    def __init__(self, seconds: float = DECODING_S) -> None:
        self._until = time.thread_time() + seconds
        self._parts = MAX_PARTS

    def check(self) -> None:
        """Raises Unfit when the time is over."""
        if time.thread_time() > self._until:
            raise TooMuch("takes too long to decode")

    def another_part(self) -> None:
        """Raises Unfit when there are too many, or the time is over."""
        self._parts -= 1
        if self._parts < 0:
            raise TooMuch("is in too many pieces")
        self.check()


@dataclass(frozen=True)
class Kind:
    """A format: its own start, and those parts of a file of it that the picture needs."""

    name: str
    mime_type: str
    suffix: str
    starts: re.Pattern[bytes]
    needed: Callable[[bytes, Patience], _Parts]


def whole(data: bytes, patience: Patience) -> tuple[Kind, bytes]:
    """The format of the picture and the bytes that it needs; the very same if it needs all of them.

    Whatever was appended to it is gone, and so are the places where anything may be written: texts, comments,
    notes of cameras and editors, chunks of somebody's own. Where a picture comes from (C2PA) stays.

    Raises:
        Unfit: no PNG, JPEG or WebP, cut off, or in more pieces than there is patience for.
    """
    kind = next((kind for kind in KINDS if kind.starts.match(data)), None)
    if kind is None:
        raise NoPicture("is neither PNG, JPEG nor WebP")
    parts = list(kind.needed(data, patience))
    return kind, data if sum(map(len, parts)) == len(data) else b"".join(parts)


@contextmanager
def opened(kind: Kind, data: bytes, patience: Patience) -> "Generator[PIL.Image.Image]":
    """The picture with its header read; its pixels are decoded when they are asked for within the block.

    Blocking: for a worker thread.

    Raises:
        Unfit: too large, or it cannot be decoded, or not within this patience.
    """
    import PIL.Image  # noqa: PLC0415 - heavy, and needed only where pictures are

    try:
        with PIL.Image.open(_Patient(data, patience), formats=(kind.name,)) as picture:
            picture.decodermaxblock = _PIECE  # so that the decoder comes back often to ask for more
            width, height = picture.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                raise TooMuch(f"has {width} × {height} pixels; {_LARGEST}")
            yield picture
    except Unfit:
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise TooMuch(f"has too many pixels; {_LARGEST}") from error
    except Exception as error:  # a decoder fed with hostile bytes may raise anything
        raise Unfit(f"cannot be decoded ({type(error).__name__})") from error


_LARGEST = f"{MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} a side are the most"


class _Patient(io.BytesIO):
    """Bytes that can be read as long as there is patience."""

    def __init__(self, data: bytes, patience: Patience) -> None:
        super().__init__(data)
        self._patience = patience

    def read(self, size: int | None = -1, /) -> bytes:
        self._patience.check()
        return super().read(size)


# PNG: pixels, what gives them their colours and their shape, and C2PA's statement that an AI made them (caBX), which
# some must pass on; each with the most bytes it can have.
_CHUNKS = dict.fromkeys((b"IDAT", b"iCCP", b"caBX"), 2**31) | {
    b"IHDR": 13, b"PLTE": 768, b"tRNS": 256, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"pHYs": 9,
}  # fmt: skip
_END_OF_PNG = b"\0\0\0\0IEND\xaeB`\x82"


def _needed_of_png(data: bytes, patience: Patience) -> _Parts:
    """One that moves is kept as the still picture that it has for programs in which nothing moves."""
    view, at = memoryview(data), 8
    yield view[:at]
    while at + 12 <= len(data):
        patience.another_part()
        start = at
        length, kind = struct.unpack_from(">I4s", data, start)
        at += 12 + length
        if at > len(data):
            break
        if kind == b"IEND":
            yield _END_OF_PNG
            return
        if length <= _CHUNKS.get(kind, -1):
            yield view[start:at]
    raise Unfit("is cut off before its end")


# JPEG: frames, tables and scans; of what applications add only how colours are meant, and C2PA (APP11, "JP").
_MARKER = re.compile(rb"\xff([^\x00\xff])")
_AFTER_SCAN = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_END, _SCAN, _ALONE = 0xD9, 0xDA, {0x01, *range(0xD0, 0xD9)}
_NEEDED = re.compile(
    rb"\xff(?:[\xc0-\xcf\xda\xdb\xdd]|\xe0\x00\x10JFIF\x00|\xe2..ICC_PROFILE\x00|\xeb..JP|\xee\x00\x0eAdobe)",
    re.DOTALL,
)


def _needed_of_jpeg(data: bytes, patience: Patience) -> _Parts:
    view, at, pattern = memoryview(data), 2, _MARKER
    yield view[:at]
    while True:
        patience.another_part()
        body = _after_marker(pattern, data, at, patience)
        if pattern is _AFTER_SCAN:
            yield view[at : body - 2]  # its pixels
        marker, start, at, pattern = data[body - 1], body - 2, body, _MARKER
        if marker == _END:
            yield view[start:at]
            return
        if marker not in _ALONE:
            at += int.from_bytes(data[at : at + 2])
        if marker == _SCAN:
            pattern = _AFTER_SCAN
        if _NEEDED.match(data, start):
            yield view[start:at]


def _after_marker(pattern: re.Pattern[bytes], data: bytes, at: int, patience: Patience) -> int:
    """Where the next marker ends. In steps, since no other thread gets anywhere during a search."""
    for place in range(at, len(data), _PIECE):
        patience.check()
        if found := pattern.search(data, place, place + _PIECE + 1):
            return found.end()
    raise Unfit("is cut off before its end")


# WebP: the same as of PNG, and the frames of one that moves, which has no other picture.
_WEBP_NEEDS = {b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"ANIM", b"C2PA"}
_NOTES = 0x08 | 0x04
"""The flags that announce EXIF and XMP."""


def _needed_of_webp(data: bytes, patience: Patience) -> _Parts:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise Unfit("is cut off before its end")
    chunks = list(_chunks_of_webp(memoryview(data)[:end], 12, patience))
    yield b"RIFF" + struct.pack("<I", 4 + sum(map(len, chunks))) + b"WEBP"
    yield from chunks


def _chunks_of_webp(view: memoryview, at: int, patience: Patience, *, in_frame: bool = False) -> _Parts:
    while at + 8 <= len(view):
        patience.another_part()
        start, body = at, at + 8
        kind, size = struct.unpack_from("<4sI", view, start)
        end, at = body + size, body + size + size % 2
        if end > len(view):
            return  # whether the rest was needed will be seen when it is decoded
        if kind == b"VP8X" and size == 10:
            yield b"".join((view[start:body], bytes((view[body] & ~_NOTES,)), view[body + 1 : end]))
        elif kind == b"ANMF" and not in_frame:
            chunks = _chunks_of_webp(view[body:end], 16, patience, in_frame=True)
            frame = b"".join((view[body : body + 16], *chunks))
            yield kind + struct.pack("<I", len(frame)) + frame + b"\0" * (len(frame) % 2)
        elif kind in _WEBP_NEEDS:
            yield view[start:at]


KINDS = (
    Kind("PNG", "image/png", ".png", re.compile(rb"\x89PNG\r\n\x1a\n"), _needed_of_png),
    Kind("JPEG", "image/jpeg", ".jpg", re.compile(rb"\xff\xd8\xff"), _needed_of_jpeg),
    Kind("WEBP", "image/webp", ".webp", re.compile(rb"RIFF....WEBP", re.DOTALL), _needed_of_webp),
)
