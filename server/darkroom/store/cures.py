"""Reasons why the ledger's file cannot be used, and the cure for each of them."""

import errno
import sqlite3
from pathlib import Path

from darkroom.errors import StorageError

MOVE = "Move that file away (it names what was paid for), or set DARKROOM_HOME to another folder."
UPDATE = "Update this Darkroom, or set DARKROOM_HOME to another folder."
UPDATE_HERE = (
    "Update Darkroom where this host starts it (its configuration names the command), then restart it there. Leave the "
    "ledger where it is: the newer one is using it."
)
_OURS = "Make it and its folder readable and writable for you, or set DARKROOM_HOME to another folder."
_ROOM = "Make room on the disk of DARKROOM_HOME, then call again."
_CHECK = "Check the disk under DARKROOM_HOME, then call again."
_UNLOCK = (
    "If a process of Darkroom was stopped (Ctrl-Z, a debugger), let it go on or end it, and so with a backup or a "
    "viewer that has the file open; then call again. The file is under DARKROOM_HOME."
)
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_CURES = {
    **dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN), _OURS),
    **dict.fromkeys((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB), MOVE),
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: _CHECK,
}


def refused(error: sqlite3.Error, waited_s: float, kind: type[StorageError] = StorageError) -> StorageError:
    """The error for an operation that SQLite refused after so long."""
    if is_locked(error):
        why = f"The ledger is locked by another process; {waited_s:.0f} s were waited for it ({error})."
        return kind(why, next_step=_UNLOCK)
    return kind(f"The ledger could not be used ({error}).", next_step=_CURES.get(_code(error), _CHECK))


def unreadable(why: str, kind: type[StorageError] = StorageError) -> StorageError:
    """Something in it, or meant for it, that is no fault of the disk's or of the folder's."""
    return kind(f"The ledger {why}.", next_step=_CHECK)


def unopened(path: Path, error: sqlite3.Error | OSError, waited_s: float) -> StorageError:
    """The reason why the file could not be opened, after so long."""
    if isinstance(error, OSError):
        return unusable(path, f"cannot be opened ({error.strerror or error})", _cure(error))
    if is_locked(error):
        return refused(error, waited_s)
    return unusable(path, f"cannot be used ({error})", _CURES.get(_code(error), MOVE))


def unusable(path: Path, why: str, cure: str) -> StorageError:
    """A file that stays as it is."""
    return StorageError(f"The ledger {path} {why}. It was left as it is.", next_step=cure)


def no_folder(home: Path, error: OSError) -> StorageError:
    """The place for the file cannot be made."""
    return StorageError(
        f"There is no folder {home} to keep the ledger in, nor can it be made ({error.strerror or error}).",
        next_step="Make it, readable and writable for you, or set DARKROOM_HOME to another folder.",
    )


def is_locked(error: BaseException | None) -> bool:
    """True where another process keeps the file locked."""
    return isinstance(error, sqlite3.Error) and _code(error) in _LOCKED


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _cure(error: OSError) -> str:
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return _OURS
    return _ROOM if error.errno in {errno.ENOSPC, errno.EDQUOT} else MOVE
