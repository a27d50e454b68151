"""Fetches, verifies and saves the pictures of a job, each on its own: one that fails takes no other with it."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from darkroom.errors import DarkroomError, Moderated, NotAnImage, ProviderError, ResultUnavailable
from darkroom.generations.decoding import decoding
from darkroom.generations.journal import Journal, RowLost
from darkroom.generations.place import Place
from darkroom.generations.placing import placed
from darkroom.generations.recognising import LOOK_AGAIN, Verified, verified
from darkroom.models import Charged, Image, ImageStatus, Record, Stage, moment
from darkroom.providers.base import NO_REASON, Provider, Reading, RemoteImage
from darkroom.redact import Redactor, quote
from darkroom.store.files import picture_stem, save_picture
from darkroom.transport.reasons import is_moderation

log = logging.getLogger(__name__)

AT_ONCE = 4
"""How many pictures of one provider are fetched at the same time, however many generations a restart goes on with:
each of up to 64 MiB stays in memory until it is saved. A slow host holds up no other provider's."""
# What a later call may ask for again: the provider still has the picture, we do not.
WORTH_ANOTHER_TRY = {"result_unavailable", "not_an_image", "storage_error", "timed_out"}
# What a whole generation ended with, though the provider may still have its pictures.
GIVEN_UP = {"timed_out", "payment_required", "plan_required", "invalid_request"}

Write = Callable[[Record, tuple[Image, ...], int | None], Awaitable[Record]]
"""Takes the row, its pictures as they are now, and the seed that the provider used, where it says; answers the row."""


@dataclass(frozen=True)
class Collected:
    """What came of one look: the row, its pictures, and by number why those are not here that may still come."""

    record: Record
    images: tuple[Image, ...]
    lacking: Mapping[int, DarkroomError]


class Collector:
    """Brings a job's pictures to the disk, and each of them into the ledger as soon as it is there."""

    def __init__(
        self,
        journal: Journal,
        root: Path,
        clock: Callable[[], float] = time.time,
        *,
        strip: bool = False,
        redact: Redactor | None = None,
    ) -> None:
        self._journal = journal
        self._verified = partial(verified, strip=strip, redact=redact)
        self._root = root
        self.place = Place(root)
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
        images |= {remote.index: _noted(images.get(remote.index), remote) for remote in offered}
        if _in_order(images) != record.images or reading.seed not in {None, record.seed}:
            record = await write(record, _in_order(images), reading.seed)
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
                    record = await write(record, _in_order(images), None)
                except RowLost as error:
                    lost = error
                    tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            for remote in offered:
                if remote.status is ImageStatus.SUCCEEDED and images[remote.index].status is ImageStatus.PROCESSING:
                    tasks.start_soon(bring, remote)
        if lost is not None:
            raise lost
        for index in range(1, max(record.request.count, *images, 1) + 1):
            if index not in images or images[index].status is ImageStatus.PROCESSING:
                lacking.setdefault(index, _absent())
        return Collected(record, _in_order(images), lacking)

    async def _write(self, record: Record, images: tuple[Image, ...], seed: int | None) -> Record:
        # What is saved must be known to the row; what is only said of pictures holds up no look.
        saved = any(image.status is ImageStatus.SUCCEEDED for image in images)
        write = self._journal.write if saved else self._journal.note
        return await write(record, images=images, seed=record.seed if seed is None else seed)

    async def _fetched(
        self, provider: Provider, record: Record, remote: RemoteImage, image: Image
    ) -> Image | DarkroomError:
        """The picture, saved or failed; or why it is not there yet."""
        places = self._places.setdefault(provider.name, anyio.CapacityLimiter(AT_ONCE))
        try:
            async with places:
                data = await provider.picture(record.request, record.job_id or "", remote)
                async with self._decoders.setdefault(provider.name, anyio.Lock()):  # it never has all of them
                    picture = await decoding(partial(self._verified, data, origin=_host(remote)))
                return await to_thread.run_sync(self._saved, record, image, picture)
        except (ResultUnavailable, NotAnImage) as error:
            return error if error.passing else _failed(image, error)
        except DarkroomError as error:
            return _failed(image, error)
        except Exception:  # one picture's trouble is not its siblings'
            log.exception("%s: picture %d broke", record.id, image.index)
            return _failed(image, _broken())

    def _saved(self, record: Record, image: Image, picture: Verified) -> Image:
        stem = picture_stem(record.request.prompt, record.id, image.index)
        day = moment(record.created_at).astimezone()
        path = save_picture(self._root, day, stem, picture.kind.suffix, picture.data)
        saved = {
            "status": ImageStatus.SUCCEEDED, "path": str(path), "mime_type": picture.kind.mime_type,
            "width": picture.width, "height": picture.height, "bytes": len(picture.data),
            "removed": picture.removed, "error": None,
        }  # fmt: skip
        return image.model_copy(update=saved)


def _host(remote: RemoteImage) -> str:
    """Where its link leads, fit to be shown."""
    try:
        host = urlsplit(remote.url or "").hostname or ""
    except ValueError:
        return ""
    return host if re.fullmatch(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}", host) else ""


def settle(record: Record, reading: Reading, lacking: Mapping[int, DarkroomError] | None = None) -> tuple[Image, ...]:
    """The pictures of a finished job, none still processing: what was promised and did not come has failed.

    `lacking`: why it did not come, by number, where that is known.
    """
    known = {image.index: image for image in record.images}
    reasons = lacking or {}
    total = max(record.request.count, len(record.images))

    def settled(index: int) -> Image:
        image = known.get(index, Image(index=index))
        if image.status is not ImageStatus.PROCESSING:
            return image
        return _failed(image, job_error(reading.error) if reading.error else reasons.get(index, _absent()))

    return tuple(map(settled, range(1, total + 1)))


def improved(record: Record, images: Iterable[Image], seed: int | None, now: float) -> dict[str, Any]:
    """What becomes of a row that is over when these of its pictures were looked for again: a saved one stays saved."""
    found = {image.index: image for image in images if image.status is not ImageStatus.PROCESSING}
    known = {image.index: image for image in record.images}
    total = max(record.request.count, len(known), *found, 1)
    missing = {
        index: Image(index=index, status=ImageStatus.FAILED, error=record.failure) for index in range(1, total + 1)
    }
    merged = missing | known
    merged |= {index: image for index, image in found.items() if merged[index].status is not ImageStatus.SUCCEEDED}
    pictures = _in_order(merged)
    stage = outcome(pictures)
    return {
        "stage": stage,
        "images": pictures,
        "seed": record.seed if seed is None else seed,
        "failure": pictures[0].error if stage is Stage.FAILED else None,
        "finished_at": record.finished_at or now,
    }


def outcome(images: tuple[Image, ...]) -> Stage:
    """The terminal stage that these pictures add up to."""
    saved = sum(image.status is ImageStatus.SUCCEEDED for image in images)
    if saved == len(images):
        return Stage.SUCCEEDED
    return Stage.PARTIAL if saved else Stage.FAILED


def _noted(known: Image | None, remote: RemoteImage) -> Image:
    """The picture with what the provider now says of it; what is saved stays saved."""
    image = known or Image(index=remote.index)
    image = image.model_copy(update={"remote_id": remote.remote_id or image.remote_id})
    if image.status is ImageStatus.SUCCEEDED:
        return image
    image = image.model_copy(
        update={"url": _link(remote.url or ""), "watermarked": remote.watermarked, "hidden": remote.hidden}
    )
    if remote.hidden:
        return _failed(image, _taken_down())
    if remote.status is ImageStatus.FAILED:
        return _failed(image, job_error(remote.error or NO_REASON))
    return image


def _link(url: str) -> str | None:
    """The link, if it is one that a person may be shown: nothing in it that a URL would not hold."""
    return url if re.fullmatch(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,2000}", url) else None


def worth_another_try(record: Record) -> bool:
    """Whether a finished generation has pictures that the provider may still give."""
    if record.stage not in {Stage.PARTIAL, Stage.FAILED} or record.job_id is None:
        return False
    if record.failure is not None and record.failure.code in GIVEN_UP:
        return True
    return any(wanted(image) for image in record.images)


def wanted_again(record: Record) -> Record:
    """The row as it is before another try: what may still come counts as processing. Nothing is written."""
    reset = {"status": ImageStatus.PROCESSING, "error": None}
    images = tuple(image.model_copy(update=reset) if wanted(image) else image for image in record.images)
    return record.model_copy(update={"images": images})


def wanted(image: Image) -> bool:
    """Whether the provider may still give this picture, though it is not here."""
    if image.hidden or image.final or image.status is ImageStatus.SUCCEEDED:
        return False
    return image.error is None or image.error.code in WORTH_ANOTHER_TRY | GIVEN_UP


def job_error(reason: str) -> DarkroomError:
    """What a job or a picture that the provider itself failed ends with, in the provider's words."""
    kind = Moderated if is_moderation(reason) else ProviderError
    says = f"and {NO_REASON}" if reason == NO_REASON else f"and says: {quote(reason, 200)}"
    return kind(
        f"The provider could not make it {says}.",
        charged=Charged.MAYBE,
        next_step="Reword the prompt and generate again; the account's credits tell whether this one was charged.",
    )


def _taken_down() -> ResultUnavailable:
    return ResultUnavailable(
        "It was taken down by the provider's safety review.",
        charged=Charged.MAYBE,
        next_step="Generate again with another prompt, or look in the provider's own gallery.",
    )


def _absent() -> ResultUnavailable:
    return ResultUnavailable(
        "The provider finished without giving it.", charged=Charged.MAYBE, next_step=LOOK_AGAIN, passing=True
    )


def _broken() -> ResultUnavailable:
    return ResultUnavailable(
        "Darkroom itself failed on this picture; its log says how.", charged=Charged.YES, next_step=LOOK_AGAIN
    )


def _failed(image: Image, error: DarkroomError) -> Image:
    final = isinstance(error, ResultUnavailable | NotAnImage) and error.final
    return image.model_copy(
        update={"status": ImageStatus.FAILED, "error": error.failure(), "final": True if final else None}
    )


def _in_order(images: Mapping[int, Image]) -> tuple[Image, ...]:
    return tuple(images[index] for index in sorted(images))
