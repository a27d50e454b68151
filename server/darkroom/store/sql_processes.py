"""The ledger in SQL: the other processes that use it."""

from collections.abc import Collection, Mapping, Sequence

from darkroom.models import Failure, Record
from darkroom.store import inheritance, lists, rows
from darkroom.store.gate import LONGEST_WAIT_S
from darkroom.store.lists import UNFINISHED
from darkroom.store.migrations import is_outdated
from darkroom.store.processes import BATCH
from darkroom.store.sql_rows import SqlRows


class SqlProcesses(SqlRows):
    """See `Processes`."""

    async def held(self, holder: str, driven: Collection[str] = ()) -> tuple[frozenset[str], list[Record]]:
        """See `Ledger.held`."""
        return await self._run(lambda: lists.held(self._db, holder, driven))

    async def newest(self, ids: Sequence[str]) -> list[Record]:
        """See `Ledger.newest`."""
        return await self._run(lambda: rows.select_all(self._db, rows.among(ids), tuple(ids)))

    async def changes(self, ids: Sequence[str], seen: Mapping[str, object]) -> tuple[list[Record], dict[str, object]]:
        """See `Ledger.changes`."""

        def look() -> tuple[list[Record], dict[str, object]]:
            found = {row[0]: row for row in self._db.execute(f"{rows.SELECT} WHERE {rows.among(ids)}", tuple(ids))}
            return [rows.from_row(row) for name, row in found.items() if row != seen.get(name)], {**found}

        return await self._run(look)

    async def version(self) -> int:
        """See `Ledger.version`."""
        return await self._database.version()

    async def stamp(self) -> object:
        """See `Ledger.stamp`."""
        return await self._database.stamp()

    async def news(self, within_s: float) -> None:
        """See `Ledger.news`."""
        await self._database.news(within_s)

    async def note_wait(self, owner: str, ids: Collection[str], for_s: float) -> None:
        """See `Ledger.note_wait`."""
        sql = (
            "UPDATE generations SET awaited_until = max(coalesce(awaited_until, 0.0), ?)"
            f" WHERE owner = ? AND {rows.among(ids)} AND {UNFINISHED}"
        )
        await self._transaction(lambda: self._db.execute(sql, (self._clock() + for_s, owner, *ids)))

    async def awaited(self, holder: str) -> list[str]:
        """See `Ledger.awaited`."""
        # A clock set back leaves times in the future.
        sql = f"SELECT id FROM generations WHERE holder = ? AND {UNFINISHED} AND awaited_until BETWEEN ? AND ?"

        def look() -> list[str]:
            now = self._clock()
            return [name for (name,) in self._db.execute(sql, (holder, now, now + LONGEST_WAIT_S))]

        return await self._run(look)

    async def others(self, holder: str, providers: Collection[str] | None = None) -> list[str]:
        """See `Ledger.others`."""
        return await self._run(lambda: inheritance.others(self._db, holder, providers))

    async def left(self, others: Collection[str]) -> list[str]:
        """See `Ledger.left`."""
        marks = ", ".join("?" * len(others))
        sql = f"SELECT DISTINCT owner FROM generations WHERE holder IN ({marks}) AND {UNFINISHED}"
        return await self._run(lambda: [owner for (owner,) in self._db.execute(sql, tuple(others))])

    async def adopt(
        self,
        others: Collection[str],
        holder: str,
        accounts: Mapping[str, Mapping[str, str]],
        *,
        lost: Failure,
        only: Collection[str] | None = None,
        finds: Collection[str] = (),
        most: int = BATCH,
    ) -> list[Record]:
        """See `Ledger.adopt`."""

        def take() -> list[Record]:
            self.outdated = is_outdated(self._db)
            if self.outdated:
                return []
            return inheritance.take(
                self._db, self._signs, others, holder, accounts, only, finds, lost, self._clock(), most
            )

        return await self._transaction(take, "heirs")

    async def note_trouble(self, holder: str, troubles: Mapping[str, str | None]) -> None:
        """See `Ledger.note_trouble`."""
        sql = "UPDATE generations SET trouble = ? WHERE id = ? AND holder = ?"
        values = [(trouble, name, holder) for name, trouble in troubles.items()]
        await self._transaction(lambda: self._db.executemany(sql, values))

    async def note_looked(self, holder: str, seconds: Mapping[str, float]) -> None:
        """See `Ledger.note_looked`."""
        sql = "UPDATE generations SET looked_s = looked_s + ? WHERE id = ? AND holder = ?"
        values = [(seen_s, name, holder) for name, seen_s in seconds.items()]
        await self._transaction(lambda: self._db.executemany(sql, values))

    @property
    def trouble(self) -> str | None:
        """See `Ledger.trouble`."""
        return self._database.trouble
