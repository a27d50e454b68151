"""A process that has nothing to do writes nothing, whatever lies in the ledger that it cannot go on with."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from darkroom.app.context import open_app
from darkroom.generations.driving import peers, submission, sweep
from darkroom.models import Answered, GenerationRequest, Record, Stage
from darkroom.settings import Settings
from darkroom.store.database import FILE_NAME, SqliteDatabase
from tests.hosts import PATIENCE_S
from tests.ledgers import ANY_AGE_S, open_ledger


async def until_quiet(look: Callable[[], object]) -> None:
    """Waits until it is the same at both ends of a while in which whatever is done regularly is done many times."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            before = look()
            await anyio.sleep(0.2)
            if look() == before:
                return


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.RUNNING, Stage.COLLECTING])
@pytest.mark.parametrize("provider", ["fatthumb", "betterwaifu", "dall-e-2"])
async def test_rows_that_a_dead_process_left_for_a_provider_without_a_key_make_nobody_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Stage, provider: str
) -> None:
    monkeypatch.setattr(peers, "ADOPTION_INTERVAL_S", 0.01)
    monkeypatch.setattr(sweep, "SWEEP_S", 0.01)
    home = tmp_path / "home"
    async with open_ledger(home) as ledger:
        request = GenerationRequest(provider=provider, prompt="a fox", model="m")
        left = Record(
            id="gen_1", owner="local", request=request, account="key", stage=stage, created_at=time.time(),
            holder="dead", answered=Answered.DELIVERED, job_id="job",
        )  # fmt: skip
        await ledger.begin(left, adopt_within_s=ANY_AGE_S)
    (home / "processes").mkdir(exist_ok=True)
    (home / "processes" / "dead.lock").touch()  # as a crash leaves it: there, and nobody's
    with closing(sqlite3.connect(home / FILE_NAME)) as db:

        def version() -> int:
            return int(db.execute("PRAGMA data_version").fetchone()[0])

        async with open_app(Settings(home, tmp_path / "pictures")):
            await until_quiet(lambda: (version(), (home / "processes").stat().st_mtime_ns))


async def test_while_nobody_writes_a_process_asks_its_ledger_nothing_and_after_that_it_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((peers, "ADOPTION_INTERVAL_S"), (sweep, "SWEEP_S"), (submission, "LOOK_S")):
        monkeypatch.setattr(module, name, 0.01)
    asked: list[Callable[[], Any]] = []
    enough = anyio.Event()
    run = SqliteDatabase.run

    async def counted(self: SqliteDatabase, work: Callable[[], Any]) -> Any:
        asked.append(work)
        if len(asked) >= 3:  # what others left, what waits, and what is held
            enough.set()
        return await run(self, work)

    monkeypatch.setattr(SqliteDatabase, "run", counted)
    home = tmp_path / "home"
    async with open_app(Settings(home, tmp_path / "pictures")):
        await until_quiet(lambda: len(asked))
        asked.clear()
        enough = anyio.Event()
        with closing(sqlite3.connect(home / FILE_NAME)) as db, db:
            db.execute("INSERT INTO accounts (account, closed_until, narrowed_until) VALUES ('another', 0.0, 0.0)")
        with anyio.fail_after(PATIENCE_S):
            await enough.wait()
