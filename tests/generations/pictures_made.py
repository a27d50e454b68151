"""Pictures as services, cameras and editors make them, with what they write beside the pixels."""

import hashlib
import io
import struct
import zlib
from typing import Any

import PIL.Image

from tests.attacks.crafted import PROFILE, chunk, encoded, part, riff, segment

RED, GREEN, BLUE = (200, 30, 30), (30, 160, 40), (30, 40, 200)
GRAPH = b'{"3": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 20}}}'
SOURCE = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
AIGC = b'{"AIGC":{"Label":"1","ContentProducer":"001191","ProduceID":"42"}}'
SECRETIVE = b"the prompt of somebody"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    b' xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    b' Iptc4xmpExt:DigitalSourceType="' + SOURCE + b'" dc:description="' + SECRETIVE + b'">'
    b"<TC260:AIGC>{&quot;Label&quot;:&quot;1&quot;}</TC260:AIGC></rdf:Description></rdf:RDF></x:xmpmeta>"
)
XMP_ELEMENT = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:dc="x"><dc:title>'
    + SECRETIVE + b"</dc:title><ext:DigitalSourceType>" + SOURCE + b"</ext:DigitalSourceType>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)  # fmt: skip


def quarters(width: int = 64, height: int = 32) -> PIL.Image.Image:
    """Upright: wider than high, red at its top left, green at its top right, blue below."""
    picture = PIL.Image.new("RGB", (width, height), BLUE)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    return picture


_TURNS = PIL.Image.Transpose
HELD = {
    1: None, 2: _TURNS.FLIP_LEFT_RIGHT, 3: _TURNS.ROTATE_180, 4: _TURNS.FLIP_TOP_BOTTOM, 5: _TURNS.TRANSPOSE,
    6: _TURNS.ROTATE_90, 7: _TURNS.TRANSVERSE, 8: _TURNS.ROTATE_270,
}  # fmt: skip
"""How the pixels lie in a file that EXIF says is held so."""


def exif(order: str, fields: dict[int, bytes | int]) -> bytes:
    """EXIF of these fields of its first table: short numbers and texts."""
    entries, values, start = b"", b"", 8 + 2 + 12 * len(fields) + 4
    for tag, value in sorted(fields.items()):
        if isinstance(value, int):
            entries += struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
        else:
            entries += struct.pack(f"{order}HHII", tag, 2, len(value), start + len(values))
            values += value
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(f"{order}IH", 8, len(fields)) + entries + b"\0\0\0\0" + values


def noted(kind: str, *, exif_data: bytes = b"", xmp: bytes = b"", picture: PIL.Image.Image | None = None) -> bytes:
    """A picture of that format with these notes."""
    file = io.BytesIO()
    how: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    (picture or quarters()).save(file, kind, **how)
    data = file.getvalue()
    if kind == "PNG":
        added = chunk(b"eXIf", exif_data) if exif_data else b""
        added += chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp) if xmp else b""
        return data[:33] + added + data[33:]
    if kind == "JPEG":
        added = segment(0xE1, b"Exif\0\0" + exif_data) if exif_data else b""
        added += segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp) if xmp else b""
        return data[:20] + added + data[20:]
    size = (picture or quarters()).size
    flags = (8 if exif_data else 0) | (4 if xmp else 0)
    wide = part(b"VP8X", bytes((flags, 0, 0, 0)) + b"".join((side - 1).to_bytes(3, "little") for side in size))
    added = (part(b"EXIF", exif_data) if exif_data else b"") + (part(b"XMP ", xmp) if xmp else b"")
    return riff(wide + data[12:] + added)


def held(kind: str, orientation: int, order: str = "<") -> bytes:
    """A picture of quarters, with its pixels as a camera that was held so wrote them."""
    turn = HELD[orientation]
    pixels = quarters() if turn is None else quarters().transpose(turn)
    return noted(kind, exif_data=exif(order, {0x0112: orientation, 0x010F: SECRETIVE}), picture=pixels)


def comfy() -> bytes:
    """A PNG with the graph that made it, as ComfyUI writes it."""
    data = encoded("PNG")
    return data[:33] + chunk(b"tEXt", b"prompt\0" + GRAPH) + chunk(b"tEXt", b"workflow\0" + GRAPH) + data[33:]


def grey16() -> bytes:
    """A PNG of 16 bits a pixel, from black at the left to white at the right."""
    row = b"\0" + b"".join(struct.pack(">H", 65_535 * x // 63) for x in range(64))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 32, 16, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(row * 32)) + chunk(b"IEND", b"")


def swapped_profile() -> bytes:
    """A colour profile in which red and blue have changed places."""
    data = bytearray(PROFILE)
    count = int.from_bytes(data[128:132])
    tags = {bytes(data[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(data)


def in_png(data: bytes, *chunks: bytes) -> bytes:
    """The PNG with these chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def packed_profile(profile: bytes) -> bytes:
    """A colour profile as a PNG holds it."""
    return chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile))


# Where a picture comes from


def _cbor(value: Any) -> bytes:
    if isinstance(value, int):
        return struct.pack(">BI", 0x1A, value)
    if isinstance(value, bytes):
        return struct.pack(">BH", 0x59, len(value)) + value
    if isinstance(value, str):
        return struct.pack(">BB", 0x78, len(value)) + value.encode()
    if isinstance(value, list):
        return bytes((0x80 | len(value),)) + b"".join(map(_cbor, value))  # pyright: ignore
    return bytes((0xA0 | len(value),)) + b"".join(_cbor(key) + _cbor(each) for key, each in value.items())


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def store(hashed: bytes, start: int, length: int) -> bytes:
    """A C2PA manifest store that is about a file with this hash, apart from where the store itself lies."""
    said = {"exclusions": [{"start": start, "length": length}], "alg": "sha256", "hash": hashed, "pad": b"\0" * 8}
    label = _box(b"jumd", b"\0" * 16 + b"\x03c2pa.hash.data\0")
    inner = _box(b"jumb", label + _box(b"cbor", _cbor(said)))
    return _box(b"jumb", _box(b"jumd", b"\0" * 16 + b"\x03c2pa\0") + inner)


def stated(data: bytes, *, sound: bool = True) -> bytes:
    """The PNG or JPEG with a statement about all its other bytes, or about none that there are."""
    png = data.startswith(b"\x89PNG")
    at = 33 if png else 20
    size = len(store(bytes(32), 0, 0))
    length = size + 12
    hashed = hashlib.sha256(data[:at] + data[at:]).digest() if sound else bytes(32)
    made = store(hashed, at, length)
    wrapped = chunk(b"caBX", made) if png else segment(0xEB, b"JP\0\1\0\0\0\1" + made)
    assert len(wrapped) == length
    return data[:at] + wrapped + data[at:]
