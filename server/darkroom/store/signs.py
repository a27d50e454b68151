"""Signs of life, as a ledger reads them of the processes that its rows name."""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import NamedTuple, Protocol


class Life(Enum):
    """The signs of life that another process shows."""

    RUNNING = "running"
    SILENT = "silent"
    """It lives, but did not run for a while: stopped, in a debugger, in a container that sleeps."""
    DEAD = "dead"


class Neighbour(NamedTuple):
    """Another process that lives. `version`: of its Darkroom; empty where it does not say, as older ones do not."""

    pid: str
    version: str


class Sign(NamedTuple):
    """The last sign of a process that lives, so many seconds ago. `silent`: others go on with its work."""

    ago_s: float
    silent: bool = False


class Signs(Protocol):
    """The knowledge that a ledger needs of the processes that its rows name."""

    def life(self, process_id: str) -> Life:
        """Asked within a write transaction only: a lock that is tried looks to others like one that is held."""
        ...

    def silent(self, process_id: str) -> bool:
        """True where it was silent when this process last looked; may be called at any time."""
        ...

    def living(self) -> Mapping[str, Sign]:
        """Each process that lives, by its id. Asked within a write transaction only."""
        ...


class Presence(Signs, Protocol):
    """This process's sign of life, and what it sees of others'. `id` is what ledger rows name as their holder."""

    id: str

    def look(self, others: Collection[str]) -> Collection[str]:
        """Looks at each of these, and returns those that may not run: it takes a transaction to be sure of it."""
        ...

    async def wait(self, within_s: float) -> None:
        """Returns when another process may run no more, and after so many seconds at the latest."""
        ...

    def stay(self) -> None:
        """Shows that this process runs, and puts its sign back where somebody has removed it."""
        ...

    def remove_dead(self, named: Collection[str] = ()) -> None:
        """Removes what processes that are gone have left, but for those that the ledger still names."""
        ...
