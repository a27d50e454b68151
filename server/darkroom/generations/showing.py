"""Saved pictures: their bytes, and small versions of them."""

import base64
import io
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import IO

from anyio import to_thread

from darkroom import __version__
from darkroom.errors import NotFound, ResultUnavailable
from darkroom.generations.pictures.decoding import decoding
from darkroom.generations.pictures.formats.appearance import SMALL_SIDE
from darkroom.generations.pictures.preview import (
    MAX_BYTES,
    MAX_SIDE,
    SHEET_SIDE,
    SMALL,
    Content,
    contact_sheet,
    preview,
)
from darkroom.generations.service import Service
from darkroom.models import Image, ImageStatus
from darkroom.views import Generation

LINK_MINUTES = 15
"""Minutes for which a link to a picture in an object store can be opened."""
MOST_LINKS = 16
"""Pictures of one result that have links, each of which may have 2,000 characters."""


class Showing:
    """Reads what was saved. Pictures are named as a desk describes them, which knows those of its owner alone."""

    def __init__(self, house: Service) -> None:
        self._store = house.pictures

    async def picture(self, generation: Generation, index: int) -> tuple[Image, bytes]:
        """The saved picture, byte for byte.

        Raises:
            NotFound: the generation has no such picture.
            ResultUnavailable: it is not saved, or not there as it was saved.
        """
        image = saved_picture(generation, index)
        next_step = "If you moved it, use it where it is now; Darkroom keeps no other copy."
        try:
            data = await to_thread.run_sync(self._read, image.key or "", (image.bytes or 0) + 1)
        except OSError as error:
            why = f"There is no picture to be read at {image.path or image.uri} ({_reason(error)})."
            raise ResultUnavailable(why, next_step=next_step) from error
        if len(data) != image.bytes:
            why = f"What lies at {image.path or image.uri} is not the picture that was saved there."
            raise ResultUnavailable(why, next_step=next_step)
        return image, data

    async def links(self, generations: Sequence[Generation]) -> dict[str, str]:
        """Links that open saved pictures for `LINK_MINUTES`, by the pictures' URIs; none of those that have a path.

        One opens the picture for anybody: it is for the caller alone, and is written down nowhere.
        """
        images = [image for generation in generations for image in generation.images if image.key and not image.path]
        keys = {image.uri: image.key for image in images[:MOST_LINKS] if image.uri and image.key}

        def signed() -> dict[str, str]:
            return {uri: link for uri, key in keys.items() if (link := self._store.link(key, LINK_MINUTES))}

        return await to_thread.run_sync(signed) if keys else {}

    async def preview(self, image: Image, max_bytes: int = MAX_BYTES, max_side: int = MAX_SIDE) -> str | None:
        """A base64 JPEG of it, within so many bytes (before base64) and pixels a side; None: it cannot be read."""
        draw = partial(preview, self._content(image, max_side), max_bytes, max_side)
        return await self._made_once([(1, image)], [max_bytes, max_side], draw)

    async def contact_sheet(self, pictures: Sequence[tuple[int, Image]], max_bytes: int = MAX_BYTES) -> str | None:
        """The pictures side by side, each with its number, in the same form; None: fewer than two can be read."""
        found = [(number, self._content(image, SHEET_SIDE)) for number, image in pictures]
        return await self._made_once(pictures, [max_bytes], partial(contact_sheet, found, max_bytes))

    async def _made_once(
        self, pictures: Sequence[tuple[int, Image]], how: list[int], draw: Callable[[], bytes | None]
    ) -> str | None:
        """The result of `draw`, in base64: kept, until one of them is another."""

        def kept() -> tuple[tuple[Hashable, ...], str | None]:
            stamped = ((number, each.key, self._stamp(each)) for number, each in pictures)
            made_of = __version__, *how, *stamped
            return made_of, self._store.previews.text(*made_of)

        def made() -> str | None:
            if (jpeg := draw()) is None:
                return None
            self._store.previews.keep(jpeg, *made_of)
            return base64.b64encode(jpeg).decode("ascii")

        made_of, text = await to_thread.run_sync(kept)
        return text or await decoding(made)

    def _stamp(self, image: Image) -> str | None:
        return self._store.stamp(image.key or "")

    def _content(self, image: Image, max_side: int) -> Content:
        """Opens the picture: its small version, if that is large enough."""

        def read() -> IO[bytes]:
            stamp = self._stamp(image)
            small = self._store.previews.read(SMALL, image.key, stamp) if stamp and max_side <= SMALL_SIDE else None
            if small is not None:
                return io.BytesIO(small)
            return self._store.open(image.key or "")

        return read

    def _read(self, key: str, size: int) -> bytes:
        with self._store.open(key) as file:
            return file.read(size)


def linked(generation: Generation, links: Mapping[str, str]) -> Generation:
    """The same, with these links in place of its provider's."""
    images = (image.model_copy(update={"url": links.get(image.uri or "", image.url)}) for image in generation.images)
    return generation.model_copy(update={"images": tuple(images)}) if links else generation


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def saved_picture(generation: Generation, index: int) -> Image:
    """The picture. Raises NotFound: there is none of that number; ResultUnavailable: it is not saved."""
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
