"""The outcome of a generation's pictures, and of those still to come: pure, without a disk or a network."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from darkroom.errors import (
    LOOK_AGAIN,
    Cancelled,
    DarkroomError,
    Moderated,
    NotAnImage,
    ProviderError,
    ResultUnavailable,
)
from darkroom.models import Charged, Failure, Image, ImageStatus, Record, Stage
from darkroom.money import Cost
from darkroom.providers.base import NO_REASON, Reading, RemoteImage
from darkroom.redact.text import quote
from darkroom.transport.reasons import is_moderation

# What a later call may ask for again: the provider still has the picture, we do not.
WORTH_ANOTHER_TRY = {"result_unavailable", "not_an_image", "storage_error", "timed_out"}
# What a whole generation ended with, though the provider may still have its pictures.
GIVEN_UP = {"timed_out", "payment_required", "plan_required", "invalid_request"}


def placed(known: Sequence[Image], seen: Sequence[RemoteImage], promised: int) -> tuple[RemoteImage, ...]:
    """The pictures that were seen, each under the number that it has, or gets now; one without a number is left out.

    `promised`: how many were asked for.
    """
    by_id = {image.remote_id: image.index for image in known if image.remote_id is not None}
    found: dict[int, RemoteImage] = {}
    new: list[RemoteImage] = []
    for remote in seen:
        index = by_id.get(remote.remote_id or "")
        if index is None:
            new.append(remote)
        else:
            found.setdefault(index, remote)
    named = {image.index for image in known if image.remote_id is not None}
    saved = {image.index for image in known if image.status is ImageStatus.SUCCEEDED} & named
    free = [index for index in range(1, max(promised, len(seen)) + 1) if index not in found and index not in saved]
    # A number is given away last whose own picture may come back.
    free.sort(key=lambda index: index in named)
    used: set[str] = set()
    for remote in new:
        if remote.remote_id is not None:
            if remote.remote_id in used:
                continue
            used.add(remote.remote_id)
        index = remote.index if remote.index in free and remote.index not in named else next(iter(free), None)
        if index is not None:
            free.remove(index)
            found[index] = remote
    return tuple(found[index].model_copy(update={"index": index}) for index in sorted(found))


def settle(record: Record, reading: Reading, lacking: Mapping[int, DarkroomError] | None = None) -> tuple[Image, ...]:
    """The pictures of a finished job, none still processing: what was promised and did not come has failed.

    `lacking`: why it did not come, by number, where that is known.
    """
    known = {image.index: image for image in record.images}
    reasons = lacking or {}
    whole = stopped(record, reading)
    if whole is None and reading.error:
        whole = job_error(reading.error, moderated=reading.moderated, charged=reading.charged)
    total = max(record.request.count, len(record.images))

    def settled(index: int) -> Image:
        image = known.get(index, Image(index=index))
        if image.status is not ImageStatus.PROCESSING:
            return image
        return failed(image, whole or reasons.get(index, absent()))

    return tuple(map(settled, range(1, total + 1)))


def improved(record: Record, images: Iterable[Image], seed: int | None) -> dict[str, Any]:
    """The changes to a row that is over when these of its pictures were looked for again: a saved one stays saved."""
    found = {image.index: image for image in images if image.status is not ImageStatus.PROCESSING}
    known = {image.index: image for image in record.images}
    total = max(record.request.count, len(known), *found, 1)
    missing = {
        index: Image(index=index, status=ImageStatus.FAILED, error=record.failure) for index in range(1, total + 1)
    }
    merged = missing | known
    merged |= {index: image for index, image in found.items() if merged[index].status is not ImageStatus.SUCCEEDED}
    pictures = in_order(merged)
    stage = outcome(pictures)
    return {
        "stage": stage,
        "images": pictures,
        "seed": record.seed if seed is None else seed,
        "failure": failure_of(pictures),
    }


def failure_of(images: Sequence[Image]) -> Failure | None:
    """The failure of a generation with these pictures; None: one of them is saved."""
    saved = any(image.status is ImageStatus.SUCCEEDED for image in images)
    return None if saved else images[0].error


def costing(record: Record, cost: Cost | None) -> dict[str, Any]:
    """The changes to a row whose provider names its own figure; one in another unit says nothing of an estimate."""
    if cost is None or record.cost_unit not in {None, cost.unit}:
        return {}
    return {"cost_micros": cost.money.micros, "cost_unit": cost.unit, "cost_estimated": cost.estimated}


def outcome(images: tuple[Image, ...]) -> Stage:
    """The terminal stage that these pictures add up to."""
    saved = sum(image.status is ImageStatus.SUCCEEDED for image in images)
    if saved == len(images):
        return Stage.SUCCEEDED
    if saved:
        return Stage.PARTIAL
    stopped = all(image.error is not None and image.error.code == Cancelled.code for image in images)
    return Stage.CANCELLED if stopped else Stage.FAILED


def noted(known: Image | None, remote: RemoteImage) -> Image:
    """The picture with what the provider now says of it; what is saved stays saved."""
    image = known or Image(index=remote.index)
    image = image.model_copy(update={"remote_id": remote.remote_id or image.remote_id})
    if image.status is ImageStatus.SUCCEEDED:
        return image
    image = image.model_copy(
        update={"url": _link(remote.url or ""), "watermarked": remote.watermarked, "hidden": remote.hidden}
    )
    if remote.hidden:
        return failed(image, _taken_down())
    if remote.status is ImageStatus.FAILED:
        return failed(image, job_error(remote.error or NO_REASON))
    return image


def _link(url: str) -> str | None:
    """The link, if it is one that a person may be shown: nothing in it that a URL would not hold."""
    return url if re.fullmatch(r"https?://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{1,2000}", url) else None


def pictures_done(record: Record) -> int:
    """The number of its pictures that are saved, or have failed for good."""
    return sum(image.status is not ImageStatus.PROCESSING for image in record.images)


def pictures(record: Record) -> int:
    """The number of pictures that it will have, or failed to have."""
    return max(record.request.count, len(record.images))


def worth_another_try(record: Record) -> bool:
    """True where a finished generation has pictures that the provider may still give."""
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
    """True where the provider may still give this picture, though it is not here."""
    if image.hidden or image.final or image.status is ImageStatus.SUCCEEDED:
        return False
    return image.error is None or image.error.code in WORTH_ANOTHER_TRY | GIVEN_UP


def job_error(reason: str, *, moderated: bool = False, charged: Charged | None = None) -> DarkroomError:
    """The error for a job or a picture that the provider itself failed, in the provider's words."""
    kind = Moderated if moderated or is_moderation(reason) else ProviderError
    says = f"and {NO_REASON}" if reason == NO_REASON else f"and says: {quote(reason, 200)}"
    return kind(
        f"The provider could not make it {says}.",
        charged=charged or Charged.MAYBE,
        next_step="Reword the prompt and generate again; the account's credits tell whether this one was charged.",
    )


def stopped(record: Record, reading: Reading | None) -> Cancelled | None:
    """The error for a job that its provider was asked to stop, and that has ended without a picture; None: it has not.

    `reading` None: the provider does not know the job any more.
    """
    if not record.cancel_wished:
        return None
    if reading is None:
        what = "The provider was asked to cancel it, and does not know the job any more."
    elif reading.cancelled:
        what = "The provider cancelled it, as it was asked to."
    elif reading.error is None and not reading.images:
        what = "The provider was asked to cancel it, and ended it without a picture."
    else:
        return None
    charged = reading.charged if reading is not None and reading.charged is not None else Charged.MAYBE
    look = "" if charged is Charged.NO else "The account's credits tell whether it was charged. "
    return Cancelled(what, charged=charged, next_step=f"{look}Generate it again if it is wanted after all.")


def _taken_down() -> ResultUnavailable:
    return ResultUnavailable(
        "It was taken down by the provider's safety review.",
        charged=Charged.MAYBE,
        next_step="Generate again with another prompt, or look in the provider's own gallery.",
    )


def absent() -> ResultUnavailable:
    """The reason why a picture is not here that the provider may still give."""
    return ResultUnavailable(
        "The provider finished without giving it.", charged=Charged.MAYBE, next_step=LOOK_AGAIN, passing=True
    )


def broken() -> ResultUnavailable:
    """The reason why a picture is not here that Darkroom itself failed on."""
    return ResultUnavailable(
        "Darkroom itself failed on this picture; its log says how.", charged=Charged.YES, next_step=LOOK_AGAIN
    )


def failed(image: Image, error: DarkroomError) -> Image:
    """The picture, failed with that; for good where the error says so."""
    final = isinstance(error, ResultUnavailable | NotAnImage) and error.final
    return image.model_copy(
        update={"status": ImageStatus.FAILED, "error": error.failure(), "final": True if final else None}
    )


def in_order(images: Mapping[int, Image]) -> tuple[Image, ...]:
    """The pictures by number."""
    return tuple(images[index] for index in sorted(images))
