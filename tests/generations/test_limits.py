"""The windows of an account: what is estimated comes true, what is narrowed widens again, and polls leave room."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.accounts import Limits, Window
from darkroom.models import Record
from darkroom.store.turns import Later
from tests.generations.accounts import ACCOUNT, NOW, account_with
from tests.services.postgres import Cluster

PADDING_S = 1.0
"""What a window may be kept longer than it is: our clock and the provider's are not the same."""
DAY_S = 86_400.0

modest = settings(max_examples=40, deadline=None, derandomize=True)
windows = st.builds(Window, limit=st.integers(1, 4), seconds=st.sampled_from([1.0, 5.0, 7.5, 60.0]))
several = st.lists(windows, min_size=1, max_size=3).map(tuple)
request_windows = st.builds(Window, limit=st.integers(2, 40), seconds=st.sampled_from([5.0, 10.0, 60.0]))
pauses = st.floats(0.0, 30.0).map(lambda pause: round(pause, 2))
calls = st.lists(st.tuples(pauses, st.integers(1, 12)), min_size=1, max_size=25)


def most_at_once(times: list[float], seconds: float) -> int:
    """The largest number of them that any `seconds` held."""
    return max(sum(end - seconds < at <= end for at in times) for end in times)


@given(submit=several, waiting=st.integers(1, 8), before=st.lists(pauses, max_size=5), pause=pauses)
@modest
async def test_each_generation_in_the_queue_starts_when_it_was_told(
    submit: tuple[Window, ...], waiting: int, before: list[float], pause: float
) -> None:
    async with account_with(Limits(submit=submit)) as account:
        for earlier in before:
            await account.accept()
            await account.claim_in_time()
            account.now += earlier
        queue = await account.accept(waiting)
        account.now += pause
        asked_at = account.now
        told = [asked_at + await account.told_when(record) for record in queue]
        for record, due in zip(queue, told, strict=True):
            claimed = await account.claim_in_time()
            assert claimed.id == record.id
            assert account.now == pytest.approx(due, abs=0.01)


@given(submit=several, waiting=st.integers(1, 6), wait=st.sampled_from([0.5, 20.0, 300.0]))
@modest
async def test_a_closed_account_is_told_of_in_the_estimate(
    submit: tuple[Window, ...], waiting: int, wait: float
) -> None:
    async with account_with(Limits(submit=submit)) as account:
        queue = await account.accept(waiting)
        await account.told_429(await account.claim_in_time(answered=False), wait, narrowed_for=3000.0)
        told = [account.now + await account.told_when(record) for record in queue]
        for due in told:
            await account.claim_in_time()
            assert account.now == pytest.approx(due, abs=0.01)


@given(submit=several, waiting=st.integers(5, 12))
@modest
async def test_submissions_keep_every_window_and_waste_none(submit: tuple[Window, ...], waiting: int) -> None:
    await keep_every_window(submit, waiting)


@given(submit=several, waiting=st.integers(5, 12))
@settings(modest, max_examples=10)
async def test_so_they_do_on_postgresql(postgres: Cluster, submit: tuple[Window, ...], waiting: int) -> None:
    await keep_every_window(submit, waiting, postgres)


async def keep_every_window(submit: tuple[Window, ...], waiting: int, server: Cluster | None = None) -> None:
    async with account_with(Limits(submit=submit), server) as account:
        await account.accept(waiting)
        times: list[float] = []
        for _ in range(waiting):
            await account.claim_in_time()
            times.append(account.now)
        for window in submit:
            assert most_at_once(times, window.seconds) <= window.limit
        for index in range(1, waiting):
            full = [w for w in submit if index >= w.limit]
            due = [times[index - w.limit] + w.seconds for w in full]
            assert times[index] <= max([times[index - 1], *due]) + PADDING_S


@given(window=windows, took=pauses)
@modest
async def test_a_submission_fills_its_window_until_it_is_answered_and_that_long_again(
    window: Window, took: float
) -> None:
    """It may have reached the provider as late as that."""
    async with account_with(Limits(submit=(window,))) as account:
        await account.accept(window.limit + 1)
        under_way = [await account.claim_in_time(answered=False) for _ in range(window.limit)]
        account.now += took
        assert isinstance(await account.claim(), Later)
        account.now += took
        for record in under_way:
            await account.answer(record)
        answered_at = account.now
        await account.claim_in_time()
        assert window.seconds <= account.now - answered_at <= window.seconds + PADDING_S


@given(window=windows, after=st.sampled_from([0.1, 5.0, 61.0]))
@modest
async def test_a_429_halves_the_pace_for_a_while(window: Window, after: float) -> None:
    async with account_with(Limits(submit=(window,))) as account:
        await account.accept(30)
        refused = await account.claim_in_time(answered=False)
        account.now += 0.9 * window.seconds
        await account.told_429(refused, after, narrowed_for=20 * window.seconds)
        refused_at, closed_until = account.now, account.now + after
        narrowed_until = closed_until + 20 * window.seconds
        times: list[float] = []
        while account.now < narrowed_until - 2 * window.seconds and len(times) < 12:
            await account.claim_in_time()
            times.append(account.now)
        assert times[0] >= closed_until
        if window.limit // 2 <= 1:
            assert times[0] >= refused_at + window.seconds, "it may have been counted before it was refused"
        if window.limit > 1:
            assert most_at_once(times, window.seconds) == window.limit // 2
        else:
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert all(2 * window.seconds <= gap <= 2 * window.seconds + PADDING_S for gap in gaps)


@given(window=windows)
@modest
async def test_the_full_pace_comes_back_after_a_429(window: Window) -> None:
    async with account_with(Limits(submit=(window,))) as account:
        await account.accept(window.limit + 2)
        await account.told_429(await account.claim_in_time(answered=False), 1.0, narrowed_for=60.0)
        account.now += 1.0 + 60.0 + window.seconds + PADDING_S
        for _ in range(window.limit):
            assert isinstance(await account.claim(), Record)
        assert isinstance(await account.claim(), Later)


async def test_a_refused_connection_does_not_shorten_what_a_429_asked_for() -> None:
    async with account_with(Limits(submit=(Window(2, 1.0),))) as account:
        await account.accept(2)
        first, second = [await account.claim_in_time(answered=False) for _ in range(2)]
        await account.told_429(first, 60.0, narrowed_for=600.0)
        now = account.now
        await account.ledger.unsend(second, closed_s=1.0, narrowed_s=None)
        await account.claim_in_time()
        assert account.now >= now + 60.0


@given(limits=st.lists(request_windows, min_size=1, max_size=2).map(tuple), steps=calls)
@modest
async def test_polls_are_never_granted_more_than_forty_nine_fiftieths_of_a_window(
    limits: tuple[Window, ...], steps: list[tuple[float, int]]
) -> None:
    async with account_with(Limits(requests=limits)) as account:
        times: list[float] = []
        for pause, wanted in steps:
            account.now += pause
            grant = await account.ledger.reserve_requests(ACCOUNT, limits, wanted)
            assert 0 <= grant.count <= wanted
            times += [account.now] * grant.count
            if grant.count == 0:
                assert grant.opens_in_s > 0.0
            for window in limits:
                assert not times or most_at_once(times, window.seconds) <= 0.98 * window.limit


@given(window=request_windows, steps=calls)
@modest
async def test_polls_are_spaced_out_once_nine_tenths_of_a_window_are_used(
    window: Window, steps: list[tuple[float, int]]
) -> None:
    async with account_with(Limits(requests=(window,))) as account:
        times: list[float] = []
        for pause, wanted in steps:
            account.now += pause
            grant = await account.ledger.reserve_requests(ACCOUNT, (window,), wanted)
            recent = [at for at in times if account.now - at < window.seconds]
            if grant.count and len(recent) > 0.9 * window.limit:
                assert 0 < grant.spacing_s * (0.98 * window.limit - len(recent)) <= 2 * (window.seconds + PADDING_S)
            if len([at for at in times if account.now - at <= window.seconds + PADDING_S]) <= 0.9 * window.limit:
                assert grant.spacing_s == 0
            times += [account.now] * grant.count


@given(window=request_windows)
@modest
async def test_a_used_up_window_says_truly_when_it_opens(window: Window) -> None:
    async with account_with(Limits(requests=(window,))) as account:
        while (grant := await account.ledger.reserve_requests(ACCOUNT, (window,), 10)).count:
            account.now += 0.01
        assert account.now + grant.opens_in_s - NOW <= window.seconds + PADDING_S
        account.now += grant.opens_in_s
        assert (await account.ledger.reserve_requests(ACCOUNT, (window,), 1)).count == 1


@given(submit=several, back=st.sampled_from([10.0, DAY_S]), closed=st.booleans())
@modest
async def test_a_clock_set_back_blocks_no_submission_for_longer_than_the_windows(
    submit: tuple[Window, ...], back: float, closed: bool
) -> None:
    async with account_with(Limits(submit=submit)) as account:
        await account.accept(6)
        *_, last = [await account.claim_in_time(answered=number < 2) for number in range(3)]
        if closed:
            await account.told_429(last, 30.0, narrowed_for=30.0)
        account.now -= back
        before = account.now
        if not closed:
            await account.answer(last)
        await account.claim_in_time()
        still_closed = back + 30.0 if closed and back < 3600 else 0.0
        assert account.now - before <= max(still_closed, 2 * max(w.seconds for w in submit) + PADDING_S)


async def test_a_clock_set_back_blocks_no_submission_by_the_request_window() -> None:
    async with account_with(Limits(requests=(Window(1, 60.0),))) as account:
        await account.accept(2)
        await account.claim_in_time()
        account.now -= DAY_S
        assert isinstance(await account.claim(), Later)
        account.now += 60.0 + PADDING_S
        assert isinstance(await account.claim(), Record)


async def test_a_clock_set_back_makes_no_estimate_of_a_day() -> None:
    async with account_with(Limits(submit=(Window(1, 60.0),))) as account:
        queue = await account.accept(2)
        await account.claim_in_time()
        account.now -= DAY_S
        assert await account.told_when(queue[1]) <= 60.0 + PADDING_S


@given(window=request_windows)
@modest
async def test_a_clock_set_back_blocks_no_poll_for_a_day(window: Window) -> None:
    async with account_with(Limits(requests=(window,))) as account:
        while (await account.ledger.reserve_requests(ACCOUNT, (window,), 10)).count:
            account.now += 0.01
        account.now -= DAY_S
        grant = await account.ledger.reserve_requests(ACCOUNT, (window,), 1)
        assert grant.opens_in_s <= window.seconds + PADDING_S
        account.now += window.seconds + PADDING_S
        assert (await account.ledger.reserve_requests(ACCOUNT, (window,), 1)).count == 1


async def test_the_estimate_knows_the_window_of_all_requests() -> None:
    window = Window(10, 3600.0)
    async with account_with(Limits(requests=(window,))) as account:
        for _ in range(3):
            await account.ledger.reserve_requests(ACCOUNT, (window,), 3)
            account.now += 100.0
        (first, second) = await account.accept(2)
        await account.claim_in_time()
        told = await account.told_when(second)
        assert 3300.0 <= told <= 3400.0
        assert first.id != second.id
