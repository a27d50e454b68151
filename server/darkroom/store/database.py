"""The one SQLite file: how it is opened, and how work on it is run, one transaction at a time, on a worker thread."""

import errno
import os
import secrets
import sqlite3
import stat
import time
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio import to_thread
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from darkroom.errors import Outdated, StorageError, Unstorable, Unwritten
from darkroom.redact.text import clean
from darkroom.store.checking import is_damage, is_sound
from darkroom.store.cures import MOVE, UPDATE, is_locked, no_folder, refused, unopened, unreadable, unusable
from darkroom.store.identity import file_identity
from darkroom.store.migrations import NewerLedger, is_outdated, migrate
from darkroom.store.network import refuse_network
from darkroom.store.private import FILE, make_folder, restore

T = TypeVar("T")

FILE_NAME = "ledger.sqlite3"
BUSY_TIMEOUT_S = 5.0
IMPATIENT_S = 0.1
"""Seconds to wait for a lock right after another wait was in vain: a stopped process may hold it."""
BELIEVED_S = 15.0
"""Seconds for which a failure to write is reported. Everything that must be written is tried more often than that."""
MOST_REMEMBERED = 32
"""Results of reading that are remembered; each is one row, or a page of them."""
SMALLEST_FILE = 100  # bytes of the header that every SQLite file begins with
# SQLite before this one can corrupt a WAL file under concurrent checkpoints (sqlite.org/wal.html, "reset bug").
FIRST_SAFE_WAL = (3, 51, 3)
SAFE_WAL = sqlite3.sqlite_version_info >= FIRST_SAFE_WAL
# In the header: 2 where the file has a write-ahead log, 1 where it has not.
_WRITE_VERSION, _WAL = 18, b"\2"
_UNFIT = (OverflowError, UnicodeError, PydanticSerializationError, sqlite3.InterfaceError)
"""Raised for values that the file cannot take: numbers that are too large, text that is no Unicode, other kinds."""


@asynccontextmanager
async def open_database(home: Path) -> AsyncGenerator["SqliteDatabase"]:
    """The file in this folder, made or brought up to date where it must be.

    Raises:
        StorageError: the folder or the file cannot be used; it is left as it is.
    """
    thread = anyio.CapacityLimiter(1)
    db, reader, outdated = await to_thread.run_sync(_connect, home, limiter=thread)
    try:
        yield SqliteDatabase(db, reader, thread, home / FILE_NAME, outdated=outdated)
    finally:
        reader.close()
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(db.close, limiter=thread)


class SqliteDatabase:
    """See `Database`. `reader`: another connection, which waits for no lock."""

    def __init__(
        self,
        db: sqlite3.Connection,
        reader: sqlite3.Connection,
        thread: anyio.CapacityLimiter,
        path: Path,
        *,
        outdated: bool,
    ) -> None:
        self.db = db
        self._reader = reader
        self.outdated = outdated
        self.file = file_identity(path)
        self.secret: str | None = None
        self._path = path
        self._damaged = False
        self._thread = thread
        self._trouble: str | None = None
        self._failed_at = 0.0
        self._locked_since: float | None = None
        self._remembered: dict[Hashable, Any] = {}
        self._remembered_of: object = None

    @property
    def trouble(self) -> str | None:
        """The reason why the file could not be written to just now; None: it could, or nobody has tried for a while."""
        return self._trouble if time.monotonic() - self._failed_at < BELIEVED_S else None

    async def transaction(self, work: Callable[[], T], *alone: str) -> T:
        """See `Database.transaction`: between BEGIN IMMEDIATE and COMMIT this one writer is alone with all there is."""

        def run() -> T:
            since = time.monotonic()
            try:
                self.db.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                raise refused(error, self._waited(since), Unwritten) from error
            before = self.db.total_changes
            try:
                result = work()
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise
            if self.db.total_changes > before:
                self._trouble = None
            return result

        try:
            return await self.run(run)
        except (Unstorable, Outdated):
            raise
        except StorageError as error:
            self._trouble, self._failed_at = error.message, time.monotonic()
            raise

    async def run(self, work: Callable[[], T]) -> T:
        """See `Database.run`."""
        if self._damaged:
            raise _damaged(self._path)
        try:
            return await to_thread.run_sync(self._bounded, work, limiter=self._thread)
        except (sqlite3.DataError, sqlite3.IntegrityError, *_UNFIT) as error:
            raise unreadable(f"cannot hold a value ({clean(str(error), 100)})", Unstorable) from error
        except sqlite3.Error as error:
            raise (
                _damaged(self._path) if is_damage(error) else refused(error, self._waited(time.monotonic()))
            ) from error
        except ValidationError as error:
            raise unreadable(f"holds a row that cannot be read ({error.title})") from error

    async def recall(self, question: Hashable, work: Callable[[], T]) -> T:
        """See `Database.recall`."""
        stamp = await self.stamp()
        if stamp != self._remembered_of or self._damaged or len(self._remembered) >= MOST_REMEMBERED:
            self._remembered, self._remembered_of = {}, stamp
        remembered = self._remembered  # what is read now may already be too old for what takes its place
        if question not in remembered:
            remembered[question] = await self.run(work)
        return remembered[question]

    async def stamp(self) -> object:
        """A value that equals the last one only where nothing was committed since, by this process or any other."""
        try:
            return self._reader.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:  # somebody is writing
            return object()

    async def version(self) -> int:
        """See `Database.version`."""
        return await self.run(lambda: int(self.db.execute("PRAGMA data_version").fetchone()[0]))

    async def news(self, within_s: float) -> None:
        """See `Database.news`: a file tells nobody."""
        await anyio.sleep(within_s)

    async def check(self) -> bool:
        """Reads the whole file, and uses it no more if it is damaged; returns whether it is sound."""
        (mode,) = await self.run(lambda: self.db.execute("PRAGMA journal_mode").fetchone())
        try:
            self._damaged = not await is_sound(self._path, has_log=mode == "wal")
        except sqlite3.Error as error:
            raise unreadable(f"could not be checked ({error})") from error
        return not self._damaged

    def _bounded(self, work: Callable[[], T]) -> T:
        """Runs it; while the file is locked for longer than is usual, what queues up behind does not wait as long."""
        since = time.monotonic()
        try:
            result = work()
        except Exception as error:
            if is_locked(error) or is_locked(error.__cause__):
                self._locked_since = self._locked_since or since
                self._wait_for_locks(IMPATIENT_S)
            raise
        if self._locked_since is not None:
            self._locked_since = None
            self._wait_for_locks(BUSY_TIMEOUT_S)
        return result

    def _wait_for_locks(self, seconds: float) -> None:
        self.db.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")

    def _waited(self, since: float) -> float:
        """Seconds that a lock was waited for: since then, or longer, if it was waited for in vain just before."""
        return time.monotonic() - (self._locked_since or since)


def _damaged(path: Path) -> StorageError:
    return unusable(path, "is damaged", MOVE)


def _connect(home: Path) -> tuple[sqlite3.Connection, sqlite3.Connection, bool]:
    path, since = home / FILE_NAME, time.monotonic()
    try:
        make_folder(home)
    except OSError as error:
        raise no_folder(home, error) from error
    refuse_network(home)
    try:
        if not os.path.lexists(path):
            _make(path)
        header = _touch(path)
        if 0 < len(header) < SMALLEST_FILE:
            raise _damaged(path)  # SQLite would take it for a blank one
        if header[_WRITE_VERSION : _WRITE_VERSION + 1] == _WAL and not SAFE_WAL:
            raise _too_old(path)
        db = _open(path)
    except (OSError, sqlite3.Error) as error:
        raise unopened(path, error, time.monotonic() - since) from error
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")  # on macOS a plain sync leaves a commit in the disk's own memory
        db.execute("PRAGMA secure_delete = ON")  # a prompt that is removed is overwritten
        migrate(db, time.time())
        outdated = is_outdated(db)
        return db, _open_reader(path), outdated
    except NewerLedger:
        db.close()
        raise unusable(path, "was written by a newer Darkroom", UPDATE) from None
    except sqlite3.Error as error:
        db.close()
        raise _damaged(path) if is_damage(error) else unopened(path, error, time.monotonic() - since) from error
    except BaseException:
        db.close()
        raise


def _make(path: Path) -> None:
    """Makes a ledger, and gives it its name only when it is whole: its journal mode is its maker's choice, and final.

    Where files cannot be linked (nor WAL be trusted, on most such file systems) it is made in its place, without WAL.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        _touch(temporary)
        with closing(_open(temporary)) as db:
            if SAFE_WAL:
                db.execute("PRAGMA journal_mode = WAL")
            migrate(db, time.time())
        with suppress(OSError):  # a peer was quicker, or there are no links
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _touch(path: Path) -> bytes:
    """The header of the file, which is made where it is missing; a link or a pipe in its place is not followed."""
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | flags, FILE)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        restore(descriptor, FILE)
        return os.read(descriptor, SMALLEST_FILE)
    finally:
        os.close(descriptor)


def _open(path: Path) -> sqlite3.Connection:
    # One connection used by one thread at a time (the limiter's), not always the same one.
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S)


def _open_reader(path: Path) -> sqlite3.Connection:
    # It writes nothing: not even what a process that died in a commit has left is put right here.
    uri = f"{path.as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=0)


def _too_old(path: Path) -> StorageError:
    safe = ".".join(map(str, FIRST_SAFE_WAL))
    return StorageError(
        f"The ledger {path} keeps a write-ahead log, which this Python's SQLite {sqlite3.sqlite_version} may damage. "
        "It was left as it is.",
        next_step=f"Use a Python whose SQLite is {safe} or newer, or set DARKROOM_HOME to another folder.",
    )
