"""Recognises bytes that came in a picture's place: a sound picture, or something else, and whether that may change."""

import re
from typing import NamedTuple

from darkroom.errors import LOOK_AGAIN, NotAnImage
from darkroom.generations.pictures.decoding import DECODING_S, Kind, NoPicture, Patience, TooMuch, Unfit, decoded, whole
from darkroom.generations.pictures.formats.png import packed_texts
from darkroom.generations.pictures.formats.stretch import Piece, Stretch
from darkroom.generations.pictures.stripping import stripped
from darkroom.models import Charged
from darkroom.redact.secrets import Redactor
from darkroom.transport.incoming import holds_a_key

FOR_GOOD = "Darkroom does not fetch it again, since it would be the same. Open it in the provider's own gallery."


class Verified(NamedTuple):
    """A picture that was checked.

    `size`: bytes of what is to be saved. `width` and `height` are pixels, as people see them. `removed` says what was
    taken out, and `rest` is what stays then; None: all of it. `small`: a JPEG of it to make previews from, where one
    can be made.
    """

    kind: Kind
    size: int
    width: int
    height: int
    removed: str | None = None
    rest: list[Piece] | None = None
    small: bytes | None = None


class Recognised(NamedTuple):
    """`what` it is, with its article; `lasting`: a file of its own kind, which will be the same next time."""

    what: str
    lasting: bool


_FILES = tuple(
    (re.compile(start, re.DOTALL), Recognised(what, lasting=True))
    for start, what in (
        (rb"....ftypavi[fs]", "an AVIF picture"),
        (rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", "a HEIC picture"),
        (rb"....ftyp", "a video"),
        (rb"GIF8[79]a", "a GIF picture"),
        (rb"(?:II\*\x00|MM\x00\*|II\+\x00|MM\x00\+)", "a TIFF picture"),
        (rb"BM.{4}\x00{4}", "a BMP picture"),
        (rb"(?:\xff\x0a|\x00\x00\x00\x0cJXL )", "a JPEG XL picture"),
        (rb"(?:\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51)", "a JPEG 2000 picture"),
        (rb"\x00\x00[\x01\x02]\x00", "an icon"),
        (rb"8BPS", "a Photoshop file"),
        (rb"\x1aE\xdf\xa3", "a video"),
        (rb"RIFF....AVI ", "a video"),
        (rb"%PDF-", "a PDF"),
        (rb"PK[\x03\x05]", "a ZIP archive"),
        (rb"\x1f\x8b", "a gzip archive"),
    )
)
_SVG = re.compile(rb"(?:<\?xml.{0,2000}|<!--.{0,2000}|<!DOCTYPE svg.{0,2000})?<svg[\s>]", re.DOTALL | re.IGNORECASE)
_PAGE = re.compile(rb"<(?:!doctype html|html|head|body|!--|\?xml|[a-z])", re.IGNORECASE)


def recognise(data: Stretch) -> Recognised:
    """The kind of these bytes, which are none of the pictures that we take."""
    start = data.read(0, 4096)
    for starts, came in _FILES:
        if starts.match(start):
            return came
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return Recognised("nothing at all" if not data else "blanks", lasting=False)
    if _SVG.match(start):
        return Recognised("an SVG drawing", lasting=True)
    if _PAGE.match(start):
        return Recognised("a web page", lasting=False)
    if start[:1] in b"{[":
        return Recognised("JSON", lasting=False)
    if start.isascii() and not re.search(rb"[\x00-\x08\x0e-\x1f]", start):
        return Recognised("text", lasting=False)
    return Recognised(f"{len(data):,} bytes of an unknown kind", lasting=False)


def verified(
    data: Stretch,
    seconds: float = DECODING_S,
    *,
    origin: str = "",
    strip: bool = False,
    redact: Redactor | None = None,
) -> Verified:
    """The picture in the bytes, after a full decode within `seconds`; `strip` takes its notes out.

    `redact` knows the secrets that nothing packed in it may hold.

    Raises:
        NotAnImage: no PNG, JPEG or WebP, larger than we accept, or cut off.
        ResultUnavailable: it holds a secret.
    """
    patience = Patience(seconds)
    try:
        found = whole(data, patience)
        width, height, small = decoded(found, patience)
        if redact is not None and found.kind.name == "PNG" and any(map(redact.within, packed_texts(found.parts))):
            raise holds_a_key()
        rest, removed = stripped(found, data) if strip else (None, None)
        size = len(data) if rest is None else sum(map(len, rest))
        return Verified(found.kind, size, width, height, removed, rest, small)
    except Unfit as error:
        raise _unfit(data, error, origin) from error


def _unfit(data: Stretch, error: Unfit, origin: str) -> NotAnImage:
    came = recognise(data) if isinstance(error, NoPicture) else None
    lasting = isinstance(error, TooMuch) if came is None else came.lasting
    source = f" from {origin}" if origin else ""
    return NotAnImage(
        f"What came{source} {error}{f', but {came.what}' if came else ''}.",
        charged=Charged.YES,
        next_step=FOR_GOOD if lasting else LOOK_AGAIN,
        passing=not lasting,
    )
