"""A process that was stopped while it holds the ledger's lock keeps nobody waiting for long, and is told of."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from darkroom.errors import StorageError
from darkroom.store import database as module
from darkroom.store.database import FILE_NAME, open_database


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
async def test_what_queues_up_behind_a_lock_that_stays_is_answered_soon_and_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 2.0)
    monkeypatch.setattr(module, "IMPATIENT_S", 0.001)
    async with open_database(tmp_path) as database:
        with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as stopped:
            stopped.execute(lock)
            began = time.monotonic()
            for _ in range(20):
                with pytest.raises(StorageError, match="locked by another process") as caught:
                    await database.transaction(lambda: None)
                assert "stopped" in caught.value.next_step
            assert time.monotonic() - began < 20 * 2.0, "each waited as long as the first"
            stopped.execute("ROLLBACK")
        assert await database.transaction(lambda: 7) == 7
        (patience_ms,) = await database.run(lambda: database.db.execute("PRAGMA busy_timeout").fetchone())
        assert patience_ms == 2000
