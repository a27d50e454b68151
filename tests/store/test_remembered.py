"""Rows that were read are read again only after somebody has written, whoever that was."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bench.rows import SIGNS, record
from darkroom.store.database import FILE_NAME, MOST_REMEMBERED, open_database
from darkroom.store.sql import SqlLedger


async def test_what_was_read_is_not_read_again_while_nobody_writes(tmp_path: Path) -> None:
    async with open_database(tmp_path) as database:
        ledger = SqlLedger(database, SIGNS)
        begun = await ledger.begin(record("gen_1"), adopt_within_s=0.0)
        statements: list[str] = []
        database.db.set_trace_callback(statements.append)
        for _ in range(3):
            assert await ledger.get(begun.id, "local") == begun
            page = await ledger.page("local", status=None, provider=None, limit=20, before=None)
            assert list(page.records) == [begun]
        assert len([sql for sql in statements if "FROM generations" in sql]) == 2


async def test_what_this_process_or_another_has_written_is_read_at_once(tmp_path: Path) -> None:
    async with open_database(tmp_path) as database:
        ledger = SqlLedger(database, SIGNS)
        begun = await ledger.begin(record("gen_1"), adopt_within_s=0.0)

        async def troubles() -> set[str | None]:
            found = await ledger.get(begun.id, "local")
            (listed,) = (await ledger.page("local", status=None, provider=None, limit=20, before=None)).records
            assert found is not None
            return {found.trouble, listed.trouble}

        assert await troubles() == {None}
        await ledger.change(begun, {"trouble": "ours"})
        assert await troubles() == {"ours"}
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as other, other:
            other.execute("UPDATE generations SET trouble = 'theirs'")
        assert await troubles() == {"theirs"}


async def test_nobody_is_given_what_was_read_for_another_owner(tmp_path: Path) -> None:
    async with open_database(tmp_path) as database:
        ledger = SqlLedger(database, SIGNS)
        begun = await ledger.begin(record("gen_1"), adopt_within_s=0.0)
        assert await ledger.get(begun.id, "local") == begun
        assert await ledger.get(begun.id, "somebody else") is None


async def test_few_of_many_rows_are_remembered(tmp_path: Path) -> None:
    async with open_database(tmp_path) as database:
        ledger = SqlLedger(database, SIGNS)
        for number in range(2 * MOST_REMEMBERED):
            await ledger.begin(record(f"gen_{number}"), adopt_within_s=0.0)
        for number in range(2 * MOST_REMEMBERED):
            await ledger.get(f"gen_{number}", "local")
        statements: list[str] = []
        database.db.set_trace_callback(statements.append)
        assert await ledger.get("gen_0", "local") is not None
        assert statements
