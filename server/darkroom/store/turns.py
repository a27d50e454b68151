"""Turns, as the house needs to know them: who may submit when, and how many polls are left."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from darkroom.accounts import Limits, Window
from darkroom.models import Record

Owners = Mapping[str, int | None]
"""The owners whose rows a process may send, each with the number of its rows that may be at providers at the same
time, in all accounts together; None: any."""


class Later(NamedTuple):
    """The gate's no: nothing may be submitted for another `in_s` seconds."""

    in_s: float


class Obstacle(Enum):
    """Reasons why a waiting row is not sent for now, limits apart."""

    COPIED = "copied"
    """The ledger is a copy of the one that it was accepted in, whose own process may have sent it."""
    FORGOTTEN = "forgotten"
    """For a day nothing ran that could have sent it: who asked for it may not want it any more."""
    NOBODY = "nobody"
    """No process runs that would send it."""
    STOPPED = "stopped"
    """The row before it is being sent by a process that lives but does not run."""


class Standing(NamedTuple):
    """The place of a waiting row: how many of its owner's are before it, and in how many seconds its turn comes.

    `at_the_earliest`: it also waits for something to end, and nobody knows when. `sender`: the id of the row that is
    being sent by a process that was stopped (empty: it is another owner's), and that process.
    """

    ahead: int
    starts_in_s: float
    at_the_earliest: bool
    obstacle: Obstacle | None = None
    sender: tuple[str, str] | None = None


@dataclass(frozen=True)
class Grant:
    """Requests that one process may make now. `spacing_s` is to be kept between them while the window is short.

    `count` 0: none for another `opens_in_s`. `at`: when they were reserved, by the ledger's clock.
    """

    count: int
    spacing_s: float
    opens_in_s: float
    at: float = 0.0


class Took(NamedTuple):
    """The time that a generation took, in seconds since its submission.

    `between`: the last look at which it was not done yet, and the first at which it was; None: nobody knows.
    """

    ended_s: float
    between: tuple[float, float] | None


class Left(NamedTuple):
    """The remainder of an account's limits. `active`, `pictures`: further ones at the same time; None: there is no such
    limit.

    `submit`, `requests`: by window, as it counts now. `closed_s`: seconds for which nothing may be submitted, since the
    provider said so.
    """

    active: int | None
    pictures: int | None
    submit: tuple[tuple[Window, int], ...]
    requests: tuple[tuple[Window, int], ...]
    closed_s: float


@dataclass(frozen=True)
class Supply:
    """The requests that an account may make, and the generations that will want them.

    `per_s`: as many can be made for the next `for_s` seconds, until some come back. `lately_per_s`: submissions of
    late. `jobs`: generations under way or waiting.
    """

    per_s: float
    for_s: float
    nearly_used_up: bool
    lately_per_s: float
    jobs: int


class Gate(Protocol):
    """One queue and one budget of requests per account. Each method is a transaction; raises StorageError.

    What it judges by time it judges by its own clock, read when the transaction has begun: a caller's "now" would be as
    old as the caller had to wait for its turn.
    """

    async def claim_next(
        self,
        account: str,
        limits: Limits,
        *,
        holder: str,
        token: str,
        only: Collection[str] | None = None,
        owners: Owners | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> Record | Later | None:
        """The gate: the next row of this account that may be submitted, any holder's, already marked `submitting`.

        Owners take turns: the one that was served least recently is next, with its oldest row. `owners`: no others'
        rows, and none of an owner with as many under way as it may have; None: any owner's.

        Who gets a record here, and nobody else, may send its one POST. None: nothing waits, or `ended` says so.
        `only`: no others; older ones are waited for while their holder runs, and passed over when it does not.

        Raises:
            Outdated: this process must not start anything.
        """
        ...

    async def waiting(self) -> frozenset[tuple[str, str, str]]:
        """The accounts of which something waits, each with whose it is and for which provider."""
        ...

    async def recount(self, owner: str, provider: str, account: str) -> None:
        """Counts what this owner has waiting for this provider against this account: its key is another one now."""
        ...

    async def hand_over(self, generation_id: str, token: str, holder: str) -> Record | None:
        """Gives the claim of this token to another process, which makes its POST. None: it is no claim any more."""
        ...

    async def send_named(self, owner: str, ids: Collection[str]) -> None:
        """Lets those of these that wait be sent, though the ledger is a copy or nobody drove them for a day."""
        ...

    async def standings(
        self,
        records: Collection[Record],
        limits: Mapping[str, Limits],
        *,
        only: Collection[str] | None = None,
        owners: Owners | None = None,
    ) -> Mapping[str, Standing]:
        """The places of rows in their accounts' queues, by id, all at the same moment. `limits`: by account.

        A row that waits no more, and that nobody stopped in sending, stands nowhere. `only` and `owners`: as above.
        """
        ...

    async def durations(self, account: str, model: str, count: int) -> list[Took]:
        """The time that this account's last such generations took that succeeded, newest first."""
        ...

    async def supply(self, account: str, windows: Sequence[Window]) -> Supply | None:
        """The requests that are left of the scarcest of these windows; None: there is no window."""
        ...

    async def limits_left(self, account: str, limits: Limits) -> Left:
        """The remainder of these limits at this moment."""
        ...

    async def reserve_requests(
        self, account: str, windows: Sequence[Window], wanted: int, *, unused: Grant | None = None
    ) -> Grant:
        """Takes up to `wanted` requests out of the account's windows for this process's polls.

        `unused`: as many as its `count` were reserved then, were not made, and never will be.
        """
        ...

    async def unsend(
        self,
        record: Record,
        *,
        closed_s: float,
        narrowed_s: float | None,
    ) -> Record | None:
        """Takes back a claim whose POST was not accepted, and closes the account for `closed_s` seconds.

        `narrowed_s`: the provider itself said that it was too soon; for so long its windows count as narrower. None:
        nothing reached it. All that waits of the account counts from the first such refusal on.
        The row waits again, or is cancelled where that was wished meanwhile.
        """
        ...

    async def unclaim(self, record: Record) -> Record | None:
        """Takes back a claim of which no POST was made, and never will be: it counts against no window.

        The row waits again, or is cancelled where that was wished meanwhile. None: the claim is no longer there.
        """
        ...
