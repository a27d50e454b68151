"""Reasons why PostgreSQL cannot be used, and the cure for each of them."""

import psycopg
from psycopg import errors

from darkroom.errors import StorageError
from darkroom.redact.text import clean

REACH = "Start the database, or name one that takes writes in DARKROOM_DATABASE_URL; Darkroom connects again by itself."
UPDATE = "Update this Darkroom, or name another database or schema in DARKROOM_DATABASE_URL."
_WAIT = "Call again in a few seconds; Darkroom goes on by itself."
_ALLOW = "Give the role of DARKROOM_DATABASE_URL its own schema or database, in which it may create tables."
_ROOM = "Make room on the disk of the ledger's database; Darkroom goes on by itself."
_CHECK = "Check the ledger's database, whose own log says more; then call again."
_GONE = ("08", "57P", "25P03", "25P04", "25006", "53300")
"""Beginnings of SQLSTATE where the session is ended, or where another server takes what this one does not."""


def refused(error: psycopg.Error, kind: type[StorageError] = StorageError) -> StorageError:
    """The error for an operation that PostgreSQL refused, or that it never heard of."""
    said = _said(error)
    if is_lost(error):
        return kind(f"The ledger's database cannot be reached ({said}).", next_step=REACH)
    if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected | errors.SerializationFailure):
        return kind(f"The ledger is locked by other processes ({said}).", next_step=_WAIT)
    if _is_unread(error):
        return kind(f"The ledger's database cannot be asked: {said}.", next_step="Correct it, and start again.")
    if isinstance(error, errors.DiskFull):
        return kind(f"The ledger's database could not be used ({said}).", next_step=_ROOM)
    if isinstance(error, errors.InsufficientPrivilege | errors.InvalidSchemaName):
        return kind(f"The ledger's database refused ({said}).", next_step=_ALLOW)
    return kind(f"The ledger's database refused ({said}).", next_step=_CHECK)


def unreadable(why: str, kind: type[StorageError] = StorageError) -> StorageError:
    """Something in it, or meant for it, that is no fault of its disk's."""
    return kind(f"The ledger {why}.", next_step=_CHECK)


def is_lost(error: psycopg.Error) -> bool:
    """True where the connection is gone, or leads to a server that takes no writes: another one may be had."""
    if error.sqlstate is not None:
        return error.sqlstate.startswith(_GONE)
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def is_passing(error: psycopg.Error) -> bool:
    """True where the same transaction may succeed if it is begun anew at once."""
    return is_lost(error) or isinstance(error, errors.DeadlockDetected | errors.SerializationFailure)


def unusable(why: str, cure: str) -> StorageError:
    """A database that stays as it is."""
    return StorageError(f"The ledger's database {why}. It was left as it is.", next_step=cure)


def _said(error: psycopg.Error) -> str:
    """The first line of what was said; a URL that could not be read is not repeated."""
    if _is_unread(error):
        return "DARKROOM_DATABASE_URL cannot be read"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return clean(lines[0], 200)


def _is_unread(error: psycopg.Error) -> bool:
    """True where the driver could not read the URL, and asked nobody."""
    return isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None
