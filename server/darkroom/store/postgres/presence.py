"""Signs of life through PostgreSQL: a lock that a session holds, and a lease on the database's clock for the frozen."""

import os
import secrets
import time
from collections.abc import Collection, Mapping

from darkroom.store.connection import Connection
from darkroom.store.postgres.connection import Session, key_of, say
from darkroom.store.postgres.news import News
from darkroom.store.postgres.session import NOW, SERVER, LifeSession
from darkroom.store.signs import Life, Sign

LEASE_S = 6.0
"""Seconds that a process may show nothing before others go on with its work."""
# Two who look at the same time do not see each other: they share the lock that its owner would hold alone. A lock that
# another server was asked for went with that server, and says nothing.
_LIFE = f"""
    CASE WHEN ended THEN 'dead'
         WHEN pg_try_advisory_xact_lock_shared(lock)
              THEN CASE WHEN server = {SERVER} OR {NOW} - seen_at > {LEASE_S} THEN 'dead' ELSE 'running' END
         WHEN {NOW} - seen_at > {LEASE_S} THEN 'silent'
         ELSE 'running' END
"""


class PostgresPresence:
    """See `Presence`. `id` is what ledger rows name as their holder; the lock and the table belong to its session."""

    def __init__(self, db: Connection, url: str) -> None:
        self._db = db
        self._lives: dict[str, Life] = {}
        self._missing: dict[str, float] = {}
        self.id = f"{os.getpid()}-{secrets.token_hex(8)}"
        self.news = News()
        self.session = LifeSession(url, self.id, key_of(self.id), self._see, self.news.ring)
        self.news.spread = self.session.notify

    def life(self, process_id: str) -> Life:
        """See `Signs.life`."""
        if process_id == self.id:
            return Life.RUNNING
        found = self._db.execute(f"SELECT {_LIFE} FROM processes WHERE id = ?", (process_id,)).fetchone()
        return self._of_missing(process_id) if found is None else Life(found[0])

    def silent(self, process_id: str) -> bool:
        """See `Signs.silent`."""
        return self._lives.get(process_id) is Life.SILENT

    def living(self) -> Mapping[str, Sign]:
        """See `Signs.living`."""
        found = self._db.execute(f"SELECT id, {NOW} - seen_at, {_LIFE} FROM processes").fetchall()
        signs = {process_id: (max(0.0, ago_s), Life(life)) for process_id, ago_s, life in found}
        return {
            each: Sign(ago_s, life is Life.SILENT) for each, (ago_s, life) in signs.items() if life is not Life.DEAD
        }

    def look(self, others: Collection[str]) -> Collection[str]:
        """See `Presence.look`."""
        self._missing = {each: since for each, since in self._missing.items() if each in others}
        lives = self._lives
        return [
            each for each in others
            if (self._of_missing(each) if each not in lives else lives[each]) is not Life.RUNNING
        ]  # fmt: skip

    async def wait(self, within_s: float) -> None:
        """See `Presence.wait`."""
        await self.news.wait_for_process_end(within_s)

    def stay(self) -> None:
        """See `Presence.stay`: the session does so by itself."""

    def remove_dead(self, named: Collection[str] = ()) -> None:
        """See `Presence.remove_dead`; within a transaction."""
        marks = ", ".join("?" * len(named))
        self._db.execute(f"DELETE FROM processes WHERE {_LIFE} = 'dead' AND id NOT IN ({marks})", tuple(named))

    def _of_missing(self, process_id: str) -> Life:
        """A process that the table does not name: who lives is back there sooner than this."""
        since = self._missing.setdefault(process_id, time.monotonic())
        return Life.DEAD if time.monotonic() - since >= LEASE_S else Life.RUNNING

    def _see(self, session: Session) -> None:
        """Looks who lives; on the session's own thread."""
        found = say(session, f"SELECT id, {_LIFE} FROM processes WHERE id <> %s", self.id).fetchall()
        before, self._lives = self._lives, {name: Life(life) for name, life in found}
        if any(life is not Life.RUNNING and before.get(name) is not life for name, life in self._lives.items()):
            self.news.fall()
