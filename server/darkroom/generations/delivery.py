"""Whether a caller ever learned what it paid for: an answer that was lost is given to its next identical call."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import TaskGroup

from darkroom.errors import StorageError
from darkroom.models import Answered, Record
from darkroom.store.ledger import Ledger, Room

ADOPTABLE_FOR_S = 600.0
"""How long after its creation a generation with a lost answer is given to an identical call."""
READ_WITHIN_S = 2.0


class Delivery:
    """Follows each answer of `generate` on its way to the caller."""

    def __init__(self, ledger: Ledger, tasks: TaskGroup) -> None:
        self._ledger = ledger
        self._tasks = tasks

    @asynccontextmanager
    async def answering(self, record: Record, room: Room | None) -> AsyncGenerator[Record]:
        """The row for this call: the given one, or one that the call has already (see `Ledger.begin`).

        A caller that leaves before the block ends has lost the answer.

        Raises:
            StorageError: it could not be committed.
            Full: it would be a new one, and there is no room for it.
        """
        begun = record
        try:
            begun = await self._ledger.begin(record, adopt_since=record.created_at - ADOPTABLE_FOR_S, room=room)
            yield begun
        except anyio.get_cancelled_exc_class():
            await self.note(begun, Answered.LOST)
            raise
        self._tasks.start_soon(self._read, begun)

    async def foresee(self, record: Record, room: Room | None) -> Record:
        """The row that `answering` would give this call now, with nothing written. Raises the same."""
        return await self._ledger.foresee(record, adopt_since=record.created_at - ADOPTABLE_FOR_S, room=room)

    async def note(self, record: Record, answered: Answered) -> None:
        """Writes it down, also while the caller is being cancelled; what was delivered stays delivered."""
        with anyio.CancelScope(shield=True), suppress(StorageError):
            await self._ledger.answer(record, answered)

    async def _read(self, record: Record) -> None:
        # The answer is in the pipe. Only a caller that is still there a moment later can have read it.
        try:
            await anyio.sleep(READ_WITHIN_S)
        except anyio.get_cancelled_exc_class():
            await self.note(record, Answered.LOST)
            raise
        await self.note(record, Answered.DELIVERED)
