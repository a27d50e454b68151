"""Rows as callers see them: with their place in the queue, what is usual, and what is going wrong."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from darkroom.declaration import Traits
from darkroom.errors import OutcomeUnknown
from darkroom.generations.outcome import pictures, pictures_done
from darkroom.generations.telling.expectation import Expectation
from darkroom.generations.telling.journal import Journal
from darkroom.generations.telling.standings import Standings
from darkroom.generations.telling.wording import next_step, sentence, state_of
from darkroom.models import Charged, Failure, Image, ImageStatus, Record, Stage, Status, moment, picture_uri
from darkroom.providers.owners import Owners
from darkroom.providers.registry import Registry
from darkroom.store.pictures import PictureStore
from darkroom.store.turns import Obstacle, Standing
from darkroom.views import Generation, Progress

ALMOST = 0.99
"""Of a picture that takes longer than is usual."""
MOST_FINISHED = 200
"""Descriptions of what is over that are kept."""
_OUTDATED = (
    "A newer Darkroom uses this ledger as well, so this one only finishes what it drives: a server that is up to date "
    "goes on with this."
)
_MEANWHILE = (
    "Until it can be written to again, nothing new is sent, jobs under way are looked at every 30 s, and what comes of "
    "them is only kept in memory."
)


@dataclass(frozen=True)
class Snapshot:
    """The state of everything that is waited for.

    `share` counts pictures: those done, and part of the next. `total`: how many they are, where it is known how long
    they will take. `stopped`: the wait ended early, since the process is to end.
    """

    generations: tuple[Generation, ...]
    share: float
    total: int | None
    over: bool
    timed_out: bool = False
    stopped: bool = False


class Describer:
    """Gathers what it takes to describe a row."""

    def __init__(
        self,
        journal: Journal,
        owners: Owners,
        holder: str,
        pictures: PictureStore,
        only: Collection[str] | None = None,
    ) -> None:
        self._journal = journal
        self._owners = owners
        self._holder = holder
        self._expectation = Expectation(journal.ledger)
        self._pictures = pictures
        self._standings = Standings(journal.ledger, owners, only)
        self._finished: dict[str, tuple[Record, Generation]] = {}

    async def generation(self, record: Record) -> Generation:
        """The row as it is now."""
        (generation,) = await self.generations([record])
        return generation

    async def generations(self, records: Collection[Record]) -> list[Generation]:
        """The rows as they are now, in the same order."""
        standings = await self._standings.of(records)
        return [
            self._as_before(record) or await self._described(record, standings.get(record.id)) for record in records
        ]

    def _as_before(self, record: Record) -> Generation | None:
        """The last description of it, where it is over and has not changed: neither time nor place matters then."""
        before, generation = self._finished.get(record.id, (None, None))
        return generation if record == before else None

    async def _described(self, record: Record, standing: Standing | None) -> Generation:
        row, traits = record, self._registry(record).traits(record.request.provider)
        trouble = self._trouble(record)
        record = at_no_cost(record) if traits.free else record
        now = self._journal.ledger.now()
        expected_s = await self._expectation.of(record, standing, elapsed(record, now))
        seen = describe(
            record,
            traits,
            now,
            self._pictures.path,
            standing=standing,
            expected_s=expected_s,
            trouble=trouble,
            step=self._journal.steps.get(record.id),
        )
        seen = seen.model_copy(update={"next_step": next_step([seen])})
        if record.stage.terminal and record.finished_at is not None:
            if len(self._finished) >= MOST_FINISHED:
                self._finished.clear()
            self._finished[row.id] = row, seen
        return seen

    def _registry(self, record: Record) -> Registry:
        return (self._owners.found(record.owner) or self._owners.local).registry

    def _trouble(self, record: Record) -> str | None:
        if self._owners.found(record.owner) is None:
            return "Whose it is is not in the tenants file of this server, so nothing here goes on with it."
        registry = self._registry(record)
        declared = registry.declared.get(record.request.provider)
        if declared is None:
            return "This version of Darkroom does not know that provider; only one that does goes on with this."
        if misset := registry.misset.get(record.request.provider):
            return f"{misset.message} Only a server that can use it goes on with this."
        if record.request.provider not in registry.providers:
            return f"{declared.key_variable} is not set here; only a server that has it goes on with this."
        if self._journal.ledger.outdated and (record.stage is Stage.ACCEPTED or record.holder != self._holder):
            return _OUTDATED
        if out_of_reach := self._journal.ledger.trouble:
            return f"{out_of_reach} {_MEANWHILE}"
        return self._journal.trouble.get(record.id, record.trouble)

    async def snapshot(self, records: Mapping[str, Record], until: Literal["all", "any"]) -> Snapshot:
        """These rows as they are now; over when all of them are, or any."""
        now = self._journal.ledger.now()
        generations = await self.generations(records.values())
        expected = [generation.progress.expected_s for generation in generations]
        finished = [record.stage.terminal for record in records.values()]
        known = all(over or expected_s is not None for over, expected_s in zip(finished, expected, strict=True))
        return Snapshot(
            generations=tuple(generations),
            share=sum(share_done(record, now, e) for record, e in zip(records.values(), expected, strict=True)),
            total=sum(map(pictures, records.values())) if known else None,
            over=any(finished) if until == "any" else all(finished),
        )

    async def standing(self, record: Record) -> Standing | None:
        """Its place in our own queue; None: not there, or nobody can tell."""
        return (await self._standings.of([record])).get(record.id)


def at_no_cost(record: Record) -> Record:
    """The row of a provider that charges nothing, which says so whatever went wrong."""
    if record.failure is None and not any(image.error for image in record.images):
        return record
    images = tuple(image.model_copy(update={"error": _uncharged(image.error)}) for image in record.images)
    return record.model_copy(update={"failure": _uncharged(record.failure), "images": images})


def _uncharged(failure: Failure | None) -> Failure | None:
    if failure is None:
        return None
    changes: dict[str, object] = {"charged": Charged.NO}
    # A provider that knows that nothing was charged has said what happened in its own words.
    if failure.code == OutcomeUnknown.code and failure.charged is not Charged.NO:
        changes |= {"message": "Darkroom was interrupted while it began this.", "next_step": "Generate it again."}
    return failure.model_copy(update=changes)


def describe(
    record: Record,
    traits: Traits,
    now: float,
    path_of: Callable[[str], str | None],
    *,
    standing: Standing | None = None,
    expected_s: float | None = None,
    trouble: str | None = None,
    step: str | None = None,
) -> Generation:
    """The row as callers are shown it. `path_of`: where a caller finds the picture of this key.

    `standing`: where it is in our own queue. `expected_s`: how long it will have taken, where that is known.
    `trouble`: what is going wrong with it at the moment. `step`: where its service is in its work.
    """
    request = record.request
    elapsed_s, expected_s = round(elapsed(record, now), 1), None if expected_s is None else round(expected_s, 1)
    return Generation(
        id=record.id,
        provider=request.provider,
        model=request.model,
        prompt=request.prompt,
        count=request.count,
        seed=record.seed if record.seed is not None else request.seed,
        status=status_of(record),
        progress=Progress(
            message=sentence(
                record, traits, elapsed_s, standing=standing, expected_s=expected_s, trouble=trouble, step=step
            ),
            state=state_of(record, standing),
            queue_position=record.queue_position if standing is None else _position(record, standing),
            starts_in_s=_starts_in_s(record, standing),
            elapsed_s=elapsed_s,
            expected_s=expected_s,
            step=None if record.stage.terminal else step,
            trouble=None if record.stage.terminal else trouble,
        ),
        cost=record.cost,
        made_from=tuple(each.name for each in request.images) or None,
        images=tuple(_named(image, record, path_of) for image in record.images),
        error=record.failure,
        created_at=moment(record.created_at),
        submitted_at=None if record.submitted_at is None else moment(record.submitted_at),
        finished_at=None if record.finished_at is None else moment(max(record.finished_at, record.created_at)),
    )


@cache
def _not_fetched() -> Failure:
    return Failure(
        code="result_unavailable",
        message="Darkroom ended while it was fetching this picture.",
        charged=Charged.MAYBE,
        next_step="Call get_status: Darkroom fetches it again, at no cost.",
    )


def _named(image: Image, record: Record, path_of: Callable[[str], str | None]) -> Image:
    # Rows of older versions hold a file's URI here, and pictures that a kill left under way though all is over.
    if record.stage.terminal and image.status is ImageStatus.PROCESSING:
        return image.model_copy(update={"status": ImageStatus.FAILED, "error": image.error or _not_fetched()})
    uri = picture_uri(record.id, image.index) if image.status is ImageStatus.SUCCEEDED else None
    favourite = True if record.favourites >> (image.index - 1) & 1 else None
    path = None if image.key is None else path_of(image.key)
    return image.model_copy(update={"uri": uri, "path": path, "favourite": favourite})


def status_of(record: Record) -> Status:
    """The status that callers see for the stage."""
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


def share_done(record: Record, now: float, expected_s: float | None = None) -> float:
    """Pictures done, and of the next one a share that grows with time but never becomes a whole picture."""
    if record.stage.terminal:
        return float(pictures(record))
    waited = elapsed(record, now)
    share = waited / (waited + 60.0) if expected_s is None else min(waited / max(expected_s, 0.1), ALMOST)
    return min(pictures_done(record), pictures(record) - 1) + share


def _position(record: Record, standing: Standing) -> int | None:
    held = record.stage is Stage.SUBMITTING or standing.obstacle in {Obstacle.COPIED, Obstacle.FORGOTTEN}
    return None if held else standing.ahead + 1


def _starts_in_s(record: Record, standing: Standing | None) -> float | None:
    waits = record.stage is Stage.ACCEPTED and standing is not None and standing.obstacle is None
    return round(standing.starts_in_s, 1) if waits and standing is not None and not standing.at_the_earliest else None
