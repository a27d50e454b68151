"""The pause after each look of this process: what is known of such jobs, and what is left of the account's requests."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import anyio

from darkroom.errors import DarkroomError, StorageError
from darkroom.generations.driving.job import Job
from darkroom.generations.driving.pace import Pace, Situation
from darkroom.generations.telling.journal import Journal
from darkroom.generations.telling.learned import Learned
from darkroom.providers.base import Access, Provider
from darkroom.store.turns import Supply, Took

SUPPLY_FOR_S = 1.0
"""Seconds for which the figure of what is left is believed: many jobs ask for the same."""


class _Paced(NamedTuple):
    took: Sequence[Took]
    pace: Pace


class Timing:
    """One per process."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._learned = Learned(journal.ledger)
        self._paces: dict[tuple[str, str, int], _Paced] = {}
        self._supplies: dict[str, tuple[float, Supply | None]] = {}

    async def pause(self, provider: Provider, job: Job, error: DarkroomError | None = None) -> float:
        """Seconds from its last look, which ended with `error`, to the next; from its submission, before the first."""
        supply, pace = await self._supply(provider.access), await self._pace(provider, job)
        # From here on nothing is waited for: somebody who begins to wait meanwhile asks anew.
        situation = Situation(
            age_s=job.looked_at_s,
            looked=job.looked,
            watched=self.awaited(provider, job),
            resumed=job.resumed,
            heard=job.heard,
            failures=job.failures,
            error=error,
            supply=supply,
        )
        job.pause_s = pace.pause(situation)
        return job.pause_s

    def awaited(self, provider: Provider, job: Job) -> bool:
        """True where anybody waits for it, or for the place that it takes."""
        return provider.access.limits.crowded or job.awaited_elsewhere or self._journal.watched(job.record)

    async def _pace(self, provider: Provider, job: Job) -> Pace:
        took = await self._learned.of(job.record)
        kind = job.record.account, job.record.request.model, job.record.request.count
        known = self._paces.get(kind)
        if known is None or known.took != took:
            known = self._paces[kind] = _Paced(took, Pace(provider.traits, took))
        return known.pace

    async def _supply(self, access: Access) -> Supply | None:
        read_at, supply = self._supplies.get(access.account, (float("-inf"), None))
        if access.limits.requests and anyio.current_time() - read_at > SUPPLY_FOR_S:
            with suppress(StorageError):  # the door itself keeps the limits
                supply = await self._journal.ledger.supply(access.account, access.limits.requests)
            self._supplies[access.account] = anyio.current_time(), supply
        return supply
