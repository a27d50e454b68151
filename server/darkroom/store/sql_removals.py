"""The ledger in SQL: rows that are removed."""

from collections.abc import Collection, Mapping, Sequence

from darkroom.models import Stage
from darkroom.store import removal
from darkroom.store.removals import Pictures, Removable, Removed
from darkroom.store.sql_rows import SqlRows, of_owner

_ALONE = "removal"
"""Names removals, which run one after another."""


class SqlRemovals(SqlRows):
    """See `Removals`."""

    async def remove(self, *, older_s: float, most: int) -> int:
        """See `Removals.remove`."""

        def remove() -> int:
            self._check_version()
            now = self._clock()
            return removal.remove(self._db, now - older_s, most, now)

        return await self._transaction(remove, _ALONE)

    async def discard(self, ids: Collection[str], owner: str, pictures: Pictures) -> int:
        """See `Removals.discard`."""

        def discard() -> int:
            self._check_version()
            return removal.discard(self._db, ids, owner, pictures, self._clock())

        return await self._transaction(discard, _ALONE)

    async def removed(self, ids: Collection[str], owner: str) -> Mapping[str, Removed]:
        """See `Removals.removed`."""
        return await self._run(lambda: removal.removed(self._db, ids, owner))

    async def stages(self, owner: str) -> Mapping[Stage, int]:
        """See `Removals.stages`."""
        return await self._run(lambda: removal.stages(self._db, owner))

    async def withdraw(self, owner: str, most: int) -> int:
        """See `Removals.withdraw`."""
        return await self._transaction(
            lambda: removal.withdraw(self._db, owner, self._clock(), most), of_owner(owner), _ALONE
        )

    async def removable(self, owner: str, most: int) -> list[Removable]:
        """See `Removals.removable`."""
        return await self._run(lambda: removal.removable(self._db, owner, most))

    async def shared(self, ids: Collection[str], owner: str) -> frozenset[str]:
        """See `Removals.shared`."""
        return await self._run(lambda: removal.shared(self._db, ids, owner))

    async def erase(self, removable: Sequence[Removable]) -> int:
        """See `Removals.erase`."""

        def erase() -> int:
            self._check_version()
            return removal.erase(self._db, removable)

        return await self._transaction(erase, _ALONE)

    async def names(self, owner: str, most: int) -> Mapping[str, float]:
        """See `Removals.names`."""
        return await self._run(lambda: removal.names(self._db, owner, most))

    async def forget(self, owner: str, ids: Collection[str]) -> None:
        """See `Removals.forget`."""
        await self._transaction(lambda: removal.forget(self._db, owner, ids), _ALONE)
