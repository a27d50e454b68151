"""The interface of a database under the ledger: connections that run its SQL, and transactions one after another."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Result(Protocol):
    """The result of one statement."""

    @property
    def rowcount(self) -> int:
        """The number of rows that it changed."""
        ...

    def fetchone(self) -> Any:
        """The next row; None: there is none."""
        ...

    def fetchall(self) -> list[Any]:
        """All further rows."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Runs SQL in the words of SQLite, of which the ledger uses those that PostgreSQL can be given in its own."""

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Result:
        """Runs one statement with a value for each `?`."""
        ...

    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> Result:
        """Runs one statement with each of these values."""
        ...


class Database(Protocol):
    """Runs work on the connection `db`; that work is ordinary, blocking code."""

    outdated: bool
    """See `Ledger.outdated`, as it was when this was opened."""

    @property
    def db(self) -> Connection:
        """The connection, for work that is run here."""
        ...

    @property
    def file(self) -> str:
        """Distinguishes this ledger from its copies."""
        ...

    @property
    def secret(self) -> str | None:
        """A text that only the processes of this ledger know, by which one trusts what another has sealed.

        None: each process of it speaks with callers of its own.
        """
        ...

    @property
    def trouble(self) -> str | None:
        """The reason why nothing could be written just now; None: it could, or nobody has tried for a while."""
        ...

    async def transaction(self, work: Callable[[], T], *alone: str) -> T:
        """Runs `work` and commits what it wrote, all of it or nothing.

        `alone`: names of what no other transaction that also names it may see or change meanwhile: an owner, an
        account. A database that runs one writer at a time needs no names.

        Raises:
            Unwritten: nothing was written.
            Unstorable: nothing was written, nor ever will be.
            StorageError: nobody knows whether it was written.
        """
        ...

    async def run(self, work: Callable[[], T]) -> T:
        """Runs `work`, which reads. Raises StorageError, and Unstorable for a value that cannot be held."""
        ...

    async def recall(self, question: Hashable, work: Callable[[], T]) -> T:
        """The result of `work`, which reads; perhaps the last one to this question, where nothing was committed since.

        Raises:
            StorageError: as `run`.
        """
        ...

    async def stamp(self) -> object:
        """See `Processes.stamp`."""
        ...

    async def version(self) -> int:
        """See `Processes.version`. Raises StorageError."""
        ...

    async def news(self, within_s: float) -> None:
        """Returns when another process may have written, and after so many seconds at the latest."""
        ...
