"""The chunks of a PNG."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress

from darkroom.generations.pictures.formats.parts import MAX_NOTE, Part, Patience, Role, TooMuch, cut_off
from darkroom.generations.pictures.formats.stretch import Piece, Stretch
from darkroom.redact.text import clean

MAX_PROFILE = 16 * 2**20
"""Bytes that a profile may unpack to."""
MAX_TEXTS = 16 * 2**20
"""Bytes that are looked at of what a picture's packed texts hold."""
# Pixels, and what gives them their colours and their shape; each with the most bytes it can have.
_NEEDED = {
    b"IDAT": 2**31,
    b"IHDR": 13,
    b"PLTE": 768,
    b"tRNS": 256,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"cICP": 4,
    b"pHYs": 9,
}
_MOVES = {b"acTL", b"fcTL", b"fdAT"}
_END = b"\0\0\0\0IEND\xaeB`\x82"
_XMP = b"XML:com.adobe.xmp\0"


def parts(data: Stretch, patience: Patience) -> Iterator[Part]:
    """Up to its end, or that of the file. A chunk that is not critical and has a wrong checksum counts as none."""
    at, pixels = 8, False
    once = {b"iCCP", b"eXIf", _XMP}
    yield Part(Role.PIXELS, data[:at])
    while at + 8 <= len(data):
        patience.another_part()
        start = at
        length, kind = struct.unpack(">I4s", data.read(start, 8))
        body, at = data[start + 8 : start + 8 + length], start + 12 + length
        if kind == b"IEND":
            yield Part(Role.PIXELS, _END)
            if length or at < len(data):
                yield Part(Role.REST, data[start + 8 :], name="what followed its end")
            return
        if at > len(data):
            if kind == b"IDAT":  # its pixels may all be there
                head = struct.pack(">I", len(body)) + kind
                yield from (Part(Role.PIXELS, each) for each in (head, body, _checksum(kind, body)))
                pixels = True
            break
        pixels |= kind == b"IDAT"
        yield _part(kind, data[start:at], body, once)
    if not pixels:
        raise cut_off()
    yield Part(Role.CUT, _END)


def _part(kind: bytes, raw: Stretch, body: Stretch, once: set[bytes]) -> Part:
    """`once`: what there is one of, and has not come yet."""
    if kind[0] & 0x20 and _checksum(kind, body) != bytes(raw[-4:]):
        return Part(Role.REST, raw, name="a damaged chunk")
    if len(body) <= _NEEDED.get(kind, -1):
        return Part(Role.PIXELS, raw)
    only = _XMP if kind == b"iTXt" and body.read(0, len(_XMP)) == _XMP else kind
    first = only in once
    once.discard(only)
    match only:
        case b"iCCP" if first:
            return Part(Role.PROFILE, raw, _profile(body), "a colour profile")
        case b"eXIf" if first:
            return Part(Role.EXIF, raw, body, "EXIF")
        case b"caBX":
            return Part(Role.STATEMENT, raw, body, "C2PA")
        case only if only == _XMP:
            return Part(Role.XMP if first else Role.REST, raw, _xmp(body), "XMP")
        case b"tEXt" | b"zTXt" | b"iTXt":
            name = clean(body.read(0, 80).partition(b"\0")[0].decode("latin-1"), 40)
            return Part(Role.TEXT, raw, body, f'the text "{name}"')
        case _ if kind in _MOVES:
            return Part(Role.REST, raw, name="movement")
        case _:
            return Part(Role.REST, raw, name="other chunks")


def _xmp(body: Stretch) -> Piece:
    packed, content = _content(b"iTXt", body)
    return _unpacked(content, MAX_NOTE) if packed else content


def packed_texts(found: Iterable[Part]) -> Iterator[bytes]:
    """The content of its packed texts, one after the other, and no more than is looked at."""
    left = MAX_TEXTS
    for part in found:
        if part.role in {Role.TEXT, Role.XMP} and left > 0 and isinstance(part.raw, Stretch):
            packed, content = _content(part.raw.read(4, 4), part.raw[8:-4])
            text = _unpacked(content, left) if packed else b""
            left -= len(text)
            yield text


def _content(kind: bytes, body: Stretch) -> tuple[bool, Stretch]:
    """The content of a text chunk, and whether it is packed."""
    text = body.after(b"\0")
    if kind == b"iTXt":
        return text.read(0, 1) == b"\1", text[2:].after(b"\0").after(b"\0")
    return kind == b"zTXt", text[1:] if kind == b"zTXt" else text


def _unpacked(packed: Stretch, most: int) -> bytes:
    """Up to so many bytes of what is packed there, as far as it can be unpacked."""
    inflating, found = zlib.decompressobj(), bytearray()
    with suppress(zlib.error):
        for piece in packed.pieces():
            found += inflating.decompress(piece, most - len(found))
            if inflating.eof or len(found) >= most:
                break
    return bytes(found)


def _profile(body: Stretch) -> bytes:
    """The profile, as far as it can be unpacked; b"" where it cannot be."""
    profile = _unpacked(body.after(b"\0")[1:], MAX_PROFILE + 1)
    if len(profile) > MAX_PROFILE:
        raise TooMuch(f"cannot be decoded (its colour profile unpacks to more than {MAX_PROFILE // 2**20} MiB)")
    return profile


def _checksum(kind: bytes, body: Stretch) -> bytes:
    found = zlib.crc32(kind)
    for piece in body.pieces():
        found = zlib.crc32(piece, found)
    return struct.pack(">I", found)


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def note(role: Role, body: bytes) -> bytes:
    """These EXIF or XMP data as a part."""
    return chunk(b"eXIf", body) if role is Role.EXIF else chunk(b"iTXt", _XMP + b"\0\0\0\0" + body)
