"""Whoever waits for the ledger's lock judges by the time when its turn comes, not by the time when it asked."""

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import from_thread

from darkroom.accounts import Limits, Window
from darkroom.models import GenerationRequest, Receipt, Record, Stage
from darkroom.store.database import FILE_NAME, open_database
from darkroom.store.signs import Life
from darkroom.store.sql import SqlLedger
from darkroom.store.turns import Later
from tests.hosts import PATIENCE_S
from tests.ledgers import Clock, Seen, open_ledger
from tests.store.ledger_model import LOST

T = TypeVar("T")

NOW = 1_000_000.0
WAITED_S = 40.0
WINDOW = Window(1, 60.0)
LIMITS = Limits(submit=(WINDOW,))


class Turns:
    """A ledger that this process shares with another one, which has its lock for a while."""

    def __init__(self, ledger: SqlLedger, clock: Clock, ours: sqlite3.Connection, theirs: sqlite3.Connection) -> None:
        self.ledger = ledger
        self.clock = clock
        self._theirs = theirs
        self._asked = anyio.Event()
        ours.set_trace_callback(lambda sql: from_thread.run_sync(self._asked.set) if sql.startswith("BEGIN") else None)

    async def waited_for(self, ask: Callable[[], Awaitable[T]], *written: str) -> T:
        """What `ask` returns when the other process lets it wait, and then writes this, with the time, and lets go."""
        returned: list[T] = []

        async def ask_now() -> None:
            returned.append(await ask())

        self._theirs.execute("BEGIN IMMEDIATE")
        self._asked = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask_now)
            await self._asked.wait()
            self.clock.now += WAITED_S
            for sql in written:
                self._theirs.execute(sql, (self.clock.now,))
            self._theirs.execute("COMMIT")
        return returned[0]


@asynccontextmanager
async def turns_at(home: Path) -> AsyncGenerator[Turns]:
    clock = Clock(NOW)
    with anyio.fail_after(PATIENCE_S):
        async with open_database(home) as database:
            with closing(sqlite3.connect(home / FILE_NAME, isolation_level=None)) as theirs:
                yield Turns(SqlLedger(database, Seen(), clock), clock, database.db, theirs)


def row(name: str) -> Record:
    request = GenerationRequest(provider="alpha", prompt="a fox", model="m")
    return Record(
        id=name, owner="local", request=request, account="key", stage=Stage.ACCEPTED, created_at=NOW, holder="me",
        request_key=name,
    )  # fmt: skip


async def test_a_submission_answered_meanwhile_fills_its_window_from_then_on(tmp_path: Path) -> None:
    async with turns_at(tmp_path) as turns:
        for name in ("theirs", "ours"):
            await turns.ledger.begin(row(name), adopt_within_s=0.0)
        assert isinstance(await turns.ledger.claim_next("key", LIMITS, holder="they", token="theirs"), Record)
        claim = partial(turns.ledger.claim_next, "key", LIMITS, holder="me", token="ours")
        claimed = await turns.waited_for(
            claim,
            "UPDATE submissions SET at = ?",
            "UPDATE generations SET stage = 'running', submitted_at = ? WHERE stage = 'submitting'",
        )
        assert isinstance(claimed, Later)
        assert claimed.in_s >= WINDOW.seconds
        turns.clock.now += WINDOW.seconds - 1.0
        assert isinstance(await claim(), Later)


async def test_a_poll_that_had_to_wait_counts_from_when_it_was_allowed(tmp_path: Path) -> None:
    async with turns_at(tmp_path) as turns:
        grant = await turns.waited_for(lambda: turns.ledger.reserve_requests("key", (WINDOW,), 1))
        assert grant.count == 1
        turns.clock.now += WINDOW.seconds - 1.0
        assert (await turns.ledger.reserve_requests("key", (WINDOW,), 1)).count == 0


async def test_a_submission_answered_after_it_was_given_up_fills_its_window_from_its_answer_on(tmp_path: Path) -> None:
    clock, seen = Clock(NOW), Seen()
    async with open_ledger(tmp_path, seen, clock=clock) as ledger:
        for name in ("late", "next"):
            await ledger.begin(row(name), adopt_within_s=0.0)
        late = await ledger.claim_next("key", LIMITS, holder="thought dead", token="late")
        assert isinstance(late, Record)
        seen.lives["thought dead"] = Life.DEAD
        await ledger.adopt(["thought dead"], "me", {"local": {"alpha": "key"}}, lost=LOST)
        clock.now += WAITED_S
        assert await ledger.record_late(late, Receipt(job_id="job")) is not None
        clock.now += WINDOW.seconds - 1.0
        assert isinstance(await ledger.claim_next("key", LIMITS, holder="me", token="next"), Later)
        clock.now += 2.0
        assert isinstance(await ledger.claim_next("key", LIMITS, holder="me", token="next"), Record)
