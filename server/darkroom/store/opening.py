"""Opens the ledger: in the one file of DARKROOM_HOME, or in the PostgreSQL that a URL names."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from darkroom.errors import StorageError
from darkroom.store.connection import Database
from darkroom.store.database import SqliteDatabase, open_database
from darkroom.store.presence import FilePresence, present
from darkroom.store.signs import Presence
from darkroom.store.sql import SqlLedger
from darkroom.store.tasks import SqlTasks

log = logging.getLogger(__name__)


class Store(NamedTuple):
    """The ledger and its tasks, and this process's sign of life, through one database."""

    database: Database
    presence: Presence
    ledger: SqlLedger
    tasks: SqlTasks

    async def check(self) -> None:
        """After an end that nobody foresaw a file is read through, while it is used."""
        if isinstance(self.database, SqliteDatabase) and isinstance(self.presence, FilePresence):
            await _check(self.database, self.presence)


@asynccontextmanager
async def open_store(home: Path, url: str | None, clock: Callable[[], float]) -> AsyncGenerator[Store]:
    """The ledger of this folder, or of this URL, whose own clock counts instead of `clock`.

    Raises:
        StorageError: it cannot be used; it is left as it is.
    """
    if url is None:
        async with open_database(home) as database:
            with present(home) as presence:
                yield _store(database, presence, clock)
        return
    try:
        from darkroom.store.postgres.opening import open_postgres  # noqa: PLC0415 - its driver takes a while to import
    except ImportError:
        raise StorageError(
            "DARKROOM_DATABASE_URL names PostgreSQL, whose driver is not installed.",
            next_step='Install it: pip install "darkroom-mcp[postgres]". Then start again.',
        ) from None
    async with open_postgres(url) as (database, presence):
        yield _store(database, presence, database.clock)


def _store(database: Database, presence: Presence, clock: Callable[[], float]) -> Store:
    return Store(database, presence, SqlLedger(database, presence, clock), SqlTasks(database, clock))


async def _check(database: SqliteDatabase, presence: FilePresence) -> None:
    if presence.checked:
        return
    try:
        if await database.check():
            presence.note_check()
        else:
            log.error("The ledger is damaged; it is used no more.")
    except (StorageError, OSError) as error:
        log.warning("%s", error)
