"""Several processes at the same moment, on the database that lets them write at the same moment."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import anyio

from darkroom.accounts import Limits, Window
from darkroom.models import Charged, Failure, GenerationRequest, Image, ImageStatus, Record, Stage
from darkroom.money import Money
from darkroom.store.ledger import Full, Room
from darkroom.store.signs import Life
from darkroom.store.sql import SqlLedger
from tests.ledgers import ANY_AGE_S, Seen, open_postgres_ledger
from tests.services.postgres import Cluster

T = TypeVar("T")

ACCOUNT = "key"
LOST = Failure(code="outcome_unknown", message="Nobody knows", charged=Charged.MAYBE, next_step="Look")


@asynccontextmanager
async def processes(server: Cluster, count: int, seen: Seen | None = None) -> AsyncGenerator[list[SqlLedger]]:
    """So many, on one empty ledger."""
    url = server.fresh()
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_postgres_ledger(url, seen)) for _ in range(count)]


async def together(*calls: Callable[[], Awaitable[T]]) -> list[T]:
    """The results of these, which all run at the same time."""
    results: dict[int, T] = {}

    async def one(number: int, call: Callable[[], Awaitable[T]]) -> None:
        results[number] = await call()

    async with anyio.create_task_group() as tasks:
        for number, call in enumerate(calls):
            tasks.start_soon(one, number, call)
    return [results[number] for number in range(len(calls))]


def row(name: str, *, stage: Stage = Stage.ACCEPTED, holder: str = "me", **fields: Any) -> Record:
    request = GenerationRequest(provider="alpha", prompt=name, model="m")
    return Record(
        id=name, owner="local", request=request, account=ACCOUNT, stage=stage, created_at=0.0, holder=holder,
        answering=holder, **fields,
    )  # fmt: skip


async def accepted(ledger: SqlLedger, count: int, **fields: Any) -> list[str]:
    return [(await ledger.begin(row(f"gen_{n:03}", **fields), adopt_within_s=ANY_AGE_S)).id for n in range(count)]


async def test_one_request_key_is_one_generation_whoever_asks_at_the_same_moment(postgres: Cluster) -> None:
    async with processes(postgres, 6) as ledgers:
        for turn in range(5):
            calls = [
                partial(ledger.begin, row(f"gen_{turn}_{n}").model_copy(
                    update={"request_key": f"hero {turn}", "request": row("the same").request}
                ), adopt_within_s=ANY_AGE_S)
                for n, ledger in enumerate(ledgers)
            ]  # fmt: skip
            assert len({record.id for record in await together(*calls)}) == 1


async def test_a_budget_is_kept_by_all_who_ask_at_the_same_moment(postgres: Cluster) -> None:
    room = Room(limit=5, money=Money(1_000_000, "USD"))

    async def begun(ledger: SqlLedger, name: str) -> bool:
        try:
            priced = row(name, cost_micros=100_000, cost_unit="USD")
            await ledger.begin(priced, adopt_within_s=0.0, room=room)
        except Full:
            return False
        return True

    async with processes(postgres, 6) as ledgers:
        calls = [partial(begun, ledger, f"gen_{n}_{turn}") for turn in range(4) for n, ledger in enumerate(ledgers)]
        assert sum(await together(*calls)) == 5


async def test_a_window_is_kept_and_nothing_is_sent_twice_by_all_who_claim_at_the_same_moment(
    postgres: Cluster,
) -> None:
    limits = Limits(submit=(Window(10, 1000.0),))

    async def claimed(ledger: SqlLedger, name: str) -> list[str]:
        mine: list[str] = []
        while True:
            record = await ledger.claim_next(ACCOUNT, limits, holder=name, token=f"{name} {len(mine)}")
            if isinstance(record, Record):
                mine.append(record.id)
            elif record is None or record.in_s > 1.0:
                return mine

    async with processes(postgres, 6) as ledgers:
        ids = await accepted(ledgers[0], 30)
        shares = await together(*(partial(claimed, ledger, f"p{n}") for n, ledger in enumerate(ledgers)))
    assert sorted(each for share in shares for each in share) == ids[:10]


async def test_what_is_cancelled_while_it_is_claimed_is_cancelled_or_sent_and_never_both(postgres: Cluster) -> None:
    async with processes(postgres, 4) as ledgers:
        ids = await accepted(ledgers[0], 60)

        async def cancelled(ledger: SqlLedger) -> list[str]:
            records = [await ledger.cancel(each, "local") for each in ids]
            return [record.id for record in records if record is not None and record.stage is Stage.CANCELLED]

        async def claimed(ledger: SqlLedger, name: str) -> list[str]:
            tries = [await ledger.claim_next(ACCOUNT, Limits(), holder=name, token=f"{name} {n}") for n in range(40)]
            return [each.id for each in tries if isinstance(each, Record)]

        withdrawn, *sent = await together(
            partial(cancelled, ledgers[0]), *(partial(claimed, ledgers[n], f"p{n}") for n in (1, 2, 3))
        )
        everything = [*withdrawn, *(each for share in sent for each in share)]
        assert sorted(everything) == ids


async def test_heirs_share_what_a_dead_process_left(postgres: Cluster) -> None:
    async with processes(postgres, 4, Seen({"dead": Life.DEAD})) as ledgers:
        ids = await accepted(ledgers[0], 30, stage=Stage.RUNNING, holder="dead", job_id="job")
        shares = await together(
            *(
                partial(ledger.adopt, ["dead"], f"heir {n}", {"local": {"alpha": ACCOUNT}}, lost=LOST)
                for n, ledger in enumerate(ledgers)
            )
        )
    assert sorted(record.id for share in shares for record in share) == ids


async def test_two_who_bring_missing_pictures_keep_each_other_s(postgres: Cluster) -> None:
    async with processes(postgres, 4) as ledgers:
        record = row("gen_1", stage=Stage.PARTIAL, job_id="job")
        await ledgers[0].begin(record, adopt_within_s=ANY_AGE_S)

        def with_one_more(number: int, known: Record) -> dict[str, Any]:
            return {"images": (*known.images, Image(index=number, status=ImageStatus.FAILED))}

        await together(
            *(partial(ledger.revise, record, partial(with_one_more, n)) for n, ledger in enumerate(ledgers, 1))
        )
        now = await ledgers[0].get("gen_1", "local")
    assert now is not None
    assert sorted(image.index for image in now.images) == [1, 2, 3, 4]
