"""The queue of one account: its waiting rows, in order, as one process may send them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from darkroom.accounts import Limits
from darkroom.store import gate, withdrawal
from darkroom.store.connection import Connection
from darkroom.store.presence import Life, Signs
from darkroom.store.turns import Later, Obstacle, Standing

UNDRIVEN_FOR_S = 24 * 3600.0
"""Seconds that a row may wait while no process runs that could send it; after that it is sent only when it is named."""
DRIVEN_EVERY_S = 600.0
"""Seconds between two notes in the ledger that a process was there that could send."""
PAGE = 100

_WAITING = "account = ? AND stage = 'accepted'"
_UNASKED = "(ledger_file IS NULL OR ledger_file = ?) AND coalesce(driven_at, created_at) > ?"


def name(db: Connection, file: str, owner: str, ids: Collection[str], now: float) -> None:
    """Lets those of these rows be sent that would not be unasked."""
    db.execute(
        "UPDATE generations SET ledger_file = ?, driven_at = ?"
        f" WHERE owner = ? AND id IN ({_marks(ids)}) AND stage = 'accepted' AND NOT ({_UNASKED})",
        (file, now, owner, *ids, file, now - UNDRIVEN_FOR_S),
    )


@dataclass(frozen=True)
class Queue:
    """An account's queue within a transaction. `file`: which ledger this is. `only`: the rows that may be sent."""

    db: Connection
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

    def standings(self, ids: Collection[str], limits: Limits) -> dict[str, Standing]:
        """The places of these rows, by id; a row that waits no more, and that nobody stopped in sending, is left out.

        However many rows there are, the ledger is asked the same few questions.
        """
        places = self._places(ids)
        others = [each for each in ids if each not in places]
        waiting = self._waiting(places, limits) if places else {}
        return waiting | (self._not_waiting(others) if others else {})

    def _waiting(self, places: Mapping[str, int], limits: Limits) -> dict[str, Standing]:
        """Those that wait for their turn."""
        sent = None if self.only is None else self._sent_by_somebody(max(places.values()))
        outlook = gate.outlook(self.db, self.account, limits, self.now)
        sender = self._stopped_sender()
        freed = sender and gate.outlook(self.db, self.account, limits, self.now, without=sender[0])

        def standing(place: int) -> Standing:
            if sent is not None and not sent[place]:
                return Standing(place, 0.0, at_the_earliest=True, obstacle=Obstacle.NOBODY)
            ahead = place if sent is None else sum(sent[:place])
            starts_in_s, crowded = outlook.turn(ahead)
            if sender and freed:
                free_in_s, still_crowded = freed.turn(ahead)
                if free_in_s < starts_in_s or still_crowded is not crowded:
                    return Standing(ahead, 0.0, at_the_earliest=True, obstacle=Obstacle.STOPPED, sender=sender)
            return Standing(ahead, starts_in_s, at_the_earliest=crowded)

        return {generation_id: standing(place) for generation_id, place in places.items()}

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
        """Those that may be sent unasked, and their holders, oldest first; few are read that are not asked for."""
        last, found = 0, [None] * PAGE
        while len(found) == PAGE:
            found = self.db.execute(
                f"SELECT id, holder, seq FROM generations WHERE {_WAITING} AND {_UNASKED} AND seq > ?"
                " ORDER BY seq LIMIT ?",
                (self.account, self.file, self.now - UNDRIVEN_FOR_S, last, PAGE),
            ).fetchall()
            for generation_id, holder, seq in found:
                yield generation_id, holder
                last = seq

    def _places(self, ids: Collection[str]) -> dict[str, int]:
        """The number of those that are before each of these; the rest are none of them."""
        places = (
            f"SELECT id, row_number() OVER (ORDER BY seq) - 1 AS place FROM generations WHERE {_WAITING} AND {_UNASKED}"
        )
        found = self.db.execute(
            f"SELECT id, place FROM ({places}) AS queue WHERE id IN ({_marks(ids)})",
            (self.account, self.file, self.now - UNDRIVEN_FOR_S, *ids),
        )
        return dict(found.fetchall())

    def _ours(self, generation_id: str) -> bool:
        return self.only is None or generation_id in self.only

    def _sent_by_somebody(self, last: int) -> list[bool]:
        """For each place up to this one, whether a process runs that would send the row there."""
        waiting = zip(range(last + 1), self._sendable(), strict=False)
        return [self._ours(each) or self.signs.life(holder) is Life.RUNNING for _, (each, holder) in waiting]

    def _not_waiting(self, ids: Collection[str]) -> dict[str, Standing]:
        """Those of these that are in the way of nothing but themselves: forgotten, copied, or stopped in sending."""
        rows = self.db.execute(
            f"SELECT id, stage, holder, ledger_file FROM generations WHERE id IN ({_marks(ids)})", tuple(ids)
        )
        found: dict[str, Standing] = {}
        for generation_id, stage, holder, file in rows.fetchall():
            if stage == "accepted":
                obstacle = Obstacle.FORGOTTEN if file in {None, self.file} else Obstacle.COPIED
                found[generation_id] = Standing(0, 0.0, at_the_earliest=True, obstacle=obstacle)
            elif stage == "submitting" and self.signs.silent(holder):
                sender = generation_id, holder
                found[generation_id] = Standing(0, 0.0, at_the_earliest=True, obstacle=Obstacle.STOPPED, sender=sender)
        return found

    def _stopped_sender(self) -> tuple[str, str] | None:
        sending = self.db.execute(
            "SELECT id, holder FROM generations WHERE account = ? AND stage = 'submitting' ORDER BY seq",
            (self.account,),
        ).fetchall()
        return next(((sent, holder) for sent, holder in sending if self.signs.silent(holder)), None)


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))
