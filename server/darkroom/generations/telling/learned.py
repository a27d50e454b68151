"""The time that the last generations of each kind took, read from the ledger once for all who ask."""

from collections.abc import Sequence
from contextlib import suppress

import anyio

from darkroom.errors import StorageError
from darkroom.models import Record
from darkroom.store.ledger import Ledger
from darkroom.store.turns import Took

BELIEVED_FOR_S = 2.0
"""Seconds for which a reading is believed: many waiters ask for the same."""
_NEVER: tuple[float, Sequence[Took]] = (float("-inf"), ())


class Learned:
    """A kind is the account's, the model's and the number of pictures'."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._turn = anyio.Lock(fast_acquire=True)
        self._kinds: dict[tuple[str, str, int], tuple[float, Sequence[Took]]] = {}

    async def of(self, record: Record) -> Sequence[Took]:
        """The time that each of the last ones like this took, newest first; none where the ledger cannot be read."""
        kind = record.account, record.request.model, record.request.count
        if self._outdated(kind):
            async with self._turn:
                if self._outdated(kind):  # nobody has read it meanwhile
                    await self._read(kind)
        return self._kinds[kind][1]

    def _outdated(self, kind: tuple[str, str, int]) -> bool:
        return anyio.current_time() - self._kinds.get(kind, _NEVER)[0] > BELIEVED_FOR_S

    async def _read(self, kind: tuple[str, str, int]) -> None:
        took = self._kinds.get(kind, _NEVER)[1]
        with suppress(StorageError):  # what was known before is as good
            took = await self._ledger.durations(*kind)
        self._kinds[kind] = anyio.current_time(), took
