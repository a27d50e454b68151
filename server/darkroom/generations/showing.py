"""One owner's saved pictures: their bytes, and small versions of them."""

import json
from collections.abc import Sequence
from functools import partial

from anyio import to_thread

from darkroom.errors import NotFound, ResultUnavailable
from darkroom.generations.pictures.decoding import Unfit, decoding
from darkroom.generations.pictures.preview import MAX_BYTES, MAX_SIDE, Content, contact_sheet, preview
from darkroom.generations.service import Service
from darkroom.models import Image, ImageStatus
from darkroom.transport.egress import MAX_PICTURE
from darkroom.views import Generation

Named = tuple[str, int]
"""A picture by its generation's id and its index in it."""


class Showing:
    """Reads what was saved. Nobody else's generations exist here."""

    def __init__(self, house: Service, owner: str) -> None:
        self._house = house
        self._owner = owner

    async def picture(self, generation: Generation, index: int) -> tuple[Image, bytes]:
        """What was saved, byte for byte.

        Raises:
            NotFound: the generation has no such picture.
            ResultUnavailable: it is not saved, or not there as it was saved.
        """
        image = _saved(generation, index)
        key = await self._key(generation.id, index) or ""
        next_step = "If you moved it, use it where it is now; Darkroom keeps no other copy."
        try:
            data = await to_thread.run_sync(self._house.pictures.read, key, (image.bytes or 0) + 1)
        except OSError as error:
            why = f"There is no picture to be read at {image.path or image.uri} ({_reason(error)})."
            raise ResultUnavailable(why, next_step=next_step) from error
        if len(data) != image.bytes:
            why = f"What lies at {image.path or image.uri} is not the picture that was saved there."
            raise ResultUnavailable(why, next_step=next_step)
        return image, data

    async def preview(self, named: Named, max_bytes: int = MAX_BYTES, max_side: int = MAX_SIDE) -> str | None:
        """A base64 JPEG of it, within so many bytes (before base64) and pixels a side; None: it cannot be read."""
        key = await self._key(*named)
        return None if key is None else await decoding(partial(preview, self._content(key), max_bytes, max_side))

    async def contact_sheet(self, pictures: Sequence[tuple[int, Named]], max_bytes: int = MAX_BYTES) -> str | None:
        """The pictures side by side, each with its number, in the same form; None: fewer than two can be read."""
        keys = [(number, await self._key(*named)) for number, named in pictures]
        found = [(number, self._content(key)) for number, key in keys if key is not None]
        return await decoding(partial(contact_sheet, found, max_bytes))

    def _content(self, key: str) -> Content:
        def read() -> bytes:
            data = self._house.pictures.read(key, MAX_PICTURE + 1)
            if len(data) > MAX_PICTURE:
                raise Unfit("is larger than any picture that is saved")
            return data

        return read

    async def _key(self, generation_id: str, index: int) -> str | None:
        record = await self._house.ledger.get(generation_id, self._owner)
        return next((image.key for image in record.images if image.index == index), None) if record else None


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _saved(generation: Generation, index: int) -> Image:
    image = next((image for image in generation.images if image.index == index), None)
    if image is not None and image.status is ImageStatus.SUCCEEDED:
        return image
    if image is None and index > generation.count:
        raise NotFound(
            f"{generation.id} has no picture {index}, only {generation.count}.",
            next_step="Take an index from its images.",
        )
    error = (image.error if image is not None else None) or generation.error
    if error is not None:
        raise ResultUnavailable(
            f"Picture {index} of {generation.id} is not saved: {error.message}",
            next_step=error.next_step,
            charged=error.charged,
        )
    if generation.status.terminal:
        raise ResultUnavailable(
            f"{generation.id} has no pictures. {generation.progress.message}",
            next_step="Generate again if they are wanted after all.",
        )
    raise ResultUnavailable(
        f"Picture {index} of {generation.id} is not saved yet. {generation.progress.message}",
        next_step=f"Call wait with {json.dumps([generation.id])}, then read it.",
    )
