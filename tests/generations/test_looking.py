"""How long a job is looked at, and how soon it is noticed that all is well again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from darkroom.errors import (
    DarkroomError,
    InvalidRequest,
    NotFound,
    PaymentRequired,
    PlanRequired,
    ProviderError,
    ProviderUnreachable,
    RateLimited,
    Unauthorized,
    Unwritten,
)
from darkroom.generations.driving import pace
from darkroom.generations.driving.pace import SLOWEST_S, SLOWEST_WATCHED_S
from darkroom.generations.telling import journal
from darkroom.models import Record, Stage
from darkroom.providers.base import Reading
from darkroom.views import Generation
from tests.generations.virtual import MadeUp, clock, house, in_virtual_time, made_up, png, running_job, there

DOWN = ProviderError("It is down", next_step="Wait.")
AT_WORK = Reading(done=False)
DEADLINE_S = MadeUp.traits.deadline_s
POLL_S = MadeUp.traits.poll_interval_s


@pytest.mark.parametrize("trouble", [DOWN, ProviderUnreachable("No network", next_step="Wait.")], ids=["500", "gone"])
@pytest.mark.parametrize("failed", [1, 3, 40])
def test_a_job_is_not_given_up_because_nobody_could_look_at_it(
    tmp_path: Path, trouble: DarkroomError, failed: int
) -> None:
    provider = made_up(*[trouble] * failed, there("a"), a=png())

    async def run() -> Generation:
        async with house(tmp_path, provider) as one:
            old = running_job()
            await one.begin(
                old.model_copy(update={"created_at": old.created_at - 86_400, "submitted_at": old.created_at - 86_400}),
                resumed=True,
            )
            return (await one.waited(timeout_s=3000.0))[0]

    assert in_virtual_time(run).status == "succeeded"


def test_a_job_that_was_seen_at_work_until_its_deadline_is_given_up_and_looked_at_once_more_when_asked_for(
    tmp_path: Path,
) -> None:
    provider = made_up(AT_WORK, a=png())

    async def run() -> float:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            (given_up,) = await one.waited(timeout_s=2 * DEADLINE_S)
            assert given_up.error is not None
            assert (given_up.error.code, "get_status" in given_up.error.next_step) == ("timed_out", True)
            took = anyio.current_time()
            assert (await one.status()).status == "failed"
            provider.says(there("a"))
            assert (await one.status()).status == "succeeded"
            return took

    assert in_virtual_time(run) == pytest.approx(DEADLINE_S, abs=2 * POLL_S)


def test_what_was_looked_is_kept_across_a_restart(tmp_path: Path) -> None:
    provider = made_up(AT_WORK)
    part_s = DEADLINE_S * 0.6

    async def run() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            await anyio.sleep(part_s)
            await one.driver.keep_looks()  # as its sweep does every few seconds
            one.stop()
        await anyio.sleep(86_400.0)
        async with house(tmp_path, provider) as two:
            two.driver.resume(await two.row())
            (given_up,) = await two.waited(timeout_s=part_s)
            assert given_up.error is not None
            assert given_up.error.code == "timed_out"

    in_virtual_time(run)


def test_time_in_which_no_look_succeeded_does_not_count(tmp_path: Path) -> None:
    provider = made_up(AT_WORK, a=png())

    async def run() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            await anyio.sleep(10.0)
            provider.says(DOWN)
            await anyio.sleep(2 * DEADLINE_S)
            provider.says(AT_WORK)
            looks = len(provider.reads)
            await anyio.sleep(2 * SLOWEST_S)
            assert len(provider.reads) > looks
            assert (await one.status()).status == "processing"
            provider.says(there("a"))
            assert (await one.waited())[0].status == "succeeded"

    in_virtual_time(run)


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_gives_nothing_up_and_holds_no_look_up(tmp_path: Path, jump: float) -> None:
    async def run() -> None:
        provider = made_up(AT_WORK, a=png())
        wall = [0.0]
        async with house(tmp_path, provider, clock=lambda: clock() + wall[0]) as one:
            await one.begin(running_job())
            await anyio.sleep(10.0)
            wall[0] = jump
            await anyio.sleep(10.0)
            looks = len(provider.reads)
            assert (await one.status()).status == "processing"
            assert len(provider.reads) in {looks, looks + 1}
            provider.says(there("a"))
            assert (await one.waited())[0].status == "succeeded"

    in_virtual_time(run)


def test_an_end_that_the_disk_refuses_for_a_minute_is_dated_when_it_was_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "RETRY_S", 60.0)

    async def run() -> None:
        provider = made_up(there("a"), a=png())
        async with house(tmp_path, provider) as one:
            write, refused_at = one.ledger.change, list[float]()

            async def change(record: Record, changes: Mapping[str, Any], **named: Any) -> Record | None:
                if changes.get("stage") is Stage.SUCCEEDED and not refused_at:
                    refused_at.append(clock())
                    raise Unwritten("The disk is full.", next_step="Make room.")
                return await write(record, changes, **named)

            monkeypatch.setattr(one.ledger, "change", change)
            await one.begin(running_job())
            await one.waited()
            assert (await one.row()).finished_at == pytest.approx(refused_at[0], abs=1.0)
            assert clock() >= refused_at[0] + 60.0

    in_virtual_time(run)


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_the_first_failures_cost_no_more_than_an_ordinary_pause_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    def longest(_: float, most: float) -> float:
        return most

    monkeypatch.setattr(pace.random, "uniform", longest)
    provider = made_up(*[DOWN] * failures, there("a"), a=png())

    async def run() -> float:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            assert (await one.waited())[0].status == "succeeded"
            return anyio.current_time()

    assert in_virtual_time(run) <= 1.5 + failures * POLL_S


def test_while_somebody_waits_no_pause_is_long(tmp_path: Path) -> None:
    provider = made_up(DOWN)

    async def run() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            await one.waited(timeout_s=600.0)

    in_virtual_time(run)
    pauses = [later - earlier for earlier, later in zip(provider.reads, provider.reads[1:], strict=False)]
    assert len(pauses) > 50
    assert max(pauses) <= SLOWEST_WATCHED_S + 0.1
    assert min(pauses) >= MadeUp.traits.shortest_interval_s - 0.01


def test_a_new_wait_rings_for_a_job_that_is_in_a_long_pause(tmp_path: Path) -> None:
    provider = made_up(DOWN, a=png())

    async def run() -> float:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            await anyio.sleep(300.0)
            provider.says(there("a"))
            before = anyio.current_time()
            assert (await one.waited())[0].status == "succeeded"
            return anyio.current_time() - before

    assert in_virtual_time(run) <= POLL_S


def test_a_success_rings_for_all_jobs_of_that_provider(tmp_path: Path) -> None:
    provider = made_up(DOWN, a=png())

    async def run() -> list[float]:
        async with house(tmp_path, provider) as one:
            await one.begin(*map(running_job, range(1, 6)))
            await anyio.sleep(300.0)
            provider.says(there("a"))
            before, looked = anyio.current_time(), len(provider.reads)
            await one.waited(1)
            await anyio.sleep(3.0)
            return [at - before for at in provider.reads[looked:]]

    assert len(in_virtual_time(run)) == 5


def test_a_pause_that_the_provider_asked_for_is_kept_whoever_waits(tmp_path: Path) -> None:
    provider = made_up(RateLimited("Later", next_step="Wait.", retry_after=50.0), there("a"), a=png())

    async def run() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            await anyio.sleep(10.0)
            assert (await one.waited())[0].status == "succeeded"

    in_virtual_time(run)
    first, second = provider.reads
    assert second - first >= 50.0


@pytest.mark.parametrize("refusal", [PaymentRequired, InvalidRequest, PlanRequired], ids=["402", "422", "403"])
def test_a_look_that_is_refused_for_good_ends_soon_and_is_tried_again_when_asked_for(
    tmp_path: Path, refusal: type[DarkroomError]
) -> None:
    provider = made_up(refusal("No", next_step="Pay."), a=png())

    async def run() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            (refused,) = await one.waited(timeout_s=30.0)
            assert refused.error is not None
            assert (refused.error.code, refused.error.charged) == (refusal.code, "maybe")
            assert "get_status" in refused.error.next_step
            assert len(provider.reads) <= 5
            provider.says(there("a"))
            assert (await one.status()).status == "succeeded"

    in_virtual_time(run)


@pytest.mark.parametrize("refusal", [PaymentRequired, InvalidRequest, Unauthorized, NotFound], ids=str)
def test_a_look_that_is_refused_for_a_moment_ends_nothing(tmp_path: Path, refusal: type[DarkroomError]) -> None:
    provider = made_up(refusal("No", next_step="Wait."), there("a"), a=png())

    async def run() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            assert (await one.waited())[0].status == "succeeded"

    in_virtual_time(run)


@pytest.mark.parametrize(("beats", "shown"), [(True, range(150, 170)), (False, range(2, 20))])
def test_a_wait_that_shows_no_progress_is_woken_by_changes_alone(tmp_path: Path, beats: bool, shown: range) -> None:
    async def run() -> int:
        async with house(tmp_path, made_up(AT_WORK, a=png())) as one:
            await one.begin(running_job())
            return len([each async for each in one.desk.watch(["gen_1"], timeout_s=600.0, beats=beats)])

    assert in_virtual_time(run) in shown
