"""Notes that stay in a picture when it is stripped: which way up it is, and that an AI made it."""

import json
import re
import struct
from collections.abc import Iterator
from typing import Any

from darkroom.generations.pictures.formats.parts import MAX_NOTE

UPRIGHT = 1
_ORIENTATION, _MORE = 0x0112, 0x8769
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 1, 9: 4, 10: 8, 11: 4, 12: 8}
"""Bytes of a value, by its type in EXIF."""
_MOST_FIELDS = 1000
_LABELS = re.compile(rb"AIGC|DigitalSourceType|(?i:trainedAlgorithmicMedia|algorithmicMedia|digitalsourcetype/)")
_NAME = rb"([\w-]{1,64}):(DigitalSourceType|AIGC)"
_ELEMENT = re.compile(rb"<" + _NAME + rb"\b[^<>]{0,2048}(?:/>|>.{0,8192}?</\1:\2\s*>)", re.DOTALL)
_ATTRIBUTE = re.compile(_NAME + rb"\s*=\s*(?:\"[^\"<]{0,8192}\"|'[^'<]{0,8192}')")
_SPACES = {
    b"Iptc4xmpExt": b"http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    b"TC260": b"http://www.tc260.org.cn/ns/AIGC/1.0/",
}
_RDF = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def orientation(exif: bytes) -> int:
    """The way in which a camera was held, 1 to 8 as EXIF counts it; 1 where nothing sensible is said."""
    for tag, kind, count, value in _fields(exif)[1]:
        if tag == _ORIENTATION and kind == 3 and count == 1:
            said = int.from_bytes(value, "little" if exif[_start(exif) :][:1] == b"I" else "big")
            return said if 1 <= said <= 8 else UPRIGHT
    return UPRIGHT


def of_exif(exif: bytes) -> bytes | None:
    """The same with nothing but the orientation and labels of an AI's picture; None: it has neither."""
    order, first, more = _fields(exif)
    keep = [each for each in first if each[0] == _ORIENTATION or _labelled(each[3])]
    below = [each for each in more if _labelled(each[3])]
    if not keep and not below:
        return None
    table = _table(order, keep, 8, pointer=bool(below))
    return b"".join(
        (
            b"II*\0" if order == "<" else b"MM\0*",
            struct.pack(f"{order}I", 8),
            table,
            _table(order, below, 8 + len(table)),
        )
        if below
        else (b"II*\0" if order == "<" else b"MM\0*", struct.pack(f"{order}I", 8), table)
    )


def of_xmp(packet: bytes) -> bytes | None:
    """The same with nothing but labels of an AI's picture; None: it has none."""
    if len(packet) > MAX_NOTE:
        return None
    elements = list(_ELEMENT.finditer(packet))
    attributes = [
        found for found in _ATTRIBUTE.finditer(packet) if not any(e.start() < found.start() < e.end() for e in elements)
    ]
    if not elements and not attributes:
        return None
    prefixes = {found[1] for found in (*elements, *attributes)}
    spaces = b"".join(b' xmlns:%s="%s"' % (prefix, _space(packet, prefix)) for prefix in sorted(prefixes))
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="%s"><rdf:Description rdf:about=""%s%s>%s</rdf:Description></rdf:RDF></x:xmpmeta>'
        b'<?xpacket end="w"?>'
        % (_RDF, spaces, b"".join(b" " + a[0] for a in attributes), b"".join(e[0] for e in elements))
    )


def is_label(text: bytes) -> bool:
    """True where a PNG's text, as `name\\0text`, is nothing but the label of an AI's picture."""
    name, _, value = text[:MAX_NOTE].partition(b"\0")
    if name == b"AIGC":
        return len(text) <= MAX_NOTE
    try:
        read: Any = json.loads(value.lstrip(b"\0"))
    except ValueError:
        return False
    return isinstance(read, dict) and list(read) == ["AIGC"]  # pyright: ignore[reportUnknownArgumentType]


def _labelled(value: bytes) -> bool:
    return _LABELS.search(value.replace(b"\0", b"")) is not None  # some are in UTF-16


def _space(packet: bytes, prefix: bytes) -> bytes:
    said = re.search(rb"xmlns:" + re.escape(prefix) + rb"\s*=\s*[\"']([^\"'<>]{1,200})[\"']", packet)
    return said[1] if said else _SPACES.get(prefix, _SPACES[b"Iptc4xmpExt"])


_Field = tuple[int, int, int, bytes]
"""Tag, type, count and value."""


def _start(exif: bytes) -> int:
    return 6 if exif[:6] == b"Exif\0\0" else 0


def _fields(exif: bytes) -> tuple[str, list[_Field], list[_Field]]:
    """The byte order, and the fields of the first table and of the one below it."""
    tiff = exif[_start(exif) : MAX_NOTE]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return "<", [], []
    first = list(_read(tiff, order, struct.unpack_from(f"{order}I", tiff, 4)[0]))
    more = [
        each
        for tag, kind, count, value in first
        if tag == _MORE and kind == 4 and count == 1
        for each in _read(tiff, order, struct.unpack(f"{order}I", value)[0])
    ]
    return order, first, more


def _read(tiff: bytes, order: str, at: int) -> Iterator[_Field]:
    if at + 2 > len(tiff):
        return
    (number,) = struct.unpack_from(f"{order}H", tiff, at)
    for place in range(at + 2, at + 2 + 12 * min(number, _MOST_FIELDS), 12):
        if place + 12 > len(tiff):
            return
        tag, kind, count = struct.unpack_from(f"{order}HHI", tiff, place)
        size = _SIZES.get(kind, 0) * count
        where = place + 8 if size <= 4 else struct.unpack_from(f"{order}I", tiff, place + 8)[0]
        if 0 < size <= len(tiff) - where:
            yield tag, kind, count, tiff[where : where + size]


def _table(order: str, fields: list[_Field], at: int, *, pointer: bool = False) -> bytes:
    """A table of these fields at that place, and behind it their values and, if it is pointed to, another table."""
    fields = sorted(fields)
    size = 2 + 12 * (len(fields) + pointer) + 4
    entries, values = list[bytes](), b""
    for tag, kind, count, value in fields:
        if len(value) <= 4:
            entries.append(struct.pack(f"{order}HHI4s", tag, kind, count, value))
        else:
            entries.append(struct.pack(f"{order}HHII", tag, kind, count, at + size + len(values)))
            values += value + b"\0" * (len(value) % 2)
    if pointer:
        entries.append(struct.pack(f"{order}HHII", _MORE, 4, 1, at + size + len(values)))
    return b"".join((struct.pack(f"{order}H", len(entries)), *entries, b"\0\0\0\0", values))
