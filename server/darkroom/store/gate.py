"""The gate: inside one transaction of the ledger, who may submit next and when, and how many polls are left."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from darkroom.accounts import Limits, Window
from darkroom.store import rounds
from darkroom.store import windows as arithmetic
from darkroom.store.connection import Connection
from darkroom.store.turns import Grant, Later, Left, Supply
from darkroom.store.windows import HELD_S, SKEW_S, Uses

# How long to wait for what has no time of its own: another process's turn, a job that must end first.
RECHECK_S = 0.5
# A time further away than any provider may ask for was written before the clock was set back.
LONGEST_WAIT_S = 3700.0
# Simulating the queue further than this would promise what nobody can.
FARTHEST_ESTIMATE = 500
# How long submissions count as being of late, and are kept for that.
LATELY_S = 300.0
_PICTURES = "CAST(coalesce(request ->> 'count', '1') AS INTEGER)"
# So many say as much as more of them would.
MOST_JOBS = 1000
# Requests below this share of a window are nearly used up.
NEARLY_USED_UP = 0.05


def pass_gate(
    db: Connection, generation_id: str, account: str, limits: Limits, *, holder: str, token: str, now: float
) -> str | Later:
    """Marks the account's next row as `submitting` by that process and returns its id, if its limits allow it now."""
    opening = _next_opening(db, account, limits, generation_id, now)
    if opening > now:
        return Later(opening - now)
    claimed = db.execute(
        "UPDATE generations SET stage = 'submitting', holder = ?, submit_token = ?, submitted_at = ?"
        " WHERE id = ? AND stage = 'accepted'",
        (holder, token, now, generation_id),
    )
    if not claimed.rowcount:  # it was cancelled just now
        return Later(0.0)
    rounds.serve(db, generation_id)
    db.execute("INSERT INTO submissions (submit_token, account, at) VALUES (?, ?, ?)", (token, account, now))
    db.execute("INSERT INTO requests (account, at, count) VALUES (?, ?, 1)", (account, now))
    _forget(db, "submissions", account, limits.submit, now)
    return generation_id


def arrived(db: Connection, token: str | None, now: float | None) -> None:
    """Notes that this submission has its response, or will have none: the provider has it by now, or never."""
    db.execute("UPDATE submissions SET at = ? WHERE submit_token = ?", (now, token))


def close(db: Connection, account: str, seconds: float, narrowed_s: float | None, now: float) -> None:
    """Lets nobody submit for this account for so long, nor before what it was closed until already."""
    db.execute(
        "INSERT INTO accounts (account, closed_until, narrowed_until) VALUES (?, ?, ?) ON CONFLICT (account) DO UPDATE"
        " SET closed_until = excluded.closed_until,"
        " narrowed_until = max(accounts.narrowed_until, excluded.narrowed_until)",
        (account, max(now + seconds, _state(db, account, Limits(), now)[0]), now + narrowed_s if narrowed_s else 0.0),
    )


@dataclass(frozen=True)
class _Played:
    """Submissions that were played forward so far, and those that follow."""

    following: Iterator[float]
    times: list[float] = field(default_factory=list[float])

    def time(self, ahead: int) -> float:
        self.times.extend(islice(self.following, max(0, ahead + 1 - len(self.times))))
        return self.times[ahead]


@dataclass(frozen=True)
class Outlook:
    """An account's windows at one moment, to be played forward for any number of rows without asking the ledger again.

    `active`, `pictures`: how many jobs, and pictures of them, are under way. `sent`: when submissions were made.
    """

    limits: Limits
    windows: Sequence[Window]
    closed_until: float
    sent: Sequence[float]
    uses: Uses
    active: int
    now: float
    pictures: int = 0
    _played: dict[float, _Played] = field(default_factory=dict[float, _Played], compare=False, repr=False)

    def turn(self, ahead: int, pictures: int = 1) -> tuple[float, bool]:
        """Seconds until the turn of a row behind so many, and whether it also waits for another job to end.

        `pictures`: how many it asks for.
        """
        requests = [arithmetic.request_after(left, back, ahead, self.now) for left, back in self._requests]
        start = max(self.closed_until, self.now, *requests)
        turn = self._from(start).time(min(ahead, FARTHEST_ESTIMATE))
        at_least = self.pictures + ahead  # each of those before it asks for one, if not for more
        crowded = _are_too_many(self.limits, self.active + ahead, at_least, pictures)
        return turn - self.now, crowded

    def left(self) -> Left:
        """See `Gate.limits_left`."""
        active, pictures, now = self.limits.active, self.limits.pictures, self.now
        counted = [sum(at > now - window.seconds - SKEW_S for at in self.sent) for window in self.windows]
        return Left(
            active=None if active is None else max(active - self.active, 0),
            pictures=None if pictures is None else max(pictures - self.pictures, 0),
            submit=tuple((window, max(window.limit - n, 0)) for window, n in zip(self.windows, counted, strict=True)),
            requests=tuple(
                (window, max(left, 0)) for window, (left, _) in zip(self.limits.requests, self._requests, strict=True)
            ),
            closed_s=max(self.closed_until - now, 0.0),
        )

    @cached_property
    def _requests(self) -> list[tuple[int, list[float]]]:
        """Of each window, the requests that are left now, and the times at which those come back that are not."""
        windows, counted = self.limits.requests, (self.uses, self.now)
        return [
            (arithmetic.requests_left(window, *counted), arithmetic.requests_back(window, *counted))
            for window in windows
        ]

    def _from(self, start: float) -> _Played:
        """The submissions played from there on so far: rows that wait for the same moment are a step apart."""
        if start not in self._played:
            self._played.clear()
            self._played[start] = _Played(arithmetic.submissions_after(self.windows, self.sent, start))
        return self._played[start]


def outlook(db: Connection, account: str, limits: Limits, now: float, *, without: str = "") -> Outlook:
    """The account's windows as they are now. `without`: as if that row were not being submitted."""
    closed_until, windows = _state(db, account, limits, now)
    active, pictures = _under_way(db, account, limits, without)
    sent = db.execute(
        "SELECT at FROM submissions WHERE account = ? AND submit_token NOT IN"
        " (SELECT submit_token FROM generations WHERE id = ? AND stage = 'submitting') ORDER BY at",
        (account, without),
    )
    return Outlook(
        limits=limits,
        windows=windows,
        closed_until=closed_until,
        sent=[min(at, now) for (at,) in sent],
        uses=_uses(db, account, limits.requests, now),
        active=active,
        now=now,
        pictures=pictures,
    )


def reserve_requests(db: Connection, account: str, windows: Sequence[Window], wanted: int, now: float) -> Grant:
    """Takes up to `wanted` requests for polls out of every window: see `windows.grant`."""
    _unfuture(db, "requests", account, now)
    grant = arithmetic.grant(windows, _uses(db, account, windows, now), wanted, now)
    if grant.count:
        db.execute("INSERT INTO requests (account, at, count) VALUES (?, ?, ?)", (account, now, grant.count))
    _forget(db, "requests", account, windows, now)
    return replace(grant, at=now)


def give_back(db: Connection, account: str, unused: Grant) -> None:
    """Takes requests that were never made out of every window, at the time that they were reserved."""
    db.execute("INSERT INTO requests (account, at, count) VALUES (?, ?, ?)", (account, unused.at, -unused.count))


def supply(db: Connection, account: str, windows: Sequence[Window], now: float) -> Supply:
    """See `Gate.supply`."""
    uses = [(min(at, now), count) for at, count in _uses(db, account, windows, now)]
    left, sustained = min(
        ((window, arithmetic.sustained(window, uses, now)) for window in windows), key=lambda each: each[1][0]
    )
    (lately,) = db.execute(
        "SELECT count(*) FROM submissions WHERE account = ? AND at > ?", (account, now - LATELY_S)
    ).fetchone()
    (jobs,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM generations WHERE account = ?"
        f" AND stage IN ('accepted', 'submitting', 'running') LIMIT {MOST_JOBS}) counted",
        (account,),
    ).fetchone()
    per_s, for_s = sustained
    nearly = arithmetic.requests_left(left, uses, now) <= left.limit * NEARLY_USED_UP
    return Supply(per_s, for_s, nearly_used_up=nearly, lately_per_s=lately / LATELY_S, jobs=jobs)


def pictures_of(db: Connection, ids: Collection[str]) -> dict[str, int]:
    """The number of pictures that each of these rows asks for."""
    marks = ", ".join("?" * len(ids))
    return dict(db.execute(f"SELECT id, {_PICTURES} FROM generations WHERE id IN ({marks})", tuple(ids)).fetchall())


def _next_opening(db: Connection, account: str, limits: Limits, generation_id: str, now: float) -> float:
    closed_until, windows = _state(db, account, limits, now)
    _unfuture(db, "submissions", account, now)
    _unfuture(db, "requests", account, now)
    # A submission without a response may still be on its way: it counts as if it arrived now.
    db.execute(
        "UPDATE submissions SET at = ? WHERE submit_token IN"
        " (SELECT submit_token FROM generations WHERE account = ? AND stage = 'submitting')",
        (now, account),
    )
    opening = max(closed_until, arithmetic.next_submission(windows, _sent(db, account, windows, now), now))
    uses = _uses(db, account, limits.requests, now)
    crowded = any(arithmetic.requests_left(window, uses, now) <= 0 for window in limits.requests)
    if not crowded and limits.crowded:
        asked = 1 if limits.pictures is None else pictures_of(db, [generation_id])[generation_id]
        crowded = _are_too_many(limits, *_under_way(db, account, limits), asked)
    if crowded:
        opening = max(opening, now + RECHECK_S)
    return opening


def _sent(db: Connection, account: str, windows: Sequence[Window], now: float) -> list[float]:
    """The times of those submissions that may count in one of these windows."""
    since = now - max((window.seconds for window in windows), default=0.0) - SKEW_S
    sql = "SELECT at FROM submissions WHERE account = ? AND at > ? ORDER BY at"
    return [at for (at,) in db.execute(sql, (account, since))]


def _uses(db: Connection, account: str, windows: Sequence[Window], now: float) -> Uses:
    """Those requests that may count in one of these windows."""
    since = now - max(map(arithmetic.reach, windows), default=0.0)
    sql = "SELECT at, count FROM requests WHERE account = ? AND at > ? ORDER BY at"
    return db.execute(sql, (account, since)).fetchall()


def _are_too_many(limits: Limits, active: int, pictures: int, asked: int) -> bool:
    """True where a job of `asked` pictures has to wait; one that has more than may be at a time goes alone."""
    crowded = limits.active is not None and active >= limits.active
    return crowded or (limits.pictures is not None and pictures > 0 and pictures + asked > limits.pictures)


def _under_way(db: Connection, account: str, limits: Limits, without: str = "") -> tuple[int, int]:
    """The jobs under way but that one, and their pictures; those are not counted where no limit does."""
    pictures = "0" if limits.pictures is None else f"CAST(coalesce(sum({_PICTURES}), 0) AS INTEGER)"
    active, counted = db.execute(
        f"SELECT count(*), {pictures} FROM generations"
        " WHERE account = ? AND stage IN ('submitting', 'running') AND id <> ?",
        (account, without),
    ).fetchone()
    return int(active), int(counted)


def _state(db: Connection, account: str, limits: Limits, now: float) -> tuple[float, Sequence[Window]]:
    """Until when the account is closed, now at the earliest, and the windows of its submissions as they are now."""
    row = db.execute("SELECT closed_until, narrowed_until FROM accounts WHERE account = ?", (account,)).fetchone()
    closed_until, narrowed_until = row or (now, now)
    believable = now + LONGEST_WAIT_S
    narrow = now < narrowed_until < believable
    windows = [arithmetic.narrowed(window) for window in limits.submit] if narrow else limits.submit
    return (max(closed_until, now) if closed_until < believable else now), windows


def _unfuture(db: Connection, table: str, account: str, now: float) -> None:
    """A clock set back leaves times in the future; counted as now, they still pass out of every window."""
    db.execute(f"UPDATE {table} SET at = ? WHERE account = ? AND at > ?", (now, account, now))


def _forget(db: Connection, table: str, account: str, windows: Sequence[Window], now: float) -> None:
    """Drops what no window reaches any more, not even a narrowed one."""
    longest = max((window.seconds for window in windows), default=0.0)
    kept_s = max(2 * longest + HELD_S, LATELY_S)
    db.execute(f"DELETE FROM {table} WHERE account = ? AND at < ?", (account, now - kept_s))
