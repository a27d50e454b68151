"""When jobs are looked at: by many at once, after failures, and within a provider's request window; in virtual time."""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from darkroom.accounts import Limits, Window
from darkroom.errors import ProviderError, ProviderUnreachable, RateLimited
from darkroom.generations.driving.collect import Collector
from darkroom.generations.driving.driver import Driver
from darkroom.generations.driving.pace import SLOWEST_S, Pace, Situation, backoff
from darkroom.generations.driving.polling import Looks, RetryAllowance
from darkroom.generations.driving.queue import RequestAllowance
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.providers.base import Access, Reading
from darkroom.providers.declared import DECLARED
from darkroom.providers.owners import Means, Owners
from darkroom.providers.registry import Registry
from darkroom.redact.secrets import Redactor
from darkroom.store.turns import Grant
from tests.generations.virtual import NOW, Answer, MadeUp, clock, in_virtual_time
from tests.ledgers import open_ledger, pictures_in

MINUTE_S = 60.0
DOWN = ProviderError("It is down", next_step="Wait.")

modest = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
traits_of_any = st.sampled_from([each.traits for each in DECLARED.values()])
failures = st.integers(1, 2000)
pauses = st.lists(st.floats(0.0, 70.0).map(lambda pause: round(pause, 1)), min_size=1, max_size=12)


def answering(answer: Answer) -> MadeUp:
    """A provider that answers every look with the same."""
    return MadeUp(deque([answer]))


async def looks_at(home: Path, provider: MadeUp, jobs: int, seconds: float) -> list[float]:
    """When that many running jobs, all resumed at the same time, were looked at in that time."""
    async with open_ledger(home, clock=clock) as ledger:
        journal = Journal(ledger, Changes())
        registry = Registry(
            providers={provider.name: provider}, default=provider.name, redact=Redactor([]), declared=DECLARED
        )
        owners = Owners(Means(registry))
        async with anyio.create_task_group() as tasks:
            driver = Driver(journal, owners, "me", Collector(journal, pictures_in(home)), tasks)
            for number in range(jobs):
                driver.resume(running_job(number))
            await anyio.sleep(seconds)
            tasks.cancel_scope.cancel()
    return provider.reads


def running_job(number: int) -> Record:
    return Record(
        id=f"gen_{number}",
        owner="local",
        request=GenerationRequest(provider="fatthumb", prompt="a fox", model="m"),
        account="key",
        stage=Stage.RUNNING,
        created_at=NOW,
        submitted_at=NOW,
        job_id=f"job {number}",
        holder="me",
    )


def test_a_thousand_jobs_of_a_provider_that_is_down_are_looked_at_hardly_more_than_once(tmp_path: Path) -> None:
    looks = in_virtual_time(looks_at, tmp_path, answering(DOWN), 1000, MINUTE_S)
    assert 1000 < len(looks) <= 1100


def test_a_working_provider_is_looked_at_in_even_intervals(tmp_path: Path) -> None:
    looks = in_virtual_time(looks_at, tmp_path, answering(Reading(done=False)), 1, MINUTE_S)
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert len(gaps) >= 18
    interval_s = Pace(MadeUp.traits).pause(Situation(resumed=True))
    assert all(abs(gap - interval_s) < 0.01 for gap in gaps)


@given(retry_after=st.floats(0.0, 600.0))
@modest
def test_a_job_is_not_looked_at_before_the_time_that_the_provider_named(tmp_path: Path, retry_after: float) -> None:
    error = RateLimited("Later", next_step="Wait.", retry_after=retry_after)
    looks = in_virtual_time(looks_at, tmp_path, answering(error), 1, 1300.0)
    assert len(looks) > 1
    for earlier, later in pairwise(looks):
        assert later - earlier >= max(retry_after, MadeUp.traits.shortest_interval_s) - 0.001


@pytest.mark.parametrize("requests", [(Window(1000, 3600.0),), ()], ids=["with a request window", "without"])
def test_a_pause_that_the_provider_asked_for_holds_for_all_polls_of_the_key(
    tmp_path: Path, requests: tuple[Window, ...]
) -> None:
    async def waited() -> float:
        async with open_ledger(tmp_path, clock=clock) as ledger:
            budget = RequestAllowance(Access("key", Limits(requests=requests)), ledger)
            await budget.draw()
            budget.close(20.0)
            before = anyio.current_time()
            await budget.draw()
            return anyio.current_time() - before

    assert in_virtual_time(waited) == pytest.approx(20.0, abs=0.01)


@given(crowd=st.integers(1, 300), seconds=st.floats(0.0, 200.0))
@modest
def test_retries_never_exceed_the_budget_and_never_stop(crowd: int, seconds: float) -> None:
    async def draws() -> int:
        drawn = 0
        budget = RetryAllowance()

        async def retry() -> None:
            nonlocal drawn
            while True:
                await budget.draw()
                drawn += 1
                await anyio.sleep(0.01)

        async with anyio.create_task_group() as tasks:
            for _ in range(crowd):
                tasks.start_soon(retry)
            await anyio.sleep(seconds)
            tasks.cancel_scope.cancel()
        return drawn

    allowed = RetryAllowance.CAPACITY + seconds * RetryAllowance.PER_S
    drawn = in_virtual_time(draws)
    assert drawn <= allowed + 0.01
    if seconds > 1:
        assert drawn >= min(crowd, RetryAllowance.CAPACITY)
    if seconds > RetryAllowance.CAPACITY:
        assert drawn >= allowed - 1


def test_one_success_lets_those_who_wait_for_a_retry_go_on_at_once() -> None:
    async def waited() -> float:
        budget = RetryAllowance()
        for _ in range(RetryAllowance.CAPACITY):
            await budget.draw()
        before = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for _ in range(RetryAllowance.CAPACITY):
                tasks.start_soon(budget.draw)
            await anyio.sleep(0.1)
            budget.succeeded()
        return anyio.current_time() - before

    assert in_virtual_time(waited) < 0.2


@given(failed=failures, base_s=st.floats(0.01, 100.0))
@modest
def test_a_backoff_is_spread_over_a_doubling_range_with_an_end(failed: int, base_s: float) -> None:
    longest = SLOWEST_S if failed >= 10 else min(base_s * 2**failed, SLOWEST_S)
    waits = [backoff(failed, base_s=base_s) for _ in range(40)]
    assert all(0 <= wait <= longest for wait in waits)
    assert len(set(waits)) > 30
    if base_s >= 0.05:
        assert max(waits) > longest / 2


@given(traits=traits_of_any, failed=failures, retry_after=st.none() | st.floats(0.0, 3600.0))
@modest
def test_no_look_comes_sooner_than_the_provider_allows(traits: Any, failed: int, retry_after: float | None) -> None:
    pace = Pace(traits)
    unreachable = ProviderUnreachable("Gone", next_step="Wait.")
    limited = RateLimited("Later", next_step="Wait.", retry_after=retry_after)
    for error in (DOWN, unreachable, limited):
        looks = [pace.pause(Situation(failures=failed, error=error)) for _ in range(300)]
        assert min(looks) >= traits.shortest_interval_s
    assert pace.pause(Situation()) >= traits.shortest_interval_s
    assert pace.pause(Situation(failures=failed, error=limited)) >= (1.0 if retry_after is None else retry_after)
    assert pace.pause(Situation(failures=failed, error=DOWN)) <= max(SLOWEST_S, traits.shortest_interval_s)
    assert pace.pause(Situation(looked=False, resumed=True)) == 0
    assert 0 < pace.pause(Situation(looked=False)) <= traits.poll_interval_s


@given(
    asked=st.lists(st.floats(0.0, 30.0), max_size=12), shortest_s=st.sampled_from([0.2, 1.0, 2.0]), firm=st.booleans()
)
@modest
def test_asking_for_a_look_never_brings_it_too_soon(asked: list[float], shortest_s: float, firm: bool) -> None:
    interval_s, look_s = 3.0, 0.5

    async def pauses_between() -> list[float]:
        looks = Looks()
        kept: list[float] = []

        async def ask(at: float) -> None:
            await anyio.sleep(at)
            await looks.once_more(shortest_s)

        async with anyio.create_task_group() as tasks:
            for at in asked:
                tasks.start_soon(ask, at)
            await looks.pause(interval_s)
            while anyio.current_time() < 40.0:
                await anyio.sleep(look_s)
                looks.done(firm=firm)
                before = anyio.current_time()
                await looks.pause(interval_s)
                kept.append(anyio.current_time() - before)
        return kept

    for pause in in_virtual_time(pauses_between):
        assert (interval_s if firm else shortest_s) - 0.001 <= pause <= interval_s + 0.001


@given(window=st.builds(Window, limit=st.integers(2, 40), seconds=st.just(60.0)), steps=pauses, burst=st.integers(1, 5))
@example(window=Window(4, 60.0), steps=[0.0, 1.0, 0.0], burst=4)
@modest
def test_the_looks_of_a_process_keep_the_request_window(
    tmp_path: Path, window: Window, steps: list[float], burst: int
) -> None:
    async def looked() -> list[float]:
        times: list[float] = []
        async with open_ledger(tmp_path, clock=clock) as ledger:
            account = f"key {window} {steps} {burst}"
            budget = RequestAllowance(Access(account, Limits(requests=(window,))), ledger)
            for pause in steps:
                await anyio.sleep(pause)
                for _ in range(burst):
                    await budget.draw()
                    times.append(anyio.current_time())
        return times

    times = in_virtual_time(looked)
    for end in times:
        assert sum(end - window.seconds < at <= end for at in times) <= window.limit


@pytest.mark.parametrize(("limit", "most"), [(1000, 10), (1_000_000, 10_000)])
def test_many_looks_within_a_large_window_take_few_transactions(tmp_path: Path, limit: int, most: int) -> None:
    async def reserved() -> list[int]:
        blocks: list[int] = []
        async with open_ledger(tmp_path, clock=clock) as ledger:
            reserve = ledger.reserve_requests

            async def noting(account: str, windows: Sequence[Window], wanted: int, **unused: Any) -> Grant:
                blocks.append(wanted)
                return await reserve(account, windows, wanted, **unused)

            ledger.reserve_requests = noting
            budget = RequestAllowance(Access("key", Limits(requests=(Window(limit, 3600.0),))), ledger)
            for _ in range(min(limit, 100_000) // 2):
                await budget.draw()
                await anyio.sleep(0.0001)
        return blocks

    blocks = in_virtual_time(reserved)
    assert max(blocks) == most
    assert len(blocks) < 60
