"""The arithmetic of windows, against a provider that counts for itself."""

from collections.abc import Sequence
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.accounts import Limits, Window
from darkroom.store import windows as arithmetic
from darkroom.store.gate import Outlook
from darkroom.store.windows import (
    SKEW_S,
    Uses,
    grant,
    narrowed,
    next_submission,
    reach,
    request_after,
    requests_back,
    requests_left,
    submissions_after,
    sustained,
)

NOW = 10_000.0
windows = st.builds(Window, st.integers(1, 6), st.floats(0.5, 900.0))
past = st.floats(NOW - 2_000.0, NOW)
sent = st.lists(past, max_size=12).map(sorted)
uses = st.lists(st.tuples(past, st.integers(1, 4)), max_size=12).map(sorted)


def fits(window: Window, times: list[float], at: float) -> bool:
    """Whether a provider that counts the last `seconds` takes one more at this moment."""
    return sum(at - window.seconds < time <= at for time in times) < window.limit


@given(limits=st.lists(windows, max_size=3), sent=sent)
def test_a_submission_is_let_through_when_every_window_takes_it_and_hardly_later(
    limits: list[Window], sent: list[float]
) -> None:
    at = next_submission(limits, sent, NOW)
    assert all(fits(window, sent, at) for window in limits)
    just_before = at - SKEW_S - 0.001
    assert at == NOW or not all(fits(window, sent, just_before) for window in limits)


@given(window=windows, sent=sent, ahead=st.integers(0, 8))
def test_the_turn_behind_others_is_the_one_after_theirs(window: Window, sent: list[float], ahead: int) -> None:
    times = list(sent)
    for _ in range(ahead):
        times.append(next_submission([window], times, max([NOW, *times])))
    turn = next(islice(submissions_after([window], sent, NOW), ahead, None))
    assert turn == next_submission([window], times, max([NOW, *times]))


@given(window=windows, uses=uses, ahead=st.integers(0, 4))
def test_a_request_for_a_submission_is_left_when_enough_of_the_others_have_passed(
    window: Window, uses: Uses, ahead: int
) -> None:
    ahead = min(ahead, window.limit - 1)
    left, back = requests_left(window, uses, NOW), requests_back(window, uses, NOW)
    at = request_after(left, back, ahead, NOW)
    assert (at == NOW) == (requests_left(window, uses, NOW) > ahead)
    assert requests_left(window, uses, at + 1e-6) > ahead


@given(limits=st.lists(windows, min_size=1, max_size=3), uses=uses, wanted=st.integers(1, 20))
def test_polls_are_granted_what_is_left_and_otherwise_a_time(limits: list[Window], uses: Uses, wanted: int) -> None:
    given_now = grant(limits, uses, wanted, NOW)
    assert 0 <= given_now.count <= wanted
    for window in limits:
        assert not given_now.count or given_now.count <= requests_left(window, uses, NOW)
    if not given_now.count:
        assert 0 < given_now.opens_in_s <= max(map(reach, limits))


def test_polls_leave_a_fiftieth_of_a_window_to_submissions_and_slow_down_in_its_last_tenth() -> None:
    hour = Window(1000, 3600.0)
    assert grant([hour], [], 2000, NOW).count == 980
    assert grant([hour], [(NOW - 60.0, 900)], 5, NOW).spacing_s == 0.0
    assert grant([hour], [(NOW - 60.0, 901)], 5, NOW).spacing_s > 0.0


@pytest.mark.parametrize(
    ("window", "narrow"), [(Window(10, 60.0), Window(5, 60.0)), (Window(1, 60.0), Window(1, 120.0))]
)
def test_after_a_429_a_window_counts_as_half_as_wide(window: Window, narrow: Window) -> None:
    assert narrowed(window) == narrow


def test_a_window_that_is_used_sustains_what_is_left_of_it_until_something_comes_back() -> None:
    hour = Window(1000, 3600.0)
    assert sustained(hour, [], NOW) == (pytest.approx(980 / 3600.0), 3600.0)
    per_s, for_s = sustained(hour, [(NOW - 1800.0, 500)], NOW)
    assert for_s == pytest.approx(reach(hour) - 1800.0)
    assert per_s == pytest.approx(480 / for_s)
    recent = [(NOW - 3600.0, 100), (NOW - 600.0, 780)]
    assert sustained(hour, recent, NOW)[0] == pytest.approx(200 / (reach(hour) - 600.0))


def test_the_turns_of_many_rows_are_played_forward_together(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[float] = []
    one_more = arithmetic.next_submission

    def counted(windows: Sequence[Window], sent: Sequence[float], now: float) -> float:
        steps.append(now)
        return one_more(windows, sent, now)

    def outlook() -> Outlook:
        sent = [NOW - 0.5, NOW - 0.1]
        return Outlook(Limits(None, (), (Window(500, 3600.0),)), [Window(2, 1.0)], 0.0, sent, [(NOW - 9.0, 5)], 0, NOW)

    alone = [outlook().turn(ahead) for ahead in range(300)]
    monkeypatch.setattr(arithmetic, "next_submission", counted)
    together = outlook()
    assert [together.turn(ahead) for ahead in range(300)] == alone
    assert len(steps) == 300
