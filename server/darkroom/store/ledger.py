"""What the house needs of a ledger; `sqlite.py` is the one that exists."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from darkroom.models import Failure, Record, Stage, Status
from darkroom.settings import Limits


@dataclass(frozen=True)
class Later:
    """The gate's no: nothing may be submitted before `at` (seconds since 1970)."""

    at: float


@dataclass(frozen=True)
class Page:
    """Some records, newest first, and the cursor behind the last of them where there are more."""

    records: tuple[Record, ...]
    next_cursor: str | None


class Ledger(Protocol):
    """Rows are the truth. Every method is one transaction, and raises StorageError where the disk refuses it."""

    async def insert(self, record: Record) -> None:
        """Commits a new row."""
        ...

    async def get(self, generation_id: str, owner: str) -> Record | None:
        """The row, if it is this owner's."""
        ...

    async def page(
        self, owner: str, *, status: Status | None, provider: str | None, limit: int, before: int | None
    ) -> Page:
        """This owner's rows, newest first, from the cursor on."""
        ...

    async def claim_next(
        self, account: str, limits: Limits, *, holder: str, token: str, now: float
    ) -> Record | Later | None:
        """The gate: the next row of this account that may be submitted, already marked `submitting`.

        Who gets a record here, and nobody else, may send its one POST. None: nothing waits.
        """
        ...

    async def unsend(self, record: Record, changes: Mapping[str, Any]) -> Record | None:
        """Takes back a claim whose POST was not accepted, with the given changes to the row."""
        ...

    async def change(
        self, record: Record, changes: Mapping[str, Any], *, stages: Collection[Stage] | None = None
    ) -> Record | None:
        """Writes fields of a row that is still this holder's and in one of `stages` (default: the record's own).

        None: it is not, and nothing was written.
        """
        ...

    async def other_holders(self, holder: str) -> list[str]:
        """Every other process that unfinished rows are held by, alive or not."""
        ...

    async def adopt(
        self, dead: str, holder: str, accounts: Mapping[str, str], *, lost: Failure, now: float
    ) -> list[Record]:
        """Takes over a dead process's unfinished rows, oldest first; its late writes find nothing from then on.

        Only rows of the providers in `accounts` (by name, with the account that now counts for them). A row found
        in `submitting` ends here as failed with `lost`, whatever its provider: its POST may have been sent.
        """
        ...
