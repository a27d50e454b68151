"""Opens the ledger in PostgreSQL: its tables made or brought up to date, and this process shown to the others."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio
import psycopg
from anyio import to_thread

from darkroom.errors import StorageError
from darkroom.store.migrations import NewerLedger, is_outdated, migrate
from darkroom.store.postgres.connection import PostgresConnection, key_of
from darkroom.store.postgres.cures import UPDATE, refused, unusable
from darkroom.store.postgres.database import PostgresDatabase
from darkroom.store.postgres.pooler import check_sessions
from darkroom.store.postgres.presence import PostgresPresence
from darkroom.store.postgres.session import MAKE_TABLE

# The same for a standby that takes over, another for what was copied or restored elsewhere.
_FILE = (
    "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid FROM pg_database"
    " WHERE datname = current_database()"
)
_SHARED = """
    CREATE TABLE IF NOT EXISTS shared (secret TEXT NOT NULL);
    INSERT INTO shared SELECT gen_random_uuid()::text || gen_random_uuid()::text WHERE NOT EXISTS (SELECT FROM shared)
"""
_UTF8 = "Make it with ENCODING 'UTF8', or name another one in DARKROOM_DATABASE_URL."


class Prepared(NamedTuple):
    """A ledger that can be used: its `file` and `secret`, see `Database`, and whether a newer version uses it too."""

    file: str
    secret: str
    outdated: bool


@asynccontextmanager
async def open_postgres(url: str) -> AsyncGenerator[tuple[PostgresDatabase, PostgresPresence]]:
    """The ledger at this URL, and this process's sign of life.

    Raises:
        StorageError: it cannot be used; it is left as it is.
    """
    await to_thread.run_sync(check_sessions, url)
    db = PostgresConnection(url)
    found = await to_thread.run_sync(prepared, db)
    try:
        presence = PostgresPresence(db, url)
    except psycopg.Error as error:
        db.leave()
        raise refused(error) from error
    database = PostgresDatabase(db, presence.news, found.file, secret=found.secret, outdated=found.outdated)
    presence.session.start()
    try:
        yield database, presence
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(presence.session.end)
            await database.close()


def prepared(db: PostgresConnection) -> Prepared:
    """Brings the ledger up to date. Raises StorageError: it cannot be used."""
    try:
        db.ready()
        (encoding,) = db.execute("SHOW server_encoding").fetchone()
        if encoding != "UTF8":
            raise unusable(f"keeps text as {encoding}", _UTF8)
        alone = f"BEGIN; SELECT pg_advisory_xact_lock({key_of('migrations')})"
        with db.unhurried():
            migrate(db, db.now(), alone)
        db.execute(f"{alone}; {MAKE_TABLE}; {_SHARED}; COMMIT")
        (file,) = db.execute(_FILE).fetchone()
        (secret,) = db.execute("SELECT secret FROM shared").fetchone()
        return Prepared(file, secret, is_outdated(db))
    except NewerLedger:
        db.leave()
        raise unusable("was written by a newer Darkroom", UPDATE) from None
    except psycopg.Error as error:
        db.leave()
        raise refused(error) from error
    except StorageError:
        db.leave()
        raise
