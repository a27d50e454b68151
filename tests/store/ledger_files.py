"""A real ledger file with a connection to it for each of many processes."""

import sqlite3
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
from darkroom.store.ledger import Full, Room
from darkroom.store.sqlite import SqliteLedger
from tests.ledgers import Seen, open_ledger
from tests.store.callers import ADOPTABLE_FOR_S

T = TypeVar("T")


class Ledgers:
    """A ledger file in a new folder, and connections to it as so many processes have."""

    def __init__(self, portal: BlockingPortal, folder: Path, clock: Callable[[], float]) -> None:
        self._portal = portal
        self._open = ExitStack()
        self._home = Path(mkdtemp(dir=folder))
        self.seen = Seen()
        self._clock = clock

    def connect(self) -> SqliteLedger:
        return self._open.enter_context(
            self._portal.wrap_async_context_manager(open_ledger(self._home, self.seen, clock=self._clock))
        )

    def ask(self, method: Callable[..., Awaitable[T]], *arguments: object, **named: object) -> T:
        return self._portal.call(partial(method, *arguments, **named))

    def begin(self, ledger: SqliteLedger, call: Record, room: Room | None) -> Record | None:
        """What `begin` answers, which is what `foresee` says just before it; None: there is no room."""
        wanted: dict[str, Any] = {"adopt_since": call.created_at - ADOPTABLE_FOR_S, "room": room}
        try:
            foreseen = self.ask(ledger.foresee, call, **wanted)
        except Full:
            with pytest.raises(Full):
                self.ask(ledger.begin, call, **wanted)
            return None
        given = self.ask(ledger.begin, call, **wanted)
        assert given.id == foreseen.id
        return given

    def close(self) -> str:
        """Ends every connection; answers what SQLite itself thinks of the file."""
        self._open.close()
        db = sqlite3.connect(self._home / FILE_NAME)
        (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
        db.close()
        return str(verdict)
