"""A ledger by itself, without the rest of the house."""

import time
from collections.abc import AsyncGenerator, Callable, Collection, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import pytest
from anyio import to_thread

from darkroom.accounts import Limits
from darkroom.models import Record
from darkroom.store import database as module
from darkroom.store.database import FILE_NAME, open_database
from darkroom.store.pictures import FolderPictures
from darkroom.store.postgres.connection import PostgresConnection
from darkroom.store.postgres.database import PostgresDatabase
from darkroom.store.postgres.news import News
from darkroom.store.postgres.opening import prepared
from darkroom.store.signs import Life, Sign
from darkroom.store.sql import SqlLedger
from darkroom.store.turns import Standing

NEWER_SQLITE = {"PYTHONPATH": str(Path(__file__).parent / "newer_sqlite")}
"""The environment of a process whose SQLite may keep a write-ahead log."""
ROLLBACK, LOG = 1, 2
ANY_AGE_S = 1e12


@dataclass
class Seen:
    """What one process sees of the others: they run, but for those named here."""

    lives: dict[str, Life] = field(default_factory=dict[str, Life])

    def life(self, process_id: str) -> Life:
        """See `Signs.life`."""
        return self.lives.get(process_id, Life.RUNNING)

    def silent(self, process_id: str) -> bool:
        """See `Signs.silent`."""
        return self.life(process_id) is Life.SILENT

    def living(self) -> dict[str, Sign]:
        """See `Signs.living`."""
        return {name: Sign(0.0) for name, life in self.lives.items() if life is not Life.DEAD}


@dataclass
class Clock:
    """A wall clock that moves only when it is told to."""

    now: float

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def open_ledger(
    home: Path, seen: Seen | None = None, *, clock: Callable[[], float] = time.time
) -> AsyncGenerator[SqlLedger]:
    """The ledger in this folder. Raises StorageError as `open_database` does."""
    async with open_database(home) as database:
        yield SqlLedger(database, seen or Seen(), clock)


@asynccontextmanager
async def open_postgres_ledger(
    url: str, seen: Seen | None = None, *, clock: Callable[[], float] | None = None
) -> AsyncGenerator[SqlLedger]:
    """The ledger at this URL. `clock`: another one than the database's own."""
    db = PostgresConnection(url)
    found = await to_thread.run_sync(prepared, db)
    database = PostgresDatabase(db, News(), found.file, secret=found.secret, outdated=found.outdated)
    try:
        yield SqlLedger(database, seen or Seen(), clock or database.clock)
    finally:
        await database.close()


def pictures_in(folder: Path) -> FolderPictures:
    """A place for pictures, in days' folders there, and for their small versions."""
    return FolderPictures(folder, folder / "previews")


@contextmanager
def sqlite(which: str) -> Generator[None]:
    """Ledgers that are opened in this block are opened by the older or the newer library."""
    with pytest.MonkeyPatch.context() as patch:
        if which == "newer":
            patch.setattr(module, "sqlite3", import_module("pysqlite3"))
        patch.setattr(module, "SAFE_WAL", which == "newer")
        yield


def journal_of(home: Path) -> int:
    """What the header of the ledger in this folder says of its journal: ROLLBACK or LOG."""
    with (home / FILE_NAME).open("rb") as file:
        return file.read(20)[18]


async def standing_of(
    ledger: SqlLedger, record: Record, limits: Limits, *, only: Collection[str] | None = None
) -> Standing | None:
    """Where this row alone stands."""
    return (await ledger.standings([record], {record.account: limits}, only=only)).get(record.id)
