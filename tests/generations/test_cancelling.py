"""A wish to cancel that comes while the POST is under way is kept, and holds as soon as it can."""

from pathlib import Path

import anyio
import pytest

from darkroom.errors import Moderated, OutcomeUnknown, ProviderUnreachable, RateLimited
from darkroom.models import Charged, Failure, Receipt, Stage
from darkroom.providers.base import Submission
from darkroom.store.signs import Life
from tests.generations.house import SENT, Spoken, house

LOST = Failure(code="outcome_unknown", message="Nobody knows.", charged=Charged.MAYBE, next_step="Look.")


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        (RateLimited("Later", next_step="Wait.", retry_after=0.0), "cancelled"),
        (RateLimited("Later", next_step="Wait.", retry_after=100.0), "cancelled"),
        (ProviderUnreachable("Nobody there", next_step="Wait."), "cancelled"),
        (SENT, "processing"),
        (Submission(receipt=Receipt(job_id="job"), queued=True), "queued"),
        (Moderated("No", charged=Charged.NO, next_step="Reword."), "failed"),
        (OutcomeUnknown("Gone", charged=Charged.MAYBE, next_step="Look."), "failed"),
    ],
    ids=str,
)
async def test_a_wish_to_cancel_during_the_post_holds_where_the_provider_did_not_take_it(
    tmp_path: Path, said: Submission | Exception, ends: str
) -> None:
    provider = Spoken(said=said)
    async with house(tmp_path, provider) as process, house(tmp_path, Spoken(), name="another", starts=False) as another:
        started = await process.generate()
        await process.until(started.id, lambda seen: len(provider.posts) == 1)
        generation, note = await another.desk.cancel(started.id)
        assert generation.status == "queued"
        assert "turns out not to have taken it" in generation.progress.message
        assert note.startswith("Not cancelled yet: it is being sent")
        provider.may_answer.set()
        ended = await process.until(started.id, lambda seen: "Being sent" not in seen.progress.message)
        assert ended.status == ends
        if ends == "cancelled":
            _, over = await another.desk.cancel(started.id)
            assert ("had refused what was sent" in over) is isinstance(said, RateLimited)
        await anyio.sleep(0.05)
    assert len(provider.posts) == 1


async def test_what_a_dead_process_left_waiting_is_cancelled_where_that_was_wished(tmp_path: Path) -> None:
    """An older version on the same ledger puts back into the queue without reading the wish."""
    async with house(tmp_path, Spoken(), name="dead") as process:
        started = await process.generate()
        await process.desk.cancel(started.id)
        process.ledger._db.execute("UPDATE generations SET stage = 'accepted', submit_token = NULL")  # pyright: ignore[reportPrivateUsage]
        process.seen.lives["dead"] = Life.DEAD
        adopted = await process.ledger.adopt(["dead"], "heir", {"local": {"fatthumb": "key"}}, lost=LOST)
        assert adopted == []
        seen = await process.ledger.get(started.id, "local")
        assert seen is not None
        assert seen.stage is Stage.CANCELLED
        assert (seen.finished_at or 0.0) >= seen.created_at


async def test_a_wish_that_comes_after_its_row_went_to_another_process_cancels_it(tmp_path: Path) -> None:
    provider = Spoken(said=RateLimited("Later", next_step="Wait.", retry_after=100.0))
    provider.may_answer.set()
    async with house(tmp_path, provider) as process:
        started = await process.generate()
        before = await process.until(started.id, lambda seen: "Being sent" not in seen.progress.message)
        await process.ledger.adopt("me", "heir", {"local": {"fatthumb": "key"}}, lost=LOST)
        generation, note = await process.desk.cancel(started.id)
    assert (before.status, generation.status) == ("queued", "cancelled")
    assert "Cancelled for good" in note
