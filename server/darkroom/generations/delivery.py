"""Whether a caller ever learned what it paid for: an answer that was lost is given to its next identical call."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint_if_cancelled

from darkroom.errors import StorageError
from darkroom.models import Answered, Record
from darkroom.store.ledger import Ledger, Room

ADOPTABLE_FOR_S = 600.0
"""How long after its creation a generation with a lost answer is given to an identical call."""
READ_WITHIN_S = 2.0

_WRAPPED: ContextVar[list[Record] | None] = ContextVar("wrapped", default=None)
"""What was answered inside of `wrapping`, in the request that this is asked in."""


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
            await checkpoint_if_cancelled()  # a caller that left during a read of the ledger is told of only here
        except anyio.get_cancelled_exc_class():
            await self.note(begun, Answered.LOST)
            raise
        wrapped = _WRAPPED.get()
        if wrapped is None:
            self._tasks.start_soon(self._read, begun)
        else:
            wrapped.append(begun)

    @asynccontextmanager
    async def wrapping(self) -> AsyncGenerator[None]:
        """For what answers with something of its own instead: only at the end of this block is it on its way.

        A caller that leaves before has lost the answers of all that was begun inside.
        """
        wrapped: list[Record] = []
        token = _WRAPPED.set(wrapped)
        try:
            yield
            await checkpoint_if_cancelled()
        except anyio.get_cancelled_exc_class():
            for record in wrapped:
                await self.note(record, Answered.LOST)
            raise
        finally:
            _WRAPPED.reset(token)
        for record in wrapped:
            self._tasks.start_soon(self._read, record)

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
