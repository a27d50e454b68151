"""A provider that charges nothing never says that it may have."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from darkroom.errors import DarkroomError
from darkroom.generations.driving.posting import lost_in_submission
from darkroom.generations.outcome import job_error
from darkroom.generations.telling.changes import Changes
from darkroom.generations.telling.describing import Describer
from darkroom.generations.telling.journal import Journal
from darkroom.models import Charged, GenerationRequest, Image, ImageStatus, Record, Stage
from darkroom.providers.declared import DECLARED
from darkroom.providers.owners import Means, Owners
from darkroom.providers.registry import Registry
from darkroom.providers.sketch import Sketch
from darkroom.redact.secrets import Redactor
from darkroom.views import Generation
from tests.ledgers import open_ledger, pictures_in


async def told(home: Path, error: DarkroomError) -> Generation:
    """What is said of a sketch that ended so, as a whole and with a picture."""
    async with open_ledger(home) as ledger:
        registry = Registry({"sketch": Sketch()}, "sketch", Redactor(()), declared=DECLARED)
        failed = Image(index=1, status=ImageStatus.FAILED, error=error.failure())
        row = Record(
            id="gen_1", owner="local", request=GenerationRequest(provider="sketch", prompt="a fox", model="sketch"),
            account="sketch", stage=Stage.FAILED, created_at=0.0, images=(failed,), failure=error.failure(),
        )  # fmt: skip
        return await Describer(Journal(ledger, Changes()), Owners(Means(registry)), "me", pictures_in(home)).generation(
            row
        )


ERRORS: dict[str, Callable[[], DarkroomError]] = {
    "lost on the way": lost_in_submission,
    "failed": lambda: job_error("no"),
    "not saved": lambda: DarkroomError("Not saved.", next_step="Make room.", charged=Charged.YES),
}


def texts(generation: Generation) -> Iterator[str]:
    for error in (generation.error, *(image.error for image in generation.images)):
        assert error is not None
        assert error.charged is Charged.NO
        yield from (error.message, error.next_step)


@pytest.mark.parametrize("name", ERRORS)
async def test_whatever_goes_wrong_with_a_free_picture_it_was_not_charged(tmp_path: Path, name: str) -> None:
    generation = await told(tmp_path, ERRORS[name]())
    said = [generation.progress.message, *texts(generation)]
    assert not any("been charged" in text for text in said)
