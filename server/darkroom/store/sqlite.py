"""The ledger on SQLite: rows of generations."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from darkroom.models import Answered, Failure, Record, Stage, Status
from darkroom.settings import Limits, Window
from darkroom.store import gate, rows, tasks, withdrawal
from darkroom.store.database import Database
from darkroom.store.ledger import Full, Grant, Later, Page, Room, Standing

# The indexes' own words, so that they are used.
_UNFINISHED = "stage IN ('accepted', 'submitting', 'running', 'collecting')"
_UNANSWERED = "answered <> 'delivered'"
_BY_STATUS = {
    Status.QUEUED: "(stage IN ('accepted', 'submitting') OR stage = 'running' AND provider_queued)",
    Status.PROCESSING: "(stage = 'collecting' OR stage = 'running' AND NOT provider_queued)",
}
# Anything else was certainly not paid for: an identical call is not given it, and it is not counted.
_PERHAPS_PAID = "stage <> 'cancelled' AND coalesce(failure ->> 'charged', '') <> 'no'"


class SqliteLedger:
    """See `Ledger`."""

    def __init__(self, database: Database) -> None:
        self._db = database.db
        self._database = database
        self._run = database.run
        self._transaction = database.transaction

    async def begin(self, record: Record, *, adopt_since: float, room: Room | None = None) -> Record:
        """See `Ledger.begin`."""

        def find_or_insert() -> Record:
            if known := self._committed(record) or self._named(record):
                return known
            if lost := self._lost(record, adopt_since):
                key = record.request_key or lost.request_key
                self._db.execute(
                    "UPDATE generations SET answered = 'pending', request_key = ? WHERE id = ?", (key, lost.id)
                )
                return lost
            self._check_room(record.owner, room)
            rows.insert(self._db, record)
            return record

        return await self._transaction(find_or_insert)

    async def foresee(self, record: Record, *, adopt_since: float, room: Room | None = None) -> Record:
        """See `Ledger.foresee`."""

        def find() -> Record:
            if known := self._named(record) or self._lost(record, adopt_since):
                return known
            self._check_room(record.owner, room)
            return record

        return await self._run(find)

    async def begin_agreed(self, record: Record, task_id: str, *, room: Room | None = None) -> Record | None:
        """See `Ledger.begin_agreed`."""

        def agree() -> Record | None:
            if (again := self._committed(record)) is not None:
                return again
            known = self._named(record)
            if known is not None and known.request != record.request:
                return known
            begun = known or record
            if not tasks.agree(self._db, task_id, begun.id, record.created_at):
                return None
            if known is None:
                self._check_room(record.owner, room)
                rows.insert(self._db, record)
            return begun

        return await self._transaction(agree)

    async def answer(self, record: Record, answered: Answered) -> None:
        """See `Ledger.answer`."""
        sql = "UPDATE generations SET answered = ? WHERE id = ? AND answered <> 'delivered'"
        await self._transaction(lambda: self._db.execute(sql, (answered, record.id)))

    async def get(self, generation_id: str, owner: str) -> Record | None:
        """See `Ledger.get`."""
        return await self._run(lambda: rows.select_one(self._db, "id = ? AND owner = ?", (generation_id, owner)))

    async def cancel(self, generation_id: str, owner: str, now: float) -> Record | None:
        """See `Ledger.cancel`."""
        return await self._transaction(lambda: withdrawal.cancel(self._db, generation_id, owner, now))

    async def held(self, holder: str) -> list[Record]:
        """See `Ledger.held`."""
        return await self._run(lambda: rows.select_all(self._db, f"holder = ? AND {_UNFINISHED}", (holder,)))

    async def newest(self, ids: Sequence[str]) -> list[Record]:
        """See `Ledger.newest`."""
        marks = ", ".join("?" * len(ids))
        return await self._run(lambda: rows.select_all(self._db, f"id IN ({marks})", tuple(ids)))

    async def version(self) -> int:
        """See `Ledger.version`."""
        return await self._run(lambda: int(self._db.execute("PRAGMA data_version").fetchone()[0]))

    async def page(
        self, owner: str, *, status: Status | None, provider: str | None, limit: int, before: int | None
    ) -> Page:
        """See `Ledger.page`."""
        where: list[str] = ["owner = ?"]
        values: list[str | int] = [owner]
        if status is not None:
            where.append(_BY_STATUS.get(status, f"stage = '{status.value}'"))
        if provider is not None:
            where.append("provider = ?")
            values.append(provider)
        if before is not None:
            where.append("seq < ?")
            values.append(before)
        sql = f"SELECT seq, {rows.SELECT.removeprefix('SELECT ')} WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?"

        def read() -> Page:
            found = self._db.execute(sql, (*values, limit + 1)).fetchall()
            return Page(
                records=tuple(rows.from_row(row[1:]) for row in found[:limit]),
                next_cursor=str(found[limit - 1][0]) if len(found) > limit else None,
            )

        return await self._run(read)

    async def ids(self, owner: str, prefix: str, limit: int) -> list[str]:
        """See `Ledger.ids`."""
        sql = "SELECT id FROM generations WHERE owner = ? AND substr(id, 1, ?) = ? ORDER BY seq DESC LIMIT ?"
        values = (owner, len(prefix), prefix, limit)
        return [found for (found,) in await self._run(lambda: self._db.execute(sql, values).fetchall())]

    async def claim_next(
        self, account: str, limits: Limits, *, holder: str, token: str, now: float
    ) -> Record | Later | None:
        """See `Ledger.claim_next`."""

        def claim() -> Record | Later | None:
            answer = gate.pass_gate(self._db, account, limits, holder=holder, token=token, now=now)
            return rows.select_one(self._db, "id = ?", (answer,)) if isinstance(answer, str) else answer

        return await self._transaction(claim)

    async def standing(self, record: Record, limits: Limits, now: float) -> Standing:
        """See `Ledger.standing`."""
        return await self._run(lambda: gate.standing(self._db, record.id, record.account, limits, now))

    async def durations(self, account: str, model: str, count: int) -> list[float]:
        """See `Ledger.durations`."""
        sql = (
            "SELECT max(finished_at - submitted_at, 0.0) FROM (SELECT * FROM generations"
            " WHERE account = ? AND stage = 'succeeded' ORDER BY seq DESC LIMIT 100)"
            " WHERE request ->> 'model' = ? AND request ->> 'count' = ? ORDER BY seq DESC LIMIT 20"
        )
        return [took for (took,) in await self._run(lambda: self._db.execute(sql, (account, model, count)).fetchall())]

    async def reserve_requests(self, account: str, windows: Sequence[Window], wanted: int, now: float) -> Grant:
        """See `Ledger.reserve_requests`."""
        return await self._transaction(lambda: gate.reserve_requests(self._db, account, windows, wanted, now))

    async def unsend(
        self,
        record: Record,
        *,
        closed_until: float,
        narrowed_until: float | None,
        refused_since: float | None,
        now: float,
    ) -> Record | None:
        """See `Ledger.unsend`."""

        def take_back() -> Record | None:
            gate.close(self._db, record.account, closed_until, narrowed_until, now)
            if refused_since is not None:  # nothing reached the provider, so nothing counts there
                self._db.execute("DELETE FROM submissions WHERE submit_token = ?", (record.submit_token,))
                withdrawal.share(self._db, record.account, "refused_since", refused_since)
                return withdrawal.put_back(self._db, record, now, refused_since=refused_since)
            gate.arrived(self._db, record.submit_token, now)
            since = record.limited_since or now
            withdrawal.share(self._db, record.account, "limited_since", since)
            return withdrawal.put_back(
                self._db, record, now, refused_since=None, limited_since=since, refusals=record.refusals + 1
            )

        return await self._transaction(take_back)

    async def unclaim(self, record: Record, now: float) -> Record | None:
        """See `Ledger.unclaim`."""
        return await self._transaction(lambda: withdrawal.unclaim(self._db, record, now))

    async def change(
        self, record: Record, changes: Mapping[str, Any], *, stages: Collection[Stage] | None = None
    ) -> Record | None:
        """See `Ledger.change`."""
        allowed = (record.stage,) if stages is None else tuple(stages)

        def write() -> Record | None:
            changed = rows.update(self._db, record, changes, allowed)
            if changed is not None and record.stage is Stage.SUBMITTING:
                gate.arrived(self._db, record.submit_token, changed.finished_at or changed.submitted_at)
                if changed.stage is Stage.RUNNING:
                    withdrawal.forgive(self._db, record.account)
            return changed

        return await self._transaction(write)

    async def revise(self, record: Record, revise: Callable[[Record], Mapping[str, Any]]) -> Record | None:
        """See `Ledger.revise`."""

        def write() -> Record | None:
            known = rows.select_one(self._db, "id = ?", (record.id,))
            if known is None or not known.stage.terminal:
                return None
            return rows.update(self._db, known, revise(known), (known.stage,))

        return await self._transaction(write)

    async def record_late(self, record: Record, job_id: str) -> Record | None:
        """See `Ledger.record_late`."""

        def write() -> Record | None:
            changed = self._db.execute(
                "UPDATE generations SET stage = 'running', job_id = ?, failure = NULL, finished_at = NULL"
                " WHERE submit_token = ? AND job_id IS NULL AND stage IN ('submitting', 'failed')",
                (job_id, record.submit_token),
            )
            return rows.select_one(self._db, "id = ?", (record.id,)) if changed.rowcount else None

        return await self._transaction(write)

    @property
    def trouble(self) -> str | None:
        """See `Ledger.trouble`."""
        return self._database.trouble

    async def note_trouble(self, holder: str, troubles: Mapping[str, str | None]) -> None:
        """See `Ledger.note_trouble`."""
        sql = "UPDATE generations SET trouble = ? WHERE id = ? AND holder = ?"
        values = [(trouble, name, holder) for name, trouble in troubles.items()]
        await self._transaction(lambda: self._db.executemany(sql, values))

    async def other_holders(self, holder: str, providers: Collection[str]) -> list[str]:
        """See `Ledger.other_holders`."""
        ours = f"(provider IN ({', '.join('?' * len(providers))}) OR stage = 'submitting')"
        sql = (
            f"SELECT holder FROM generations WHERE holder <> ? AND {_UNFINISHED} AND {ours} UNION"
            f" SELECT holder FROM generations WHERE holder <> ? AND {_UNANSWERED} AND answered = 'pending'"
        )
        values = (holder, *providers, holder)
        return [name for (name,) in await self._run(lambda: self._db.execute(sql, values).fetchall())]

    async def adopt(
        self, dead: str, holder: str, accounts: Mapping[str, str], *, lost: Failure, now: float
    ) -> list[Record]:
        """See `Ledger.adopt`."""

        def take_over() -> list[Record]:
            self._db.execute(
                "UPDATE generations SET answered = 'lost' WHERE holder = ? AND answered = 'pending'", (dead,)
            )
            withdrawal.of_holder(self._db, dead, now)
            under_way = "holder = ? AND stage = 'submitting'"
            for (token,) in self._db.execute(f"SELECT submit_token FROM generations WHERE {under_way}", (dead,)):
                gate.arrived(self._db, token, now)
            self._db.execute(
                "UPDATE generations SET stage = 'failed', failure = ?, finished_at = max(created_at, ?)"
                f" WHERE {under_way}",
                (lost.model_dump_json(), now, dead),
            )
            adopted: list[Record] = []
            for provider, account in accounts.items():
                whose = f"holder = ? AND provider = ? AND {_UNFINISHED}"
                found = rows.select_all(self._db, whose, (dead, provider))
                self._db.execute(
                    f"UPDATE generations SET holder = ?, account = ?, trouble = NULL WHERE {whose}",
                    (holder, account, dead, provider),
                )
                now_ours = {"holder": holder, "account": account, "trouble": None}
                adopted += [record.model_copy(update=now_ours) for record in found]
            return adopted

        return await self._transaction(take_over)

    def _committed(self, record: Record) -> Record | None:
        return rows.select_one(self._db, "id = ? AND owner = ?", (record.id, record.owner))

    def _named(self, record: Record) -> Record | None:
        if not record.request_key:
            return None
        return rows.select_one(self._db, "owner = ? AND request_key = ?", (record.owner, record.request_key))

    def _lost(self, record: Record, adopt_since: float) -> Record | None:
        return rows.select_one(
            self._db,
            f"owner = ? AND request_hash = ? AND {_UNANSWERED} AND answered = 'lost' AND created_at > ?"
            f" AND {_PERHAPS_PAID} AND (request_key IS NULL OR coalesce(?, request_key) = request_key)",
            (record.owner, rows.request_hash(record.request), adopt_since, record.request_key),
        )

    def _check_room(self, owner: str, room: Room | None) -> None:
        if room is None:
            return
        marks = ", ".join("?" * len(room.free))
        sql = (
            "SELECT count(*) FROM generations WHERE owner = ? AND created_at >= ? AND created_at < ?"
            f" AND provider NOT IN ({marks}) AND {_PERHAPS_PAID}"
        )
        (begun,) = self._db.execute(sql, (owner, room.since, room.until, *room.free)).fetchone()
        if begun >= room.limit:
            raise Full(room)
