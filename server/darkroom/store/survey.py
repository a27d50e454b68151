"""The ledger as its operator is shown it: numbers, names and codes, and nothing that a caller or a service wrote."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from darkroom.models import Stage
from darkroom.money import Money
from darkroom.store.signs import Sign

MOST_COUNTED = 20_000
"""Unfinished rows that are counted into queues."""
MOST_ENDED = 1_000
"""Rows that ended last, among which failures are looked for."""
MOST_SHOWN = 50
"""Queues, rows under way and failures that are shown."""


class Queue(NamedTuple):
    """The unfinished rows of an account. Times are seconds since 1970."""

    account: str
    provider: str
    waiting: int
    under_way: int
    oldest_at: float | None
    """The time since which the oldest of them waits; None: none does."""
    closed_until: float | None
    """The time before which its provider takes nothing; None: it does."""


class UnderWay(NamedTuple):
    """A row that is being sent, is at its provider, or is being collected, since so many seconds since 1970."""

    id: str
    owner: str
    holder: str
    provider: str
    model: str
    stage: Stage
    provider_queued: bool
    since: float


class Failed(NamedTuple):
    """A row that failed, at so many seconds since 1970."""

    id: str
    owner: str
    provider: str
    model: str
    code: str
    charged: str
    at: float


class Look(NamedTuple):
    """The ledger at a moment, by its own clock: the longest queues, the oldest rows under way, the last failures.

    `held`: the number of unfinished rows of each process that has any. `all_counted`: False where the queues have more
    than was counted.
    """

    at: float
    queues: tuple[Queue, ...]
    under_way: tuple[UnderWay, ...]
    failed: tuple[Failed, ...]
    held: Mapping[str, int]
    all_counted: bool


class Used(NamedTuple):
    """The part of its limits that an owner has used: of today, what counts in a budget; `stored`: bytes of pictures."""

    submissions: int
    money: tuple[Money, ...]
    stored: int


class Survey(Protocol):
    """Questions of an operator, each with an index that serves it. Every method raises StorageError."""

    async def look(self) -> Look:
        """The ledger as it is now."""
        ...

    async def used(self, owner: str, free: Collection[str]) -> Used:
        """The part of its limits that this owner has used. `free`: see `Room`."""
        ...

    async def processes(self) -> Mapping[str, Sign]:
        """Each process that lives, by its id."""
        ...
