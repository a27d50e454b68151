"""The budget's day: from one local midnight to the next, whatever the clock does."""

import os
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio
import pytest

from darkroom.errors import InvalidRequest, RateLimited
from darkroom.generations.asking.wishes import Wish
from darkroom.generations.desk import Desk
from darkroom.generations.driving.collect import Collector
from darkroom.generations.driving.driver import Driver
from darkroom.generations.service import Service
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.guards import Budget
from darkroom.providers.declared import DECLARED
from darkroom.providers.owners import Means, Owners
from darkroom.providers.registry import Registry
from darkroom.redact.secrets import Redactor
from tests import ledgers
from tests.clients import provider_at
from tests.hosts import PATIENCE_S
from tests.ledgers import open_ledger, pictures_in
from tests.services.fatthumb import FatThumb

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows takes no time zone from the environment")

NEW_YORK = "EST5EDT,M3.2.0,M11.1.0"


@dataclass
class Clock(ledgers.Clock):
    """Stands still until it is set."""

    now: float = 0.0

    def set(self, local: str) -> None:
        """To what a clock on the wall shows."""
        self.now = datetime.fromisoformat(local).timestamp()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Generator[Clock]:
    """A clock in New York, where the 8th of March 2026 has 23 hours."""
    with monkeypatch.context() as there:
        there.setenv("TZ", NEW_YORK)
        time.tzset()
        yield Clock()
    time.tzset()


@asynccontextmanager
async def desk_of(home: Path, fatthumb: FatThumb, clock: Clock, budget: int | None = None) -> AsyncGenerator[Desk]:
    """The service as the composition root builds it, but for its clock."""
    with anyio.fail_after(PATIENCE_S):
        async with (
            provider_at(fatthumb) as provider,
            open_ledger(home, clock=clock) as ledger,
            anyio.create_task_group() as tasks,
        ):
            changes = Changes()
            journal = Journal(ledger, changes)
            registry = Registry({"fatthumb": provider}, "fatthumb", Redactor([]), declared=DECLARED)
            owners = Owners(Means(registry, budget=Budget(budget)))
            driver = Driver(journal, owners, "me", Collector(journal, pictures_in(home)), tasks)
            driver.start()
            service = Service(
                journal,
                changes,
                owners,
                driver,
                "me",
                tasks,
                pictures_in(home),
            )
            yield Desk(service, "local")
            tasks.cancel_scope.cancel()


async def started(desk: Desk, prompt: str) -> str:
    async with desk.submit(Wish(prompt=prompt)) as generation:
        return generation.id


async def told_when(desk: Desk) -> str:
    """When the budget resets, as a call is told that is over it."""
    with pytest.raises(RateLimited) as caught:
        await started(desk, "one more")
    with pytest.raises(RateLimited):
        await desk.foresee(Wish(prompt="one more"))
    return caught.value.message.partition("resets at ")[2]


async def test_a_budget_lasts_from_one_midnight_to_the_next(tmp_path: Path, fatthumb: FatThumb, clock: Clock) -> None:
    async with desk_of(tmp_path, fatthumb, clock, budget=2) as desk:
        clock.set("2026-03-07T23:59:58")
        await started(desk, "the last but one of the day")
        clock.set("2026-03-07T23:59:59")
        await started(desk, "the last of the day")
        assert await told_when(desk) == "2026-03-08T00:00:00-05:00."
        clock.set("2026-03-08T00:00:00")
        await started(desk, "the first of a short day")
        clock.set("2026-03-08T12:00:00")
        await started(desk, "its second")
        clock.set("2026-03-08T23:59:59")
        assert await told_when(desk) == "2026-03-09T00:00:00-04:00."
        clock.set("2026-03-09T00:00:00")
        await started(desk, "the first of the day after")


async def test_a_clock_that_was_wrong_for_a_while_blocks_no_other_day(
    tmp_path: Path, fatthumb: FatThumb, clock: Clock
) -> None:
    async with desk_of(tmp_path, fatthumb, clock, budget=1) as desk:
        clock.set("2036-01-01T12:00:00")
        await started(desk, "in the future")
        clock.set("2026-01-01T12:00:00")
        await started(desk, "today")
        await told_when(desk)


async def test_a_call_that_must_start_nothing_new_is_given_what_exists_and_else_refused(
    tmp_path: Path, fatthumb: FatThumb, clock: Clock
) -> None:
    async with desk_of(tmp_path, fatthumb, clock) as desk:
        with pytest.raises(InvalidRequest, match="went to another call"):
            async with desk.submit(Wish(prompt="a fox", request_key="hero"), new=False):
                pass
        assert (await desk.page()).generations == ()
        async with desk.submit(Wish(prompt="a fox", request_key="hero")) as first:
            pass
        async with desk.submit(Wish(prompt="a fox", request_key="hero"), new=False) as again:
            assert again.id == first.id
    assert len(fatthumb.posts) == 1
