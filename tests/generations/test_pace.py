"""The pace of looks: what earlier durations teach, what is left of the requests, and who waits; most of it pure."""

import math
import random
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.polling import CASES, DELAY_S, GOAL, GOAL_NARROW, Case, Figures, paced, summary
from darkroom.declaration import Traits
from darkroom.generations.driving.pace import LONGEST_SHARE, SLOWEST_S, SLOWEST_WATCHED_S, Pace, Situation
from darkroom.models import Stage
from darkroom.providers.base import Reading
from darkroom.providers.declared import DECLARED
from darkroom.store.turns import Supply, Took
from tests.generations.virtual import NOW, House, MadeUp, house, in_virtual_time, made_up, png, running_job, there

TRAITS = MadeUp.traits
AT_WORK = Reading(done=False)
HALF_A_MINUTE = [Took(30.0, (28.0 + i % 3, 31.0 + i % 3)) for i in range(40)]
PLENTY = Supply(per_s=0.27, for_s=3600.0, nearly_used_up=False, lately_per_s=0.0, jobs=1)
SCARCE = Supply(per_s=0.27, for_s=3600.0, nearly_used_up=False, lately_per_s=0.15, jobs=500)
USED_UP = Supply(per_s=0.001, for_s=3600.0, nearly_used_up=True, lately_per_s=0.15, jobs=500)

modest = settings(max_examples=150, deadline=None, derandomize=True)
seconds = st.floats(0.0, 5000.0)
bounds = st.tuples(seconds, seconds).map(lambda pair: (min(pair), max(pair)))
durations = st.lists(st.builds(Took, seconds, st.none() | bounds), max_size=30)
supplies = st.none() | st.builds(
    Supply, per_s=st.floats(0.0, 10.0), for_s=st.floats(1.0, 3600.0), nearly_used_up=st.booleans(),
    lately_per_s=st.floats(0.0, 1.0), jobs=st.integers(0, 1000),
)  # fmt: skip
situations = st.builds(
    Situation, age_s=seconds | st.just(math.inf), looked=st.booleans(), watched=st.booleans(), resumed=st.booleans(),
    supply=supplies,
)  # fmt: skip


@given(traits=st.sampled_from([each.traits for each in DECLARED.values()]), took=durations, job=situations)
@modest
def test_whatever_is_known_no_look_comes_too_soon_and_none_is_put_off_for_long(
    traits: Traits, took: list[Took], job: Situation
) -> None:
    pause = Pace(traits, took).pause(job)
    if job.looked or not job.resumed:
        assert pause >= min(traits.shortest_interval_s, traits.poll_interval_s, 1.0)
    if not job.looked:
        assert pause <= max(traits.deadline_s, traits.poll_interval_s)
    elif job.watched and not (job.supply and job.supply.nearly_used_up):
        assert pause <= max(SLOWEST_WATCHED_S, traits.poll_interval_s)
    elif math.isfinite(job.age_s):
        assert pause <= max(SLOWEST_S, LONGEST_SHARE * job.age_s, traits.poll_interval_s)


def looks_at(case: Case, count: int) -> Figures:
    return summary(list(paced(case, case.durations(count, random.Random(1)))))


def test_where_durations_vary_few_looks_bring_results_as_soon_as_the_documented_loop() -> None:
    looked = looks_at(CASES[0], 300)
    assert looked.looks * looked.delay_s <= 1.05 * GOAL * DELAY_S
    assert looked.delay_s <= 1.1 * DELAY_S


@pytest.mark.parametrize("case", CASES[1:3], ids=["35 s", "50 s"])
def test_where_durations_are_known_and_alike_two_or_three_looks_are_enough(case: Case) -> None:
    looked = looks_at(case, 50)
    assert looked.looks <= GOAL_NARROW
    assert looked.delay_s <= DELAY_S


def test_of_what_nothing_is_known_the_documented_interval_is_kept() -> None:
    assert Pace(TRAITS).pause(Situation(age_s=30.0)) == TRAITS.poll_interval_s
    assert Pace(TRAITS, [Took(30.0, None)]).pause(Situation(age_s=30.0)) == TRAITS.poll_interval_s


def test_the_first_look_comes_when_a_result_is_first_likely_and_the_next_ones_where_it_mostly_comes() -> None:
    pace = Pace(TRAITS, HALF_A_MINUTE)
    first = pace.pause(Situation(looked=False, watched=True))
    assert 24.0 <= first <= 31.0
    assert pace.pause(Situation(age_s=30.0, watched=True)) < 3.0


def test_where_nobody_waits_a_look_comes_later() -> None:
    pace = Pace(TRAITS, HALF_A_MINUTE)
    first = pace.pause(Situation(looked=False, watched=True))
    assert first + 2.0 < pace.pause(Situation(looked=False)) < 60.0


def test_as_requests_run_short_looks_become_rare() -> None:
    pace = Pace(TRAITS, HALF_A_MINUTE)
    pauses = [pace.pause(Situation(looked=False, watched=True, supply=supply)) for supply in (PLENTY, SCARCE, USED_UP)]
    assert pauses[0] == pace.pause(Situation(looked=False, watched=True))
    assert pauses[0] + 5.0 < pauses[1] <= pauses[2]
    later = [pace.pause(Situation(age_s=36.0, watched=True, supply=supply)) for supply in (SCARCE, USED_UP)]
    assert later[0] <= SLOWEST_WATCHED_S
    assert later[1] > SLOWEST_WATCHED_S


def test_a_provider_that_becomes_quicker_or_slower_is_soon_known_to_be() -> None:
    quicker = [Took(10.0, (0.0, 14.0))] * 12 + HALF_A_MINUTE
    assert Pace(TRAITS, quicker).pause(Situation(looked=False, watched=True)) < 14.0
    slower = [Took(90.0, (85.0, 95.0))] * 12 + HALF_A_MINUTE
    assert Pace(TRAITS, slower).pause(Situation(age_s=50.0, watched=True)) > 5.0


async def learn(one: House, provider: MadeUp, took_s: float, number: int = 4) -> None:
    """So many jobs were made one after another, each of which took that long."""
    for each in range(1000, 1000 + number):
        provider.says(AT_WORK)
        await one.begin(running_job(each))
        await anyio.sleep(took_s)
        provider.says(there("a"))
        await one.waited(each)
    provider.says(AT_WORK)
    provider.reads.clear()


def test_a_job_of_a_kind_that_is_known_is_first_looked_at_when_it_may_be_done(tmp_path: Path) -> None:
    provider = made_up(AT_WORK, a=png())

    async def run() -> None:
        async with house(tmp_path, provider) as one:
            await learn(one, provider, 40.0)
            began = anyio.current_time()
            await one.begin(running_job())
            await one.waited(timeout_s=60.0)
            first, *_ = looks = [at - began for at in provider.reads]
            assert 15.0 <= first <= 40.0
            assert len([at for at in looks if at <= 40.0]) <= 6
            assert all(later - earlier <= SLOWEST_WATCHED_S + 0.01 for earlier, later in pairwise(looks))

    in_virtual_time(run)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in its process", "in another process"])
def test_who_begins_to_wait_is_not_kept_waiting_by_a_pause_that_was_meant_for_nobody(
    tmp_path: Path, *, elsewhere: bool
) -> None:
    provider = made_up(AT_WORK, a=png())

    async def run() -> tuple[float, int]:
        async with house(tmp_path, provider) as one, house(tmp_path, made_up(AT_WORK), holder="other") as other:
            one.driver.start()
            await learn(one, provider, 40.0)
            await one.begin(running_job())
            await anyio.sleep(33.0)
            provider.says(there("a"))
            looks, before = len(provider.reads), anyio.current_time()
            async with anyio.create_task_group() as waiting:
                waiting.start_soon(lambda: (other if elsewhere else one).waited(timeout_s=60.0))
                while (await one.row()).stage is not Stage.SUCCEEDED:  # noqa: ASYNC110 - another process may write it
                    await anyio.sleep(0.25)
                waiting.cancel_scope.cancel()
            return anyio.current_time() - before, looks

    waited, looks_before = in_virtual_time(run)
    assert looks_before == 0
    assert waited <= 6.0


def test_what_a_restart_finds_done_teaches_nothing_and_its_age_is_known(tmp_path: Path) -> None:
    provider = made_up(there("a"), a=png())

    async def run() -> list[Took]:
        async with house(tmp_path, provider) as one:
            old = running_job().model_copy(update={"submitted_at": NOW - 5000.0})
            await one.begin(old, resumed=True)
            await one.waited()
            return await one.ledger.durations(old.account, "m", 1)

    (took,) = in_virtual_time(run)
    assert took.ended_s >= 5000.0
    assert took.between is None
