"""The interface of a ledger: its generations, turns and processes; `sql.py` is the one that exists."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, Protocol

from darkroom.models import Answered, Receipt, Record, Stage, Status
from darkroom.money import Money
from darkroom.store.processes import Processes
from darkroom.store.removals import Removals
from darkroom.store.survey import Survey
from darkroom.store.turns import Gate


class Room(NamedTuple):
    """The room for an owner's new rows of a day: at most `limit` of them, which cost at most `money`; None: any.

    `stored`: there is none once its saved pictures have so many bytes together; None: any. `rule`: what sets the two
    figures of a day, for people.

    What certainly cost nothing is not counted, and `free` providers never cost anything. A row counts with its
    service's own figure, or else its estimate; one without a price in the currency cannot be counted in money. A day
    lasts from one local midnight to the next, by the ledger's clock.
    """

    limit: int | None = None
    money: Money | None = None
    free: tuple[str, ...] = ()
    stored: int | None = None
    rule: str = "DARKROOM_BUDGET"


class Full(Exception):
    """There is no room for a new row until the day ends (seconds since 1970); nothing was written.

    `spent`: what the day's rows cost so far, where it is the money that does not suffice.
    """

    def __init__(self, until: float, spent: Money | None = None) -> None:
        super().__init__()
        self.until = until
        self.spent = spent


class Unpriced(Exception):
    """The new row has no price in the currency of the room; nothing was written."""


class StorageFull(Exception):
    """The owner's saved pictures have all the bytes that they may, which is so many; nothing was written."""

    def __init__(self, stored: int) -> None:
        super().__init__()
        self.stored = stored


class Page(NamedTuple):
    """Some records, newest first, and the cursor behind the last of them where there are more."""

    records: tuple[Record, ...]
    next_cursor: str | None


class Stretch(NamedTuple):
    """Some records, oldest first, and how far they reach: no row that goes meanwhile makes anybody read one twice."""

    records: tuple[Record, ...]
    reached: int


class Unfinished(NamedTuple):
    """The rows of all owners that are not over: how many of each stage, and a few that are in trouble, by id."""

    stages: Mapping[Stage, int]
    troubled: Mapping[str, str]


class Generations(Protocol):
    """Rows are the truth. Every method is one transaction, and raises StorageError where the disk refuses it."""

    async def begin(
        self, record: Record, *, adopt_within_s: float, room: Room | None = None, again: bool = False
    ) -> Record:
        """Commits a new row, or returns the one that this call has already: by its request key, or, if it was created
        within so many seconds and its result was lost, by being identical. The process `record.answering` then owes
        that result; `record.answered` is LOST where it counts as lost until its caller names the id. A result is also
        lost if the process that owes it does not run any more.

        The ledger itself says when a new row was created, whatever the record says.

        `again`: it raised just now for the same record; a row that it committed then is returned.

        Raises:
            InvalidRequest: its request key names a row that is removed.
            Full, Unpriced, StorageFull: it would be a new row, and `room` has none left for it.
            Outdated: it would be a new row, and this process must not start anything.
        """
        ...

    async def foresee(self, record: Record, *, adopt_within_s: float, room: Room | None = None) -> Record:
        """The result or the error of `begin` if it were called now; nothing is written."""
        ...

    async def begin_agreed(self, record: Record, task_id: str, *, room: Room | None = None) -> Record | None:
        """Commits a new row that this task's user said yes to, and its name in the task's row; nobody can do it twice.

        None: the task asks no more. A row that has the request key already is named instead, if it is for the same
        request; else it is only returned. May be repeated as `begin` may.

        Raises:
            InvalidRequest, Full, Unpriced, StorageFull, Outdated: as `begin`; the task still asks.
        """
        ...

    async def answer(self, record: Record, answered: Answered) -> None:
        """Writes down the fate of the result of the call that got this record from `begin`.

        A delivered one stays delivered, and one that another call is owed by now is that call's to report.
        """
        ...

    async def named(self, ids: Collection[str], *, by: str) -> None:
        """Somebody knows these ids, so lost responses, and those of this process, count as delivered."""
        ...

    async def get(self, generation_id: str, owner: str) -> Record | None:
        """The row, if it is this owner's."""
        ...

    async def several(self, ids: Collection[str], owner: str) -> Mapping[str, Record]:
        """Those of these rows that are this owner's, by id."""
        ...

    async def cancel(self, generation_id: str, owner: str) -> Record | None:
        """Cancels a row that still waits here, any holder's; where its POST is under way, the wish stays with the row.

        A wish is read in the transaction that would send the row again. Returns the row as it is then; None: the
        owner has none of that id.
        """
        ...

    async def note_wish(self, record: Record, *, wished: bool) -> Record | None:
        """Writes down whether the provider of a running row is asked to stop it, whichever process holds the row.

        None: it is not running any more, and nothing was written.
        """
        ...

    async def mark(self, generation_id: str, owner: str, index: int, *, favourite: bool) -> Record | None:
        """Writes down whether its owner likes this picture best, whichever process holds the row; None: no such row."""
        ...

    async def page(
        self,
        owner: str,
        *,
        status: Status | None,
        provider: str | None,
        limit: int,
        before: str | None,
        words: tuple[str, ...] = (),
        favourites: bool = False,
    ) -> Page:
        """This owner's rows, newest first, after the one of this id; none where the owner has none of it.

        `favourites`: only those with such pictures. `words`: only those with all of these in their prompts, in any
        case. Of so many rows that one search would take long, it reads some: its page may then have a cursor, and be
        short or empty.
        """
        ...

    async def providers(self, owner: str) -> list[str]:
        """The providers of this owner's rows, in order of their names."""
        ...

    async def ids(self, owner: str, prefix: str, limit: int) -> list[str]:
        """This owner's newest ids that begin so."""
        ...

    async def oldest(self, owner: str | None, *, after: int, limit: int) -> Stretch:
        """This owner's rows (None: everybody's), oldest first, behind what a stretch before reached; at first 0."""
        ...

    def now(self) -> float:
        """Seconds since 1970, by the ledger's own clock."""
        ...

    async def unfinished(self) -> Unfinished:
        """All rows that are not over, of all owners together."""
        ...

    async def unsent(self, ids: Collection[str]) -> frozenset[str]:
        """Those of these rows, of any owner, that are or may still be sent."""
        ...

    async def change(
        self,
        record: Record,
        changes: Mapping[str, Any],
        *,
        stages: Collection[Stage] | None = None,
        between: tuple[float, float] | None = None,
        ago_s: float = 0.0,
    ) -> Record | None:
        """Writes fields of a row that is still this holder's and in one of `stages` (default: the record's own).

        What succeeds is one of the `durations` from now on. `between`: see `Took`.

        A record in `submitting` is of its claim alone: a later claim of the same row is another's.

        The ledger dates it, by its own clock: a row that begins to run was submitted, and one that ends was finished,
        `ago_s` seconds before this. None: it is not such a row, and nothing was written.
        """
        ...

    async def revise(self, record: Record, revise: Callable[[Record], Mapping[str, Any]]) -> Record | None:
        """Changes a row that is over by what `revise` makes of it as it is now, whichever process ended it.

        So two processes that fetch the missing pictures of a generation keep each other's. None: it is not over.
        """
        ...

    async def record_late(self, record: Record, receipt: Receipt) -> Record | None:
        """The one thing that a process which lost its row may still write, by its submit token: the job's id.

        The row runs then, and is driven by its holder, or by the process that adopts it. None: it had an id already.
        """
        ...


class Ledger(Generations, Removals, Gate, Processes, Survey, Protocol):
    """All of it: rows are the truth, and a memory of them is a cache."""
