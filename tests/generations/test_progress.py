"""What is said of how far a generation is: figures that only grow, and a sentence for everything."""

import unicodedata
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.generations.outcome import job_error, outcome, pictures_done, settle
from darkroom.generations.telling.describing import describe, elapsed, share_done, status_of
from darkroom.generations.telling.wording import say, say_progress
from darkroom.models import TERMINAL, GenerationRequest, Image, ImageStatus, Record, Stage
from darkroom.providers.base import Reading
from darkroom.providers.declared import DECLARED
from darkroom.store.turns import Standing
from darkroom.tools.wait import Meter

NOW = 1_700_000_000.0
TEN_YEARS_S = 10 * 365 * 86_400.0
# Lines are ours to break; nothing else that a terminal obeys is.
UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}

modest = settings(max_examples=150, deadline=None, derandomize=True)
shares = st.lists(st.floats(0.0, 200.0), min_size=1, max_size=60)
ages = st.floats(-86_400.0, TEN_YEARS_S)
provider_texts = st.text(max_size=120) | st.text(alphabet="\x00\x07\x1b[31m\r\n\u2028\u202e\u200b\ufeffa", max_size=40)
standings = st.none() | st.builds(
    Standing,
    ahead=st.integers(0, 600),
    starts_in_s=st.floats(0.0, 90_000.0),
    at_the_earliest=st.booleans(),
)


@st.composite
def records(draw: st.DrawFn, *stages: Stage) -> Record:
    """A row in one of these stages (default: any), with pictures and a failure as such a row may have."""
    stage = draw(st.sampled_from(stages or list(Stage)))
    provider = draw(st.sampled_from(list(DECLARED)))
    record = Record(
        id="gen_1",
        owner="local",
        request=GenerationRequest(provider=provider, prompt="a fox", model="m", count=draw(st.integers(1, 4))),
        account="key",
        stage=stage,
        created_at=NOW,
        provider_queued=stage is Stage.RUNNING and draw(st.booleans()),
        queue_position=draw(st.none() | st.integers(0, 99)),
        seed=draw(st.none() | st.integers(0, 2**40)),
        submitted_at=draw(st.none() | st.just(NOW + 1.0)),
        finished_at=NOW + 60.0 if stage.terminal else None,
    )
    reason = draw(provider_texts)
    some = draw(st.lists(st.sampled_from(list(ImageStatus)), max_size=record.request.count))
    images = tuple(picture(index, status, reason) for index, status in enumerate(some, 1))
    record = record.model_copy(update={"images": images})
    if stage in TERMINAL - {Stage.CANCELLED}:
        images = settle(record, Reading(done=True, error=reason))
        failure = job_error(reason).failure() if stage is Stage.FAILED else None
        record = record.model_copy(update={"images": images, "failure": failure})
    return record


def picture(index: int, status: ImageStatus, reason: str) -> Image:
    if status is ImageStatus.FAILED:
        return Image(index=index, status=status, error=job_error(reason).failure())
    if status is ImageStatus.PROCESSING:
        return Image(index=index)
    return Image(index=index, status=status, key=f"/p/{index}.png", mime_type="image/png", width=1, height=1)


def unsafe(text: str) -> list[str]:
    return [character for character in text if unicodedata.category(character) in UNSAFE and character != "\n"]


@given(shares=shares)
@modest
def test_progress_strictly_increases_whatever_becomes_of_the_pictures(shares: list[float]) -> None:
    meter = Meter()
    told = [meter.next(share) for share in shares]
    assert all(later > earlier for earlier, later in pairwise(told))
    assert all(progress >= share for progress, share in zip(told, shares, strict=True))


@given(share=st.floats(0.0, 200.0), beats=st.integers(1, 2000))
@modest
def test_standing_still_hardly_shows_in_the_progress(share: float, beats: int) -> None:
    meter = Meter()
    told = [meter.next(share) for _ in range(beats)]
    assert told[-1] - share < 0.01


@given(record=records(), age=ages, later=st.floats(0.001, 3600.0), expected_s=st.none() | st.floats(0.0, 600.0))
@modest
def test_time_alone_never_makes_the_next_whole_picture(
    record: Record, age: float, later: float, expected_s: float | None
) -> None:
    total = max(record.request.count, len(record.images))
    share = share_done(record, NOW + age, expected_s)
    assert 0 <= share <= total
    if record.stage.terminal:
        assert share == total
    else:
        before_the_last = min(pictures_done(record), total - 1)
        assert before_the_last <= share < before_the_last + 1
        assert share_done(record, NOW + age + later, expected_s) >= share


@given(record=records(Stage.RUNNING, Stage.COLLECTING), age=st.floats(0.0, 3600.0))
@modest
def test_a_picture_more_is_worth_more_than_any_time(record: Record, age: float) -> None:
    first = next((image for image in record.images if image.status is ImageStatus.PROCESSING), None)
    if first is not None and pictures_done(record) < record.request.count - 1:
        done = picture(first.index, ImageStatus.SUCCEEDED, "")
        images = tuple(done if image is first else image for image in record.images)
        assert share_done(record.model_copy(update={"images": images}), NOW) >= int(share_done(record, NOW + age)) + 1


@given(record=records(), age=ages, standing=standings, trouble=st.none() | st.just("It is down; trying again in 3 s."))
@modest
def test_every_generation_is_described_in_a_sentence(
    record: Record, age: float, standing: Standing | None, trouble: str | None
) -> None:
    traits = DECLARED[record.request.provider].traits
    standing = standing if record.stage is Stage.ACCEPTED else None
    generation = describe(record, traits, NOW + age, str, standing=standing, trouble=trouble)
    message = generation.progress.message
    assert message[0].isupper() or message[0].isdigit() or message.startswith(traits.title)
    assert message.endswith(".")
    assert "None" not in message
    assert generation.progress.elapsed_s >= 0
    assert generation.status is status_of(record)
    assert generation.status.terminal == record.stage.terminal
    if trouble:
        assert (trouble in message) is not record.stage.terminal


@given(record=records(), age=ages, standing=standings)
@modest
def test_no_text_holds_what_a_terminal_would_obey(record: Record, age: float, standing: Standing | None) -> None:
    standing = standing if record.stage is Stage.ACCEPTED else None
    generation = describe(record, DECLARED[record.request.provider].traits, NOW + age, str, standing=standing)
    errors = [error for error in (generation.error, *(image.error for image in generation.images)) if error]
    texts = [generation.progress.message, say_progress([generation])]
    texts += [text for error in errors for text in (error.message, error.next_step)]
    assert [text for text in texts if unsafe(text) or "\n" in text or len(text) > 500] == []
    assert unsafe(say(generation)) == []


@given(record=records(Stage.COLLECTING), reason=st.none() | provider_texts)
@modest
def test_a_finished_job_leaves_no_picture_open_and_ends_as_they_add_up(record: Record, reason: str | None) -> None:
    images = settle(record, Reading(done=True, error=reason))
    assert [image.index for image in images] == list(range(1, max(record.request.count, len(record.images)) + 1))
    assert all(image.status is not ImageStatus.PROCESSING for image in images)
    assert all((image.error is None) == (image.status is ImageStatus.SUCCEEDED) for image in images)
    saved = sum(image.status is ImageStatus.SUCCEEDED for image in images)
    expected = {0: Stage.FAILED, len(images): Stage.SUCCEEDED}.get(saved, Stage.PARTIAL)
    assert outcome(images) is expected


@given(record=records(), age=ages)
@modest
def test_nothing_ever_took_less_than_no_time(record: Record, age: float) -> None:
    assert elapsed(record, NOW + age) >= 0
