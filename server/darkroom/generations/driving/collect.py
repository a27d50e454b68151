"""Fetches, verifies and saves the pictures of a job, each on its own: one that fails takes no other with it."""

import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from darkroom.errors import DarkroomError, NotAnImage, ResultUnavailable, StorageError
from darkroom.generations.driving.place import Place
from darkroom.generations.outcome import absent, broken, failed, in_order, noted, placed
from darkroom.generations.pictures.decoding import decoding
from darkroom.generations.pictures.formats.stretch import Stretch, pieces
from darkroom.generations.pictures.preview import SMALL
from darkroom.generations.pictures.recognising import Verified, verified
from darkroom.generations.telling.journal import Journal, RowLost
from darkroom.models import Image, ImageStatus, Record
from darkroom.providers.base import Provider, Reading, RemoteImage
from darkroom.redact.secrets import Redactor
from darkroom.store.files import Draft
from darkroom.store.pictures import PictureStore
from darkroom.transport.incoming import Incoming, IncomingPicture

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Pictures of one provider that are fetched at the same time, however many generations a restart goes on with:
each may take up to 64 MiB of the disk. A slow host holds up no other provider's."""

Write = Callable[[Record, tuple[Image, ...], int | None], Awaitable[Record]]
"""Takes the row, its pictures as they are now, and the seed that the provider used, where it says; returns the row."""


class Collected(NamedTuple):
    """The result of one look: the row, its pictures, and by number the reasons why some are still missing."""

    record: Record
    images: tuple[Image, ...]
    lacking: Mapping[int, DarkroomError]


class Collector:
    """Brings a job's pictures to the store, and each of them into the ledger as soon as it is there."""

    def __init__(
        self,
        journal: Journal,
        store: PictureStore,
        *,
        strip: bool = False,
        redactor: Callable[[str], Redactor] | None = None,
    ) -> None:
        self._journal = journal
        self._strip, self._redactor = strip, redactor or _nobodys
        self._store = store
        self.place = Place(store)
        self._places: dict[str, anyio.CapacityLimiter] = {}
        self._decoders: dict[str, anyio.Lock] = {}

    async def collect(
        self, provider: Provider, record: Record, reading: Reading, write: Write | None = None
    ) -> Collected:
        """Tries once to save every picture that the reading offers and that is not here yet.

        `write` keeps what changed; by default in the row, which this process drives.

        Raises:
            RowLost: another process has the row.
        """
        write = write or self._write
        offered = placed(record.images, reading.images, record.request.count)
        images = {image.index: image for image in record.images}
        images |= {remote.index: noted(images.get(remote.index), remote) for remote in offered}
        if in_order(images) != record.images or reading.seed not in {None, record.seed}:
            record = await write(record, in_order(images), reading.seed)
        lacking: dict[int, DarkroomError] = {}
        one_at_a_time = anyio.Lock()
        lost: RowLost | None = None

        async def bring(remote: RemoteImage) -> None:
            nonlocal record, lost
            image = await self._fetched(provider, record, remote, images[remote.index])
            if isinstance(image, DarkroomError):
                lacking[remote.index] = image
                return
            async with one_at_a_time:
                images[remote.index] = image
                try:
                    record = await write(record, in_order(images), None)
                except RowLost as error:
                    lost = error
                    group.cancel_scope.cancel()

        fresh = [
            remote
            for remote in offered
            if remote.status is ImageStatus.SUCCEEDED and images[remote.index].status is ImageStatus.PROCESSING
        ]
        if fresh:
            with self._journal.telemetry.step("collect", record):
                async with anyio.create_task_group() as group:
                    for remote in fresh:
                        group.start_soon(bring, remote)
        if lost is not None:
            raise lost
        for index in range(1, max(record.request.count, *images, 1) + 1):
            if index not in images or images[index].status is ImageStatus.PROCESSING:
                lacking.setdefault(index, absent())
        return Collected(record, in_order(images), lacking)

    async def _write(self, record: Record, images: tuple[Image, ...], seed: int | None) -> Record:
        # What is saved must be known to the row; what is only said of pictures holds up no look.
        saved = any(image.status is ImageStatus.SUCCEEDED for image in images)
        write = self._journal.write if saved else self._journal.note
        return await write(record, images=images, seed=record.seed if seed is None else seed)

    async def _fetched(
        self, provider: Provider, record: Record, remote: RemoteImage, image: Image
    ) -> Image | DarkroomError:
        """The picture, saved or failed; or why it is not there yet."""
        places = self._places.setdefault(provider.access.account, anyio.CapacityLimiter(AT_ONCE))
        try:
            async with places, self._draft(record) as draft:
                redact = self._redactor(record.owner)
                into = IncomingPicture(draft.file, draft.refusal, redact)
                await provider.picture(record.receipt, record.request, remote, into)
                async with self._decoders.setdefault(provider.access.account, anyio.Lock()):  # it never has all of them
                    picture = await decoding(partial(self._verified, into, draft, _host(remote), redact))
                return await to_thread.run_sync(self._saved, record, image, picture, draft)
        except (ResultUnavailable, NotAnImage, StorageError) as error:
            return error if error.passing else failed(image, error)
        except DarkroomError as error:
            return failed(image, error)
        except Exception:  # one picture's trouble is not its siblings'
            log.exception("%s: picture %d broke", record.id, image.index)
            return failed(image, broken())

    @asynccontextmanager
    async def _draft(self, record: Record) -> AsyncGenerator[Draft]:
        """A file in the store for a picture of this row, which is gone afterwards unless it was kept."""
        draft = await to_thread.run_sync(self._store.begin, record)
        try:
            yield draft
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(draft.drop)

    def _verified(self, into: Incoming, draft: Draft, origin: str, redact: Redactor) -> Verified:
        try:
            data = Stretch(into.whole(), 0, into.size)
            return verified(data, origin=origin, strip=self._strip, redact=redact)
        except OSError as error:
            raise draft.refusal(error) from error

    def _saved(self, record: Record, image: Image, picture: Verified, draft: Draft) -> Image:
        """Keeps the picture: as it came, or what was left of it."""
        if picture.rest is not None:
            rest = self._store.begin(record)
            try:
                rest.write(pieces(picture.rest))
                return self._kept(record, image, picture, rest)
            finally:
                rest.drop()
        return self._kept(record, image, picture, draft)

    def _kept(self, record: Record, image: Image, picture: Verified, draft: Draft) -> Image:
        key = self._store.keep(draft, record, image.index, picture.kind.suffix)
        if picture.small is not None:
            self._store.previews.keep(picture.small, SMALL, key, self._store.stamp(key))
        saved = {
            "status": ImageStatus.SUCCEEDED, "key": key, "mime_type": picture.kind.mime_type,
            "width": picture.width, "height": picture.height, "bytes": picture.size,
            "removed": picture.removed, "error": None,
        }  # fmt: skip
        return image.model_copy(update=saved)


def _nobodys(_: str) -> Redactor:
    return Redactor(())


def _host(remote: RemoteImage) -> str:
    """The host of its link, fit to be shown."""
    try:
        host = urlsplit(remote.url or "").hostname or ""
    except ValueError:
        return ""
    return host if re.fullmatch(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}", host) else ""
