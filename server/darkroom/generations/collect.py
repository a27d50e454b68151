"""Fetches, verifies and saves the pictures of a job, each on its own: one that fails takes no other with it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from darkroom.errors import DarkroomError, Moderated, NotAnImage, ProviderError, ResultUnavailable
from darkroom.generations.decoding import DECODING_S, Kind, Patience, Unfit, decoding, opened, whole
from darkroom.generations.journal import Journal
from darkroom.generations.place import Place
from darkroom.generations.polling import RetryAllowance, backoff
from darkroom.models import Charged, Image, ImageStatus, Record, Stage, moment
from darkroom.providers.base import NO_REASON, Provider, Reading, RemoteImage
from darkroom.redact import quote
from darkroom.store.files import picture_stem, save_picture
from darkroom.transport.reasons import is_moderation

ATTEMPTS = 3
BACKOFF_S = 0.5
AT_ONCE = 4
"""How many pictures are fetched at the same time, however many generations a restart goes on with: each of up to
64 MiB stays in memory until it is saved. A place is given back between attempts, so that a slow host, which has
its own deadline, lets others pass."""
# What a later call may ask for again: the provider still has the picture, we do not.
WORTH_ANOTHER_TRY = {"result_unavailable", "not_an_image", "storage_error", "timed_out"}


@dataclass(frozen=True)
class Verified:
    """What the bytes really are; `width` and `height` in pixels."""

    kind: Kind
    data: bytes
    width: int
    height: int


class Collector:
    """Brings a job's pictures to the disk, and each of them into the ledger as soon as it is there."""

    def __init__(self, journal: Journal, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._root = root
        self.place = Place(root)
        self._clock = clock
        self._places = anyio.CapacityLimiter(AT_ONCE)

    async def collect(self, provider: Provider, record: Record, reading: Reading, retries: RetryAllowance) -> Record:
        """Saves every picture that the reading offers and that is not here yet; answers the newest row."""
        known = {image.index: image for image in record.images}
        images = {remote.index: _noted(known.get(remote.index), remote) for remote in reading.images}
        if tuple(images.values()) != record.images or reading.seed not in {None, record.seed}:
            seed = record.seed if reading.seed is None else reading.seed
            record = await self._journal.write(record, images=tuple(images.values()), seed=seed)
        one_at_a_time = anyio.Lock()

        async def bring(remote: RemoteImage) -> None:
            nonlocal record
            image = await self._fetched(provider, record, remote, images[remote.index], retries)
            async with one_at_a_time:
                images[remote.index] = image
                record = await self._journal.write(record, images=tuple(images.values()))

        async with anyio.create_task_group() as tasks:
            for remote in reading.images:
                if remote.status is ImageStatus.SUCCEEDED and images[remote.index].status is ImageStatus.PROCESSING:
                    tasks.start_soon(bring, remote)
        return record

    async def _fetched(
        self, provider: Provider, record: Record, remote: RemoteImage, image: Image, retries: RetryAllowance
    ) -> Image:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._places:
                    data = await provider.picture(record.request, record.job_id or "", remote)
                    return await decoding(partial(self._saved, record, image, data))
            except ResultUnavailable as error:
                if attempt == ATTEMPTS:
                    return _failed(image, error)
                await anyio.sleep(backoff(attempt, base_s=BACKOFF_S))
                await retries.draw()
            except DarkroomError as error:
                return _failed(image, error)
        raise AssertionError("the last attempt returns")

    def _saved(self, record: Record, image: Image, data: bytes) -> Image:
        picture = verified(data)
        stem = picture_stem(record.request.prompt, record.id, image.index)
        day = moment(record.created_at).astimezone()
        path = save_picture(self._root, day, stem, picture.kind.suffix, picture.data)
        return image.model_copy(
            update={
                "status": ImageStatus.SUCCEEDED,
                "path": str(path),
                "mime_type": picture.kind.mime_type,
                "width": picture.width,
                "height": picture.height,
                "bytes": len(picture.data),
                "error": None,
            }
        )


def verified(data: bytes, seconds: float = DECODING_S) -> Verified:
    """The picture in the bytes, after a full decode within `seconds`; whatever it does not need is gone.

    Raises:
        NotAnImage: no PNG, JPEG or WebP, larger than we accept, or cut off.
    """
    patience = Patience(seconds)
    try:
        kind, data = whole(data, patience)
        with opened(kind, data, patience) as picture:
            picture.load()
            return Verified(kind, data, *picture.size)
    except Unfit as error:
        raise NotAnImage(
            f"What came {error}.",
            charged=Charged.YES,
            next_step="Call get_status later: Darkroom then fetches this picture again, at no cost.",
        ) from error


def settle(record: Record, reading: Reading) -> tuple[Image, ...]:
    """The pictures of a finished job, none still processing: what was promised and did not come has failed."""
    error = job_error(reading.error) if reading.error else _absent("The provider finished without giving it")
    known = {image.index: image for image in record.images}
    total = max(record.request.count, len(record.images))
    images = (known.get(index, Image(index=index)) for index in range(1, total + 1))
    return tuple(image if image.status is not ImageStatus.PROCESSING else _failed(image, error) for image in images)


def outcome(images: tuple[Image, ...]) -> Stage:
    """The terminal stage that these pictures add up to."""
    saved = sum(image.status is ImageStatus.SUCCEEDED for image in images)
    if saved == len(images):
        return Stage.SUCCEEDED
    return Stage.PARTIAL if saved else Stage.FAILED


def _noted(known: Image | None, remote: RemoteImage) -> Image:
    """The picture with what the provider now says of it; what is saved stays saved."""
    image = known or Image(index=remote.index)
    if image.status is ImageStatus.SUCCEEDED:
        return image
    image = image.model_copy(
        update={"url": _link(remote.url or ""), "watermarked": remote.watermarked, "hidden": remote.hidden}
    )
    if remote.hidden:
        return _failed(image, _absent("It was taken down by the provider's safety review"))
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
    if record.failure is not None and record.failure.code == "timed_out":
        return True
    return any(wanted(image) for image in record.images)


def wanted_again(record: Record) -> Record:
    """The row as it is before another try: what may still come counts as processing. Nothing is written."""
    reset = {"status": ImageStatus.PROCESSING, "error": None}
    images = tuple(image.model_copy(update=reset) if wanted(image) else image for image in record.images)
    return record.model_copy(update={"images": images})


def wanted(image: Image) -> bool:
    """Whether the provider may still give this picture, though it is not here."""
    if image.hidden or image.status is ImageStatus.SUCCEEDED:
        return False
    return image.error is None or image.error.code in WORTH_ANOTHER_TRY


def job_error(reason: str) -> DarkroomError:
    """What a job or a picture that the provider itself failed ends with, in the provider's words."""
    kind = Moderated if is_moderation(reason) else ProviderError
    says = f"and {NO_REASON}" if reason == NO_REASON else f"and says: {quote(reason, 200)}"
    return kind(
        f"The provider could not make it {says}.",
        charged=Charged.MAYBE,
        next_step="Reword the prompt and generate again; the account's credits tell whether this one was charged.",
    )


def _absent(what: str) -> ResultUnavailable:
    return ResultUnavailable(
        f"{what}.",
        charged=Charged.MAYBE,
        next_step="Generate again with another prompt, or look in the provider's own gallery.",
    )


def _failed(image: Image, error: DarkroomError) -> Image:
    return image.model_copy(update={"status": ImageStatus.FAILED, "error": error.failure()})
