"""Connections to PostgreSQL, made as the ledger needs them."""

import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any, TypeVar, cast

import psycopg
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict

from darkroom.store.connection import Result
from darkroom.store.postgres.dialect import translated

CONNECT_TIMEOUT_S = 3
LOCK_TIMEOUT_S = 5.0
IDLE_IN_TRANSACTION_S = 5.0
"""Seconds after which the database ends a transaction whose process was stopped in the middle: others wait for it."""
# A peer that the network lost is given up after some four seconds, by either side.
_PATIENCE = {"keepalives_idle": 2, "keepalives_interval": 1, "keepalives_count": 2, "tcp_user_timeout": 5000}
_SETTINGS = (
    f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'",
    f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_S}s'",
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 2",
)
ANSWER_WITHIN_S = 10.0
"""Seconds after which a server that says nothing is given up: none of our statements takes as long, and a machine whose
disk hangs, or that waits for a standby, keeps the connection alive."""
T = TypeVar("T")


class Session(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose server has to answer in time."""

    answer_within_s = ANSWER_WITHIN_S

    def wait(self, gen: Generator[Any, Any, T], *arguments: Any, **named: Any) -> T:
        """See `psycopg.Connection.wait`. Raises psycopg.OperationalError: no answer came, and the session is closed."""
        return super().wait(self._in_time(gen), *arguments, **named)

    def _in_time(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        until = time.monotonic() + self.answer_within_s
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() >= until:
                    self.close()
                    raise psycopg.OperationalError(f"it has not answered for {self.answer_within_s:.0f} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


class _BoolAsNumber(Dumper):
    """SQLite has no truth values, so the ledger's columns are numbers."""

    oid = psycopg.adapters.types["int8"].oid

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"

    def quote(self, obj: bool) -> bytes:
        return self.dump(obj)


def connect(url: str) -> Session:
    """A connection to the server of this URL that takes writes.

    Raises:
        psycopg.Error: there is none.
    """
    given = conninfo_to_dict(url)
    usual = {"connect_timeout": CONNECT_TIMEOUT_S, "target_session_attrs": "read-write", **_PATIENCE}
    session = Session.connect(
        **cast("dict[str, Any]", {**usual, "application_name": "darkroom", **given}),
        autocommit=True,
        cursor_factory=psycopg.ClientCursor,
        client_encoding="utf8",
    )
    try:
        session.prepare_threshold = None
        session.adapters.register_dumper(bool, _BoolAsNumber)
        say(session, "; ".join(_SETTINGS))
    except BaseException:
        session.close()
        raise
    return session


def say(session: Session, words: str, *values: Any) -> psycopg.Cursor[tuple[Any, ...]]:
    """Runs statements of ours, in PostgreSQL's own words."""
    return session.execute(cast("Any", words), values or None)


class PostgresConnection:
    """See `Connection`: whichever session there is, on one thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: Session | None = None
        self._lock_timeout_s = LOCK_TIMEOUT_S
        self._before = ""
        self.changed = 0
        """Rows that were written since this was made."""
        self.ahead_s = 0.0
        """Seconds by which the database's clock, since 1970, is ahead of this process's monotonic one."""

    def ready(self) -> None:
        """Connects where that is needed. Raises psycopg.Error."""
        if self._session is None:
            self._session = connect(self._url)
            self._lock_timeout_s = LOCK_TIMEOUT_S
            self.set_clock()

    @contextmanager
    def unhurried(self) -> Generator[None]:
        """Gives the statements of this block as long as they take."""
        self._open.answer_within_s = float("inf")
        try:
            yield
        finally:
            if self._session is not None:
                self._session.answer_within_s = ANSWER_WITHIN_S

    def wait_for_locks(self, seconds: float) -> None:
        """Lets the statements that follow wait so long for a lock at most. Raises psycopg.Error."""
        if seconds != self._lock_timeout_s:
            self.execute(f"SET lock_timeout = '{seconds}s'")
            self._lock_timeout_s = seconds

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Result:
        """See `Connection.execute`."""
        before, self._before = self._before, ""
        cursor = say(self._open, before + translated(sql), *values)
        while cursor.nextset():
            """Only the last one counts."""
        self._count(cursor)
        return cursor

    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> Result:
        """See `Connection.executemany`."""
        if self._before:
            self.execute("SELECT 1")
        cursor = self._open.cursor()
        cursor.executemany(cast("Any", translated(sql)), values)
        self._count(cursor)
        return cursor

    def set_clock(self) -> None:
        """Measures how far the database's clock is ahead: half of the way there and back is its word's age."""
        before = time.monotonic()
        (there,) = self.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        self.ahead_s = there - (before + time.monotonic()) / 2

    def now(self) -> float:
        """Seconds since 1970, by the database's clock."""
        return time.monotonic() + self.ahead_s

    def begin(self, locks: Sequence[int]) -> None:
        """Begins a transaction that has these advisory locks; without any, on the way of its first statement.

        Where there are locks, they are there when this returns: what follows may read the clock before the ledger.
        """
        if locks:
            self.execute("; ".join(["BEGIN", *(f"SELECT pg_advisory_xact_lock({lock})" for lock in locks)]))
        else:
            self._before = "BEGIN; "

    def commit(self) -> None:
        """Raises psycopg.Error: where the session is gone then, nobody knows whether it was committed."""
        self.execute("COMMIT")

    def roll_back(self) -> None:
        """Ends a transaction that is to leave nothing."""
        if self._before:
            self._before = ""
            return
        with suppress(psycopg.Error):
            self.execute("ROLLBACK")

    def leave(self) -> None:
        """Gives the session up; the next call has another."""
        session, self._session, self._before = self._session, None, ""
        if session is not None:
            session.close()

    @property
    def broken(self) -> bool:
        """True where nothing can be said to the server any more."""
        return self._session is None or self._session.closed

    def _count(self, cursor: psycopg.Cursor[Any]) -> None:
        if (cursor.statusmessage or "").startswith(("INSERT", "UPDATE", "DELETE")):
            self.changed += max(cursor.rowcount, 0)

    @property
    def _open(self) -> Session:
        if self._session is None:
            raise psycopg.OperationalError("the connection is closed")
        return self._session


def key_of(name: str) -> int:
    """The number of an advisory lock. Two names with the same one only wait for each other."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
