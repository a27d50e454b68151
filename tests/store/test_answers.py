"""An answer that nobody got is given to the next identical call, whichever process owed it, and to nobody else."""

from pathlib import Path

import pytest

from darkroom.accounts import Limits
from darkroom.models import Answered, GenerationRequest, Record, Stage
from darkroom.store.database import open_database
from darkroom.store.signs import Life
from darkroom.store.sql import SqlLedger
from tests.ledgers import ANY_AGE_S, Seen, open_ledger, standing_of
from tests.store.ledger_model import LOST

NOW = 1_000_000.0
FOX = GenerationRequest(provider="alpha", prompt="a fox", model="m")


def call(name: str, process: str, key: str | None = None) -> Record:
    return Record(
        id=name, owner="local", request=FOX, account="key", stage=Stage.ACCEPTED, created_at=NOW, holder=process,
        answering=process, request_key=key,
    )  # fmt: skip


@pytest.mark.parametrize("life", [Life.DEAD, Life.SILENT])
@pytest.mark.parametrize("key", [None, "hero"])
async def test_what_a_process_owed_that_does_not_run_any_more_is_given_before_anybody_adopted_it(
    tmp_path: Path, life: Life, key: str | None
) -> None:
    seen = Seen()
    async with open_ledger(tmp_path, seen) as ledger:
        await ledger.begin(call("first", "p1", key), adopt_within_s=ANY_AGE_S)
        assert (await ledger.begin(call("other", "p2"), adopt_within_s=ANY_AGE_S)).id == "other", (
            "who runs may still answer"
        )
        await ledger.named(["other"], by="p2")
        seen.lives["p1"] = life
        assert (await ledger.foresee(call("again", "p2", key), adopt_within_s=ANY_AGE_S)).id == "first"
        assert (await ledger.begin(call("again", "p2", key), adopt_within_s=ANY_AGE_S)).id == "first"


async def test_a_call_that_was_given_a_lost_row_is_owed_it_by_its_own_process(tmp_path: Path) -> None:
    seen = Seen()
    async with open_ledger(tmp_path, seen) as ledger:
        first = await ledger.begin(call("first", "holder"), adopt_within_s=ANY_AGE_S)
        await ledger.answer(first, Answered.LOST)
        assert (await ledger.begin(call("second", "p2"), adopt_within_s=ANY_AGE_S)).id == "first"
        seen.lives["p2"] = Life.DEAD  # the holder lives
        assert (await ledger.begin(call("third", "p3"), adopt_within_s=ANY_AGE_S)).id == "first"
        assert (await ledger.begin(call("fourth", "p3"), adopt_within_s=ANY_AGE_S)).id == "fourth", (
            "p3 owes it, and runs"
        )


@pytest.mark.parametrize("late", [Answered.DELIVERED, Answered.LOST])
async def test_who_owes_an_answer_no_more_cannot_tell_what_became_of_it(tmp_path: Path, late: Answered) -> None:
    seen = Seen()
    async with open_ledger(tmp_path, seen) as ledger:
        first = await ledger.begin(call("first", "p1"), adopt_within_s=ANY_AGE_S)
        seen.lives["p1"] = Life.SILENT
        await ledger.begin(call("second", "p2"), adopt_within_s=ANY_AGE_S)
        seen.lives["p1"] = Life.RUNNING
        await ledger.answer(first, late)
        assert (await ledger.begin(call("third", "p3"), adopt_within_s=ANY_AGE_S)).id == "third", "p2 may still answer"
        seen.lives["p2"] = Life.DEAD
        await ledger.named(["third"], by="p3")
        assert (await ledger.begin(call("fourth", "p3"), adopt_within_s=ANY_AGE_S)).id == "first", (
            "p2's caller got nothing"
        )


async def test_running_rows_of_the_silent_are_taken_over_and_their_submission_stays(tmp_path: Path) -> None:
    seen = Seen({"p1": Life.SILENT})
    async with open_ledger(tmp_path, seen) as ledger:
        stages = {"a": Stage.RUNNING, "b": Stage.COLLECTING, "c": Stage.SUBMITTING, "d": Stage.ACCEPTED}
        for name, stage in stages.items():
            row = call(name, "p1", key=name).model_copy(update={"stage": stage, "submit_token": name})
            await ledger.begin(row, adopt_within_s=0.0)
        others = await ledger.others("p2", ["alpha"])
        adopted = await ledger.adopt(others, "p2", {"local": {"alpha": "key"}}, lost=LOST)
        assert {record.id for record in adopted} == {"a", "b"}
        kept = {row.id: (row.stage, row.holder) for row in await ledger.newest(["c", "d"])}
        assert kept == {name: (stages[name], "p1") for name in ("c", "d")}


async def test_who_lives_is_looked_at_while_nobody_else_can_look(tmp_path: Path) -> None:
    looks: list[bool] = []

    class Watching(Seen):
        def life(self, process_id: str) -> Life:
            looks.append(database.db.in_transaction)
            return super().life(process_id)

    async with open_database(tmp_path) as database:
        ledger = SqlLedger(database, Watching(), clock=lambda: NOW)
        await ledger.begin(call("first", "p1"), adopt_within_s=ANY_AGE_S)
        limits = Limits()
        for look in (
            lambda: ledger.begin(call("second", "p2"), adopt_within_s=ANY_AGE_S),
            lambda: ledger.foresee(call("third", "p2"), adopt_within_s=ANY_AGE_S),
            lambda: standing_of(ledger, call("second", "p2"), limits, only={"second"}),
            lambda: ledger.adopt(["p1"], "p2", {"local": {"alpha": "key"}}, lost=LOST),
            lambda: ledger.claim_next("key", limits, holder="p2", token="t", only={"second"}),
        ):
            looks.clear()
            await look()
            assert looks
            assert all(looks), "another's look may be seen as a sign of life"
