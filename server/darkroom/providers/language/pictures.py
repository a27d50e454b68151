"""The pictures that a response has: each on its own, with its own status, link or bytes."""

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from darkroom.errors import NotAnImage
from darkroom.models import MAX_COUNT, Charged, GenerationRequest, ImageStatus
from darkroom.providers.base import RemoteImage
from darkroom.providers.language.conditions import holds, meaning_of
from darkroom.providers.language.filling import names_in
from darkroom.providers.language.pointers import every, first
from darkroom.providers.language.schema import Condition, Pictures
from darkroom.providers.language.speech import Speech
from darkroom.redact.secrets import REDACTED
from darkroom.redact.text import clean
from darkroom.transport.egress import MAX_PICTURE
from darkroom.transport.reasons import words_in

MAX_LINK = 2000


def pictures_in(speech: Speech, value: Any, request: GenerationRequest, *, over: bool) -> tuple[RemoteImage, ...]:
    """The pictures that a response has. `over`: the job is done; before, only those count that say so themselves."""
    pictures = speech.service.pictures
    if pictures.status is None and not over:
        return ()  # what lies there before the end may be a preview, which must not take the picture's place
    counted = "count" in names_in(speech.service.submit.body)
    found = [image for hit in places_of(pictures, value) if (image := _picture(speech, hit, over=over))]
    most = request.count if counted else MAX_COUNT
    return tuple(image.model_copy(update={"index": index}) for index, image in enumerate(found[:most], start=1))


def text_of(value: Any, most: int = MAX_LINK) -> str | None:
    """An id or a link as it can be kept and sent; None where it cannot."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    fits = 0 < len(text) <= most and text.isprintable() and text not in {".", ".."}  # these are no segment of a path
    return text if fits and REDACTED not in text else None


def places_of(pictures: Pictures, value: Any) -> list[Any]:
    """The values at the first of the declared places that has pictures at all."""
    for place in pictures.each:
        hits = every(value, place)
        if hits and _is_there(pictures, hits):
            return hits
    return []


def _is_there(pictures: Pictures, hits: list[Any]) -> bool:
    """True where it is the place of pictures at all: where an object has the link, a text has none."""
    return any(isinstance(hit, dict) or hit for hit in hits if pictures.url != "" or isinstance(hit, str))


def _picture(speech: Speech, hit: Any, *, over: bool) -> RemoteImage | None:
    pictures = speech.service.pictures
    link, source = _source(pictures, hit)
    own = first(hit, pictures.status) if pictures.status is not None else None
    hidden, remote_id = _flag(pictures.hidden, hit), text_of(first(hit, pictures.id), 200)
    error = said_in(speech, every(hit, pictures.error)) if pictures.error is not None else None
    there = bool(link or source)
    if not any((there, own, hidden, error, remote_id if isinstance(hit, dict) else None)):
        return None
    return RemoteImage(
        index=1,
        remote_id=remote_id,
        status=_status(meaning_of(own, pictures.words), over=over, there=there, error=error),
        url=None if hidden else link,
        source=None if hidden else source,
        watermarked=_flag(pictures.watermarked, hit),
        hidden=hidden,
        error=error,
    )


def _source(pictures: Pictures, hit: Any) -> tuple[str | None, Any]:
    if pictures.url is not None:
        link = first(hit, pictures.url)
        if (isinstance(link, str) and link) or pictures.base64 is None:
            return (link if isinstance(link, str) and link else None), None
    if pictures.base64 is not None:
        data = first(hit, pictures.base64)
        return None, data if isinstance(data, str) and data else None
    named = {name: text_of(first(hit, pointer)) for name, pointer in pictures.item.items()}
    return None, named if all(named.values()) else None


def _status(own: str | None, *, over: bool, there: bool, error: str | None) -> ImageStatus:
    if own is not None:
        return {"done": ImageStatus.SUCCEEDED, "failed": ImageStatus.FAILED}.get(own, ImageStatus.PROCESSING)
    if over and there:
        return ImageStatus.SUCCEEDED
    return ImageStatus.FAILED if over and error else ImageStatus.PROCESSING


def _flag(where: str | Condition | None, hit: Any) -> bool:
    if where is None:
        return False
    return first(hit, where) is True if isinstance(where, str) else holds(where, 0, hit)


def said_in(speech: Speech, hits: Iterable[Any]) -> str | None:
    """The first words for people among these, cleaned."""
    said = (clean(speech.redact(words_in(hit) or words_in([hit]))) for hit in hits)
    return next(filter(None, said), None)


def decoded(text: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a picture that came as base64 or as a `data:` URL, piece by piece, as the text comes.

    Raises:
        NotAnImage: neither, or too large.
    """
    left, size, ended = b"", 0, False
    try:
        for number, piece in enumerate(text):
            start, _, data = piece.partition(b";base64,") if number == 0 else (piece, b"", b"")
            left += data or start
            whole = len(left) // 4 * 4
            found = base64.b64decode(left[:whole], validate=True)
            size += len(found)
            if (ended and found) or size > MAX_PICTURE:
                raise _no_base64()
            ended, left = ended or left[:whole].endswith(b"="), left[whole:]
            yield found
    except ValueError as error:  # binascii's is one
        raise _no_base64() from error
    if left or not size:
        raise _no_base64()


def _no_base64() -> NotAnImage:
    return NotAnImage(
        "What came in the picture's place is no base64, or too large.",
        next_step="Darkroom does not take it. Open the picture in the provider's own gallery.",
        charged=Charged.YES,
    )
