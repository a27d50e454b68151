"""Writes a generation's next row, and tells whoever watches: the only way in which a generation changes."""

import logging
from collections.abc import Collection
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
    """The ledger's writing end, for one process. `trouble` says what a generation is struggling with right now."""

    def __init__(self, ledger: Ledger, changes: Changes) -> None:
        self.ledger = ledger
        self._changes = changes
        self.trouble: dict[str, str] = {}

    async def write(self, record: Record, *, stages: Collection[Stage] | None = None, **changes: Any) -> Record:
        """Writes these fields and publishes the new row. A disk that refuses is asked again until it takes it.

        Raises:
            RowLost: the row has another holder, or is not in one of `stages` (default: the record's own).
        """
        while True:
            try:
                changed = await self.ledger.change(record, changes, stages=stages)
                break
            except StorageError as error:
                log.error("%s: %s Trying again.", record.id, error.message)
                self.trouble[record.id] = error.message
                await anyio.sleep(RETRY_S)
        return self.told(changed)

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

    async def fail(self, record: Record, failure: Failure, now: float) -> Record:
        """Ends the generation as failed."""
        return await self.write(record, stage=Stage.FAILED, failure=failure, finished_at=now)

    def struggling(self, record: Record, trouble: str | None) -> None:
        """Notes, and tells whoever watches, what is going wrong at the moment; None: nothing any more."""
        if trouble is None:
            self.trouble.pop(record.id, None)
        elif self.trouble.get(record.id) != trouble:
            self.trouble[record.id] = trouble
            self._changes.publish(record)
