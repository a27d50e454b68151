"""What the one file cannot hold is told as what it is."""

from pathlib import Path

import pytest

from darkroom.errors import StorageError
from darkroom.store.database import open_database


async def test_a_number_that_sqlite_cannot_hold_is_a_storage_error_and_writes_nothing(tmp_path: Path) -> None:
    async with open_database(tmp_path) as database:
        await database.transaction(lambda: database.db.execute("CREATE TABLE numbers (number INTEGER)"))
        for number in (2**63, -(2**63) - 1):
            with pytest.raises(StorageError, match="too large"):
                await database.transaction(
                    lambda number=number: database.db.executemany("INSERT INTO numbers VALUES (?)", [(1,), (number,)])
                )
        count = await database.run(lambda: database.db.execute("SELECT count(*) FROM numbers").fetchone())
    assert count == (0,)
