"""What the ledger cannot hold ends in its row; a ledger out of reach ends nothing, and is told of."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from darkroom.accounts import Limits, Window
from darkroom.errors import ProviderError, StorageError
from darkroom.generations.driving.queue import RequestAllowance
from darkroom.generations.telling.journal import RowLost
from darkroom.models import Charged, GenerationRequest, Record, Stage
from darkroom.providers.base import Access, Reading
from darkroom.store import database
from tests.generations.house import House, Spoken, house
from tests.generations.test_polling import in_virtual_time
from tests.hosts import PATIENCE_S
from tests.ledgers import ANY_AGE_S, open_ledger

RUNNING = Record(
    id="gen_1",
    owner="local",
    request=GenerationRequest(provider="fatthumb", prompt="a fox", model="m"),
    account="key",
    stage=Stage.RUNNING,
    created_at=time.time(),
    submitted_at=time.time(),
    job_id="job",
    holder="me",
)
FULL = StorageError("The ledger could not be used (database or disk is full).", next_step="Wait.")


async def refuse(*_: Any, **__: Any) -> Any:
    raise FULL


async def stage_of(process: House) -> tuple[Stage, str | None, Charged | None]:
    record = await process.ledger.get(RUNNING.id, "local")
    assert record is not None
    failure = record.failure
    return record.stage, failure and failure.code, failure and failure.charged


@pytest.mark.parametrize(
    "value",
    [
        {"seed": 2**63},
        {"seed": -(2**70)},
        {"seed": 0.5},
        {"queue_position": 2**64, "stage": Stage.COLLECTING},
        {"job_id": "\ud800"},
        {"provider_queued": None},
    ],
    ids=str,
)
async def test_a_value_that_the_ledger_cannot_hold_ends_its_generation_and_is_not_written_again(
    tmp_path: Path, value: dict[str, Any]
) -> None:
    async with house(tmp_path, Spoken(), starts=False) as process:
        await process.ledger.begin(RUNNING, adopt_within_s=ANY_AGE_S)
        with anyio.fail_after(PATIENCE_S), pytest.raises(RowLost):
            await process.journal.write(RUNNING, **value)
        assert await stage_of(process) == (Stage.FAILED, "storage_error", Charged.MAYBE)
        assert process.ledger.trouble is None
        assert await process.journal.note(RUNNING.model_copy(update={"stage": Stage.FAILED}), **value) is not None


async def test_such_a_value_that_is_only_good_to_know_is_left_out(tmp_path: Path) -> None:
    provider = Spoken(reading=Reading(done=True, seed=2**64, error="out of paint"))
    async with house(tmp_path, provider) as process:
        await process.ledger.begin(RUNNING, adopt_within_s=ANY_AGE_S)
        process.driver.resume(RUNNING)
        ended = await process.until(RUNNING.id, lambda seen: seen.status.terminal)
        assert ended.error is not None
        assert (ended.error.code, ended.seed) == ("provider_error", None)


def test_jobs_are_looked_at_every_thirty_seconds_while_the_ledger_cannot_be_asked(tmp_path: Path) -> None:
    async def looks() -> list[float]:
        times: list[float] = []
        async with open_ledger(tmp_path) as ledger:
            allowance = RequestAllowance(Access("key", Limits(requests=(Window(1000, 3600.0),))), ledger)
            allowed, ledger.reserve_requests = ledger.reserve_requests, refuse

            async def look() -> None:
                await allowance.draw()
                times.append(anyio.current_time())

            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(look)
            ledger.reserve_requests = allowed
            await look()
        return times

    times = in_virtual_time(looks)
    assert [round(time - times[0]) for time in times[:5]] == [0, 30, 60, 90, 120]
    assert times[5] - times[4] < 2


async def test_a_ledger_out_of_reach_is_told_of_instead_of_work_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path, Spoken(), starts=False) as process:
        await process.ledger.begin(RUNNING, adopt_within_s=ANY_AGE_S)
        db = process.database.db
        db.execute("PRAGMA query_only = 1")
        noted = await process.journal.note(RUNNING, queue_position=3, provider_queued=True)
        assert noted.queue_position == 3
        told = (await process.desk.kept(RUNNING.id)).progress.message
        assert "readonly" in told
        assert "only kept in memory" in told
        with monkeypatch.context() as later:
            later.setattr(database, "BELIEVED_S", 0.0)
            assert "memory" not in (await process.desk.kept(RUNNING.id)).progress.message
        db.execute("PRAGMA query_only = 0")
        await process.journal.write(noted, seed=7)
        record = await process.ledger.get(RUNNING.id, "local")
        assert record is not None
        assert (record.queue_position, record.provider_queued, record.seed) == (3, True, 7)
        assert "memory" not in (await process.desk.kept(RUNNING.id)).progress.message


async def test_what_a_generation_struggles_with_is_known_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darkroom.generations.driving.sweep.SWEEP_S", 0.02)
    down = ProviderError("FatThumb is on fire", next_step="Wait.")
    async with house(tmp_path, Spoken(reading=down)) as process, house(tmp_path, Spoken(), name="another") as another:
        await process.ledger.begin(RUNNING, adopt_within_s=ANY_AGE_S)
        process.driver.resume(RUNNING)
        shared = partial(process.journal.share_trouble, "me")
        await process.until(RUNNING.id, lambda seen: "on fire" in seen.progress.message)
        with anyio.fail_after(PATIENCE_S):
            while "on fire" not in (await another.desk.kept(RUNNING.id)).progress.message:  # noqa: ASYNC110
                await anyio.sleep(0.02)
        process.journal.struggling(RUNNING, None)
        await shared()
        assert "on fire" not in (await another.desk.kept(RUNNING.id)).progress.message


@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.RUNNING, Stage.SUCCEEDED, Stage.FAILED])
async def test_a_row_of_a_provider_that_is_no_longer_there_is_listed_like_any_other(
    tmp_path: Path, stage: Stage
) -> None:
    gone = RUNNING.request.model_copy(update={"provider": "dall-e-2"})
    async with house(tmp_path, Spoken()) as process:
        await process.ledger.begin(
            RUNNING.model_copy(update={"request": gone, "stage": stage}), adopt_within_s=ANY_AGE_S
        )
        for seen in (
            *(await process.desk.page()).generations,
            await process.desk.get(RUNNING.id),
            (await process.desk.cancel(RUNNING.id))[0],
        ):
            assert seen.provider == "dall-e-2"
            assert ("does not know that provider" in seen.progress.message) is not seen.status.terminal
