"""The windows of a provider's limits, as arithmetic: when one opens, and how much of it is left.

Nothing here reads a clock or a database. Times are seconds, oldest first; `now` is the ledger's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from darkroom.accounts import Window
from darkroom.store.turns import Grant

SKEW_S = 0.25
"""Our clock and the provider's do not run alike: a window is kept a little longer than it is."""
KEPT_FOR_SUBMISSIONS = 0.02
"""Polls leave this share of a request window to submissions."""
UNHURRIED_SHARE = 0.9
"""From this share on polls slow down."""
HELD_S = 30.0
"""The longest time that a process may hold requests that it has reserved."""
HELD_FROM_S = 600.0
"""From what window on it is worth reserving ahead."""

Uses = Sequence[tuple[float, int]]
"""Requests that were made or reserved: the time, and how many at a time."""


def narrowed(window: Window) -> Window:
    """Half the pace: somebody else uses the key as well, or the limit is lower than the documented one."""
    if window.limit > 1:
        return replace(window, limit=window.limit // 2)
    return replace(window, seconds=window.seconds * 2)


def reach(window: Window) -> float:
    """Seconds for which a reserved request counts: it may be made as late as its block may be held."""
    return window.seconds + SKEW_S + (HELD_S if window.seconds >= HELD_FROM_S else 0.0)


def next_submission(windows: Sequence[Window], sent: Sequence[float], now: float) -> float:
    """The time at which one more submission fits into each of them, after those that were sent."""
    full = [window for window in windows if len(sent) >= window.limit]
    return max([now, *(sent[-window.limit] + window.seconds + SKEW_S for window in full)])


def submissions_after(windows: Sequence[Window], sent: Sequence[float], now: float) -> Iterator[float]:
    """The times at which one submission after the other fits, each of them being sent as early as it may; endless."""
    times = list(sent)
    while True:
        now = next_submission(windows, times, now)
        times.append(now)
        yield now


def used_of(window: Window, uses: Uses, now: float) -> Uses:
    """Those that count in this window."""
    return [(at, count) for at, count in uses if at > now - reach(window)]


def requests_left(window: Window, uses: Uses, now: float) -> int:
    """The number of requests that fit into it now; below zero where too many were made."""
    return window.limit - sum(count for _, count in used_of(window, uses, now))


def request_after(left: int, back: Sequence[float], ahead: int, now: float) -> float:
    """The time at which there is a request left for a submission, those that wait before it having had theirs.

    `left`, `back`: see `requests_left` and `requests_back`.
    """
    over = ahead + 1 - left
    return back[min(over, len(back)) - 1] if over > 0 and back else now


def requests_back(window: Window, uses: Uses, now: float) -> list[float]:
    """The times at which one more request than before fits into it, for each that counts now."""
    back, freed = list[float](), 0
    for at, count in used_of(window, uses, now):
        freed += count
        back += [min(at, now) + reach(window)] * (freed - len(back))
    return back


def sustained(window: Window, uses: Uses, now: float) -> tuple[float, float]:
    """The requests that polls may make per second until any come back, at the least, and for how long.

    What comes back later than the scarcest moment helps nobody before it.
    """
    used = used_of(window, uses, now)
    limit = max(1.0, window.limit * (1 - KEPT_FOR_SUBMISSIONS))
    left = max(limit - sum(count for _, count in used), 0.0)
    scarcest = limit / window.seconds, window.seconds
    for at, count in used:
        back_in_s = max(at + reach(window) - now, 1.0)
        scarcest = min(scarcest, (left / back_in_s, back_in_s))
        left += count
    return scarcest


def grant(windows: Sequence[Window], uses: Uses, wanted: int, now: float) -> Grant:
    """Up to `wanted` requests for polls, as far as every window allows, spaced out while one is short.

    They are to be made within HELD_S, or at once where a window is so short that they come one by one.
    """
    hasty = any(window.seconds < HELD_FROM_S for window in windows)
    count, spacing_s, opens_in_s = 1 if hasty else wanted, 0.0, 0.0
    for window in windows:
        used = used_of(window, uses, now)
        left = max(1, int(window.limit * (1 - KEPT_FOR_SUBMISSIONS))) - sum(count for _, count in used)
        refreshed_in_s = reach(window) - (now - used[0][0]) if used else window.seconds
        if left <= 0:
            count, opens_in_s = 0, max(opens_in_s, refreshed_in_s)
            continue
        count = min(count, left)
        if sum(count for _, count in used) > window.limit * UNHURRIED_SHARE:
            spacing_s = max(spacing_s, refreshed_in_s / left)
    return Grant(count, spacing_s, opens_in_s)
