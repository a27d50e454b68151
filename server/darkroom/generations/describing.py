"""Rows as callers are told of them: with their place in the queue, what is usual, and what is going wrong."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Literal

from darkroom.errors import OutcomeUnknown, StorageError
from darkroom.generations.expectation import Expectation
from darkroom.generations.journal import Journal
from darkroom.generations.progress import Snapshot, describe, elapsed, pictures, share_done
from darkroom.generations.wording import next_step
from darkroom.models import Charged, Failure, Generation, Record, Stage
from darkroom.providers.base import Traits
from darkroom.providers.registry import TRAITS, Registry, traits_of
from darkroom.store.ledger import Standing

_MEANWHILE = (
    "Until it can be written to again, nothing new is sent, jobs under way are looked at every 30 s, and what comes of "
    "them is only kept in memory."
)


class Describer:
    """Gathers what `progress` needs to describe a row."""

    def __init__(
        self, journal: Journal, registry: Registry, clock: Callable[[], float], only: Collection[str] | None = None
    ) -> None:
        self._journal = journal
        self._registry = registry
        self._expectation = Expectation(journal.ledger)
        self._clock = clock
        self._only = only

    async def generation(self, record: Record) -> Generation:
        """The row as it is now."""
        traits = traits_of(record.request.provider)
        trouble = self._trouble(record, traits)
        record = at_no_cost(record) if traits.free else record
        standing, now = await self.standing(record), self._clock()
        expected_s = await self._expectation.of(record, standing, elapsed(record, now))
        told = describe(record, traits, now, standing=standing, expected_s=expected_s, trouble=trouble)
        return told.model_copy(update={"next_step": next_step([told])})

    def _trouble(self, record: Record, traits: Traits) -> str | None:
        if record.request.provider not in TRAITS:
            return "This version of Darkroom does not know that provider; only one that does goes on with this."
        if record.request.provider not in self._registry.providers:
            return f"{traits.key_variable} is not set here; only a server that has it goes on with this."
        if out_of_reach := self._journal.ledger.trouble:
            return f"{out_of_reach} {_MEANWHILE}"
        return self._journal.trouble.get(record.id, record.trouble)

    async def snapshot(self, records: Mapping[str, Record], until: Literal["all", "any"]) -> Snapshot:
        """These rows as they are now; over when all of them are, or any."""
        now = self._clock()
        generations = [await self.generation(record) for record in records.values()]
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
        """Where it is in our own queue; None: not there, or nobody can tell."""
        provider = self._registry.providers.get(record.request.provider)
        if provider is None or record.stage not in {Stage.ACCEPTED, Stage.SUBMITTING}:
            return None
        with suppress(StorageError):  # the row is safe; only its place in the queue cannot be told now
            standing = await self._journal.ledger.standing(record, provider.access.limits, only=self._only)
            return standing if record.stage is Stage.ACCEPTED or standing.obstacle else None
        return None


def at_no_cost(record: Record) -> Record:
    """The row of a provider that charges nothing, which says so whatever went wrong."""
    images = tuple(image.model_copy(update={"error": _uncharged(image.error)}) for image in record.images)
    return record.model_copy(update={"failure": _uncharged(record.failure), "images": images})


def _uncharged(failure: Failure | None) -> Failure | None:
    if failure is None:
        return None
    changes: dict[str, object] = {"charged": Charged.NO}
    if failure.code == OutcomeUnknown.code:
        changes |= {"message": "Darkroom was interrupted while it began this.", "next_step": "Generate it again."}
    return failure.model_copy(update=changes)
