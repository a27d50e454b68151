"""A check that the ledger's file is sound, made beside the work: to read all of a large one takes minutes."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import anyio
from anyio import to_thread

DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


async def is_sound(path: Path, *, has_log: bool) -> bool:
    """True where SQLite finds nothing wrong with this file. No writer has to wait, unless the file looks damaged.

    Raises:
        sqlite3.Error: it cannot be read at the moment.
    """
    # Without a log readers keep writers out. So this one takes no lock; what it finds may be a write that it half saw.
    if not has_log and await _finds_nothing(path, "?immutable=1"):
        return True
    return await _finds_nothing(path)


def is_damage(error: sqlite3.Error) -> bool:
    """True where SQLite raises this error for a file that is no sound ledger."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


async def _finds_nothing(path: Path, how: str = "") -> bool:
    db = _open(path, how)

    def check() -> bool:
        with closing(db):
            try:
                return bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
            except sqlite3.DatabaseError as error:
                if is_damage(error):
                    return False
                raise

    try:
        return await to_thread.run_sync(check, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))
    finally:
        with suppress(sqlite3.ProgrammingError):  # it is closed, since it is over
            db.interrupt()


def _open(path: Path, how: str = "") -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}{how}", uri=True, isolation_level=None, check_same_thread=False)
