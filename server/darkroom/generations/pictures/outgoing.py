"""Pictures on their way out: decoded whole within limits, and without anything beside their pixels."""

import struct
from typing import NamedTuple

from darkroom.generations.pictures.decoding import DECODING_S, Patience, Whole, decoded, whole
from darkroom.generations.pictures.formats.notes import UPRIGHT
from darkroom.generations.pictures.formats.parts import Part, Role
from darkroom.generations.pictures.formats.stretch import Piece, Stretch, pieces

_NEEDED = {Role.PIXELS, Role.PROFILE, Role.CUT}


class Outgoing(NamedTuple):
    """A picture that may leave. `data`: its file with pixels, colours and which way up it is, and nothing else."""

    mime_type: str
    data: bytes


def outgoing(data: bytes, seconds: float = DECODING_S) -> Outgoing:
    """The picture in these bytes; places, cameras, texts, statements and whatever was appended are gone.

    Blocking: for a worker thread.

    Raises:
        Unfit: no PNG, JPEG or WebP, cut off, too large, or not decoded within so many seconds.
    """
    patience = Patience(seconds)
    found = whole(Stretch.of(data), patience)
    decoded(found, patience)
    parts = [raw for part in found.parts if (raw := _kept(found, part))]
    return Outgoing(found.kind.mime_type, b"".join(pieces(found.kind.joined(parts))))


def _kept(picture: Whole, part: Part) -> Piece:
    if part.role in _NEEDED:
        return part.raw
    if part.role is Role.EXIF and picture.orientation != UPRIGHT:
        # One field of one table: the orientation, a short.
        exif = struct.pack("<4sIHHHIHHI", b"II*\0", 8, 1, 0x0112, 3, 1, picture.orientation, 0, 0)
        return picture.kind.note(Role.EXIF, exif)
    return b""
