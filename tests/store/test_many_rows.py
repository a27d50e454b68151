"""No question to the ledger reads every row: `python3 dev.py bench rows` measures it, this reads the plans."""

from pathlib import Path

import pytest

from bench.rows import LIMITS, NOW, QUESTIONS, SIGNS, fill, record
from darkroom.models import Record
from darkroom.store.database import open_database
from darkroom.store.sql import SqlLedger

SMALL = ("generations_unfinished", "generations_under_way", "generations_pending", "generations_unanswered")
"""Indexes of the few rows that are not over yet."""


@pytest.mark.parametrize("name", QUESTIONS)
async def test_an_index_answers(tmp_path: Path, name: str) -> None:
    await fill(tmp_path, 100)
    statements: list[str] = []
    async with open_database(tmp_path) as database:
        database.db.set_trace_callback(statements.append)
        await QUESTIONS[name](SqlLedger(database, SIGNS))
        database.db.set_trace_callback(None)
        asked = [sql for sql in statements if sql.startswith(("SELECT", "UPDATE", "DELETE"))]
        plans = {sql: [row[3] for row in database.db.execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in asked}
    assert plans
    assert {sql: plan for sql, plan in plans.items() if any(map(reads_all, plan))} == {}


async def steps(home: Path, rows: int) -> dict[str, int]:
    """How much SQLite works at each question to a ledger with so many rows."""
    await fill(home, rows)
    taken = dict.fromkeys(QUESTIONS, 0)
    async with open_database(home) as database:
        ledger = SqlLedger(database, SIGNS, lambda: NOW)
        for name, question in QUESTIONS.items():

            def count(name: str = name) -> int:
                taken[name] += 1
                return 0

            database.db.set_progress_handler(count, 20)
            await question(ledger)
    return taken


async def test_a_question_is_hardly_more_work_where_there_are_four_times_as_many_rows(tmp_path: Path) -> None:
    few, many = await steps(tmp_path / "few", 12_000), await steps(tmp_path / "many", 48_000)
    # A few more of the rare rows are allowed for; whatever reads all, or all lost answers, reads four times as many.
    assert {name: (few[name], many[name]) for name in QUESTIONS if many[name] > 1.5 * few[name] + 50} == {}


def reads_all(step: str) -> bool:
    return step.startswith("SCAN generations") and not step.endswith(SMALL)


async def test_where_fifty_rows_stand_is_asked_with_as_many_statements_as_where_two_do(tmp_path: Path) -> None:
    await fill(tmp_path, 200)
    statements: list[str] = []

    async with open_database(tmp_path) as database:
        ledger = SqlLedger(database, SIGNS, lambda: NOW)
        waiting = [await ledger.begin(record(f"new {i}"), adopt_within_s=0.0) for i in range(50)]

        async def standings(rows: list[Record], only: set[str] | None) -> tuple[int, list[int]]:
            statements.clear()
            database.db.set_trace_callback(statements.append)
            found = await ledger.standings(rows, {"key": LIMITS}, only=only)
            database.db.set_trace_callback(None)
            return len(statements), [found[each.id].ahead for each in rows]

        for only in (None, {each.id for each in waiting}):
            two, _ = await standings(waiting[:2], only)
            fifty, places = await standings(waiting, only)
            assert fifty == two
            assert places == sorted(places)
            assert len(set(places)) == 50
