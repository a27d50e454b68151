"""A session with PostgreSQL that shows that its process lives, hears hints and passes them on, on its own thread."""

import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from darkroom.store.postgres.connection import Session, connect, say

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
BEAT_EVERY_S = 1.0
COALESCED_S = 0.005
"""Seconds for which commits are collected into one hint."""
CHANNEL = "darkroom"
MAKE_TABLE = """
    CREATE UNLOGGED TABLE IF NOT EXISTS processes (
        id TEXT PRIMARY KEY,
        lock BIGINT NOT NULL,
        server DOUBLE PRECISION NOT NULL,
        seen_at DOUBLE PRECISION NOT NULL,
        ended BOOLEAN NOT NULL DEFAULT false
    )
"""
"""Each process, the number of its lock, since when the server ran that it took it from, and when it last ran. It is
unlogged: after a crash or on a promoted standby, where no lock has survived, the table is as empty."""
NOW = "extract(epoch FROM clock_timestamp())::float8"
SERVER = "extract(epoch FROM pg_postmaster_start_time())::float8"


class LifeSession:
    """Holds the lock of this process, and connects again where that is lost."""

    def __init__(
        self, url: str, process_id: str, lock: int, look: Callable[[Session], None], heard: Callable[[], None]
    ) -> None:
        self._url = url
        self._id = process_id
        self._lock = lock
        self._look = look
        self._heard = heard
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ended = False
        self._session: Session | None = self._connected()
        self._thread = threading.Thread(target=self._run, name="sign of life", daemon=True)

    def start(self) -> None:
        """Lives from now on by itself."""
        self._thread.start()

    def notify(self) -> None:
        """Gives the others a hint soon; may be called on any thread."""
        with suppress(OSError):  # as many hints as fit are waiting already
            self._bell.send(b"!")

    def end(self) -> None:
        """Says that the process has ended, as it should, and waits for it to be said."""
        self._ended = True
        self.notify()
        self._thread.join()
        if self._session is not None:
            with suppress(psycopg.Error):
                say(self._session, f"UPDATE processes SET ended = true WHERE id = %s; NOTIFY {CHANNEL}", self._id)
            self._session.close()
        self._bell.close()
        self._ear.close()

    def _connected(self) -> Session:
        session = connect(self._url)
        try:
            say(session, f"SELECT pg_advisory_lock({self._lock}); LISTEN {CHANNEL}")
            self._register(session)
            self._look(session)
        except BaseException:
            session.close()
            raise
        return session

    def _register(self, session: Session) -> None:
        say(
            session,
            f"INSERT INTO processes (id, lock, server, seen_at) VALUES (%s, %s, {SERVER}, {NOW}) ON CONFLICT (id)"
            " DO UPDATE SET server = excluded.server, seen_at = excluded.seen_at, ended = false",
            self._id,
            self._lock,
        )

    def _run(self) -> None:
        while not self._ended:
            try:
                self._session = self._session or self._connected()
                self._live(self._session)
            except (psycopg.Error, OSError) as error:
                log.info("The session that shows this process to the others was lost: %s", type(error).__name__)
                if self._session is not None:
                    self._session.close()
                self._session = None
                time.sleep(LOOK_EVERY_S)

    def _live(self, session: Session) -> None:
        """Until the end, or until the session is lost."""
        beat_at = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(session.fileno(), selectors.EVENT_READ)
            selector.register(self._ear, selectors.EVENT_READ)
            while not self._ended:
                if time.monotonic() >= beat_at:
                    self._register(session)
                    beat_at = time.monotonic() + BEAT_EVERY_S
                self._look(session)
                look_at = time.monotonic() + LOOK_EVERY_S
                while not self._ended and (left := look_at - time.monotonic()) > 0.0:
                    self._pass_on(session, selector.select(left))

    def _pass_on(self, session: Session, ready: list[tuple[selectors.SelectorKey, Any]]) -> None:
        if any(key.fileobj is self._ear for key, _ in ready):
            time.sleep(COALESCED_S)
            self._ear.recv(65536)
            if not self._ended:
                say(session, f"NOTIFY {CHANNEL}")
        session.pgconn.consume_input()
        ours, others = session.pgconn.backend_pid, 0
        while (hint := session.pgconn.notifies()) is not None:
            others += hint.be_pid != ours
        if others:
            self._heard()
