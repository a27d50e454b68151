"""The format of a picture's bytes, and decoding within limits: they may have been made to harm.

What is decoded is a copy with nothing in it but what a decoder needs; the file itself is saved as it came.
"""

import hashlib
import io
import re
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from darkroom.generations.pictures.formats import jpeg, png, webp
from darkroom.generations.pictures.formats.appearance import SIDEWAYS, small
from darkroom.generations.pictures.formats.notes import UPRIGHT, orientation
from darkroom.generations.pictures.formats.parts import (
    DECODING_S,
    MAX_NOTE,
    MAX_PARTS,
    NoPicture,
    Part,
    Patience,
    Role,
    TooMuch,
    Unfit,
    cut_off,
)
from darkroom.generations.pictures.formats.stretch import Joined, Piece, Stretch

if TYPE_CHECKING:
    import PIL.Image

__all__ = ["DECODING_S", "MAX_PARTS", "NoPicture", "Patience", "TooMuch", "Unfit"]

MAX_PIXELS = 50_000_000
MAX_SIDE = 65_535
"""Pixels: as many as a JPEG can have. A decoder spends memory on every row, however short."""
AT_ONCE = 2
"""The number of pictures that are decoded at the same time; one of the largest takes up to 0.8 GB."""
_PIECE, _BUFFER = 8192, 65_536
_ROWS = 256

_T = TypeVar("_T")
_limiter: RunVar[CapacityLimiter] = RunVar("decoders")


async def decoding(work: Callable[[], _T]) -> _T:
    """The result of work on pictures; on a worker thread, few at a time for all who save and show them together."""
    limiter = _limiter.get(None)
    if limiter is None:  # one for each event loop, so nothing is awaited between looking and setting
        _limiter.set(limiter := CapacityLimiter(AT_ONCE))
    return await to_thread.run_sync(work, limiter=limiter)


class Kind(NamedTuple):
    """A format: its own start, the parts of a file of it, a file of some parts, and a note as a part."""

    name: str
    mime_type: str
    suffix: str
    starts: re.Pattern[bytes]
    parts: Callable[[Stretch, Patience], Iterator[Part]]
    joined: Callable[[Sequence[Piece]], list[Piece]]
    note: Callable[[Role, bytes], bytes]


class Whole(NamedTuple):
    """A picture to be decoded, and what else matters for how it is seen.

    `data`: the file without what a decoder does not need. `cut`: the file had no end, so its pixels may be missing.
    """

    kind: Kind
    data: Sequence[Piece]
    parts: Sequence[Part]
    profile: bytes
    orientation: int
    cut: bool


def whole(data: Stretch, patience: Patience) -> Whole:
    """The format of the picture, and what a decoder needs of it.

    Whatever was appended to it is gone, and so are the places where anything may be written: texts, comments,
    notes of cameras and editors, chunks of somebody's own.

    Raises:
        Unfit: no PNG, JPEG or WebP, cut off, or in more pieces than there is patience for.
    """
    start = data.read(0, 16)
    kind = next((kind for kind in KINDS if kind.starts.match(start)), None)
    if kind is None:
        raise NoPicture("is neither PNG, JPEG nor WebP")
    parts = list(kind.parts(data, patience))
    needed = [part.raw for part in parts if part.role in {Role.PIXELS, Role.CUT}]
    exif = next((bytes(part.body[:MAX_NOTE]) for part in parts if part.role is Role.EXIF), b"")
    profile = b"".join(bytes(part.body) for part in parts if part.role is Role.PROFILE)
    cut = parts[-1].role is Role.CUT if parts else False
    return Whole(kind, kind.joined(needed), parts, profile, orientation(exif) if exif else UPRIGHT, cut)


class Decoded(NamedTuple):
    """Pixels as people see them, and a small version as a JPEG, where one can be made."""

    width: int
    height: int
    small: bytes | None


def decoded(picture: Whole, patience: Patience) -> Decoded:
    """The picture's size and a small version, once all of it has been decoded. Blocking: for a worker thread.

    Raises:
        Unfit: too large, cut off, or it cannot be decoded, or not within this patience.
    """
    try:
        width, height, pixels, reduced = _pixels(picture, picture.data, patience)
        if picture.cut and picture.kind.name == "JPEG":
            # A decoder makes up what is missing, without a word: it makes up something else if noise follows.
            noisy = [*picture.data[:-1], _NOISE, picture.data[-1]]
            if _pixels(picture, noisy, patience)[:3] != (width, height, pixels):
                raise cut_off()
    except TooMuch:
        raise
    except Unfit as error:
        if picture.cut:
            raise cut_off() from error
        raise
    return Decoded(*((height, width) if picture.orientation in SIDEWAYS else (width, height)), reduced)


_NOISE = hashlib.shake_256(b"noise").digest(65_536).replace(b"\xff", b"\x5a")


def _pixels(of: Whole, data: Sequence[Piece], patience: Patience) -> tuple[int, int, list[int], bytes | None]:
    """Its size, a checksum of its pixels where some may be missing, and a small version."""
    with opened(of.kind, data, patience) as picture:
        picture.load()
        width, height = picture.size
        rows = range(0, height, _ROWS) if of.cut else ()
        sums = [zlib.crc32(picture.crop((0, top, width, min(top + _ROWS, height))).tobytes()) for top in rows]
        return width, height, sums, small(picture, of.profile, of.orientation)


@contextmanager
def opened(kind: Kind, data: Sequence[Piece], patience: Patience) -> "Generator[PIL.Image.Image]":
    """The picture with its header read; its pixels are decoded when they are asked for within the block.

    Blocking: for a worker thread.

    Raises:
        Unfit: too large, or it cannot be decoded, or not within this patience.
    """
    import PIL.Image  # noqa: PLC0415 - heavy, and needed only where pictures are

    try:
        with PIL.Image.open(_TimeLimitedReader(data, patience), formats=(kind.name,)) as picture:
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


class _TimeLimitedReader(io.BufferedReader):
    """A file that can be read as long as there is patience."""

    def __init__(self, data: Sequence[Piece], patience: Patience) -> None:
        super().__init__(Joined(data), _BUFFER)
        self._patience = patience

    def read(self, size: int | None = -1, /) -> bytes:
        self._patience.check()
        return super().read(size)


KINDS = (
    Kind("PNG", "image/png", ".png", re.compile(rb"\x89PNG\r\n\x1a\n"), png.parts, list[Piece], png.note),
    Kind("JPEG", "image/jpeg", ".jpg", re.compile(rb"\xff\xd8\xff"), jpeg.parts, list[Piece], jpeg.note),
    Kind("WEBP", "image/webp", ".webp", re.compile(rb"RIFF....WEBP", re.DOTALL), webp.parts, webp.joined, webp.note),
)
