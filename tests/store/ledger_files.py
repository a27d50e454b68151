"""One ledger, with a connection to it for each of many processes: whichever database it is in."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import pytest
from anyio.from_thread import BlockingPortal

from darkroom.models import Record
from darkroom.store.database import FILE_NAME
from darkroom.store.ledger import Full, Ledger, Room, Unpriced
from tests.ledgers import Seen, open_ledger, open_postgres_ledger
from tests.services.postgres import Cluster
from tests.store.callers import ADOPTABLE_FOR_S

T = TypeVar("T")


class Ledgers(ABC):
    """An empty ledger, and connections to it as so many processes have; `seen` tells each which of them live."""

    def __init__(self, portal: BlockingPortal, clock: Callable[[], float]) -> None:
        self._portal = portal
        self._clock = clock
        self.seen = Seen()

    @abstractmethod
    def connect(self) -> Ledger:
        """One more process."""

    @abstractmethod
    def close(self) -> str:
        """Ends every connection; returns what the database itself thinks of the ledger, "ok" where all is well."""

    def ask(self, method: Callable[..., Awaitable[T]], *arguments: object, **named: object) -> T:
        return self._portal.call(partial(method, *arguments, **named))

    def begin(self, ledger: Ledger, call: Record, room: Room | None) -> Record | None:
        """What `begin` returns, which is what `foresee` says just before it; None: there is no room."""
        wanted: dict[str, Any] = {"adopt_within_s": ADOPTABLE_FOR_S, "room": room}
        try:
            foreseen = self.ask(ledger.foresee, call, **wanted)
        except (Full, Unpriced) as refusal:
            with pytest.raises(type(refusal)):
                self.ask(ledger.begin, call, **wanted)
            return None
        given = self.ask(ledger.begin, call, **wanted)
        assert given.id == foreseen.id
        return given


class SqliteLedgers(Ledgers):
    """In a file of a new folder."""

    def __init__(self, portal: BlockingPortal, folder: Path, clock: Callable[[], float]) -> None:
        super().__init__(portal, clock)
        self._open = ExitStack()
        self._home = Path(mkdtemp(dir=folder))

    def connect(self) -> Ledger:
        return self._open.enter_context(
            self._portal.wrap_async_context_manager(open_ledger(self._home, self.seen, clock=self._clock))
        )

    def close(self) -> str:
        self._open.close()
        db = sqlite3.connect(self._home / FILE_NAME)
        (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
        db.close()
        return str(verdict)


class PostgresLedgers(Ledgers):
    """In a new schema of this server."""

    def __init__(self, portal: BlockingPortal, server: Cluster, clock: Callable[[], float]) -> None:
        super().__init__(portal, clock)
        self._open = ExitStack()
        self._url = server.fresh()

    def connect(self) -> Ledger:
        return self._open.enter_context(
            self._portal.wrap_async_context_manager(open_postgres_ledger(self._url, self.seen, clock=self._clock))
        )

    def close(self) -> str:
        self._open.close()
        return "ok"
