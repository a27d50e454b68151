"""The gate: inside one transaction of the ledger, who may submit next, and when."""

import sqlite3

from darkroom.settings import Limits
from darkroom.store.ledger import Later

# Our clock and the provider's are not the same one; a window is kept a little longer than it is.
SKEW_S = 0.25
# How long to wait for what has no time of its own: another process's turn, a job that must end first.
RECHECK_S = 0.5
# A row asked to wait for longer than any provider may ask was written before the clock was set back.
LONGEST_WAIT_S = 3700.0


def pass_gate(
    db: sqlite3.Connection, account: str, limits: Limits, *, holder: str, token: str, now: float
) -> str | Later | None:
    """Marks the account's oldest waiting row as `submitting` and answers its id, if its limits allow it now."""
    waiting = db.execute(
        "SELECT id, holder, not_before FROM generations WHERE account = ? AND stage = 'accepted' ORDER BY seq",
        (account,),
    ).fetchall()
    ready = [row for row in waiting if row[2] <= now or row[2] > now + LONGEST_WAIT_S]
    if not ready:
        return Later(min(row[2] for row in waiting)) if waiting else None
    generation_id, its_holder, _ = ready[0]
    if its_holder != holder:
        return Later(now + RECHECK_S)
    opening = next_opening(db, account, limits, now)
    if opening > now:
        return Later(opening)
    db.execute(
        "UPDATE generations SET stage = 'submitting', submit_token = ?, submitted_at = ? WHERE id = ?",
        (token, now, generation_id),
    )
    db.execute("INSERT INTO submissions VALUES (?, ?, ?)", (token, account, now))
    return str(generation_id)


def next_opening(db: sqlite3.Connection, account: str, limits: Limits, now: float) -> float:
    """When the account's limits next allow a submission: `now`, or later."""
    # A clock set back leaves times in the future; counted as now, they still pass out of every window.
    db.execute("UPDATE submissions SET at = ? WHERE account = ? AND at > ?", (now, account, now))
    opening = now
    for window in limits.submit:
        crowding = db.execute(
            "SELECT at FROM submissions WHERE account = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?",
            (account, now - window.seconds - SKEW_S, window.limit - 1),
        ).fetchone()
        if crowding is not None:
            opening = max(opening, crowding[0] + window.seconds + SKEW_S)
    if limits.active is not None:
        (active,) = db.execute(
            "SELECT count(*) FROM generations WHERE account = ? AND stage IN ('submitting', 'running')",
            (account,),
        ).fetchone()
        if active >= limits.active:
            opening = max(opening, now + RECHECK_S)
    return opening
