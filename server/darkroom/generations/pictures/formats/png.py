"""The chunks of a PNG."""

import struct
import zlib
from collections.abc import Iterable, Iterator

from darkroom.generations.pictures.formats.parts import MAX_NOTE, Part, Patience, Role, TooMuch, cut_off
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


def parts(data: bytes, patience: Patience) -> Iterator[Part]:
    """Up to its end, or that of the file. A chunk that is not critical and has a wrong checksum counts as none."""
    view, at, pixels = memoryview(data), 8, False
    once = {b"iCCP", b"eXIf", _XMP}
    yield Part(Role.PIXELS, view[:at])
    while at + 8 <= len(data):
        patience.another_part()
        start = at
        length, kind = struct.unpack_from(">I4s", data, start)
        body, at = view[start + 8 : start + 8 + length], start + 12 + length
        if kind == b"IEND":
            yield Part(Role.PIXELS, _END)
            if length or at < len(data):
                yield Part(Role.REST, view[start + 8 :], name="what followed its end")
            return
        if at > len(data):
            if kind == b"IDAT":  # its pixels may all be there
                yield Part(Role.PIXELS, chunk(kind, bytes(body)))
                pixels = True
            break
        pixels |= kind == b"IDAT"
        yield _part(kind, view[start:at], body, once)
    if not pixels:
        raise cut_off()
    yield Part(Role.CUT, _END)


def _part(kind: bytes, raw: memoryview, body: memoryview, once: set[bytes]) -> Part:
    """`once`: what there is one of, and has not come yet."""
    if kind[0] & 0x20 and zlib.crc32(raw[4:-4]) != int.from_bytes(raw[-4:]):
        return Part(Role.REST, raw, name="a damaged chunk")
    if len(body) <= _NEEDED.get(kind, -1):
        return Part(Role.PIXELS, raw)
    only = _XMP if kind == b"iTXt" and bytes(body[: len(_XMP)]) == _XMP else kind
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
            return Part(Role.XMP if first else Role.REST, raw, _text(b"iTXt", bytes(body), MAX_NOTE), "XMP")
        case b"tEXt" | b"zTXt" | b"iTXt":
            name = clean(bytes(body[:80]).partition(b"\0")[0].decode("latin-1"), 40)
            return Part(Role.TEXT, raw, body, f'the text "{name}"')
        case _ if kind in _MOVES:
            return Part(Role.REST, raw, name="movement")
        case _:
            return Part(Role.REST, raw, name="other chunks")


def packed_texts(found: Iterable[Part]) -> Iterator[bytes]:
    """The content of its packed texts, one after the other, and no more than is looked at."""
    left = MAX_TEXTS
    for part in found:
        kind, body = bytes(part.raw[4:8]), bytes(part.raw[8:-4])
        if part.role in {Role.TEXT, Role.XMP} and left > 0 and _is_packed(kind, body):
            text = _text(kind, body, left)
            left -= len(text)
            yield text


def _is_packed(kind: bytes, body: bytes) -> bool:
    return kind == b"zTXt" or (kind == b"iTXt" and body.partition(b"\0")[2][:1] == b"\1")


def _text(kind: bytes, body: bytes, most: int) -> bytes:
    """The content of a text chunk, as far as it can be unpacked and up to so many bytes of it."""
    text = body.partition(b"\0")[2]
    if kind == b"iTXt":
        flags, text = text[:2], text[2:].split(b"\0", 2)[-1]
    else:
        flags, text = b"\1\0", text[1:]
    if flags[:1] != b"\1":
        return text
    try:
        return zlib.decompressobj().decompress(text, most)
    except zlib.error:
        return b""


def _profile(body: memoryview) -> bytes:
    """The profile, as far as it can be unpacked; b"" where it cannot be."""
    _, _, packed = bytes(body).partition(b"\0")
    try:
        profile = zlib.decompressobj().decompress(packed[1:], MAX_PROFILE + 1)
    except zlib.error:
        return b""
    if len(profile) > MAX_PROFILE:
        raise TooMuch(f"cannot be decoded (its colour profile unpacks to more than {MAX_PROFILE // 2**20} MiB)")
    return profile


def chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def note(role: Role, body: bytes) -> bytes:
    """These EXIF or XMP data as a part."""
    return chunk(b"eXIf", body) if role is Role.EXIF else chunk(b"iTXt", _XMP + b"\0\0\0\0" + body)
