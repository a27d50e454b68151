"""Many generations cost no more questions to the ledger than two, and only what has changed is told."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from darkroom.generations.driving.sweep import sweep
from darkroom.generations.telling.learned import Learned
from darkroom.models import Answered, GenerationRequest, Record, Stage
from darkroom.store.turns import Standing, Took
from tests.generations.house import House, Spoken, house


async def accepted(one: House, number: int) -> str:
    request = GenerationRequest(provider="fatthumb", prompt=f"fox {number}", model="nova")
    record = Record(
        id=f"gen_{number}", owner="local", request=request, account="key", stage=Stage.ACCEPTED, holder="me"
    )
    return (await one.ledger.begin(record, adopt_within_s=0.0)).id


async def asked_by_a_wait(one: House, ids: list[str]) -> list[str]:
    statements: list[str] = []
    one.database.db.set_trace_callback(statements.append)
    (snapshot,) = [snapshot async for snapshot in one.desk.watch(ids, timeout_s=0, send=False)]
    one.database.db.set_trace_callback(None)
    assert [each.id for each in snapshot.generations] == ids
    return [sql for sql in statements if sql.startswith("SELECT") or "answered = 'delivered'" in sql]


async def test_a_wait_on_fifty_asks_as_often_as_a_wait_on_two(tmp_path: Path) -> None:
    async with house(tmp_path, Spoken(), starts=False) as one:
        ids = [await accepted(one, number) for number in range(52)]
        two = await asked_by_a_wait(one, ids[:2])
        fifty = await asked_by_a_wait(one, ids[2:])
        assert len(fifty) <= len(two)  # which also had to learn how long such take
        assert {record.answered for record in await one.ledger.newest(ids)} == {Answered.DELIVERED}


async def test_looking_after_fifty_that_wait_asks_as_often_as_after_two(tmp_path: Path) -> None:
    async with house(tmp_path, Spoken(), starts=False) as one:
        asked: list[int] = []
        for numbers in (range(2), range(2, 50)):
            for number in numbers:
                await accepted(one, number)
            statements: list[str] = []
            one.database.db.set_trace_callback(statements.append)
            await sweep(one.journal, "me", one.driver)
            one.database.db.set_trace_callback(None)
            asked.append(len(statements))
        assert asked[0] == asked[1] > 0


async def test_who_follows_many_rows_is_given_those_that_changed(tmp_path: Path) -> None:
    async with house(tmp_path, Spoken(), starts=False) as one:
        ids = [await accepted(one, number) for number in range(50)]
        first, seen = await one.ledger.changes(ids, {})
        assert {record.id for record in first} == set(ids)
        await one.ledger.change(first[7], {"trouble": "new"})
        changed, seen = await one.ledger.changes(ids, seen)
        assert [(record.id, record.trouble) for record in changed] == [(first[7].id, "new")]
        assert await one.ledger.changes(ids, seen) == ([], seen)


async def test_who_asks_for_places_while_they_are_being_read_shares_the_next_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, Spoken(), starts=False) as one:
        rows = await one.ledger.newest([await accepted(one, number) for number in range(20)])
        read, standings, may_read = list[int](), one.ledger.standings, anyio.Event()

        async def slowly(records: Collection[Record], *rest: Any, **named: Any) -> Mapping[str, Standing]:
            read.append(len(records))
            await may_read.wait()
            return await standings(records, *rest, **named)

        monkeypatch.setattr(one.ledger, "standings", slowly)
        ahead: dict[str, int] = {}

        async def ask(row: Record, scope: anyio.CancelScope) -> None:
            with scope:
                standing = await one.service.describer.standing(row)
                assert standing is not None
                ahead[row.id] = standing.ahead

        scopes = [anyio.CancelScope() for _ in rows]
        async with anyio.create_task_group() as group:
            for row, scope in zip(rows, scopes, strict=True):
                group.start_soon(ask, row, scope)
            await anyio.wait_all_tasks_blocked()
            assert read == [1]
            scopes[0].cancel()  # the others of a round go on without the one that reads for them
            await anyio.wait_all_tasks_blocked()
            may_read.set()
        assert read == [1, 19]
        assert ahead == {f"gen_{number}": number for number in range(1, 20)}


async def test_what_such_generations_take_is_read_once_for_all_who_ask_while_it_is_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, Spoken(), starts=False) as one:
        (row,) = await one.ledger.newest([await accepted(one, 1)])
        learned, read, may_read = Learned(one.ledger), list[str](), anyio.Event()

        async def slowly(account: str, model: str, count: int) -> list[Took]:
            read.append(model)
            await may_read.wait()
            return [Took(9.0, None)]

        monkeypatch.setattr(one.ledger, "durations", slowly)
        told: list[float] = []

        async def ask() -> None:
            told.extend(each.ended_s for each in await learned.of(row))

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            may_read.set()
        assert (read, told) == (["nova"], [9.0] * 20)
