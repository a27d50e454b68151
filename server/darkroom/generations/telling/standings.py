"""Places in our own queues, read together for all who ask at the same time."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import anyio

from darkroom.errors import StorageError
from darkroom.models import Record, Stage
from darkroom.providers.registry import Registry
from darkroom.store.ledger import Ledger
from darkroom.store.turns import Standing

_IN_OUR_QUEUE = {Stage.ACCEPTED, Stage.SUBMITTING}


@dataclass
class _Round:
    records: dict[str, Record] = field(default_factory=dict[str, Record])
    found: Mapping[str, Standing] | None = None


class Standings:
    """One per process: a thousand waiters cost the ledger no more questions than it has time for."""

    def __init__(self, ledger: Ledger, registry: Registry, only: Collection[str] | None) -> None:
        self._ledger = ledger
        self._providers = registry.providers
        self._only = only
        self._turn = anyio.Lock(fast_acquire=True)
        self._next = _Round()

    async def of(self, records: Collection[Record]) -> Mapping[str, Standing]:
        """By id, the places of these and perhaps of others; none where it does not wait, or nobody can tell now.

        A caller that comes while places are being read joins the next reading.
        """
        limits = {provider.access.account: provider.access.limits for provider in self._providers.values()}
        waiting = {each.id: each for each in records if each.stage in _IN_OUR_QUEUE and each.account in limits}
        if not waiting:
            return {}
        joined = self._next
        joined.records |= waiting
        async with self._turn:
            if joined is self._next:
                self._next = _Round()
            if joined.found is None:
                found: Mapping[str, Standing] = {}
                with suppress(StorageError):  # the rows are safe; only their places cannot be found now
                    found = await self._ledger.standings(joined.records.values(), limits, only=self._only)
                joined.found = found
        return joined.found
