"""One key's queue in a real ledger, under a clock that only moves when it is told to."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from darkroom.accounts import Limits
from darkroom.models import GenerationRequest, Record, Stage
from darkroom.store.sql import SqlLedger
from darkroom.store.turns import Later
from tests.ledgers import Clock, open_ledger, open_postgres_ledger, standing_of
from tests.services.postgres import Cluster
from tests.store.ledger_model import MEMORY

ACCOUNT = "key"
NOW = 1_000_000.0


class Account:
    """One key's queue in a real ledger, under a clock that only moves when it is told to."""

    def __init__(self, ledger: SqlLedger, clock: Clock, limits: Limits) -> None:
        self.ledger = ledger
        self.limits = limits
        self._clock = clock
        self._numbers = count(1)

    @property
    def now(self) -> float:
        return self._clock.now

    @now.setter
    def now(self, now: float) -> None:
        self._clock.now = now

    async def accept(self, number: int = 1) -> list[Record]:
        return [await self._accept() for _ in range(number)]

    async def _accept(self) -> Record:
        record = Record(
            id=f"gen_{next(self._numbers)}",
            owner="local",
            request=GenerationRequest(provider="alpha", prompt="a fox", model="m"),
            account=ACCOUNT,
            stage=Stage.ACCEPTED,
            created_at=self.now,
            holder="me",
        )
        return await self.ledger.begin(record, adopt_within_s=0.0)

    async def claim(self) -> Record | Later | None:
        token = f"token {next(self._numbers)}"
        return await self.ledger.claim_next(ACCOUNT, self.limits, holder="me", token=token)

    async def claim_in_time(self, *, answered: bool = True) -> Record:
        """The next claim, waiting as long as the gate says and no longer; its answer comes at once, or not yet."""
        for _ in range(50):
            answer = await self.claim()
            if isinstance(answer, Record):
                if answered:
                    await self.answer(answer)
                return answer
            assert answer is not None
            assert answer.in_s > 0.0
            self.now += answer.in_s
        raise AssertionError("the gate says later for ever")

    async def answer(self, record: Record) -> None:
        job = {"stage": Stage.RUNNING, "job_id": "job"}
        assert await self.ledger.change(record, job) is not None

    async def told_429(self, record: Record, wait: float, narrowed_for: float) -> None:
        assert await self.ledger.unsend(record, closed_s=wait, narrowed_s=wait + narrowed_for) is not None

    async def told_when(self, record: Record) -> float:
        """Seconds until its start, as a caller is told now."""
        standing = await standing_of(self.ledger, record, self.limits)
        assert standing is not None
        return standing.starts_in_s


@asynccontextmanager
async def account_with(limits: Limits, server: Cluster | None = None) -> AsyncGenerator[Account]:
    """`server`: the PostgreSQL that is to have the ledger, instead of a file."""
    clock = Clock(NOW)
    if server is not None:
        async with open_postgres_ledger(server.fresh(), clock=clock) as ledger:
            yield Account(ledger, clock, limits)
        return
    with TemporaryDirectory(dir=MEMORY) as folder:
        async with open_ledger(Path(folder), clock=clock) as ledger:
            yield Account(ledger, clock, limits)
