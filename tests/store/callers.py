"""Who asked for what, and who was ever answered: what is promised to callers, whatever a ledger writes down of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from darkroom.models import Record

ADOPTABLE_FOR_S = 600.0


@dataclass(eq=False)
class Call:
    """A caller of one process that was given this generation, and waits for the answer to arrive."""

    process: str
    given: Record
    answered: bool | None = None
    """None: nobody knows yet. False: it went away before."""


@dataclass
class Callers:
    """Every call, oldest first. `runs` tells whether a process lives and runs."""

    runs: Callable[[str], bool]
    calls: list[Call] = field(default_factory=list[Call])

    def ask(self, process: str, given: Record) -> None:
        """This process was given that generation for its caller."""
        self.calls.append(Call(process, given))

    def unanswered(self, generation_id: str) -> bool:
        """Whether the last caller that was given it never got its answer, and never will."""
        last = [call for call in self.calls if call.given.id == generation_id][-1]
        return last.answered is False or (last.answered is None and not self.runs(last.process))

    def owed(self, call: Record, rows: Iterable[Record], perhaps_paid: Callable[[Record], bool]) -> set[str]:
        """What this call must be given instead of being paid for again: what it, or its like, got no answer about."""
        return {
            row.id
            for row in rows
            if row.request == call.request
            and row.created_at > call.created_at - ADOPTABLE_FOR_S
            and perhaps_paid(row)
            and (row.request_key is None or call.request_key in {None, row.request_key})
            and self.unanswered(row.id)
        }
