"""The queue of one account: its waiting rows, in order, as one process may send them."""

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from darkroom.settings import Limits
from darkroom.store import gate, withdrawal
from darkroom.store.presence import Life, Signs
from darkroom.store.turns import Later, Obstacle, Standing

UNDRIVEN_FOR_S = 24 * 3600.0
"""How long a row may wait while nothing runs that could send it; after that it is sent only when it is named."""
DRIVEN_EVERY_S = 600.0
"""How often it is written down that somebody could have sent it."""

_WAITING = "account = ? AND stage = 'accepted'"
_UNASKED = "(ledger_file IS NULL OR ledger_file = ?) AND coalesce(driven_at, created_at) > ?"


def name(db: sqlite3.Connection, file: str, owner: str, ids: Collection[str], now: float) -> None:
    """Lets those of these rows be sent that would not be unasked."""
    marks = ", ".join("?" * len(ids))
    db.execute(
        "UPDATE generations SET ledger_file = ?, driven_at = ?"
        f" WHERE owner = ? AND id IN ({marks}) AND stage = 'accepted' AND NOT ({_UNASKED})",
        (file, now, owner, *ids, file, now - UNDRIVEN_FOR_S),
    )


@dataclass(frozen=True)
class Queue:
    """An account's queue within a transaction. `file`: which ledger this is. `only`: the rows that may be sent."""

    db: sqlite3.Connection
    signs: Signs
    account: str
    file: str
    now: float
    only: Collection[str] | None

    def turn(self) -> str | Later | None:
        """The id of the row to be sent next; None: there is none. Later: it is another process's."""
        withdrawal.of_account(self.db, self.account, self.now)
        self._drive()
        for generation_id, holder in self._sendable():
            if self._ours(generation_id):
                return generation_id
            if self.signs.life(holder) is Life.RUNNING:
                return Later(gate.RECHECK_S)
        return None

    def standing(self, generation_id: str, limits: Limits) -> Standing | None:
        """Where that row stands, and what is in its way; None: it does not wait any more, and nothing is."""
        place = self._place(generation_id)
        if place is None:
            return self._not_waiting(generation_id)
        if self.only is not None:
            before = [self._sent_by_somebody(*row) for _, row in zip(range(place + 1), self._sendable(), strict=False)]
            if not before[-1]:
                return Standing(place, 0.0, at_the_earliest=True, obstacle=Obstacle.NOBODY)
            place = sum(before[:-1])
        starts_in_s, crowded = gate.forecast(self.db, self.account, limits, place, self.now)
        if sender := self._stopped_sender():
            free_in_s, still_crowded = gate.forecast(self.db, self.account, limits, place, self.now, without=sender[0])
            if free_in_s < starts_in_s or still_crowded is not crowded:
                return Standing(place, 0.0, at_the_earliest=True, obstacle=Obstacle.STOPPED, sender=sender)
        return Standing(place, starts_in_s, at_the_earliest=crowded)

    def _drive(self) -> None:
        """Notes that these could be sent now, if their turn came."""
        due = self.db.execute(
            f"SELECT id FROM generations WHERE {_WAITING} AND {_UNASKED} AND coalesce(driven_at, 0.0) <= ?",
            (self.account, self.file, self.now - UNDRIVEN_FOR_S, self.now - DRIVEN_EVERY_S),
        ).fetchall()
        self.db.executemany(
            "UPDATE generations SET driven_at = ?, ledger_file = ? WHERE id = ?",
            [(self.now, self.file, generation_id) for (generation_id,) in due if self._ours(generation_id)],
        )

    def _sendable(self) -> Iterator[tuple[str, str]]:
        """Those that may be sent unasked, and their holders, oldest first."""
        return self.db.execute(
            f"SELECT id, holder FROM generations WHERE {_WAITING} AND {_UNASKED} ORDER BY seq",
            (self.account, self.file, self.now - UNDRIVEN_FOR_S),
        )

    def _place(self, generation_id: str) -> int | None:
        """How many of those are before this one; None: it is none of them."""
        values = (self.account, self.file, self.now - UNDRIVEN_FOR_S)
        sql = f"SELECT seq FROM generations WHERE {_WAITING} AND {_UNASKED} AND id = ?"
        found = self.db.execute(sql, (*values, generation_id)).fetchone()
        if found is None:
            return None
        sql = f"SELECT count(*) FROM generations WHERE {_WAITING} AND {_UNASKED} AND seq < ?"
        return int(self.db.execute(sql, (*values, *found)).fetchone()[0])

    def _ours(self, generation_id: str) -> bool:
        return self.only is None or generation_id in self.only

    def _sent_by_somebody(self, generation_id: str, holder: str) -> bool:
        return self._ours(generation_id) or self.signs.life(holder) is Life.RUNNING

    def _not_waiting(self, generation_id: str) -> Standing | None:
        stage, holder, file = self.db.execute(
            "SELECT stage, holder, ledger_file FROM generations WHERE id = ?", (generation_id,)
        ).fetchone()
        if stage == "accepted":
            obstacle = Obstacle.FORGOTTEN if file in {None, self.file} else Obstacle.COPIED
            return Standing(0, 0.0, at_the_earliest=True, obstacle=obstacle)
        if stage == "submitting" and self.signs.silent(holder):
            return Standing(0, 0.0, at_the_earliest=True, obstacle=Obstacle.STOPPED, sender=(generation_id, holder))
        return None

    def _stopped_sender(self) -> tuple[str, str] | None:
        sending = self.db.execute(
            "SELECT id, holder FROM generations WHERE account = ? AND stage = 'submitting' ORDER BY seq",
            (self.account,),
        ).fetchall()
        return next(((sent, holder) for sent, holder in sending if self.signs.silent(holder)), None)
