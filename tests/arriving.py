"""Pictures on their way from a service to the disk, for tests that begin or end half-way."""

import io
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from anyio import to_thread

from darkroom.errors import StorageError
from darkroom.generations.pictures.decoding import Kind
from darkroom.generations.pictures.formats.stretch import Stretch, pieces
from darkroom.generations.pictures.recognising import verified
from darkroom.redact.secrets import Redactor
from darkroom.store.files import Draft
from darkroom.transport.egress import Pictures
from darkroom.transport.incoming import IncomingPicture


class Looked(NamedTuple):
    """What is known of a picture that was verified. `data`: what would be saved."""

    data: bytes
    kind: Kind
    width: int
    height: int
    removed: str | None
    small: bytes | None


def looked_at(data: bytes, *seconds: float, **how: Any) -> Looked:
    """See `verified`."""
    found = verified(Stretch.of(data), *seconds, **how)
    saved = data if found.rest is None else b"".join(pieces(found.rest))
    assert found.size == len(saved)
    return Looked(saved, found.kind, found.width, found.height, found.removed, found.small)


def incoming(redact: Redactor | None = None) -> IncomingPicture:
    """A file in memory for a picture that comes."""
    return IncomingPicture(io.BytesIO(), lambda error: StorageError(str(error), next_step=""), redact or Redactor(()))


async def fetched(pictures: Pictures, url: str) -> bytes:
    """The picture behind the link."""
    into = incoming(pictures.redact)
    await pictures.fetch(url, into)
    return (await to_thread.run_sync(into.whole)).read()


def saved_picture(root: Path, day: datetime, stem: str, suffix: str, data: bytes) -> Path:
    """The picture, saved under a name like `stem`."""
    draft = Draft(root, f"{day:%Y-%m-%d}")
    try:
        draft.write([data])
        return draft.keep(stem, suffix)
    finally:
        draft.drop()
