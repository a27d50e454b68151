"""The ledger in PostgreSQL: how work on it is run, one transaction at a time, on a worker thread."""

import time
from collections.abc import Callable, Hashable
from typing import TypeVar

import anyio
import psycopg
from anyio import to_thread
from psycopg.errors import LockNotAvailable
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from darkroom.errors import Outdated, StorageError, Unstorable, Unwritten
from darkroom.redact.text import clean
from darkroom.store.postgres.connection import LOCK_TIMEOUT_S, PostgresConnection, key_of
from darkroom.store.postgres.cures import is_lost, is_passing, refused, unreadable
from darkroom.store.postgres.news import News

T = TypeVar("T")

PATIENCE_S = 5.0
"""Seconds for which a call waits for a database that is restarted or replaced."""
IMPATIENT_S = 0.1
"""The same, and for a lock, right after another call waited in vain: a stopped process may hold it."""
PAUSE_S = 0.1
BELIEVED_S = 15.0
"""Seconds for which a failure to write is reported. Everything that must be written is tried more often than that."""
CLOCK_EVERY_S = 60.0
_UNFIT = (OverflowError, UnicodeError, PydanticSerializationError, psycopg.DataError, psycopg.IntegrityError)
"""Raised for values that the database cannot take: numbers that are too large, text that is no Unicode or has a NUL."""


class _Wordless(Exception):
    """The connection was lost in a commit: nobody knows whether it happened."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__()
        self.error = error


class PostgresDatabase:
    """See `Database`. READ COMMITTED; who must be alone takes a lock by name, which needs no row and ends with it."""

    def __init__(self, db: PostgresConnection, news: News, file: str, *, secret: str, outdated: bool) -> None:
        self.db = db
        self.file = file
        self.secret = secret
        self.outdated = outdated
        self._news = news
        self._thread = anyio.CapacityLimiter(1)
        self._trouble: str | None = None
        self._failed_at = 0.0
        self._in_vain = False
        self._clock_set_at = time.monotonic()

    def clock(self) -> float:
        """Seconds since 1970, by the database's clock."""
        return self.db.now()

    @property
    def trouble(self) -> str | None:
        """See `Database.trouble`."""
        return self._trouble if time.monotonic() - self._failed_at < BELIEVED_S else None

    async def transaction(self, work: Callable[[], T], *alone: str) -> T:
        """See `Database.transaction`."""
        locks = sorted(map(key_of, alone))

        def once() -> T:
            before = self.db.changed
            self.db.begin(locks)
            try:
                result = work()
            except BaseException:
                self.db.roll_back()
                raise
            try:
                self.db.commit()
            except psycopg.Error as error:
                if not self.db.broken:
                    raise
                raise _Wordless(error) from error
            if self.db.changed > before:
                self._trouble = None
                self._news.tell()
            return result

        try:
            return await self._called(lambda: self._insist(once), Unwritten)
        except (Unstorable, Outdated):
            raise
        except StorageError as error:
            self._trouble, self._failed_at = error.message, time.monotonic()
            raise

    async def run(self, work: Callable[[], T]) -> T:
        """See `Database.run`."""
        return await self._called(lambda: self._insist(work), StorageError)

    async def recall(self, question: Hashable, work: Callable[[], T]) -> T:
        """See `Database.recall`: nothing is remembered, since to ask whether anything was committed costs as much."""
        return await self.run(work)

    async def stamp(self) -> object:
        """See `Processes.stamp`: it may be as late as a hint that was lost."""
        return self._news.stamp()

    async def version(self) -> int:
        """See `Processes.version`."""
        return self._news.version()

    async def news(self, within_s: float) -> None:
        """See `Database.news`."""
        await self._news.wait(within_s)

    async def close(self) -> None:
        """Ends the connection."""
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self.db.leave, limiter=self._thread)

    async def _called(self, work: Callable[[], T], kind: type[StorageError]) -> T:
        try:
            return await to_thread.run_sync(work, limiter=self._thread)
        except _Wordless as error:
            raise refused(error.error) from error
        except _UNFIT as error:
            raise unreadable(f"cannot hold a value ({clean(str(error), 100)})", Unstorable) from error
        except psycopg.Error as error:
            raise refused(error, kind) from error
        except ValidationError as error:
            raise unreadable(f"holds a row that cannot be read ({error.title})") from error

    def _insist(self, once: Callable[[], T]) -> T:
        """Does it, again where nothing came of it and that may pass: a database that is replaced is back in seconds."""
        until = time.monotonic() + (IMPATIENT_S if self._in_vain else PATIENCE_S)
        while True:
            try:
                self.db.ready()
                self.db.wait_for_locks(IMPATIENT_S if self._in_vain else LOCK_TIMEOUT_S)
                self._keep_time()
                result = once()
            except _Wordless:
                self.db.leave()
                self._news.tell()
                raise
            except psycopg.Error as error:
                if is_lost(error):
                    self.db.leave()
                if not is_passing(error) or time.monotonic() >= until:
                    self._in_vain = is_lost(error) or isinstance(error, LockNotAvailable)
                    raise
                time.sleep(PAUSE_S)
            else:
                self._in_vain = False
                return result

    def _keep_time(self) -> None:
        if time.monotonic() - self._clock_set_at >= CLOCK_EVERY_S:
            self.db.set_clock()
            self._clock_set_at = time.monotonic()
