"""The parts of a picture's file, and a limit on the time for looking at it."""

import time
from enum import Enum, auto
from typing import NamedTuple

from darkroom.generations.pictures.formats.stretch import Piece

MAX_PARTS = 100_000
"""Chunks or segments: the largest picture that we fetch has 16,384 of 4 KiB."""
DECODING_S = 10.0
"""Seconds of processor time for one picture. A small JPEG can ask for hours by naming its pixels again and again."""
MAX_NOTE = 65_536
"""Bytes of a note that are read: a JPEG's cannot be larger."""


class Unfit(Exception):
    """Not a picture that we accept; the message goes on after "What came"."""


class NoPicture(Unfit):
    """It does not begin like one."""


class TooMuch(Unfit):
    """More of it than we look at: that will be so whenever it is fetched."""


def cut_off() -> Unfit:
    """The picture ends before all of it is there."""
    return Unfit("is cut off before its end")


class Patience:
    """The limit of looking at one picture: so much processor time of the thread that looks, and so many parts."""

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


class Role(Enum):
    """The purpose of a part."""

    PIXELS = auto()
    """A decoder needs it."""
    PROFILE = auto()
    """The meaning of colours; `body` is the ICC profile, or a piece of it."""
    EXIF = auto()
    XMP = auto()
    TEXT = auto()
    """A text with a name, as `name\\0text`."""
    STATEMENT = auto()
    """The origin of the picture (C2PA); `body` is the JUMBF box, or a piece of it."""
    REST = auto()
    CUT = auto()
    """The end that the file lacks; nothing of the file."""


class Part(NamedTuple):
    """One part: `raw` as it stands in the file, `body` what it holds.

    `name` says in words what is not needed: the part, or what `raw` lacks of it where a decoder needs the rest.
    """

    role: Role
    raw: Piece
    body: Piece = b""
    name: str = ""
