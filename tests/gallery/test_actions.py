"""What a person sets going from the page: a picture from this one, a second look, an end to what runs."""

import base64
from collections.abc import Generator

import pytest
from playwright.async_api import expect

from darkroom.testing import Answer
from tests.gallery.scenes import accessibility_faults, button, finished, picture, started
from tests.gallery.shown import Gallery, Host
from tests.hosts import Home, call, connected
from tests.providers.language.test_likeness import job
from tests.services import multipart
from tests.services.declared import DeclaredService
from tests.services.fatthumb import FatThumb
from tests.services.faults import Reset
from tests.tools.test_cancel_at_provider import DRAWING, EASEL, stops


@pytest.fixture
def openai() -> Generator[DeclaredService]:
    """A server that makes pictures from pictures."""
    with DeclaredService.shipped("openai") as service:
        data = [{"b64_json": base64.b64encode(service.picture(1)).decode()}]
        service.says["submit"] = [(200, {"created": 1, "data": data})]
        yield service


@pytest.fixture
def easel() -> Generator[DeclaredService]:
    """A service that can be asked to stop a job."""
    with DeclaredService(EASEL) as service:
        service.says = {"submit": [(200, DRAWING)], "read": [(200, DRAWING)]}
        yield service


async def twice(gallery: Gallery, name: str, then: str) -> None:
    """Presses the button, and again once it asks."""
    await button(gallery, name).click()
    await gallery.page.clock.fast_forward(1000)  # a confirmation that comes sooner is a double click
    await gallery.view.get_by_role("button", name=then).click()


async def test_a_new_picture_is_made_from_this_one_where_the_service_takes_pictures(
    home: Home, openai: DeclaredService, host: Host
) -> None:
    async with connected(openai.home(home)) as client:
        result = await finished(client, provider=openai.name)
        async with host.shows(client, result, clock=True) as gallery:
            await expect(picture(gallery)).to_be_visible()
            await button(gallery, "From this, picture 1, make a new one").click()
            await gallery.page.clock.fast_forward(1000)
            assert len(openai.posts) == 1, "the first press only asks"
            assert await accessibility_faults(gallery) == []
            await gallery.view.get_by_role("button", name="Spend").click()
            await expect(picture(gallery)).to_have_count(2)
    first, second = openai.posts
    assert (first.table, second.table) == ("submit", "edit")
    sent = {name: content for _, name, content in multipart.parts(second.headers["content-type"], second.body)}
    assert sent["image-1.png"] == openai.picture(1)


async def test_no_picture_is_offered_to_a_service_that_takes_none(home: Home, fatthumb: FatThumb, host: Host) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client)) as gallery,
    ):
        await expect(button(gallery, "Make a variation of picture 1")).to_be_visible()
        await expect(gallery.view.get_by_role("button", name="From this")).to_have_count(0)


async def test_what_runs_is_stopped_at_its_service_by_two_presses(
    home: Home, easel: DeclaredService, host: Host
) -> None:
    stops(easel, {"id": "j1", "status": "cancelled"})
    async with connected(easel.home(home)) as client:
        made = (await started(client, provider="easel")).structured_content["id"]
        while (running := await client.call_tool("get_status", {"generation_id": made})).structured_content[
            "status"
        ] == "queued":
            pass
        async with host.shows(client, running, clock=True) as gallery:
            await button(gallery, "Cancel").click()
            await expect(gallery.view.get_by_role("button", name="Cancel it? It may be charged.")).to_be_focused()
            await gallery.page.clock.fast_forward(1000)
            assert easel.of("cancel") == []
            await gallery.keep("cancel-running")
            await gallery.view.get_by_role("button", name="Cancel it?").click()
            await expect(gallery.words.get_by_text("Cancelled", exact=True)).to_be_visible()
            await expect(gallery.words).to_contain_text("It may have been charged.")
            await expect(gallery.view.get_by_role("button", name="Try again (about 0.02 USD)")).to_be_visible()
            await gallery.keep("cancelled-while-running")
    assert len(easel.of("cancel")) == 1


async def test_what_its_service_cannot_stop_goes_on_and_the_page_says_so(home: Home, host: Host) -> None:
    with FatThumb(duration=1000) as service:
        async with (
            connected(home.with_(service)) as client,
            host.shows(client, await started(client), clock=True) as gallery,
        ):
            await expect(gallery.words).to_contain_text("working on it")
            await twice(gallery, "Cancel", "Cancel it?")
            await expect(gallery.words).to_contain_text("which offers no way to stop it. It goes on and is collected.")
            await expect(gallery.spoken).to_contain_text("Not cancelled")
            await expect(gallery.words).to_contain_text("Developing")
            service.advance(2000)
            await gallery.page.clock.run_for(10_000)
            await expect(gallery.words).to_contain_text("1 picture saved.")


async def test_a_lost_outcome_says_that_it_may_be_charged_and_another_try_says_it_too(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    fatthumb.script("submit", Reset(accepts=True))
    async with connected(home.with_(fatthumb)) as client:
        result = await finished(client)
        async with host.shows(client, result, clock=True) as gallery:
            await expect(gallery.words.get_by_text("Outcome unknown", exact=True)).to_be_visible()
            await expect(gallery.words).to_contain_text("It may have been charged.")
            assert await accessibility_faults(gallery) == []
            await gallery.keep("outcome-unknown")
            await button(gallery, "Look again (free)").click()
            await expect(gallery.spoken).to_contain_text("Nothing new is known of it.")
            assert len(fatthumb.posts) == 1
            await button(gallery, "Try again (costs credits)").click()
            await expect(gallery.words).to_contain_text("The first may have been paid for.")
            await gallery.keep("outcome-unknown-again")
            assert len(fatthumb.posts) == 1


async def test_a_second_look_at_a_lost_outcome_names_the_jobs_that_its_service_lists(home: Home, host: Host) -> None:
    with DeclaredService.shipped("replicate").like(read="succeeded, a single link") as service:
        async with connected(service.home(home)) as client:
            service.says["submit"] = [Answer(reset=True)]
            made = (await call(client, "generate", prompt="a cat", provider=service.name))["id"]
            result = await client.call_tool("wait", {"generation_ids": [made]})
            service.says["lookup"] = [(200, {"results": [job("p7")]})]
            async with host.shows(client, result) as gallery:
                await button(gallery, "Look again (free)").click()
                await expect(gallery.words).to_contain_text("The Replicate account has a job with this prompt")
                await expect(gallery.words).to_contain_text("p7")
                await expect(gallery.spoken).to_contain_text("p7")
        assert len(service.posts) == 1


async def test_a_press_that_is_repeated_does_its_work_once(home: Home, fatthumb: FatThumb, host: Host) -> None:
    async with (
        connected(home.with_(fatthumb), apps=True) as client,
        host.shows(client, await finished(client)) as gallery,
    ):
        told = "The assistant was told"
        use, star = button(gallery, "Use picture 1"), button(gallery, "Favourite, picture 1")
        await use.dblclick()
        await expect(gallery.words).to_contain_text(told)
        await gallery.frame.evaluate("for (const each of document.querySelectorAll('.note')) each.replaceChildren()")
        await use.focus()
        for _ in range(3):
            await gallery.page.keyboard.down("Enter")
        await gallery.page.keyboard.up("Enter")
        await expect(gallery.words).to_contain_text(told)
        await use.evaluate("button => { button.click(); button.click(); }")
        await star.dblclick()
        await expect(star).to_have_attribute("aria-pressed", "true")
        await star.focus()
        await gallery.page.keyboard.press("Enter")
        await expect(star).to_have_attribute("aria-pressed", "false")
        # What was asked for after them has been done, so they all have.
        assert [asked.method for asked in gallery.asked].count("ui/message") == 3
        marked = [asked.params["arguments"]["action"] for asked in gallery.asked if asked.tool == "gallery"]
        assert [action for action in marked if "favourite" in action] == ["favourite", "no_favourite"]
        await button(gallery, "Enlarge picture 1").dblclick()
        dialog = gallery.view.get_by_role("dialog")
        zoom = dialog.get_by_role("button", name="Zoom")
        await expect(zoom).to_have_attribute("aria-pressed", "false")
        await dialog.locator("canvas").dblclick()
        await expect(zoom).to_have_attribute("aria-pressed", "true")
