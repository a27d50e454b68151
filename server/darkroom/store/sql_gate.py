"""The ledger in SQL: who may submit when, and how many polls are left."""

from collections.abc import Callable, Collection, Mapping, Sequence

from darkroom.accounts import Limits, Window
from darkroom.models import Record
from darkroom.store import durations, gate, queue, rounds, rows, withdrawal
from darkroom.store.lists import UNFINISHED
from darkroom.store.sql_rows import SqlRows, of_account, of_owner
from darkroom.store.turns import Grant, Later, Left, Owners, Standing, Supply, Took


class SqlGate(SqlRows):
    """See `Gate`."""

    async def claim_next(
        self,
        account: str,
        limits: Limits,
        *,
        holder: str,
        token: str,
        only: Collection[str] | None = None,
        owners: Owners | None = None,
        ended: Callable[[], bool] = lambda: False,
    ) -> Record | Later | None:
        """See `Ledger.claim_next`."""
        waiting = await self._run(lambda: rounds.waiting(self._db, account))
        owners = {
            each: None if owners is None else owners[each] for each in waiting if owners is None or each in owners
        }
        if not owners:
            return None  # what is asked every second must not keep others from writing
        limited = sorted(each for each, active in owners.items() if active is not None)

        def claim() -> Record | Later | None:
            self._check_version()
            now = self._clock()
            answer = None if ended() else self._queue(account, now, only, owners).turn()
            if isinstance(answer, str):
                answer = gate.pass_gate(self._db, answer, account, limits, holder=holder, token=token, now=now)
            return rows.select_one(self._db, "id = ?", (answer,)) if isinstance(answer, str) else answer

        return await self._transaction(claim, of_account(account), *map(of_owner, limited))

    async def waiting(self) -> frozenset[tuple[str, str, str]]:
        """See `Ledger.waiting`."""
        sql = f"SELECT DISTINCT account, owner, provider FROM generations WHERE {UNFINISHED} AND stage = 'accepted'"
        return await self._run(lambda: frozenset(tuple(row) for row in self._db.execute(sql)))

    async def recount(self, owner: str, provider: str, account: str) -> None:
        """See `Ledger.recount`."""
        sql = f"UPDATE generations SET account = ? WHERE owner = ? AND {UNFINISHED} AND stage = 'accepted'"
        await self._transaction(
            lambda: self._db.execute(f"{sql} AND provider = ? AND account <> ?", (account, owner, provider, account))
        )

    async def hand_over(self, generation_id: str, token: str, holder: str) -> Record | None:
        """See `Ledger.hand_over`."""

        def give() -> Record | None:
            claim = "id = ? AND submit_token = ? AND stage = 'submitting'"
            sql = f"UPDATE generations SET holder = ? WHERE {claim}"
            given = self._db.execute(sql, (holder, generation_id, token)).rowcount
            return rows.select_one(self._db, claim, (generation_id, token)) if given else None

        return await self._transaction(give)

    async def send_named(self, owner: str, ids: Collection[str]) -> None:
        """See `Ledger.send_named`."""
        await self._transaction(lambda: queue.name(self._db, self._file, owner, ids, self._clock()))

    async def standings(
        self,
        records: Collection[Record],
        limits: Mapping[str, Limits],
        *,
        only: Collection[str] | None = None,
        owners: Owners | None = None,
    ) -> Mapping[str, Standing]:
        """See `Ledger.standings`."""

        def look() -> Mapping[str, Standing]:
            now = self._clock()
            found: dict[str, Standing] = {}
            for account in {record.account for record in records}:
                ids = [record.id for record in records if record.account == account]
                found |= self._queue(account, now, only, owners).standings(ids, limits[account])
            return found

        run = self._run if only is None else self._transaction  # it has to look who lives
        return await run(look)

    async def durations(self, account: str, model: str, count: int) -> list[Took]:
        """See `Ledger.durations`."""
        return await self._run(lambda: durations.newest(self._db, account, model, count))

    async def supply(self, account: str, windows: Sequence[Window]) -> Supply | None:
        """See `Ledger.supply`."""
        return await self._run(lambda: gate.supply(self._db, account, windows, self._clock())) if windows else None

    async def limits_left(self, account: str, limits: Limits) -> Left:
        """See `Ledger.limits_left`."""
        return await self._run(lambda: gate.outlook(self._db, account, limits, self._clock()).left())

    async def reserve_requests(
        self, account: str, windows: Sequence[Window], wanted: int, *, unused: Grant | None = None
    ) -> Grant:
        """See `Ledger.reserve_requests`."""

        def reserve() -> Grant:
            if unused is not None:
                gate.give_back(self._db, account, unused)
            return gate.reserve_requests(self._db, account, windows, wanted, self._clock())

        return await self._transaction(reserve, of_account(account))

    async def unsend(
        self,
        record: Record,
        *,
        closed_s: float,
        narrowed_s: float | None,
    ) -> Record | None:
        """See `Ledger.unsend`."""

        def take_back() -> Record | None:
            now = self._clock()
            gate.close(self._db, record.account, closed_s, narrowed_s, now)
            if narrowed_s is None:  # nothing reached the provider, so nothing counts there
                self._db.execute("DELETE FROM submissions WHERE submit_token = ?", (record.submit_token,))
                since = min(record.refused_since or now, now)  # a clock set back leaves times in the future
                withdrawal.share(self._db, record.account, "refused_since", since)
                return withdrawal.put_back(self._db, record, now, refused_since=since)
            gate.arrived(self._db, record.submit_token, now)
            since = min(record.limited_since or now, now)
            withdrawal.share(self._db, record.account, "limited_since", since)
            return withdrawal.put_back(
                self._db, record, now, refused_since=None, limited_since=since, refusals=record.refusals + 1
            )

        return await self._transaction(take_back, of_account(record.account))

    async def unclaim(self, record: Record) -> Record | None:
        """See `Ledger.unclaim`."""

        def take_back() -> Record | None:
            return withdrawal.unclaim(self._db, record, self._clock())

        return await self._transaction(take_back, of_account(record.account))

    def _queue(self, account: str, now: float, only: Collection[str] | None, owners: Owners | None) -> queue.Queue:
        return queue.Queue(self._db, self._signs, account, self._file, now, only, owners)
