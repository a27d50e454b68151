"""A commit may succeed and its word be lost: nothing is stranded, nothing sent twice, nobody told the opposite."""

import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from darkroom.errors import ProviderUnreachable, StorageError, Unwritten
from darkroom.generations.asking import delivery
from darkroom.generations.driving import queue as limits
from darkroom.generations.driving import sweep
from darkroom.generations.telling import journal
from darkroom.models import Answered, GenerationRequest, Record, Stage
from tests.generations.house import Spoken, house
from tests.hosts import PATIENCE_S
from tests.ledgers import ANY_AGE_S

GONE = StorageError("The ledger is gone.", next_step="Wait.")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (delivery, "DISOWNED_AFTER_S"),
        (journal, "RETRY_S"),
        (limits, "RETRY_S"),
        (sweep, "SWEEP_S"),
    ):
        monkeypatch.setattr(module, name, 0.02)


def lose_word_of(ledger: object, method: str, *, times: int = 1, error: StorageError = GONE) -> None:
    """So often what this method commits stands, and its caller is told an error."""
    real = getattr(ledger, method)
    left = times

    async def wordless(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        result = await real(*arguments, **named)
        if left:
            left -= 1
            raise error
        return result

    setattr(ledger, method, wordless)


def row(stage: Stage, **fields: Any) -> Record:
    request = GenerationRequest(provider="fatthumb", prompt="a fox", model="m")
    return Record(
        id="gen_1", owner="local", request=request, account="key", stage=stage, created_at=time.time(), holder="me",
        **fields,
    )  # fmt: skip


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("method", ["claim_next", "change", "held"])
async def test_a_generation_goes_on_though_the_word_of_a_commit_was_lost_and_is_sent_once(
    tmp_path: Path, method: str, times: int
) -> None:
    provider = Spoken()
    provider.may_answer.set()
    async with house(tmp_path, provider) as process:
        lose_word_of(process.ledger, method, times=times)
        started = await process.generate()
        await process.until(started.id, lambda seen: seen.status == "processing" and provider.looks > 0)
        assert len(provider.posts) == 1


async def test_a_call_whose_commit_had_no_word_is_answered_with_the_row_that_it_made(tmp_path: Path) -> None:
    async with house(tmp_path, Spoken()) as process:
        lose_word_of(process.ledger, "begin")
        started = await process.generate()
        assert [seen.id for seen in (await process.desk.page()).generations] == [started.id]


async def test_a_call_that_was_given_a_lost_one_without_a_word_is_not_paid_for_again(tmp_path: Path) -> None:
    async with house(tmp_path, Spoken(), starts=False) as process:
        first = await process.generate()
        record = await process.ledger.get(first.id, "local")
        assert record is not None
        await process.ledger.answer(record, Answered.LOST)
        lose_word_of(process.ledger, "begin")
        assert (await process.generate()).id == first.id
        assert (await process.generate()).id != first.id


async def test_what_its_caller_was_told_to_have_failed_is_not_sent(tmp_path: Path) -> None:
    provider = Spoken()
    async with house(tmp_path, provider) as process:
        lose_word_of(process.ledger, "claim_next", times=1000)
        lose_word_of(process.ledger, "begin", times=2)
        with pytest.raises(StorageError):
            await process.generate()
        (row,) = (await process.desk.page()).generations
        await process.until(row.id, lambda seen: seen.status == "cancelled")
    assert provider.posts == []


async def test_a_ledger_that_refused_before_it_began_is_not_asked_again_while_the_caller_waits(tmp_path: Path) -> None:
    async with house(tmp_path, Spoken(), starts=False) as process:
        lose_word_of(process.ledger, "begin", error=Unwritten("It is locked.", next_step="Wait."))
        with pytest.raises(Unwritten):
            await process.generate()


async def test_a_refused_submission_is_put_back_once_though_the_word_of_it_was_lost(tmp_path: Path) -> None:
    """The row may have been claimed anew by then: that claim is not the one that is taken back."""
    provider = Spoken(said=ProviderUnreachable("Nobody there", next_step="Wait."))
    provider.may_answer.set()
    async with house(tmp_path, provider) as process:
        lose_word_of(process.ledger, "unsend")
        started = await process.generate()
        await process.until(started.id, lambda seen: "Nobody there" in seen.progress.message)
        record = await process.ledger.get(started.id, "local")
        assert record is not None
        assert (record.stage, record.submit_token) == (Stage.ACCEPTED, None)


@pytest.mark.parametrize(
    "record",
    [row(Stage.RUNNING, job_id="job"), row(Stage.COLLECTING, job_id="job"), row(Stage.ACCEPTED)],
    ids=lambda record: record.stage,
)
async def test_what_was_taken_over_without_a_word_is_driven_on(tmp_path: Path, record: Record) -> None:
    provider = Spoken()
    provider.may_answer.set()
    async with house(tmp_path, provider) as process:
        await process.ledger.begin(record, adopt_within_s=ANY_AGE_S)
        await process.until(record.id, lambda seen: provider.looks > 0)


async def test_a_row_that_ended_since_the_sweep_read_it_is_not_driven_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, Spoken(), starts=False) as process:
        running = await process.ledger.begin(row(Stage.RUNNING, job_id="job"), adopt_within_s=ANY_AGE_S)

        async def ends_meanwhile(*_: object) -> tuple[frozenset[str], list[Record]]:
            await process.ledger.change(running, {"stage": Stage.SUCCEEDED})
            return frozenset({running.id}), [running]

        monkeypatch.setattr(process.ledger, "held", ends_meanwhile)
        resumed: list[Record] = []
        monkeypatch.setattr(process.driver, "resume", resumed.append)
        await sweep.sweep(process.journal, "me", process.driver)
        assert resumed == []


async def test_a_process_that_wakes_leaves_what_another_one_drives_by_now(tmp_path: Path) -> None:
    provider = Spoken()
    provider.may_answer.set()
    async with house(tmp_path, provider) as process:
        started = await process.generate()
        await process.until(started.id, lambda seen: provider.looks > 0)
        taken = "UPDATE generations SET holder = 'another'"
        await process.database.transaction(lambda: process.database.db.execute(taken))
        with anyio.fail_after(PATIENCE_S):
            while process.driver.driven():  # noqa: ASYNC110 - nothing is said of it
                await anyio.sleep(0.02)


async def test_a_post_under_way_is_never_taken_for_a_claim_without_a_word(tmp_path: Path) -> None:
    provider = Spoken()
    async with house(tmp_path, provider) as process:
        started = await process.generate()
        for _ in range(3):
            await sweep.sweep(process.journal, "me", process.driver)
        assert "Being sent" in (await process.desk.kept(started.id)).progress.message
        provider.may_answer.set()
        await process.until(started.id, lambda seen: seen.status == "processing")
    assert len(provider.posts) == 1


async def test_a_claim_that_is_taken_back_is_not_the_next_one_of_its_row(tmp_path: Path) -> None:
    async with house(tmp_path, Spoken(), starts=False) as process:
        await process.ledger.begin(row(Stage.ACCEPTED), adopt_within_s=ANY_AGE_S)
        claims: dict[str, Any] = {"holder": "me"}
        access = Spoken().access
        first = await process.ledger.claim_next("key", access.limits, token="first", **claims)
        assert isinstance(first, Record)
        assert await process.ledger.unclaim(first) is not None
        second = await process.ledger.claim_next("key", access.limits, token="second", **claims)
        assert isinstance(second, Record)
        assert await process.ledger.unclaim(first) is None
        assert await process.ledger.unsend(first, closed_s=0.0, narrowed_s=None) is None
        assert await process.ledger.change(first, {"stage": Stage.FAILED}) is None
