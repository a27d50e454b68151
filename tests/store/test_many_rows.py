"""No question to the ledger reads every row: `python3 dev.py bench rows` measures it, this reads the plans."""

from pathlib import Path

import pytest

from bench.rows import QUESTIONS, SIGNS, fill
from darkroom.store.database import open_database
from darkroom.store.sqlite import SqliteLedger

SMALL = ("generations_unfinished", "generations_under_way", "generations_pending", "generations_unanswered")
"""Indexes of the few rows that are not over yet."""


@pytest.mark.parametrize("name", QUESTIONS)
async def test_an_index_answers(tmp_path: Path, name: str) -> None:
    await fill(tmp_path, 100)
    statements: list[str] = []
    async with open_database(tmp_path) as database:
        database.db.set_trace_callback(statements.append)
        await QUESTIONS[name](SqliteLedger(database, SIGNS))
        database.db.set_trace_callback(None)
        asked = [sql for sql in statements if sql.startswith(("SELECT", "UPDATE", "DELETE"))]
        plans = {sql: [row[3] for row in database.db.execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in asked}
    assert plans
    assert {sql: plan for sql, plan in plans.items() if any(map(reads_all, plan))} == {}


def reads_all(step: str) -> bool:
    return step.startswith("SCAN generations") and not step.endswith(SMALL)
