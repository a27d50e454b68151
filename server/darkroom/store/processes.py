"""The other processes on a ledger, as the house needs to know them: who died, and what they changed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from darkroom.models import Failure, Record

BATCH = 500
"""The number of rows that a process takes over at a time: others that look at the same moment have their share."""


class Processes(Protocol):
    """The other processes. Each method is a transaction; raises StorageError."""

    async def held(self, holder: str, driven: Collection[str] = ()) -> tuple[frozenset[str], list[Record]]:
        """The ids of this holder's unfinished rows, and, oldest first, those rows that are not `driven`.

        Of those that wait there is one of each account and owner, whose queue it stands for.
        """
        ...

    async def newest(self, ids: Sequence[str]) -> list[Record]:
        """These rows as they are now, also where another process wrote them."""
        ...

    async def changes(self, ids: Sequence[str], seen: Mapping[str, object]) -> tuple[list[Record], dict[str, object]]:
        """Those of these rows that are not as they were `seen`, and all of them as they are to be `seen` next time."""
        ...

    async def version(self) -> int:
        """A number that differs from the last one if another process has written since."""
        ...

    async def stamp(self) -> object:
        """A value that equals the last one only where nothing was written since, by this process or any other.

        It costs next to nothing, and is never an error.
        """
        ...

    async def news(self, within_s: float) -> None:
        """Returns when another process may have written, and after so many seconds at the latest."""
        ...

    @property
    def trouble(self) -> str | None:
        """Reason why the ledger could not be written to just now; None: it could, or nobody has tried for a while."""
        ...

    @property
    def outdated(self) -> bool:
        """True where a newer version uses the ledger as well: then this one finishes the rows that it drives, no more.

        It is known anew with each transaction that would start something, or take something over.
        """
        ...

    async def note_trouble(self, holder: str, troubles: Mapping[str, str | None]) -> None:
        """Writes into this holder's rows, by id, what they struggle with; None: with nothing any more."""
        ...

    async def note_looked(self, holder: str, seconds: Mapping[str, float]) -> None:
        """Adds so much to the time for which these rows of this holder were seen at work, by id."""
        ...

    async def note_wait(self, owner: str, ids: Collection[str], for_s: float) -> None:
        """Writes down, for whichever process drives these, that somebody waits for them, for so many seconds."""
        ...

    async def awaited(self, holder: str) -> list[str]:
        """Those of this holder's unfinished rows that somebody waits for, in whichever process."""
        ...

    async def others(self, holder: str, providers: Collection[str] | None = None) -> list[str]:
        """Every other process, alive or not, that has something which may have to be taken over.

        That is a result that it owes its caller, a submission under way, or an unfinished row of one of these
        providers (None: of any).
        """
        ...

    async def left(self, others: Collection[str]) -> list[str]:
        """The owners of these processes' unfinished rows."""
        ...

    async def adopt(
        self,
        others: Collection[str],
        holder: str,
        accounts: Mapping[str, Mapping[str, str]],
        *,
        lost: Failure,
        only: Collection[str] | None = None,
        finds: Collection[str] = (),
        most: int = BATCH,
    ) -> list[Record]:
        """Takes over what those of these processes left unfinished that are dead or silent, up to so many rows.

        Their late writes find nothing then. Where it takes as many as that, there may be more.

        Only rows of the owners in `accounts`, of the providers there (by name, with the account that now counts for
        them), and, where `only` names some, only those. A dead process's row in `submitting` ends here as failed with
        `lost`, of any owner: its POST may have been sent. It is taken over like the others if its provider is among
        `finds`, which can be asked for the job. Of a silent process it stays, and so do those that still wait: any
        process that has the account may claim them. None of it by a process that is outdated.
        """
        ...
