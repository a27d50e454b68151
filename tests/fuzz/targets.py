"""What is fuzzed: each target is a thing that stands for the length of a run, and the cases that it is given."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.protocol import messages, server
from tests.fuzz.providers import cases, clients


class Checked(Protocol):
    """Something that takes a case, and raises where it breaks a promise."""

    def check(self, case: Any, /) -> None:
        """Raises AssertionError, or what else should not have been raised."""
        ...


@dataclass(frozen=True)
class Target:
    """How it is set up, and what it is given."""

    stands: Callable[[], AbstractContextManager[Checked]]
    cases: st.SearchStrategy[Any]


TARGETS = {
    "providers": Target(clients, cases()),
    "legacy": Target(partial(server, "legacy"), messages("legacy")),
    "2026-07-28": Target(partial(server, "2026-07-28"), messages("2026-07-28")),
}


def run(target: Target, examples: int, *, derandomize: bool, seen: Callable[[], None] = lambda: None) -> None:
    """Gives so many cases to the target; raises what the smallest failing one raised, with a note that shows it."""
    with target.stands() as standing:

        @settings(
            max_examples=examples,
            derandomize=derandomize,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(target.cases)
        def check(case: Any) -> None:
            seen()
            standing.check(case)

        check()
