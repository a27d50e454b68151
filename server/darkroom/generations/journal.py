"""Writes the next row of a generation that this process drives, until the disk takes it, and tells whoever watches."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import anyio

from darkroom.errors import StorageError
from darkroom.generations.progress import Changes
from darkroom.models import Failure, Record, Stage
from darkroom.store.ledger import Ledger

log = logging.getLogger(__name__)

RETRY_S = 1.0


class RowLost(Exception):
    """The row is no longer ours, or no longer where we left it: whoever has it goes on with it, we stop."""


class Journal:
    """The ledger's writing end, for one process: a disk that refuses is asked again until it takes it."""

    def __init__(self, ledger: Ledger, changes: Changes) -> None:
        self.ledger = ledger
        self._changes = changes
        self.trouble: dict[str, str] = {}
        """What a generation is struggling with right now, by id."""

    async def write(self, record: Record, *, stages: Collection[Stage] | None = None, **changes: Any) -> Record:
        """Writes these fields and publishes the new row.

        Raises:
            RowLost: the row has another holder, or is not in one of `stages` (default: the record's own).
        """
        return self.told(await self._insist(record, lambda: self.ledger.change(record, changes, stages=stages)))

    async def fail(self, record: Record, failure: Failure, now: float) -> Record:
        """Ends the generation as failed. Raises RowLost."""
        return await self.write(record, stage=Stage.FAILED, failure=failure, finished_at=now)

    async def unsend(self, record: Record, **back: Any) -> Record:
        """Puts a claimed generation back into its queue; arguments as `Ledger.unsend`. Raises RowLost."""
        return self.told(await self._insist(record, lambda: self.ledger.unsend(record, **back)))

    async def unclaim(self, record: Record, now: float) -> Record:
        """Puts a claimed generation of which nothing was sent back into its queue. Raises RowLost."""
        return self.told(await self._insist(record, lambda: self.ledger.unclaim(record, now)))

    async def revise(self, record: Record, revise: Callable[[Record], Mapping[str, Any]]) -> Record:
        """Changes a generation that is over, see `Ledger.revise`. Raises RowLost: it is not."""
        return self.told(await self._insist(record, lambda: self.ledger.revise(record, revise)))

    async def write_late(self, record: Record, job_id: str) -> Record:
        """Saves the id of a job whose row was lost while it was being submitted, see `Ledger.record_late`.

        Raises:
            RowLost: it has an id already.
        """
        return self.told(await self._insist(record, lambda: self.ledger.record_late(record, job_id)))

    def told(self, changed: Record | None) -> Record:
        """Publishes a row that was just written.

        Raises:
            RowLost: nothing was written.
        """
        if changed is None:
            raise RowLost
        if changed.stage.terminal:
            self.trouble.pop(changed.id, None)
        self._changes.publish(changed)
        return changed

    def watched(self, record: Record) -> bool:
        """Whether somebody waits for it, or looks on."""
        return self._changes.watched_now(record.id)

    def struggling(self, record: Record, trouble: str | None) -> None:
        """Notes, and tells whoever watches, what is going wrong at the moment; None: nothing any more."""
        if trouble is None:
            self.trouble.pop(record.id, None)
        elif self.trouble.get(record.id) != trouble:
            self.trouble[record.id] = trouble
            self._changes.publish(record)

    async def _insist(self, record: Record, write: Callable[[], Awaitable[Record | None]]) -> Record | None:
        while True:
            try:
                return await write()
            except StorageError as error:
                log.error("%s: %s Trying again.", record.id, error.message)
                self.struggling(record, error.message)
                await anyio.sleep(RETRY_S)
