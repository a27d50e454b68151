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
from darkroom.generations.driving.collect import Collector
from darkroom.generations.driving.driver import Driver
from darkroom.generations.service import Service
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.models import LOCAL_OWNER
from darkroom.providers.registry import Registry
from darkroom.redact import Redactor
from tests import ledgers
from tests.clients import provider_at
from tests.hosts import PATIENCE_S
from tests.ledgers import open_ledger
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
async def service_of(
    home: Path, fatthumb: FatThumb, clock: Clock, budget: int | None = None
) -> AsyncGenerator[Service]:
    """The service as the composition root builds it, but for its clock."""
    with anyio.fail_after(PATIENCE_S):
        async with (
            provider_at(fatthumb) as provider,
            open_ledger(home, clock=clock) as ledger,
            anyio.create_task_group() as tasks,
        ):
            changes = Changes()
            journal = Journal(ledger, changes)
            registry = Registry({"fatthumb": provider}, "fatthumb", Redactor([]))
            driver = Driver(journal, registry, "me", Collector(journal, home), tasks, clock=clock)
            driver.start()
            yield Service(journal, changes, registry, driver, "me", tasks, budget=budget, clock=clock)
            tasks.cancel_scope.cancel()


async def started(service: Service, prompt: str) -> str:
    async with service.submit(LOCAL_OWNER, prompt=prompt) as generation:
        return generation.id


async def told_when(service: Service) -> str:
    """When the budget resets, as a call is told that is over it."""
    with pytest.raises(RateLimited) as caught:
        await started(service, "one more")
    with pytest.raises(RateLimited):
        await service.foresee(LOCAL_OWNER, prompt="one more")
    return caught.value.message.partition("resets at ")[2]


async def test_a_budget_lasts_from_one_midnight_to_the_next(tmp_path: Path, fatthumb: FatThumb, clock: Clock) -> None:
    async with service_of(tmp_path, fatthumb, clock, budget=2) as service:
        clock.set("2026-03-07T23:59:58")
        await started(service, "the last but one of the day")
        clock.set("2026-03-07T23:59:59")
        await started(service, "the last of the day")
        assert await told_when(service) == "2026-03-08T00:00:00-05:00."
        clock.set("2026-03-08T00:00:00")
        await started(service, "the first of a short day")
        clock.set("2026-03-08T12:00:00")
        await started(service, "its second")
        clock.set("2026-03-08T23:59:59")
        assert await told_when(service) == "2026-03-09T00:00:00-04:00."
        clock.set("2026-03-09T00:00:00")
        await started(service, "the first of the day after")


async def test_a_clock_that_was_wrong_for_a_while_blocks_no_other_day(
    tmp_path: Path, fatthumb: FatThumb, clock: Clock
) -> None:
    async with service_of(tmp_path, fatthumb, clock, budget=1) as service:
        clock.set("2036-01-01T12:00:00")
        await started(service, "in the future")
        clock.set("2026-01-01T12:00:00")
        await started(service, "today")
        await told_when(service)


async def test_a_call_that_must_start_nothing_new_is_given_what_exists_and_else_refused(
    tmp_path: Path, fatthumb: FatThumb, clock: Clock
) -> None:
    async with service_of(tmp_path, fatthumb, clock) as service:
        with pytest.raises(InvalidRequest, match="went to another call"):
            async with service.submit(LOCAL_OWNER, new=False, prompt="a fox", request_key="hero"):
                pass
        assert (await service.page(LOCAL_OWNER)).generations == ()
        async with service.submit(LOCAL_OWNER, prompt="a fox", request_key="hero") as first:
            pass
        async with service.submit(LOCAL_OWNER, new=False, prompt="a fox", request_key="hero") as again:
            assert again.id == first.id
    assert len(fatthumb.posts) == 1
