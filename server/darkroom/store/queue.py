"""The queue of one account: its waiting rows, in order, as one process may send them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from darkroom.accounts import Limits
from darkroom.store import gate, rounds, withdrawal
from darkroom.store.connection import Connection
from darkroom.store.signs import Life, Signs
from darkroom.store.turns import Later, Obstacle, Owners, Standing

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


class _Place(NamedTuple):
    """The numbers of those that are before a row: of its owner's own, and of all."""

    owner: str
    of_own: int
    of_all: int


@dataclass(frozen=True)
class Queue:
    """An account's queue within a transaction. `file`: which ledger this is. `only`: the rows that may be sent.

    `owners`: see `Gate.claim_next`.
    """

    db: Connection
    signs: Signs
    account: str
    file: str
    now: float
    only: Collection[str] | None
    owners: Owners | None = None

    def turn(self) -> str | Later | None:
        """The id of the row to be sent next; None: there is none. Later: it is another process's."""
        withdrawal.of_account(self.db, self.account, self.now)
        self._drive()
        owners = self._known_owners()
        free = [owner for owner in owners if not self._crowded(owner, 0)]
        for generation_id, holder in self._in_turn(free):
            if self._ours(generation_id):
                return generation_id
            if self.signs.life(holder) is Life.RUNNING:
                return Later(gate.RECHECK_S)
        return None if owners == free else Later(rounds.CROWDED_S)

    def standings(self, ids: Collection[str], limits: Limits) -> dict[str, Standing]:
        """The places of these rows, by id; a row that waits no more, and that nobody stopped in sending, is left out.

        However many rows there are, the ledger is asked the same few questions.
        """
        places = self._places(ids)
        others = [each for each in ids if each not in places]
        waiting = self._waiting(places, limits) if places else {}
        return waiting | (self._not_waiting(others) if others else {})

    def _waiting(self, places: Mapping[str, "_Place"], limits: Limits) -> dict[str, Standing]:
        """Those that wait for their turn."""
        last = max(place.of_all for place in places.values())
        sent = None if self.only is None else self._sent_by_somebody(last)
        outlook = gate.outlook(self.db, self.account, limits, self.now)
        pictures = {} if limits.pictures is None else gate.pictures_of(self.db, places)
        sender = self._stopped_sender()
        freed = sender and gate.outlook(self.db, self.account, limits, self.now, without=sender[0])

        def standing(name: str, place: _Place) -> Standing:
            if sent is not None and not sent[place.of_all]:
                return Standing(place.of_all, 0.0, at_the_earliest=True, obstacle=Obstacle.NOBODY)
            before = place.of_all if sent is None else sum(sent[: place.of_all])
            # Nobody learns how much others have: only the time tells that somebody else is served in between.
            ahead = place.of_own if sent is None else before
            asked = pictures.get(name, 1)
            starts_in_s, crowded = outlook.turn(before, asked)
            if sender and freed:
                free_in_s, still_crowded = freed.turn(before, asked)
                if free_in_s < starts_in_s or still_crowded is not crowded:
                    seen = sender[:2] if sender[2] == place.owner else ("", sender[1])
                    return Standing(ahead, 0.0, at_the_earliest=True, obstacle=Obstacle.STOPPED, sender=seen)
            return Standing(ahead, starts_in_s, at_the_earliest=crowded or self._crowded(place.owner, place.of_own))

        return {name: standing(name, place) for name, place in places.items()}

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

    def _known_owners(self) -> list[str]:
        """Those whose rows may be sent and of whom some wait, in the order of their turns."""
        waiting = rounds.waiting(self.db, self.account)
        return waiting if self.owners is None else [owner for owner in waiting if owner in self.owners]

    def _crowded(self, owner: str, ahead: int) -> bool:
        """True where the owner may have no more under way than it has, and those of its own that are before one."""
        active = None if self.owners is None else self.owners.get(owner)
        return active is not None and rounds.under_way(self.db, owner) + ahead >= active

    def _in_turn(self, owners: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Their rows that may be sent unasked, and the holders: the oldest of each, then the second of each."""
        lines = [self._sendable(owner) for owner in owners]
        while lines:
            for line in tuple(lines):
                if (row := next(line, None)) is None:
                    lines.remove(line)
                else:
                    yield row

    def _sendable(self, owner: str) -> Iterator[tuple[str, str]]:
        """The owner's rows that may be sent unasked, oldest first; few are read that are not asked for."""
        last, size, found = 0, 1, [None]
        while len(found) == size:
            size = PAGE if last else size
            found = self.db.execute(
                f"SELECT id, holder, seq FROM generations WHERE {_WAITING} AND owner = ? AND {_UNASKED} AND seq > ?"
                " ORDER BY seq LIMIT ?",
                (self.account, owner, self.file, self.now - UNDRIVEN_FOR_S, last, size),
            ).fetchall()
            for generation_id, holder, seq in found:
                yield generation_id, holder
                last = seq

    def _places(self, ids: Collection[str]) -> dict[str, "_Place"]:
        """The places of these in the order of `_in_turn`; the rest are none of them."""
        waiting = rounds.waiting(self.db, self.account)
        strangers = [owner for owner in waiting if self.owners is not None and owner not in self.owners]
        own = (
            "SELECT id, owner, row_number() OVER (PARTITION BY owner ORDER BY seq) AS round,"
            f" {rounds.NUMBER} AS number, min(seq) OVER (PARTITION BY owner) AS oldest"
            f" FROM generations WHERE {_WAITING} AND {_UNASKED} AND owner NOT IN ({_marks(strangers)})"
        )
        places = (
            "SELECT id, owner, round - 1 AS of_own, row_number() OVER (ORDER BY round, number, oldest) - 1 AS of_all"
            f" FROM ({own}) AS own"
        )
        found = self.db.execute(
            f"SELECT id, owner, of_own, of_all FROM ({places}) AS queue WHERE id IN ({_marks(ids)})",
            (self.account, self.file, self.now - UNDRIVEN_FOR_S, *strangers, *ids),
        )
        return {name: _Place(owner, of_own, of_all) for name, owner, of_own, of_all in found.fetchall()}

    def _ours(self, generation_id: str) -> bool:
        return self.only is None or generation_id in self.only

    def _sent_by_somebody(self, last: int) -> list[bool]:
        """For each place up to this one, whether a process runs that would send the row there."""
        waiting = zip(range(last + 1), self._in_turn(self._known_owners()), strict=False)
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

    def _stopped_sender(self) -> tuple[str, str, str] | None:
        """The row that a stopped process was sending, that process, and the row's owner."""
        sending = self.db.execute(
            "SELECT id, holder, owner FROM generations WHERE account = ? AND stage = 'submitting' ORDER BY seq",
            (self.account,),
        ).fetchall()
        return next((tuple(each) for each in sending if self.signs.silent(each[1])), None)


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))
