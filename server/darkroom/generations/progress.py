"""Publish and subscribe, and what can honestly be said about how far a generation is."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from darkroom.models import (
    Charged,
    Failure,
    Generation,
    Image,
    ImageStatus,
    Progress,
    Record,
    Stage,
    Status,
    moment,
    picture_uri,
)
from darkroom.providers.base import Traits
from darkroom.store.ledger import Obstacle, Standing

ALMOST = 0.99
"""Of a picture that takes longer than is usual."""


@dataclass(frozen=True)
class Snapshot:
    """The state of everything that is waited for.

    `share` counts pictures: those done, and part of the next. `total`: how many they are, where it is known how long
    they will take.
    """

    generations: tuple[Generation, ...]
    share: float
    total: int | None
    over: bool
    timed_out: bool = False


class Subscription:
    """The newest state of each watched generation that changed since the last `take`."""

    def __init__(self) -> None:
        self._fresh: dict[str, Record] = {}
        self._bell = anyio.Event()

    def put(self, record: Record) -> None:
        """Leaves a new state here; an older one of the same generation is superseded."""
        self._fresh[record.id] = record
        self._bell.set()

    async def take(self) -> dict[str, Record]:
        """Waits until there is something new, and empties the box."""
        await self._bell.wait()
        fresh, self._fresh, self._bell = self._fresh, {}, anyio.Event()
        return fresh


class Changes:
    """Where the floor below publishes each new state of a generation, and those above subscribe."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[Subscription]] = {}
        self._somebody = anyio.Event()

    def publish(self, record: Record) -> None:
        """Tells every subscriber of this generation."""
        for subscription in self._subscriptions.get(record.id, ()):
            subscription.put(record)

    def watched_now(self, generation_id: str) -> bool:
        """Whether somebody watches this one."""
        return generation_id in self._subscriptions

    async def watched(self) -> list[str]:
        """The generations that somebody watches, once there are any."""
        while not self._subscriptions:
            self._somebody = anyio.Event()
            await self._somebody.wait()
        return list(self._subscriptions)

    @contextmanager
    def subscribe(self, ids: list[str]) -> Generator[Subscription]:
        """A subscription to these generations, for as long as the block lasts."""
        subscription = Subscription()
        for generation_id in ids:
            self._subscriptions.setdefault(generation_id, set()).add(subscription)
        self._somebody.set()
        try:
            yield subscription
        finally:
            for generation_id in ids:
                watching = self._subscriptions[generation_id]
                watching.discard(subscription)
                if not watching:
                    del self._subscriptions[generation_id]


def describe(
    record: Record,
    traits: Traits,
    now: float,
    *,
    standing: Standing | None = None,
    expected_s: float | None = None,
    trouble: str | None = None,
) -> Generation:
    """The row as callers are answered with it.

    `standing`: where it is in our own queue. `expected_s`: how long it will have taken, where that is known.
    `trouble`: what is going wrong with it at the moment.
    """
    request = record.request
    return Generation(
        id=record.id,
        provider=request.provider,
        model=request.model,
        prompt=request.prompt,
        count=request.count,
        seed=record.seed if record.seed is not None else request.seed,
        status=status_of(record),
        progress=Progress(
            message=_sentence(record, traits, _so_far(elapsed(record, now), expected_s), standing, trouble),
            queue_position=record.queue_position if standing is None else _position(record, standing),
            elapsed_s=round(elapsed(record, now), 1),
            expected_s=None if expected_s is None else round(expected_s, 1),
        ),
        images=tuple(_named(image, record) for image in record.images),
        error=record.failure,
        created_at=moment(record.created_at),
        submitted_at=None if record.submitted_at is None else moment(record.submitted_at),
        finished_at=None if record.finished_at is None else moment(max(record.finished_at, record.created_at)),
    )


_NOT_FETCHED = Failure(
    code="result_unavailable",
    message="Darkroom ended while it was fetching this picture.",
    charged=Charged.MAYBE,
    next_step="Call get_status: Darkroom fetches it again, at no cost.",
)


def _named(image: Image, record: Record) -> Image:
    # Rows of older versions hold a file's URI here, and pictures that a kill left under way though all is over.
    if record.stage.terminal and image.status is ImageStatus.PROCESSING:
        return image.model_copy(update={"status": ImageStatus.FAILED, "error": image.error or _NOT_FETCHED})
    uri = picture_uri(record.id, image.index) if image.status is ImageStatus.SUCCEEDED else None
    return image.model_copy(update={"uri": uri})


def status_of(record: Record) -> Status:
    """What a caller sees of the stage."""
    if record.stage in {Stage.ACCEPTED, Stage.SUBMITTING}:
        return Status.QUEUED
    if record.stage is Stage.RUNNING:
        return Status.QUEUED if record.provider_queued else Status.PROCESSING
    if record.stage is Stage.COLLECTING:
        return Status.PROCESSING
    return Status(record.stage.value)


def elapsed(record: Record, now: float) -> float:
    """Seconds from the request to its end, or until now; never negative, whatever the clock did."""
    return max((record.finished_at or now) - record.created_at, 0.0)


def pictures_done(record: Record) -> int:
    """How many of its pictures are saved, or have failed for good."""
    return sum(image.status is not ImageStatus.PROCESSING for image in record.images)


def pictures(record: Record) -> int:
    """How many it will have, or failed to have."""
    return max(record.request.count, len(record.images))


def share_done(record: Record, now: float, expected_s: float | None = None) -> float:
    """Pictures done, and of the next one a share that grows with time but never becomes a whole picture."""
    if record.stage.terminal:
        return float(pictures(record))
    waited = elapsed(record, now)
    share = waited / (waited + 60.0) if expected_s is None else min(waited / max(expected_s, 0.1), ALMOST)
    return min(pictures_done(record), pictures(record) - 1) + share


def _so_far(elapsed_s: float, expected_s: float | None) -> str:
    so_far = f"{elapsed_s:.0f} s so far"
    if expected_s is None:
        return so_far
    return (
        f"{so_far} of about {expected_s:.0f} s" if elapsed_s < expected_s else f"{so_far}, {expected_s:.0f} s is usual"
    )


def _sentence(record: Record, traits: Traits, so_far: str, standing: Standing | None, trouble: str | None) -> str:
    text = _finished(record) if record.stage.terminal else _waiting(record, traits, so_far, standing)
    if trouble and not record.stage.terminal:
        text = f"{text} {trouble}"
    saved = record.stage in {Stage.SUCCEEDED, Stage.PARTIAL}
    return f"{text} {traits.note}" if saved and traits.note else text


def _waiting(record: Record, traits: Traits, so_far: str, standing: Standing | None) -> str:
    saved = f"{pictures_done(record)} of {pictures(record)} done"
    match record.stage:
        case Stage.ACCEPTED | Stage.SUBMITTING if standing is not None and standing.obstacle is not None:
            return _held_up(record, standing, standing.obstacle, so_far)
        case Stage.ACCEPTED if standing is not None:
            return _queued_here(standing, so_far)
        case Stage.ACCEPTED:
            return f"Queued here, not yet sent to {traits.title}, {so_far}."
        case Stage.SUBMITTING if record.cancel_wished:
            return (
                f"Being sent to {traits.title}, {so_far}; cancelled if {traits.title} turns out not to have taken it."
            )
        case Stage.SUBMITTING:
            return f"Being sent to {traits.title}, {so_far}."
        case Stage.RUNNING if record.provider_queued and record.queue_position is not None:
            return f"Queued at {traits.title}, position {record.queue_position}, {so_far}."
        case Stage.RUNNING if record.provider_queued:
            return f"Queued at {traits.title}, {so_far}."
        case Stage.RUNNING:
            return f"{traits.title} is working on it: {saved}, {so_far}."
        case _:
            return f"{traits.title} is done; its pictures are being saved: {saved}."


def _queued_here(standing: Standing, so_far: str) -> str:
    behind = f"Queued here behind {standing.ahead}" if standing.ahead else "Next in the queue here"
    soon = standing.starts_in_s < 1
    if standing.at_the_earliest:
        when = "once the one before it is done" + ("" if soon else f", in {standing.starts_in_s:.0f} s at the earliest")
    else:
        when = "now" if soon else f"in about {standing.starts_in_s:.0f} s"
    return f"{behind}, starts {when}, {so_far}."


def _held_up(record: Record, standing: Standing, obstacle: Obstacle, so_far: str) -> str:
    match obstacle:
        case Obstacle.COPIED:
            return (
                "Not sent: this ledger was copied or restored after it was asked for, and may have been sent from the "
                f"other one. {_ASKED}"
            )
        case Obstacle.FORGOTTEN:
            return f"Not sent: for more than a day nothing ran that could have sent it. {_ASKED}"
        case Obstacle.NOBODY:
            return (
                "Queued here, not sent: the process that was to send it does not run any more. A server sends it, and "
                "so does wait."
            )
        case Obstacle.STOPPED:
            sent_id, process = standing.sender or ("", "")
            number = process.partition("-")[0]
            stopped = (
                f"process {number} lives but has not run for a while (stopped, in a debugger, asleep). It goes on when "
                "that process does, or ends when that process is ended"
            )
            if sent_id == record.id:
                return (
                    f"It was being sent, perhaps received and charged, when its process stopped: {stopped}. {so_far}."
                )
            return f"Queued here behind {sent_id}, which was being sent when its process stopped: {stopped}. {so_far}."


_ASKED = "Nothing was charged for it here. Call wait with its id to send it now, or cancel to drop it."


def _position(record: Record, standing: Standing) -> int | None:
    held = record.stage is Stage.SUBMITTING or standing.obstacle in {Obstacle.COPIED, Obstacle.FORGOTTEN}
    return None if held else standing.ahead + 1


def _finished(record: Record) -> str:
    saved = sum(image.status is ImageStatus.SUCCEEDED for image in record.images)
    pictures = "picture" if len(record.images) == 1 else "pictures"
    match record.stage:
        case Stage.SUCCEEDED:
            return f"{saved} {pictures} saved."
        case Stage.PARTIAL:
            return f"{saved} of {len(record.images)} {pictures} saved; the others say why."
        case Stage.CANCELLED:
            if record.refusals:
                times = "One attempt" if record.refusals == 1 else f"{record.refusals} attempts"
                return f"Cancelled. {times} to submit it had been refused as too early; nothing was charged."
            return "Cancelled before anything was sent; nothing was charged."
        case _:
            return record.failure.message if record.failure else "It failed."
