"""Pictures of a job that its provider calls finished: not there yet, refused for good, in another order, in the way."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from darkroom.errors import DarkroomError, NotAnImage, ResultUnavailable
from darkroom.generations.driving import collect
from darkroom.generations.pictures.decoding import AT_ONCE
from darkroom.generations.pictures.recognising import Verified
from darkroom.models import ImageStatus
from darkroom.providers.base import Reading, RemoteImage
from darkroom.views import Generation
from tests.generations.virtual import AnotherMadeUp, MadeUp, house, in_virtual_time, made_up, png, running_job, there

NOTHING_YET = Reading(done=True)
NO_LINK = there(None)


def away(retry_after: float | None = None) -> ResultUnavailable:
    return ResultUnavailable(
        "The picture's link returned 404.", next_step="Call get_status.", passing=True, retry_after=retry_after
    )


PAGE = NotAnImage("What came is a web page.", next_step="Call get_status.", passing=True)
AVIF = NotAnImage("What came from a.example is an AVIF picture.", next_step="Open it in the gallery.")


def brought(home: Path, *providers: MadeUp, count: int = 1, status: str = "succeeded") -> Generation:
    """A job that runs at the first of the providers, at its end."""

    async def run() -> Generation:
        async with house(home, *providers) as one:
            await one.begin(running_job(count=count))
            (generation,) = await one.waited()
            return generation

    generation = in_virtual_time(run)
    assert generation.status == status
    return generation


@pytest.mark.parametrize("early", [NOTHING_YET, NO_LINK], ids=["no pictures", "no link"])
@pytest.mark.parametrize("looks", [1, 4, 8])
def test_a_finished_job_without_its_pictures_is_looked_at_until_they_are_there(
    tmp_path: Path, early: Reading, looks: int
) -> None:
    provider = made_up(*[early] * looks, there("a"), a=png())
    provider.links[""] = made_up(x=away()).links["x"]
    brought(tmp_path, provider)


@pytest.mark.parametrize("trouble", [away(), PAGE], ids=["away", "page"])
@pytest.mark.parametrize("times", [1, 3, 8])
def test_a_link_that_leads_nowhere_yet_is_followed_again(tmp_path: Path, trouble: DarkroomError, times: int) -> None:
    brought(tmp_path, made_up(there("a"), a=[*[trouble] * times, png()]))


def test_what_does_not_come_is_asked_for_during_a_minute_and_ever_more_slowly(tmp_path: Path) -> None:
    provider = made_up(there("a"), a=away())
    generation = brought(tmp_path, provider, status="failed")
    times = provider.fetched("a")
    assert times[-1] - times[0] >= 60.0
    assert 5 <= len(times) <= 40
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert max(pauses) > provider.traits.poll_interval_s + 0.1
    assert generation.error is not None
    assert generation.error.code == "result_unavailable"
    assert "enerate again" not in generation.error.next_step


def test_what_was_promised_and_never_came_says_to_look_again_and_not_to_pay_again(tmp_path: Path) -> None:
    error = brought(tmp_path, made_up(NOTHING_YET), status="failed").error
    assert error is not None
    assert (error.code, "get_status" in error.next_step) == ("result_unavailable", True)
    assert "enerate again" not in error.next_step


@pytest.mark.parametrize("named", [5.0, 45.0, 90.0])
def test_a_picture_is_not_asked_for_before_the_time_that_its_host_named(tmp_path: Path, named: float) -> None:
    provider = made_up(there("a"), a=[away(named), png()])
    brought(tmp_path, provider)
    first, second = provider.fetched("a")
    assert second - first >= named


def test_a_host_that_asks_for_an_hour_is_given_it_whoever_asks(tmp_path: Path) -> None:
    provider = made_up(there("a"), a=[away(3600.0), png()])

    async def run() -> list[str]:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            told = [(await one.waited())[0].status, (await one.status()).status]
            await anyio.sleep(3600.0)
            return [*told, (await one.status()).status]

    assert in_virtual_time(run) == ["failed", "failed", "succeeded"]


def test_what_is_refused_for_good_is_fetched_once_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    provider = made_up(there("a", "b"), a=AVIF, b=png())
    generation = brought(tmp_path, provider, count=2, status="partial")
    assert len(provider.fetched("a")) == 1
    error = generation.images[0].error
    assert error is not None
    assert (error.code, error.next_step) == ("not_an_image", AVIF.next_step)


def test_a_job_that_failed_is_not_asked_for_its_pictures(tmp_path: Path) -> None:
    provider = made_up(Reading(done=True, error="out of memory"))
    brought(tmp_path, provider, status="failed")
    assert len(provider.reads) == 1


def test_pictures_are_fetched_though_the_job_can_no_longer_be_read(tmp_path: Path) -> None:
    gone = ResultUnavailable("It is gone.", next_step="Wait.")
    brought(tmp_path, made_up(there("a"), gone, a=[away(), png()]))


def partly(*said: tuple[str, str | None]) -> Reading:
    """A job at work on pictures with these names, of which some have links already."""
    return Reading(
        done=all(link for _, link in said),
        images=tuple(
            RemoteImage(
                index=index,
                remote_id=name or None,
                status=ImageStatus.SUCCEEDED if link else ImageStatus.PROCESSING,
                url=link,
            )
            for index, (name, link) in enumerate(said, start=1)
        ),
    )


@pytest.mark.parametrize(
    "looks",
    [
        [partly(("x", "a"), ("y", None)), partly(("y", "b"), ("x", "a"))],
        [partly(("x", None), ("y", "b")), partly(("y", "b"), ("x", "a"))],
        [partly(("y", "b")), partly(("x", "a"), ("y", "b"))],
        [partly(("x", "a"), ("y", None)), partly(("y", None)), partly(("y", "b"), ("x", "a"), ("x", "a"))],
        [partly(("", "a"), ("", None)), partly(("", "a"), ("", "b"))],
    ],
    ids=["turned round", "the second first", "one at first", "one gone for a while", "without names"],
)
def test_every_picture_is_saved_once_in_whatever_order_they_are_listed(tmp_path: Path, looks: list[Reading]) -> None:
    looks = [look.model_copy(update={"done": look is looks[-1]}) for look in looks]
    generation = brought(tmp_path, made_up(*looks, a=png(1), b=png(2)), count=2)
    saved = [Path(image.path or "").read_bytes() for image in generation.images]
    assert sorted(saved) == sorted([png(1), png(2)])
    assert [image.index for image in generation.images] == [1, 2]


def test_a_picture_keeps_its_number_when_the_order_changes(tmp_path: Path) -> None:
    first, then = partly(("x", None), ("y", "b")), partly(("y", "b"), ("x", "a"))
    generation = brought(tmp_path, made_up(first, then, a=png(1), b=png(2)), count=2)
    assert [Path(i.path or "").read_bytes() for i in generation.images] == [png(1), png(2)]


def test_a_picture_s_name_at_its_provider_is_kept_and_not_shown(tmp_path: Path) -> None:
    async def run() -> str:
        async with house(tmp_path, made_up(partly(("secret name", "a")), a=png())) as one:
            await one.begin(running_job())
            (generation,) = await one.waited()
            assert (await one.row()).images[0].remote_id == "secret name"
            return generation.model_dump_json()

    assert "secret name" not in in_virtual_time(run)


def test_hanging_pictures_of_one_provider_hold_up_no_other(tmp_path: Path) -> None:
    slow, quick = made_up(there("a", "b", "c", "d")), made_up(there("e"), kind=AnotherMadeUp, e=png())
    slow.hanging |= {"a", "b", "c", "d"}

    async def run() -> float:
        async with house(tmp_path, slow, quick) as one:
            await one.begin(running_job(1, count=4), running_job(2, count=4))
            await anyio.sleep(5.0)
            before = anyio.current_time()
            await one.begin(running_job(3, provider="betterwaifu"))
            assert [generation.status for generation in await one.waited(3)] == ["succeeded"]
            return anyio.current_time() - before

    assert in_virtual_time(run) < 10.0


def test_pictures_of_one_provider_that_take_long_to_decode_hold_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = made_up(there("a", "b", "c", "d")), made_up(there("e"), kind=AnotherMadeUp, e=png())
    slow.links |= made_up(a=png(1), b=png(2), c=png(3), d=png(4)).links

    async def run() -> float:
        all_places = anyio.CapacityLimiter(AT_ONCE)

        async def decoding(work: Callable[[], Verified]) -> Verified:
            async with all_places:
                verified = work()
                await anyio.sleep(0.0 if verified.size == len(png()) else 10.0)
                return verified

        monkeypatch.setattr(collect, "decoding", decoding)
        async with house(tmp_path, slow, quick) as one:
            await one.begin(running_job(1, count=4))
            await anyio.sleep(5.0)
            before = anyio.current_time()
            await one.begin(running_job(3, provider="betterwaifu"))
            assert [generation.status for generation in await one.waited(3)] == ["succeeded"]
            return anyio.current_time() - before

    assert in_virtual_time(run) < 5.0
