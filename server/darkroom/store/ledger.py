"""What the house needs of a ledger; `sqlite.py` is the one that exists."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from darkroom.models import Answered, Failure, Record, Stage, Status
from darkroom.settings import Limits, Window


@dataclass(frozen=True)
class Later:
    """The gate's no: nothing may be submitted for another `in_s` seconds."""

    in_s: float


class Obstacle(Enum):
    """Why a waiting row is not sent for now, limits apart."""

    COPIED = "copied"
    """The ledger is a copy of the one that it was accepted in, whose own process may have sent it."""
    FORGOTTEN = "forgotten"
    """For a day nothing ran that could have sent it: who asked for it may not want it any more."""
    NOBODY = "nobody"
    """No process runs that would send it."""
    STOPPED = "stopped"
    """The row before it is being sent by a process that lives but does not run."""


@dataclass(frozen=True)
class Standing:
    """Where a waiting row stands: how many are before it, and in how many seconds its turn comes by the windows.

    `at_the_earliest`: it also waits for something to end, and nobody knows when. `sender`: the id of the row that is
    being sent by a process that was stopped, and that process.
    """

    ahead: int
    starts_in_s: float
    at_the_earliest: bool
    obstacle: Obstacle | None = None
    sender: tuple[str, str] | None = None


@dataclass(frozen=True)
class Grant:
    """Requests that one process may make now. `spacing_s` is to be kept between them while the window is short.

    `count` 0: none for another `opens_in_s`.
    """

    count: int
    spacing_s: float
    opens_in_s: float


@dataclass(frozen=True)
class Room:
    """New rows that an owner may have between two moments: at most `limit`, not counting what certainly cost nothing.

    `free`: providers that never cost anything.
    """

    limit: int
    since: float
    until: float
    free: tuple[str, ...] = ()


class Full(Exception):
    """There is no room for a new row; nothing was written."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self.room = room


@dataclass(frozen=True)
class Page:
    """Some records, newest first, and the cursor behind the last of them where there are more."""

    records: tuple[Record, ...]
    next_cursor: str | None


class Ledger(Protocol):
    """Rows are the truth. Every method is one transaction, and raises StorageError where the disk refuses it.

    What it judges by time it judges by its own clock, read when the transaction has begun: a caller's "now" would be as
    old as the caller had to wait for its turn.
    """

    async def begin(
        self, record: Record, *, adopt_since: float, room: Room | None = None, again: bool = False
    ) -> Record:
        """Commits a new row, or answers the one that this call has already: by its request key, or, if it was created
        after `adopt_since` and its answer was lost, by being identical. The process `record.answering` then owes that
        answer. Lost is also what a process owes that does not run any more.

        `again`: it raised just now for the same record; what it committed then, if anything, is answered.

        Raises:
            Full: it would be a new row, and `room` has none left.
        """
        ...

    async def foresee(self, record: Record, *, adopt_since: float, room: Room | None = None) -> Record:
        """What `begin` would answer or raise now; nothing is written."""
        ...

    async def begin_agreed(self, record: Record, task_id: str, *, room: Room | None = None) -> Record | None:
        """Commits a new row that this task's user said yes to, and its name in the task's row; nobody can do it twice.

        None: the task asks no more. A row that has the request key already is named instead, if it is for the same
        request; else it is only answered. May be repeated as `begin` may.

        Raises:
            Full: as `begin`; the task still asks.
        """
        ...

    async def answer(self, record: Record, answered: Answered) -> None:
        """Writes down what became of the answer to the call that got this record from `begin`.

        What was delivered stays delivered, and what another call is owed by now is that one's to tell.
        """
        ...

    async def named(self, record: Record, *, by: str) -> None:
        """Somebody knows its id, so a lost answer, or one of this process, counts as delivered."""
        ...

    async def get(self, generation_id: str, owner: str) -> Record | None:
        """The row, if it is this owner's."""
        ...

    async def cancel(self, generation_id: str, owner: str) -> Record | None:
        """Cancels what still waits here, whoever holds it; where its POST is under way, the wish stays with the row.

        A wish is read in the transaction that would send the row again. Answers the row as it is then; None: the
        owner has none of that id.
        """
        ...

    async def held(self, holder: str) -> list[Record]:
        """The unfinished rows of this holder, oldest first."""
        ...

    async def newest(self, ids: Sequence[str]) -> list[Record]:
        """These rows as they are now, whoever wrote them."""
        ...

    async def version(self) -> int:
        """A number that differs from the last one if another process has written since."""
        ...

    async def page(
        self, owner: str, *, status: Status | None, provider: str | None, limit: int, before: int | None
    ) -> Page:
        """This owner's rows, newest first, from the cursor on."""
        ...

    async def ids(self, owner: str, prefix: str, limit: int) -> list[str]:
        """This owner's newest ids that begin so."""
        ...

    async def claim_next(
        self,
        account: str,
        limits: Limits,
        *,
        holder: str,
        token: str,
        only: Collection[str] | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> Record | Later | None:
        """The gate: the next row of this account that may be submitted, whoever held it, already marked `submitting`.

        Who gets a record here, and nobody else, may send its one POST. None: nothing waits, or `ended` says so.
        `only`: no others; older ones are waited for while their holder runs, and passed over when it does not.
        """
        ...

    async def send_all_the_same(self, owner: str, ids: Collection[str]) -> None:
        """Lets those of these that wait be sent, though the ledger is a copy or nobody drove them for a day."""
        ...

    async def standing(self, record: Record, limits: Limits, *, only: Collection[str] | None = None) -> Standing:
        """Where a waiting row stands in its account's queue. `only`: as for `claim_next`."""
        ...

    async def durations(self, account: str, model: str, count: int) -> list[float]:
        """Seconds from submission to the end of this account's last such generations that succeeded, newest first."""
        ...

    async def reserve_requests(self, account: str, windows: Sequence[Window], wanted: int) -> Grant:
        """Takes up to `wanted` requests out of the account's windows for this process's polls."""
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

    async def change(
        self, record: Record, changes: Mapping[str, Any], *, stages: Collection[Stage] | None = None
    ) -> Record | None:
        """Writes fields of a row that is still this holder's and in one of `stages` (default: the record's own).

        A record in `submitting` is of its claim alone: a later claim of the same row is another's.

        What ends `submitting` says when: its `submitted_at` or `finished_at` is when the provider's answer came.
        None: it is not, and nothing was written.
        """
        ...

    async def revise(self, record: Record, revise: Callable[[Record], Mapping[str, Any]]) -> Record | None:
        """Changes a row that is over by what `revise` makes of it as it is now, whichever process ended it.

        So two processes that fetch the missing pictures of a generation keep each other's. None: it is not over.
        """
        ...

    async def record_late(self, record: Record, job_id: str) -> Record | None:
        """The one thing that a process which lost its row may still write, by its submit token: the job's id.

        The row runs then, and is driven by its holder, or by the process that adopts it. None: it had an id already.
        """
        ...

    async def others(self, holder: str, providers: Collection[str] | None = None) -> list[str]:
        """Every other process, alive or not, that has something which may have to be taken over.

        That is an answer that it owes, a submission under way, or an unfinished row of one of these providers (None:
        of any).
        """
        ...

    @property
    def trouble(self) -> str | None:
        """Why the ledger could not be written to just now; None: it could, or nobody has tried for a while."""
        ...

    async def note_trouble(self, holder: str, troubles: Mapping[str, str | None]) -> None:
        """Writes into this holder's rows, by id, what they struggle with; None: with nothing any more."""
        ...

    async def adopt(
        self,
        others: Collection[str],
        holder: str,
        accounts: Mapping[str, str],
        *,
        lost: Failure,
        only: Collection[str] | None = None,
    ) -> list[Record]:
        """Takes over what those of these processes left unfinished that are dead or silent.

        Their late writes find nothing then.

        Only rows of the providers in `accounts` (by name, with the account that now counts for them), and, where
        `only` names some, only those. A dead process's row in `submitting` ends here as failed with `lost`, whatever
        its provider: its POST may have been sent. Of a silent one it stays, and so do those that still wait: whoever
        has the account may claim them.
        """
        ...
