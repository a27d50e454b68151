"""Places in our own queues, read together for all who ask at the same time."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import anyio

from darkroom.accounts import Limits
from darkroom.errors import StorageError
from darkroom.models import Record, Stage
from darkroom.providers.owners import Owners
from darkroom.store.ledger import Ledger
from darkroom.store.turns import Standing

_IN_OUR_QUEUE = {Stage.ACCEPTED, Stage.SUBMITTING}


@dataclass
class _Round:
    records: dict[str, Record] = field(default_factory=dict[str, Record])
    limits: dict[str, Limits] = field(default_factory=dict[str, Limits])
    found: Mapping[str, Standing] | None = None


class Standings:
    """One per process: a thousand waiters cost the ledger no more questions than it has time for."""

    def __init__(self, ledger: Ledger, owners: Owners, only: Collection[str] | None) -> None:
        self._ledger = ledger
        self._owners = owners
        self._only = only
        self._turn = anyio.Lock(fast_acquire=True)
        self._next = _Round()

    async def of(self, records: Collection[Record]) -> Mapping[str, Standing]:
        """By id, the places of these and perhaps of others; none where it does not wait, or nobody can tell now.

        A caller that comes while places are being read joins the next reading.
        """
        joined, asked = self._next, False
        for record in records:
            provider = self._owners.provider(record) if record.stage in _IN_OUR_QUEUE else None
            if provider is not None and provider.access.account == record.account:
                joined.records[record.id], joined.limits[record.account] = record, provider.access.limits
                asked = True
        if not asked:
            return {}
        async with self._turn:
            if joined is self._next:
                self._next = _Round()
            if joined.found is None:
                found: Mapping[str, Standing] = {}
                with suppress(StorageError):  # the rows are safe; only their places cannot be found now
                    found = await self._ledger.standings(
                        joined.records.values(), joined.limits, only=self._only, owners=self._owners.shares
                    )
                joined.found = found
        return joined.found
