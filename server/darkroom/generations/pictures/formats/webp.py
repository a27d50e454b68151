"""The chunks of a WebP."""

import struct
from collections.abc import Iterator, Sequence

from darkroom.generations.pictures.formats.parts import Part, Patience, Role, cut_off
from darkroom.generations.pictures.formats.stretch import Piece, Stretch

# Pixels, and the frames of one that moves, which has no other picture.
_NEEDED = {b"VP8 ", b"VP8L", b"ALPH", b"ANIM"}
_NOTES = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}
"""The flags that announce them."""
_ROLES = {
    b"ICCP": (Role.PROFILE, "a colour profile"),
    b"EXIF": (Role.EXIF, "EXIF"),
    b"XMP ": (Role.XMP, "XMP"),
    b"C2PA": (Role.STATEMENT, "C2PA"),
}


def parts(data: Stretch, patience: Patience) -> Iterator[Part]:
    """Up to its end."""
    end = 8 + int.from_bytes(data.read(4, 4), "little")
    if end - 8 == len(data):  # some writers count the eight bytes before the size too, which no decoder minds
        end = len(data)
    if end > len(data):
        raise cut_off()
    yield from _chunks(data[:end], 12, patience)
    if end < len(data):
        yield Part(Role.REST, data[end:], name="what followed its end")


def _chunks(data: Stretch, at: int, patience: Patience, *, in_frame: bool = False) -> Iterator[Part]:
    while at + 8 <= len(data):
        patience.another_part()
        start, body = at, at + 8
        kind, size = struct.unpack("<4sI", data.read(start, 8))
        end, at = body + size, body + size + size % 2
        if end > len(data):  # whether the rest was needed will be seen when it is decoded
            yield Part(Role.REST, data[start:], name="other chunks")
            return
        if kind == b"ANMF" and not in_frame:
            yield _frame(data[start:at], data[body:end], patience)
        elif kind in _NEEDED or (kind == b"VP8X" and size == 10):
            yield Part(Role.PIXELS, data[start:at])
        else:
            role, name = _ROLES.get(kind, (Role.REST, "other chunks"))
            yield Part(role if not in_frame else Role.REST, data[start:at], data[body:end], name)


def _frame(raw: Stretch, body: Stretch, patience: Patience) -> Part:
    needed = [part.raw for part in _chunks(body, 16, patience, in_frame=True) if part.role is Role.PIXELS]
    if 16 + sum(map(len, needed)) == len(body):
        return Part(Role.PIXELS, raw)
    frame = b"".join((body.read(0, 16), *map(bytes, needed)))
    return Part(Role.PIXELS, chunk(b"ANMF", frame), name="other chunks")


def joined(chunks: Sequence[Piece]) -> list[Piece]:
    """The file of these chunks, which announces what notes are in it and no others."""
    flags = 0
    for each in chunks:
        flags |= _NOTES.get(bytes(each[:4]), 0)
    form = [_announcing(each, flags) if bytes(each[:4]) == b"VP8X" else each for each in chunks]
    return [b"RIFF" + struct.pack("<I", 4 + sum(map(len, form))) + b"WEBP", *form]


def _announcing(header: Piece, flags: int) -> bytes:
    data = bytes(header)
    return data[:8] + bytes((data[8] & ~sum(_NOTES.values()) | flags,)) + data[9:]


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk."""
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def note(role: Role, body: bytes) -> bytes:
    """These EXIF or XMP data as a part."""
    return chunk(b"EXIF" if role is Role.EXIF else b"XMP ", body)
