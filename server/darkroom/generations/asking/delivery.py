"""Delivery of results to callers: a result that was lost is given to the next identical call."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint_if_cancelled

from darkroom.errors import StorageError, Unstorable, Unwritten
from darkroom.models import Answered, Record
from darkroom.store.ledger import Ledger, Room

log = logging.getLogger(__name__)

ADOPTABLE_FOR_S = 600.0
"""Seconds after its creation for which a generation whose reply was lost is given to an identical call."""
READ_WITHIN_S = 2.0
DISOWNED_AFTER_S = 1.0
T = TypeVar("T")


@runtime_checkable
class Letter(Protocol):
    """The response to one request, on its way to the caller."""

    async def written(self) -> bool:
        """Waits until it is where the caller can read it. False: it never will be."""
        ...


class Envelope:
    """A letter inside another response, which is still being put together: a task's handle, say."""

    def __init__(self, outer: Letter | None) -> None:
        self._outer = outer
        self._closed = anyio.Event()
        self._complete = False

    async def written(self) -> bool:
        """See `Letter`: a caller that leaves before the outer response is complete gets neither."""
        await self._closed.wait()
        return self._complete and (self._outer is None or await self._outer.written())

    @asynccontextmanager
    async def filling(self) -> AsyncGenerator[None]:
        """The outer response is put together in this block."""
        try:
            yield
            await checkpoint_if_cancelled()
            self._complete = True
        finally:
            self._closed.set()


def letter_of(request: object) -> Letter | None:
    """The carrier of the response to this request; None: the caller has it as soon as it is given."""
    return request if isinstance(request, Letter) else None


async def repeated(begin: Callable[[], Awaitable[T]], again: Callable[[], Awaitable[T]]) -> T:
    """Its result, asked for once more where nobody knows whether it was committed; a row is known by its id.

    Raises:
        StorageError: neither time.
    """
    try:
        return await begin()
    except (Unwritten, Unstorable):
        raise
    except StorageError:
        return await again()


class Delivery:
    """Follows each result of `generate` on its way to the caller.

    `provable` False: whatever was written may have been lost on the way, behind a proxy say, so a result counts as lost
    until its caller names the id.
    """

    def __init__(self, ledger: Ledger, holder: str, group: TaskGroup, *, provable: bool = True) -> None:
        self._ledger = ledger
        self._holder = holder
        self._group = group
        self._provable = provable

    @asynccontextmanager
    async def answering(
        self, record: Record, room: Room | None, letter: Letter | None = None
    ) -> AsyncGenerator[Record]:
        """The row for this call: the given one, or one that the call has already (see `Ledger.begin`).

        The result travels in the letter; None: the caller has it at the end of the block.

        A caller that leaves before the block ends has lost the result.

        Raises:
            StorageError: it could not be committed.
            Full: it would be a new one, and there is no room for it.
        """
        record = self._addressed(record)
        begun = record
        try:
            begun = await self._begun(record, room)
            yield begun
            await checkpoint_if_cancelled()  # a caller that left during a read of the ledger is noticed only here
        except anyio.get_cancelled_exc_class():
            await self.note(begun, Answered.LOST)
            raise
        if self._provable:
            self._group.start_soon(self._read, begun, letter)

    def _addressed(self, record: Record) -> Record:
        # From the first moment on: the same call may come again while the first is still being answered.
        return record if self._provable else record.model_copy(update={"answered": Answered.LOST})

    async def _begun(self, record: Record, room: Room | None) -> Record:
        begin = partial(self._ledger.begin, record, adopt_within_s=ADOPTABLE_FOR_S, room=room)
        try:
            return await repeated(begin, partial(begin, again=True))
        except (Unwritten, Unstorable):
            raise
        except StorageError:
            self._group.start_soon(self._disown, record)
            raise

    async def _disown(self, record: Record) -> None:
        """Takes back what was perhaps committed after all, though its caller got an error."""
        while True:
            await anyio.sleep(DISOWNED_AFTER_S)
            try:
                row = await self._ledger.cancel(record.id, record.owner)
                if row is not None and not row.stage.terminal:
                    await self._ledger.answer(row, Answered.LOST)
            except StorageError:
                continue
            except Exception:  # one row's trouble must not end the process
                log.exception("%s cannot be taken back", record.id)
            return

    async def foresee(self, record: Record, room: Room | None) -> Record:
        """The row that `answering` would give this call now, with nothing written. Raises the same."""
        return await self._ledger.foresee(self._addressed(record), adopt_within_s=ADOPTABLE_FOR_S, room=room)

    async def note(self, record: Record, answered: Answered) -> None:
        """Writes it down, also while the caller is being cancelled; what was delivered stays delivered."""
        with anyio.CancelScope(shield=True), suppress(StorageError):
            await self._ledger.answer(record, answered)

    async def named(self, records: Iterable[Record]) -> None:
        """Somebody named these generations, so they have read their ids."""
        unread = [record.id for record in records if record.answered is not Answered.DELIVERED]
        with suppress(StorageError):
            if unread:
                await self._ledger.named(unread, by=self._holder)

    async def _read(self, record: Record, letter: Letter | None) -> None:
        # Only a caller that is still there a moment after the response was written can have read it.
        answered = Answered.LOST
        try:
            try:
                if letter is None or await letter.written():
                    await anyio.sleep(READ_WITHIN_S)
                    answered = Answered.DELIVERED
            finally:
                await self.note(record, answered)
        except Exception:  # one result's trouble must not end the process
            log.exception("%s: what became of its result cannot be written down", record.id)
