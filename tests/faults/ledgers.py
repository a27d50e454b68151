"""The user's ledger, edited and troubled from outside, as something else than Darkroom would: in both databases."""

import sqlite3
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Protocol

import psycopg

from tests.hosts import PATIENCE_S, Home

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
FULL = """
    CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file "base/5/1": No space left on device' USING ERRCODE = 'disk_full';
    END $$
"""


class Outside(Protocol):
    """One ledger."""

    def edit(self, statement: str) -> int:
        """Writes into it; returns the number of rows, 0 as long as Darkroom is still making it."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """Another process has it for itself."""
        ...

    def lose_signs(self) -> None:
        """Somebody tidies up: the processes live, but cannot be seen to until they put it back."""
        ...

    def sound(self) -> bool:
        """True where the database finds nothing wrong with it, or where there is none yet."""
        ...

    def holds(self, text: str) -> bool:
        """True where it has the text in any row, beside the files, which are searched for themselves."""
        ...


class InFile:
    """In the file of DARKROOM_HOME."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def edit(self, statement: str) -> int:
        """See `Outside.edit`."""
        if not self._home.ledger.exists():
            return 0
        with closing(sqlite3.connect(self._home.ledger, isolation_level=None, timeout=PATIENCE_S)) as db:
            try:
                return db.execute(statement).rowcount
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return 0
                raise

    @contextmanager
    def locked(self) -> Generator[None]:
        """See `Outside.locked`."""
        with closing(sqlite3.connect(self._home.ledger, isolation_level=None, timeout=PATIENCE_S)) as db:
            db.execute("BEGIN EXCLUSIVE")
            yield
            db.execute("ROLLBACK")

    def lose_signs(self) -> None:
        """See `Outside.lose_signs`."""
        for lock in (self._home.ledger.parent / "processes").iterdir():
            lock.unlink()

    def sound(self) -> bool:
        """See `Outside.sound`."""
        return not self._home.ledger.exists() or self._home.select("PRAGMA integrity_check") == [("ok",)]

    def holds(self, text: str) -> bool:
        """See `Outside.holds`."""
        return False


class InPostgres:
    """In a schema of PostgreSQL, as its superuser."""

    def __init__(self, url: str) -> None:
        self._url = url

    def say(self, statement: str) -> list[Any]:
        """Runs statements; returns the rows of the last."""
        with self._connected() as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def edit(self, statement: str) -> int:
        """See `Outside.edit`."""
        with self._connected() as connection:
            try:
                return connection.execute(statement.encode()).rowcount
            except psycopg.errors.UndefinedTable:
                return 0

    @contextmanager
    def locked(self) -> Generator[None]:
        """See `Outside.locked`."""
        with self._connected() as connection, connection.transaction(force_rollback=True):
            connection.execute(f"LOCK TABLE {', '.join(self._tables())} IN ACCESS EXCLUSIVE MODE".encode())
            yield

    def lose_signs(self) -> None:
        """See `Outside.lose_signs`."""
        self.say("DELETE FROM processes")
        self.cut()

    def cut(self) -> None:
        """Ends every connection of Darkroom."""
        self.say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'darkroom'")

    def fill(self) -> None:
        """From now on nothing more can be written, and the database says why as it does when its disk is full."""
        self.say(FULL)
        for table in self._tables():
            self.say(f"CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION full_disk()")

    def make_room(self) -> None:
        """There is room again."""
        self.say("DROP FUNCTION full_disk CASCADE")

    def sound(self) -> bool:
        """See `Outside.sound`: what its own pages hold is the database's own affair."""
        return True

    def holds(self, text: str) -> bool:
        """See `Outside.holds`."""
        rows = [row for table in self._tables() for row in self.say(f"SELECT t::text FROM {table} t")]
        return any(text in row for (row,) in rows)

    def _tables(self) -> list[str]:
        return [name for (name,) in self.say(TABLES)]

    def _connected(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self._url, autocommit=True)


def ledger_of(home: Home) -> Outside:
    """The user's ledger, wherever it is."""
    url = home.extra.get("DARKROOM_DATABASE_URL")
    return InPostgres(url) if url else InFile(home)
