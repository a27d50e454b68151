"""Processes share the rows of one that died, a part of them at a time."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from darkroom.models import GenerationRequest, Record, Stage
from darkroom.store.signs import Life
from darkroom.store.sql import SqlLedger
from tests.hosts import ON_POSTGRESQL
from tests.ledgers import ANY_AGE_S, Seen, open_ledger, open_postgres_ledger
from tests.services.postgres import Cluster
from tests.store.ledger_model import LOST

KEYS = {"local": {"fatthumb": "key"}}


@pytest.fixture(params=["sqlite", ON_POSTGRESQL])
async def ledger(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncGenerator[SqlLedger]:
    """A ledger in either database, for which the process `dead` is that."""
    seen = Seen({"dead": Life.DEAD})
    if request.param == "sqlite":
        opened = open_ledger(tmp_path, seen)
    else:
        server: Cluster = request.getfixturevalue("postgres")
        opened = open_postgres_ledger(server.fresh(), seen)
    async with opened as found:
        yield found


def left(number: int, stage: Stage, **more: str) -> Record:
    request = GenerationRequest(provider=more.pop("provider", "fatthumb"), prompt=f"fox {number}", model="m")
    token = {} if stage is Stage.ACCEPTED else {"submit_token": f"token {number}"}
    return Record(
        id=f"gen_{number}", owner="local", account="key", stage=stage, holder="dead", request=request,
    ).model_copy(update={**token, **more})  # fmt: skip


async def test_each_takes_a_part_oldest_first_and_what_nobody_can_use_is_in_no_ones_way(
    ledger: SqlLedger,
) -> None:
    stages = [Stage.RUNNING, Stage.COLLECTING, Stage.ACCEPTED]
    for number in range(1, 4):
        await ledger.begin(left(number, Stage.RUNNING, provider="strange"), adopt_within_s=ANY_AGE_S)
    for number in range(4, 11):
        await ledger.begin(left(number, stages[number % 3]), adopt_within_s=ANY_AGE_S)
    await ledger.begin(left(11, Stage.SUBMITTING), adopt_within_s=ANY_AGE_S)
    parts = [
        [record.id for record in await ledger.adopt(["dead"], heir, KEYS, lost=LOST, most=3)]
        for heir in ("one", "two", "one", "two")
    ]
    assert parts == [["gen_4", "gen_5", "gen_6"], ["gen_7", "gen_8", "gen_9"], ["gen_10"], []]
    now = {record.id: record for record in await ledger.newest([f"gen_{number}" for number in range(1, 12)])}
    assert [now[name].holder for name in parts[0] + parts[1] + parts[2]] == ["one"] * 3 + ["two"] * 3 + ["one"]
    assert (now["gen_1"].holder, now["gen_11"].stage) == ("dead", Stage.FAILED)


async def test_the_time_that_jobs_were_seen_at_work_is_added_to_the_rows_that_are_still_held(ledger: SqlLedger) -> None:
    for number, holder in ((1, "me"), (2, "me"), (3, "another")):
        await ledger.begin(left(number, Stage.RUNNING, holder=holder), adopt_within_s=ANY_AGE_S)
    for _ in range(2):
        await ledger.note_looked("me", {"gen_1": 60.0, "gen_2": 61.5, "gen_3": 60.0})
    assert [record.looked_s for record in await ledger.newest(["gen_1", "gen_2", "gen_3"])] == [120.0, 123.0, 0.0]
