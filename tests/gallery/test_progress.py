"""The gallery follows a generation until its pictures are there."""

import re
from collections.abc import Mapping

import pytest
from playwright.async_api import expect

from tests.gallery.scenes import button, finished, painted, picture, started
from tests.gallery.shown import EVERYTHING, Host
from tests.hosts import ERAS, Era, Home, connected
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Redirect


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_asked_for_is_shown_before_there_is_an_answer_and_the_answer_after_it(
    home: Home, fatthumb: FatThumb, host: Host, era: Era
) -> None:
    asked_for = {"prompt": "A fox reading a map", "count": 2}
    async with (
        connected(home.with_(fatthumb), era) as client,
        host.shows(client, None, asked_for=asked_for) as gallery,
    ):
        assert gallery.app["name"] == "darkroom-gallery"
        await expect(gallery.words).to_contain_text("A fox reading a map")
        await gallery.tell(await started(client, **asked_for))
        await expect(gallery.words).to_contain_text("2 pictures saved.")
        await expect(gallery.spoken).to_contain_text("2 pictures saved.")
        await expect(picture(gallery, 2)).to_have_accessible_name("Picture 2: A fox reading a map")
        await expect(gallery.view.get_by_role("heading", level=2)).to_have_count(1)


async def test_a_call_that_was_cancelled_or_refused_is_said_to_be(home: Home, fatthumb: FatThumb, host: Host) -> None:
    asked_for = {"prompt": "A fox", "model": "no-such-model"}
    async with connected(home.with_(fatthumb)) as client:
        async with host.shows(client, None, asked_for=asked_for) as gallery:
            await gallery.cancel()
            await expect(gallery.words).to_contain_text("cancelled")
        refused = await client.call_tool("generate", asked_for)
        assert refused.is_error
        async with host.shows(client, refused, asked_for=asked_for) as gallery:
            await expect(gallery.words).to_contain_text("no-such-model")
    assert fatthumb.posts == []


@pytest.mark.parametrize("capabilities", [EVERYTHING, {}])
async def test_what_was_waited_for_and_is_not_there_is_followed_no_further(
    home: Home, host: Host, capabilities: Mapping[str, object]
) -> None:
    asked_for = {"generation_ids": ["gen_aaaaaaaaaaaaaaaaaaaaaaaaaa"]}
    async with connected(home) as client:
        refused = await client.call_tool("wait", asked_for)
        assert refused.is_error
        async with host.shows(client, refused, asked_for=asked_for, capabilities=capabilities, clock=True) as gallery:
            await expect(gallery.words).to_contain_text("There is no generation")
            await expect(gallery.words).not_to_contain_text("Developing")
            await gallery.page.clock.run_for(600_000)
            await gallery.frame.evaluate("1")
            await expect(gallery.words).not_to_contain_text("The work goes on")
            # The first look may be on its way before the refusal comes.
            assert len([asked for asked in gallery.asked if asked.tool]) <= 1


async def test_a_generation_that_is_not_there_is_asked_for_once(home: Home, host: Host) -> None:
    asked_for = {"generation_ids": ["gen_aaaaaaaaaaaaaaaaaaaaaaaaaa"]}
    async with (
        connected(home) as client,
        host.shows(client, None, asked_for=asked_for, clock=True) as gallery,
    ):
        await expect(gallery.words).not_to_contain_text("Developing")
        await expect(gallery.words).to_contain_text("There is no generation")
        await gallery.page.clock.run_for(600_000)
        await gallery.frame.evaluate("1")
        assert [asked.tool for asked in gallery.asked if asked.tool] == ["get_status"]


async def test_a_place_in_the_queue_then_work_then_pictures_are_seen_without_a_reload(home: Home, host: Host) -> None:
    with BetterWaifu(queue=1000, queue_positions=(41, 23), duration=1000) as service:
        async with (
            connected(home.with_(service)) as client,
            host.shows(client, await started(client)) as gallery,
        ):
            await expect(gallery.words).to_contain_text("position 41")
            await gallery.keep("queued")
            service.advance(600)
            await expect(gallery.words).to_contain_text("position 23")
            service.advance(600)
            await expect(gallery.words).to_contain_text("working on it")
            await gallery.keep("running")
            service.advance(1000)
            await expect(gallery.words).to_contain_text("1 picture saved.")
            (job,) = service.jobs.values()
            await painted(picture(gallery), service.picture(job.image_ids[0]))


async def test_how_long_it_will_take_is_shown_once_it_is_learned(home: Home, fatthumb: FatThumb, host: Host) -> None:
    async with connected(home.with_(fatthumb, FATTHUMB_LIMITS="submit=3/1000")) as client:
        for _ in range(3):
            await finished(client)
        fatthumb.later_jobs(duration=1000.0)
        async with host.shows(client, await started(client)) as gallery:
            await expect(gallery.words).to_contain_text(re.compile(r"about 1\d:\d\d in all"))
            await gallery.keep("expected")
    async with connected(home.with_(fatthumb)) as client:
        async with host.shows(client, await started(client)) as gallery:
            await expect(gallery.words).to_contain_text(re.compile(r"\d s is usual"))
            await expect(gallery.words).not_to_contain_text("so far")
            bar = gallery.view.get_by_role("progressbar", name="A fox reading a map")
            await expect(bar).to_have_attribute("aria-valuenow", "96")
        async with host.shows(client, await started(client, count=2)) as gallery:
            await expect(gallery.words).to_contain_text("working on it")
            await expect(gallery.words).not_to_contain_text(re.compile("usual|in all"))
            await expect(gallery.view.get_by_role("progressbar")).to_be_hidden()


async def test_the_pictures_on_the_screen_are_those_that_were_served(home: Home, host: Host) -> None:
    with FatThumb() as service:
        async with (
            connected(home.with_(service)) as client,
            host.shows(client, await started(client, count=4)) as gallery,
        ):
            await expect(gallery.words).to_contain_text("4 pictures saved.")
            (job,) = service.jobs.values()
            for number, thumbnail in enumerate(job.thumbnail_ids, 1):
                await painted(picture(gallery, number), service.picture(thumbnail))


async def test_a_look_draws_no_picture_again_that_it_finds_as_it_was(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    refused = Redirect("https://10.0.0.1/x.png")
    fatthumb.script("picture", refused)
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client, count=2)) as gallery,
    ):
        drawn, fetch = gallery.view.locator("canvas"), button(gallery, "Fetch what is missing (free)")
        await expect(drawn).to_have_count(1)
        await drawn.evaluate("canvas => { canvas.marked = true; }")
        fatthumb.always("picture", refused)
        await fetch.click()
        await expect(gallery.words).to_contain_text("It still did not come.")
        assert await drawn.evaluate("canvas => canvas.marked")
        fatthumb.always("picture", None)
        await fetch.click()
        await expect(drawn).to_have_count(2)
        marked = "[...document.querySelectorAll('canvas')].filter(canvas => canvas.marked).length"
        assert await gallery.frame.evaluate(marked) == 1
