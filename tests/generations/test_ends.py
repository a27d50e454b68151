"""How a generation ends stays true: it does not end before it began, and nothing of it is under way after its end."""

from pathlib import Path

import anyio
import pytest

from darkroom.accounts import Limits
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.journal import Journal
from darkroom.models import Charged, Failure, GenerationRequest, Image, ImageStatus, Receipt, Record, Stage
from darkroom.providers.base import Reading, RemoteImage
from darkroom.transport.incoming import Incoming
from tests.generations.house import Spoken, house
from tests.ledgers import ANY_AGE_S, Clock, open_ledger

NOW = 1_000_000.0
RECORD = Record(
    id="gen_1",
    owner="local",
    request=GenerationRequest(provider="fatthumb", prompt="a fox", model="m", count=2),
    account="key",
    stage=Stage.ACCEPTED,
    created_at=NOW,
    holder="me",
)
UNFETCHED = Failure(code="result_unavailable", message="No.", charged=Charged.MAYBE, next_step="Look again.")
LOST = Failure(code="outcome_unknown", message="Nobody knows.", charged=Charged.MAYBE, next_step="Look.")


@pytest.mark.parametrize("back", [0.001, 20.0, 86_400.0])
@pytest.mark.parametrize("end", ["cancelled", "failed", "succeeded"])
async def test_nothing_ends_before_it_began_whatever_the_clock_did_meanwhile(
    tmp_path: Path, end: str, back: float
) -> None:
    clock = Clock(NOW)
    async with open_ledger(tmp_path, clock=clock) as ledger:
        await ledger.begin(RECORD, adopt_within_s=ANY_AGE_S)
        clock.now = NOW - back
        if end == "cancelled":
            await ledger.cancel(RECORD.id, "local")
        elif end == "failed":
            await Journal(ledger, Changes()).fail(RECORD, LOST)
        else:
            await ledger.change(RECORD, {"stage": Stage.SUCCEEDED})
        ended = await ledger.get(RECORD.id, "local")
        assert ended is not None
        assert (ended.stage, ended.finished_at) == (Stage(end), NOW)


async def test_the_ledger_dates_what_was_heard_a_while_ago_by_its_own_clock(tmp_path: Path) -> None:
    clock = Clock(NOW)
    async with open_ledger(tmp_path, clock=clock) as ledger:
        await ledger.begin(RECORD, adopt_within_s=ANY_AGE_S)
        sent = await ledger.claim_next(RECORD.account, Limits(), holder="me", token="t")
        assert isinstance(sent, Record)
        clock.now += 60.0
        running = await ledger.change(sent, {"stage": Stage.RUNNING, "job_id": "job"}, ago_s=20.0)
        assert running is not None
        clock.now += 60.0
        ended = await ledger.change(running, {"stage": Stage.SUCCEEDED}, ago_s=5.0)
        assert ended is not None
        assert (ended.submitted_at, ended.finished_at) == (NOW + 40.0, NOW + 115.0)


class Hanging(Spoken):
    """Its pictures never come to their end."""

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        self.looks += 100
        await anyio.sleep_forever()


async def test_a_kill_while_missing_pictures_are_fetched_again_leaves_none_under_way(tmp_path: Path) -> None:
    saved = Image(index=1, status=ImageStatus.SUCCEEDED, key="/1.png")
    missing = Image(index=2, status=ImageStatus.FAILED, error=UNFETCHED)
    over = RECORD.model_copy(update={"stage": Stage.PARTIAL, "job_id": "job", "images": (saved, missing)})
    remote = tuple(
        RemoteImage(index=index, status=ImageStatus.SUCCEEDED, url=f"https://a.example/{index}") for index in (1, 2)
    )
    provider = Hanging(reading=Reading(done=True, images=remote))
    async with house(tmp_path, provider) as process:
        await process.ledger.begin(over, adopt_within_s=ANY_AGE_S)
        process.driver.fetch_again(over)
        await process.until(over.id, lambda seen: provider.looks > 100)
    async with house(tmp_path, Spoken()) as another:
        (seen,) = (await another.desk.page()).generations
        record = await another.ledger.get(over.id, "local")
        assert record is not None
        assert [image.status for image in (*record.images, *seen.images)] == ["succeeded", "failed"] * 2


async def test_a_picture_that_an_older_version_left_under_way_after_the_end_is_told_as_missing(tmp_path: Path) -> None:
    images = (Image(index=1, status=ImageStatus.SUCCEEDED), Image(index=2))
    over = RECORD.model_copy(update={"stage": Stage.PARTIAL, "job_id": "job", "images": images, "finished_at": NOW - 5})
    async with house(tmp_path, Spoken(), starts=False) as process:
        await process.ledger.begin(over, adopt_within_s=ANY_AGE_S)
        seen = await process.desk.kept(over.id)
        assert [image.status for image in seen.images] == ["succeeded", "failed"]
        assert seen.images[1].error is not None
        assert "get_status" in seen.images[1].error.next_step
        assert seen.finished_at == seen.created_at
