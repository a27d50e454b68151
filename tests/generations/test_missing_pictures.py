"""Pictures of a finished generation that were not to be had, asked for again: by many at once, here and elsewhere."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from darkroom.errors import DarkroomError, NotAnImage, ResultUnavailable
from darkroom.models import GenerationRequest, Image, ImageStatus, Receipt, Record, Stage
from darkroom.providers.base import Reading, RemoteImage
from darkroom.transport.incoming import Incoming
from darkroom.views import Generation
from tests.generations.virtual import (
    AnotherMadeUp,
    House,
    MadeUp,
    house,
    in_virtual_time,
    made_up,
    png,
    running_job,
    there,
)

AWAY = ResultUnavailable("The picture's link returned 404.", next_step="Call get_status later.", passing=True)
AVIF = NotAnImage("What came is an AVIF picture.", next_step="Open it in the gallery.")


def lacking(*missing: DarkroomError, count: int = 1, failure: DarkroomError | None = None) -> Record:
    """A generation that is over, with these of its pictures missing."""
    failed = tuple(
        Image(index=number, status=ImageStatus.FAILED, error=error.failure())
        for number, error in enumerate(missing, start=1)
    )
    over = {"stage": Stage.FAILED, "images": failed, "failure": (failure or missing[0]).failure()}
    return running_job(count=count, holder="who was first").model_copy(update=over)


async def get_status(one: House) -> Generation:
    return await one.status()


async def wait(one: House) -> Generation:
    return (await one.waited())[0]


@pytest.mark.parametrize("ask", [get_status, wait])
@pytest.mark.parametrize("callers", [1, 2, 5])
def test_all_who_ask_a_process_for_a_missing_picture_share_one_fetch(
    tmp_path: Path, callers: int, ask: Callable[[House], Awaitable[Generation]]
) -> None:
    provider = made_up(there("a"), a=png())
    told: list[Generation] = []

    async def asked() -> None:
        async with house(tmp_path, provider) as one, anyio.create_task_group() as group:
            await one.begin(lacking(AWAY))

            async def call() -> None:
                told.append(await ask(one))

            for _ in range(callers):
                group.start_soon(call)

    in_virtual_time(asked)
    assert [generation.status for generation in told] == ["succeeded"] * callers
    assert len(provider.fetched("a")) == 1


class Together(MadeUp):
    """Gives a picture late to the first who asks for it, so that another one comes meanwhile."""

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        self.fetches.append(("a", anyio.current_time()))
        if len(self.fetches) < 2:
            await anyio.sleep(1.0)
        into.write(png())


@pytest.mark.parametrize("ask", [get_status, wait])
def test_two_processes_that_fetch_the_same_missing_picture_both_end_well(
    tmp_path: Path, ask: Callable[[House], Awaitable[Generation]]
) -> None:
    provider = Together(made_up(there("a")).readings)
    told: list[Generation] = []

    async def asked() -> None:
        async with house(tmp_path, provider) as one, house(tmp_path, provider, holder="another") as other:
            await one.begin(lacking(AWAY))

            async def call(of: House) -> None:
                told.append(await ask(of))

            async with anyio.create_task_group() as group:
                group.start_soon(call, one)
                group.start_soon(call, other)
            assert (await ask(one)).status == "succeeded"

    in_virtual_time(asked)
    assert [generation.status for generation in told] == ["succeeded"] * 2
    assert len(list(tmp_path.glob("pictures/*/*.png"))) == 1


class Slow(MadeUp):
    """Takes so long for each picture that whoever asks meanwhile has read the row before."""

    async def picture(self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming) -> None:
        await anyio.sleep(1.0)
        await super().picture(receipt, request, image, into)


def test_two_processes_that_find_different_pictures_lose_neither(tmp_path: Path) -> None:
    first = made_up(there("a", "b"), kind=Slow, a=png(1), b=AWAY)
    second = made_up(there("a", "b"), kind=Slow, a=AWAY, b=png(2))

    async def asked() -> Record:
        async with house(tmp_path, first) as one, house(tmp_path, second, holder="another") as other:
            await one.begin(lacking(AWAY, AWAY, count=2))
            async with anyio.create_task_group() as group:
                group.start_soon(one.status)
                group.start_soon(other.status)
            return await one.row()  # asked again, a process would bring its own picture again

    row = in_virtual_time(asked)
    assert row.stage == "succeeded"
    assert [image.status for image in row.images] == ["succeeded"] * 2
    assert row.failure is None


@pytest.mark.parametrize("broken", [RuntimeError("a flaw"), ValueError("another")])
def test_a_flaw_in_serving_one_generation_ends_in_that_generation(tmp_path: Path, broken: Exception) -> None:
    class Flawed(MadeUp):
        async def picture(
            self, receipt: Receipt, request: GenerationRequest, image: RemoteImage, into: Incoming
        ) -> None:
            raise broken

    class Unreadable(AnotherMadeUp):
        async def read(self, receipt: Receipt, request: GenerationRequest) -> Reading:
            raise broken

    async def asked() -> None:
        flawed = Flawed(made_up(there("a")).readings)
        unreadable = Unreadable(made_up(there("a")).readings)
        async with house(tmp_path, flawed, unreadable) as one:
            over = lacking(AWAY)
            await one.begin(over, running_job(2))
            other = over.request.model_copy(update={"provider": "betterwaifu"})
            await one.begin(over.model_copy(update={"id": "gen_3", "request": other}))
            assert [each.status for each in await one.waited(1, 2, 3)] == ["failed"] * 3

    in_virtual_time(asked)


def test_a_row_that_is_driven_twice_is_driven_by_the_second_alone(tmp_path: Path) -> None:
    provider = made_up(Reading(done=False))

    async def driven() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            await anyio.sleep(10.0)
            one.driver.resume(await one.row())
            provider.says(there("a"))
            provider.links["a"] = made_up(a=png()).links["a"]
            assert (await one.waited())[0].status == "succeeded"
            assert (await one.status()).status == "succeeded"
            await anyio.sleep(100.0)

    in_virtual_time(driven)
    assert len(provider.fetched("a")) == 1


def test_get_status_answers_soon_while_a_missing_picture_hangs(tmp_path: Path) -> None:
    provider = made_up(there("a"))
    provider.hanging.add("a")

    async def asked() -> float:
        async with house(tmp_path, provider) as one:
            await one.begin(lacking(AWAY))
            before = anyio.current_time()
            for _ in range(3):
                assert (await one.status()).status == "failed"
            return anyio.current_time() - before

    assert in_virtual_time(asked) <= 15.1
    assert len(provider.fetched("a")) == 1


def test_who_waits_for_any_does_not_wait_for_the_missing_picture_of_a_finished_one(tmp_path: Path) -> None:
    provider = made_up(there("a"))
    provider.hanging.add("a")

    async def asked() -> float:
        async with house(tmp_path, provider) as one:
            await one.begin(lacking(AWAY))
            before = anyio.current_time()
            assert (await one.waited(until="any"))[0].status == "failed"
            return anyio.current_time() - before

    assert in_virtual_time(asked) < 1.0


def test_a_picture_is_as_missing_as_before_when_darkroom_ended_while_it_fetched_it_again(tmp_path: Path) -> None:
    provider = made_up(there("a"), a=png())
    provider.hanging.add("a")

    async def ended() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(lacking(AWAY))
            before = await one.row()
            assert (await one.status()).status == "failed"
        assert len(provider.fetched("a")) == 1
        provider.hanging.clear()
        async with house(tmp_path, provider, holder="the next") as other:
            assert await other.row() == before
            assert (await other.status()).status == "succeeded"

    in_virtual_time(ended)


def test_a_picture_that_an_older_version_left_under_way_when_it_was_killed_is_missing_and_is_fetched(
    tmp_path: Path,
) -> None:
    provider = made_up(there("a"), a=png())
    left = lacking(AWAY).model_copy(update={"images": (Image(index=1, status=ImageStatus.PROCESSING),)})

    async def told() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(left)
            (image,) = (await one.desk.kept("gen_1")).images
            assert image.status == "failed"
            assert image.error is not None
            assert "ended while it was fetching" in image.error.message
            assert (await one.status()).status == "succeeded"

    in_virtual_time(told)


@pytest.mark.parametrize("ask", [get_status, wait])
def test_what_was_refused_for_good_is_not_fetched_again(
    tmp_path: Path, ask: Callable[[House], Awaitable[Generation]]
) -> None:
    provider = made_up(there("a"), a=AVIF)

    async def asked() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(running_job())
            assert (await one.waited())[0].status == "failed"
            assert (await ask(one)).status == "failed"

    in_virtual_time(asked)
    assert len(provider.fetched("a")) == 1
    assert len(provider.reads) == 1


def test_a_job_is_over_for_its_provider_only_once_its_missing_pictures_are_saved_too(tmp_path: Path) -> None:
    provider = made_up(there("a"), a=png())

    async def fetched() -> None:
        async with house(tmp_path, provider) as one:
            await one.begin(lacking(AWAY))
            job_id = (await one.row()).job_id
            assert provider.overs == []
            assert (await one.status()).status == "succeeded"
            assert provider.overs == [job_id]

    in_virtual_time(fetched)
