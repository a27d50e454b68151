"""The gate: inside one transaction of the ledger, who may submit next and when, and how many polls are left."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from darkroom.settings import Limits, Window
from darkroom.store.turns import Grant, Later

# Our clock and the provider's do not run alike: a window is kept a little longer than it is.
SKEW_S = 0.25
# How long to wait for what has no time of its own: another process's turn, a job that must end first.
RECHECK_S = 0.5
# A time further away than any provider may ask for was written before the clock was set back.
LONGEST_WAIT_S = 3700.0
# Polls leave this share of a request window to submissions, and slow down from half of it on.
KEPT_FOR_SUBMISSIONS = 0.1
UNHURRIED_SHARE = 0.5
# How long a process may hold requests that it has reserved, and from what window on it is worth reserving ahead.
HELD_S = 30.0
HELD_FROM_S = 600.0
# Simulating the queue further than this would promise what nobody can.
FARTHEST_ESTIMATE = 500


def pass_gate(
    db: sqlite3.Connection, generation_id: str, account: str, limits: Limits, *, holder: str, token: str, now: float
) -> str | Later:
    """Marks the account's next row as `submitting` by that process and answers its id, if its limits allow it now."""
    opening = _next_opening(db, account, limits, now)
    if opening > now:
        return Later(opening - now)
    db.execute(
        "UPDATE generations SET stage = 'submitting', holder = ?, submit_token = ?, submitted_at = ? WHERE id = ?",
        (holder, token, now, generation_id),
    )
    db.execute("INSERT INTO submissions (submit_token, account, at) VALUES (?, ?, ?)", (token, account, now))
    db.execute("INSERT INTO requests (account, at, count) VALUES (?, ?, 1)", (account, now))
    _forget(db, "submissions", account, limits.submit, now)
    return generation_id


def arrived(db: sqlite3.Connection, token: str | None, now: float | None) -> None:
    """Notes that this submission has its answer, or will have none: the provider has it by now, or never."""
    db.execute("UPDATE submissions SET at = ? WHERE submit_token = ?", (now, token))


def close(db: sqlite3.Connection, account: str, seconds: float, narrowed_s: float | None, now: float) -> None:
    """Lets nobody submit for this account for so long, nor before what it was closed until already."""
    db.execute(
        "INSERT INTO accounts (account, closed_until, narrowed_until) VALUES (?, ?, ?) ON CONFLICT (account) DO UPDATE"
        " SET closed_until = excluded.closed_until, narrowed_until = max(narrowed_until, excluded.narrowed_until)",
        (account, max(now + seconds, _state(db, account, now)[0]), now + narrowed_s if narrowed_s else 0.0),
    )


def forecast(
    db: sqlite3.Connection, account: str, limits: Limits, ahead: int, now: float, *, without: str = ""
) -> tuple[float, bool]:
    """In how many seconds the turn of a row behind so many comes, by playing the windows forward for those before it.

    And whether it also waits for another job to end. `without`: as if that row were not being submitted.
    """
    closed_until, narrowed = _state(db, account, now)
    windows = [_narrowed(window) for window in limits.submit] if narrowed else limits.submit
    sent = db.execute(
        "SELECT at FROM submissions WHERE account = ? AND submit_token NOT IN"
        " (SELECT submit_token FROM generations WHERE id = ? AND stage = 'submitting') ORDER BY at",
        (account, without),
    )
    times = [min(at, now) for (at,) in sent]
    start = max(now, closed_until, *(_request_left(db, account, window, ahead, now) for window in limits.requests))
    for _ in range(min(ahead, FARTHEST_ESTIMATE) + 1):
        full = [window for window in windows if len(times) >= window.limit]
        start = max([start, *(times[-window.limit] + window.seconds + SKEW_S for window in full)])
        times.append(start)
    active = _active(db, account) - bool(without)
    return start - now, limits.active is not None and active + ahead >= limits.active


def reserve_requests(db: sqlite3.Connection, account: str, windows: Sequence[Window], wanted: int, now: float) -> Grant:
    """Takes up to `wanted` requests for polls out of every window, and spaces them out while it is short.

    They are to be made within HELD_S, or at once where a window is so short that they come one by one.
    """
    _unfuture(db, "requests", account, now)
    hasty = any(window.seconds < HELD_FROM_S for window in windows)
    granted, spacing, opens_at = 1 if hasty else wanted, 0.0, now
    for window in windows:
        used, oldest = db.execute(
            "SELECT coalesce(sum(count), 0), min(at) FROM requests WHERE account = ? AND at > ?",
            (account, now - _reach(window)),
        ).fetchone()
        left = max(1, int(window.limit * (1 - KEPT_FOR_SUBMISSIONS))) - used
        refreshed_in = _reach(window) - (now - oldest) if used else window.seconds
        if left <= 0:
            granted, opens_at = 0, max(opens_at, now + refreshed_in)
        else:
            granted = min(granted, left)
            if used > window.limit * UNHURRIED_SHARE:
                spacing = max(spacing, refreshed_in / left)
    if granted:
        db.execute("INSERT INTO requests (account, at, count) VALUES (?, ?, ?)", (account, now, granted))
    _forget(db, "requests", account, windows, now)
    return Grant(granted, spacing, opens_at - now)


def _next_opening(db: sqlite3.Connection, account: str, limits: Limits, now: float) -> float:
    closed_until, narrowed = _state(db, account, now)
    opening = max(now, closed_until)
    _unfuture(db, "submissions", account, now)
    _unfuture(db, "requests", account, now)
    # What has no answer yet may still be on its way: it counts as if it arrived now.
    db.execute(
        "UPDATE submissions SET at = ? WHERE submit_token IN"
        " (SELECT submit_token FROM generations WHERE account = ? AND stage = 'submitting')",
        (now, account),
    )
    for window in limits.submit:
        kept = _narrowed(window) if narrowed else window
        crowding = db.execute(
            "SELECT at FROM submissions WHERE account = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?",
            (account, now - kept.seconds - SKEW_S, kept.limit - 1),
        ).fetchone()
        if crowding is not None:
            opening = max(opening, crowding[0] + kept.seconds + SKEW_S)
    for window in limits.requests:
        (used,) = db.execute(
            "SELECT coalesce(sum(count), 0) FROM requests WHERE account = ? AND at > ?",
            (account, now - _reach(window)),
        ).fetchone()
        if used >= window.limit:
            opening = max(opening, now + RECHECK_S)
    if limits.active is not None and _active(db, account) >= limits.active:
        opening = max(opening, now + RECHECK_S)
    return opening


def _request_left(db: sqlite3.Connection, account: str, window: Window, ahead: int, now: float) -> float:
    """When this window has a request left for a submission, those that wait before it having had theirs."""
    used = db.execute(
        "SELECT at, count FROM requests WHERE account = ? AND at > ? ORDER BY at", (account, now - _reach(window))
    ).fetchall()
    over, opens = sum(count for _, count in used) + ahead + 1 - window.limit, now
    for at, count in used:
        if over <= 0:
            break
        over, opens = over - count, min(at, now) + _reach(window)
    return opens


def _reach(window: Window) -> float:
    """How long a reserved request counts: it may be made as late as its block may be held."""
    return window.seconds + SKEW_S + (HELD_S if window.seconds >= HELD_FROM_S else 0.0)


def _active(db: sqlite3.Connection, account: str) -> int:
    (active,) = db.execute(
        "SELECT count(*) FROM generations WHERE account = ? AND stage IN ('submitting', 'running')", (account,)
    ).fetchone()
    return int(active)


def _state(db: sqlite3.Connection, account: str, now: float) -> tuple[float, bool]:
    """Until when the account is closed, and whether its pace is narrowed now."""
    row = db.execute("SELECT closed_until, narrowed_until FROM accounts WHERE account = ?", (account,)).fetchone()
    if row is None:
        return now, False
    closed_until, narrowed_until = row
    believable = now + LONGEST_WAIT_S
    return (closed_until if closed_until < believable else now), now < narrowed_until < believable


def _narrowed(window: Window) -> Window:
    """Half the pace: somebody else uses the key as well, or the limit is not what we were told."""
    if window.limit > 1:
        return replace(window, limit=window.limit // 2)
    return replace(window, seconds=window.seconds * 2)


def _unfuture(db: sqlite3.Connection, table: str, account: str, now: float) -> None:
    """A clock set back leaves times in the future; counted as now, they still pass out of every window."""
    db.execute(f"UPDATE {table} SET at = ? WHERE account = ? AND at > ?", (now, account, now))


def _forget(db: sqlite3.Connection, table: str, account: str, windows: Sequence[Window], now: float) -> None:
    """Drops what no window reaches any more, not even a narrowed one."""
    longest = max((window.seconds for window in windows), default=0.0)
    db.execute(f"DELETE FROM {table} WHERE account = ? AND at < ?", (account, now - 2 * longest - HELD_S))
