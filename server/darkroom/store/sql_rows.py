"""The base of every part of the ledger in SQL: the connection, its transactions, its clock, and who lives."""

import time
from collections.abc import Callable

from darkroom import __version__
from darkroom.errors import Outdated
from darkroom.store.connection import Database
from darkroom.store.cures import UPDATE_HERE
from darkroom.store.migrations import is_outdated
from darkroom.store.signs import Signs


class SqlRows:
    """See `Ledger`. `signs` knows which of the processes that rows name live and run; `clock`: seconds since 1970."""

    def __init__(self, database: Database, signs: Signs, clock: Callable[[], float] = time.time) -> None:
        self._db = database.db
        self._database = database
        self._file = database.file
        self._signs = signs
        self._clock = clock
        self._run = database.run
        self._recall = database.recall
        self._transaction = database.transaction
        self.outdated = database.outdated
        """See `Ledger.outdated`."""

    def _check_version(self) -> None:
        """Raises Outdated. In each transaction that starts something: another host may be updated at any time."""
        self.outdated = is_outdated(self._db)
        if self.outdated:
            raise Outdated(
                f"A newer Darkroom uses this ledger as well; this one ({__version__}) starts nothing beside it.",
                next_step=UPDATE_HERE,
            )


def of_account(account: str) -> str:
    """Names an account whose windows and slots are judged by a transaction."""
    return f"account {account}"


def of_owner(owner: str) -> str:
    """Names an owner whose budget or generations under way are judged by a transaction."""
    return f"owner {owner}"
