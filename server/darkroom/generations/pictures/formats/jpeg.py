"""The segments of a JPEG, and the pixels between them."""

import re
import struct
from collections.abc import Iterator

from darkroom.generations.pictures.formats.parts import Part, Patience, Role, cut_off
from darkroom.generations.pictures.formats.stretch import Stretch

_STEP = 8192
_MARKER = re.compile(rb"\xff([^\x00\xff])")
_AFTER_SCAN = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_END, _SCAN, _HEADER, _ALONE = 0xD9, 0xDA, 0xE0, {0x01, *range(0xD0, 0xD9)}
# Frames, tables and scans.
_NEEDED = {*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDD}
# What may stand between two scans.
_BETWEEN = {0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE}
_JFIF, _EXIF, _XMP, _PROFILE, _ADOBE = (
    b"JFIF\0",
    b"Exif\0\0",
    b"http://ns.adobe.com/xap/1.0/\0",
    b"ICC_PROFILE\0",
    b"Adobe",
)


def parts(data: Stretch, patience: Patience) -> Iterator[Part]:
    """Up to its end, or that of the file."""
    at, scans, in_scan, jfif = 2, 0, False, False
    yield Part(Role.PIXELS, data[:at])
    while (body := _next_segment(data, at, patience, in_scan=in_scan)) is not None:
        start, marker = body - 2, data.read(body - 1, 1)[0]
        if in_scan:
            yield Part(Role.PIXELS, data[at:start])
        elif start > at:
            yield Part(Role.REST, data[at:start], name="what stood between its segments")
        at, in_scan = body, marker == _SCAN
        if marker == _END:
            yield Part(Role.PIXELS, data[start:at])
            if at < len(data):
                yield Part(Role.REST, data[at:], name="what followed its end")
            return
        if marker in _ALONE:
            continue
        at += int.from_bytes(data.read(at, 2))
        scans += in_scan
        part = _part(marker, data[start:at])
        if marker == _HEADER and part.role is Role.PIXELS:
            part, jfif = (Part(Role.REST, part.raw, name="a second header") if jfif else part), True
        yield part
    if not scans:
        raise cut_off()
    yield Part(Role.PIXELS, _without_fill(data[at:]))
    yield Part(Role.CUT, b"\xff\xd9")


def _without_fill(data: Stretch) -> Stretch:
    """The same without the bytes at its end that may be half a marker."""
    end = len(data)
    while end:
        piece = data.read(max(0, end - _STEP), min(_STEP, end))
        end -= len(piece) - len(piece.rstrip(b"\xff"))
        if piece[-1:] != b"\xff" or piece.strip(b"\xff"):
            break
    return data[:end]


def _next_segment(data: Stretch, at: int, patience: Patience, *, in_scan: bool) -> int | None:
    """The end of the next segment's marker; bytes that damage makes look like one are passed over in a scan."""
    while True:
        patience.another_part()
        body = _after_marker(_AFTER_SCAN if in_scan else _MARKER, data, at, patience)
        if (
            body is None
            or not in_scan
            or (marker := data.read(body - 1, 1)[0]) == _END
            or _ends_scan(data, marker, body)
        ):
            return body
        at = body


def _ends_scan(data: Stretch, marker: int, at: int) -> bool:
    """True where a segment begins there: one that fits, and that is followed by another marker or a scan's pixels."""
    length = int.from_bytes(data.read(at, 2))
    if marker == _SCAN:
        return length == 6 + 2 * int.from_bytes(data.read(at + 2, 1))
    return marker in _BETWEEN and length >= 2 and data.read(at + length, 1) == b"\xff"


def _part(marker: int, raw: Stretch) -> Part:
    if marker in _NEEDED:
        return Part(Role.PIXELS, raw)
    body = bytes(raw[4:])
    if marker == _HEADER and body.startswith(_JFIF) and len(body) >= 12:  # its thumbnail is not needed
        short = segment(_HEADER, body[:12] + b"\0\0")
        return Part(Role.PIXELS, raw) if len(body) == 14 else Part(Role.PIXELS, short, name="a thumbnail")
    if marker == 0xEE and body.startswith(_ADOBE) and len(body) >= 12:
        short = segment(0xEE, body[:12])
        return Part(Role.PIXELS, raw) if len(body) == 12 else Part(Role.PIXELS, short, name="other segments")
    if marker == 0xE1 and body.startswith(_EXIF):
        return Part(Role.EXIF, raw, body[len(_EXIF) :], "EXIF")
    if marker == 0xE1 and body.startswith(_XMP):
        return Part(Role.XMP, raw, body[len(_XMP) :], "XMP")
    if marker == 0xE2 and body.startswith(_PROFILE):
        return Part(Role.PROFILE, raw, body[len(_PROFILE) + 2 :], "a colour profile")
    if marker == 0xEB and body.startswith(b"JP"):
        again = body[8:16] if int.from_bytes(body[4:8]) > 1 else b""  # each piece repeats the box's header
        return Part(Role.STATEMENT, raw, body[8 + len(again) :], "C2PA")
    return Part(Role.REST, raw, name="a comment" if marker == 0xFE else "other segments")


def _after_marker(pattern: re.Pattern[bytes], data: Stretch, at: int, patience: Patience) -> int | None:
    """The end of the next marker. In steps, since no other thread gets anywhere during a search."""
    for place in range(at, len(data), _STEP):
        patience.check()
        if found := pattern.search(data.read(place, _STEP + 1)):
            return place + found.end()
    return None


def segment(marker: int, body: bytes) -> bytes:
    """One segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def note(role: Role, body: bytes) -> bytes:
    """These EXIF or XMP data as a part."""
    return segment(0xE1, (_EXIF if role is Role.EXIF else _XMP) + body)
