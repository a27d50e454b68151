"""Fetches, verifies and saves the pictures of a job, each on its own: one that fails takes no other with it."""

import io
import re
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from darkroom.errors import DarkroomError, Moderated, NotAnImage, ProviderError, ResultUnavailable
from darkroom.generations.journal import Journal
from darkroom.generations.polling import RetryBudget, backoff
from darkroom.models import Charged, Image, ImageStatus, Record, Stage, moment
from darkroom.providers.base import Provider, Reading, RemoteImage
from darkroom.redact import clean
from darkroom.store.files import picture_stem, save_picture

MAX_PIXELS = 50_000_000
ATTEMPTS = 3
BACKOFF_S = 0.5
# What a later call may ask for again: the provider still has the picture, we do not.
WORTH_ANOTHER_TRY = {"result_unavailable", "not_an_image", "storage_error", "timed_out"}

_KINDS = {"PNG": ("image/png", ".png"), "JPEG": ("image/jpeg", ".jpg"), "WEBP": ("image/webp", ".webp")}


@dataclass(frozen=True)
class Verified:
    """What a picture's bytes really are; `width` and `height` in pixels."""

    mime_type: str
    suffix: str
    width: int
    height: int


class Collector:
    """Brings a job's pictures to the disk, and each of them into the ledger as soon as it is there."""

    def __init__(self, journal: Journal, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._root = root
        self._clock = clock

    async def collect(self, provider: Provider, record: Record, reading: Reading, retries: RetryBudget) -> Record:
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
        self, provider: Provider, record: Record, remote: RemoteImage, image: Image, retries: RetryBudget
    ) -> Image:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                data = await provider.picture(record.request, record.job_id or "", remote)
                return await to_thread.run_sync(partial(self._saved, record, image, data))
            except ResultUnavailable as error:
                if attempt == ATTEMPTS:
                    return _failed(image, error)
                await anyio.sleep(backoff(attempt, base_s=BACKOFF_S))
                await retries.draw()
            except DarkroomError as error:
                return _failed(image, error)
        raise AssertionError("the last attempt returns")

    def _saved(self, record: Record, image: Image, data: bytes) -> Image:
        kind = verify(data)
        stem = picture_stem(record.request.prompt, record.id, image.index)
        path = save_picture(self._root, moment(record.created_at).astimezone(), stem, kind.suffix, data)
        return image.model_copy(
            update={
                "status": ImageStatus.SUCCEEDED,
                "path": str(path),
                "mime_type": kind.mime_type,
                "width": kind.width,
                "height": kind.height,
                "bytes": len(data),
                "error": None,
            }
        )


def verify(data: bytes) -> Verified:
    """What the bytes are, by magic number, header and a full decode.

    Raises:
        NotAnImage: no PNG, JPEG or WebP, over 50 megapixels, or cut off.
    """
    import PIL.Image  # noqa: PLC0415 - heavy, and needed only where pictures arrive

    magic = data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
    if not magic:
        raise _not_an_image("is neither PNG, JPEG nor WebP")
    try:
        with warnings.catch_warnings(), PIL.Image.open(io.BytesIO(data), formats=tuple(_KINDS)) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise _not_an_image(f"has {width} × {height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels")
            picture.load()
            mime_type, suffix = _KINDS[picture.format or ""]
    except NotAnImage:
        raise
    except Exception as error:  # a decoder fed with hostile bytes may raise anything
        raise _not_an_image(f"cannot be decoded ({type(error).__name__})") from error
    return Verified(mime_type, suffix, width, height)


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
    url = clean(remote.url, 2000) if remote.url else None
    image = image.model_copy(update={"url": url, "watermarked": remote.watermarked, "hidden": remote.hidden})
    if remote.hidden:
        return _failed(image, _absent("It was taken down by the provider's safety review"))
    if remote.status is ImageStatus.FAILED:
        return _failed(image, job_error(remote.error or "no reason given"))
    return image


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
    kind = Moderated if re.search(r"moderat|flagged|safety|policy", reason, re.I) else ProviderError
    return kind(
        f'The provider could not make it and says: "{clean(reason, 200)}".',
        charged=Charged.MAYBE,
        next_step="Reword the prompt and generate again; the account's credits tell whether this one was charged.",
    )


def _absent(what: str) -> ResultUnavailable:
    return ResultUnavailable(
        f"{what}.",
        charged=Charged.MAYBE,
        next_step="Generate again with another prompt, or look in the provider's own gallery.",
    )


def _not_an_image(what: str) -> NotAnImage:
    return NotAnImage(
        f"What came {what}.",
        charged=Charged.YES,
        next_step="Call get_status later: Darkroom then fetches this picture again, at no cost.",
    )


def _failed(image: Image, error: DarkroomError) -> Image:
    return image.model_copy(update={"status": ImageStatus.FAILED, "error": error.failure()})
