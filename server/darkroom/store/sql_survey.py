"""The ledger in SQL: what its operator is shown."""

from collections.abc import Collection, Mapping

from darkroom.models import Stage
from darkroom.store import answers, rounds
from darkroom.store.connection import Connection
from darkroom.store.gate import LONGEST_WAIT_S
from darkroom.store.lists import UNFINISHED
from darkroom.store.signs import Sign
from darkroom.store.sql_rows import SqlRows
from darkroom.store.survey import MOST_COUNTED, MOST_ENDED, MOST_SHOWN, Failed, Look, Queue, UnderWay, Used


class SqlSurvey(SqlRows):
    """See `Survey`."""

    async def look(self) -> Look:
        """See `Survey.look`."""

        def look() -> Look:
            now = self._clock()
            held = _held(self._db)
            return Look(
                at=now,
                queues=_queues(self._db, now),
                under_way=_under_way(self._db),
                failed=_failed(self._db),
                held=held,
                all_counted=sum(held.values()) <= MOST_COUNTED,
            )

        return await self._run(look)

    async def used(self, owner: str, free: Collection[str]) -> Used:
        """See `Survey.used`."""

        def read() -> Used:
            submissions, money = answers.begun_today(self._db, owner, tuple(free), self._clock())
            return Used(submissions, money, rounds.stored(self._db, owner))

        return await self._run(read)

    async def processes(self) -> Mapping[str, Sign]:
        """See `Survey.processes`."""
        return await self._transaction(self._signs.living)


def _queues(db: Connection, now: float) -> tuple[Queue, ...]:
    unfinished = f"SELECT account, provider, stage, created_at FROM generations WHERE {UNFINISHED} LIMIT ?"
    closed = "SELECT closed_until FROM accounts WHERE account = unfinished.account AND closed_until BETWEEN ? AND ?"
    found = db.execute(
        "SELECT account, min(provider), count(CASE WHEN stage = 'accepted' THEN 1 END) AS waiting, count(*) AS every,"
        f" min(CASE WHEN stage = 'accepted' THEN created_at END), ({closed}) FROM ({unfinished}) AS unfinished"
        " GROUP BY account ORDER BY waiting DESC, every DESC, account LIMIT ?",
        (now, now + LONGEST_WAIT_S, MOST_COUNTED, MOST_SHOWN),
    )
    return tuple(
        Queue(account, provider, waiting, every - waiting, oldest_at, closed_until)
        for account, provider, waiting, every, oldest_at, closed_until in found.fetchall()
    )


def _under_way(db: Connection) -> tuple[UnderWay, ...]:
    found = db.execute(
        "SELECT id, owner, holder, provider, request ->> 'model', stage, provider_queued,"
        f" coalesce(submitted_at, created_at) AS since FROM generations WHERE {UNFINISHED} AND stage <> 'accepted'"
        " ORDER BY since LIMIT ?",
        (MOST_SHOWN,),
    )
    return tuple(
        UnderWay(name, owner, holder, provider, model or "", Stage(stage), bool(queued), since)
        for name, owner, holder, provider, model, stage, queued, since in found.fetchall()
    )


def _failed(db: Connection) -> tuple[Failed, ...]:
    ended = (
        "SELECT id, stage, finished_at FROM generations WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT ?"
    )
    last = f"SELECT id FROM ({ended}) AS ended WHERE stage = 'failed' ORDER BY finished_at DESC LIMIT ?"
    found = db.execute(
        "SELECT id, owner, provider, request ->> 'model', failure ->> 'code', failure ->> 'charged', finished_at"
        f" FROM generations WHERE id IN ({last})",
        (MOST_ENDED, MOST_SHOWN),
    ).fetchall()
    failed = (
        Failed(name, owner, provider, model or "", code or "", charged or "", at or 0.0)
        for name, owner, provider, model, code, charged, at in found
    )
    return tuple(sorted(failed, key=lambda each: each.at, reverse=True))


def _held(db: Connection) -> dict[str, int]:
    return dict(db.execute(f"SELECT holder, count(*) FROM generations WHERE {UNFINISHED} GROUP BY holder").fetchall())
