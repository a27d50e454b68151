"""Two pictures side by side: of one generation or of two, also of the history, by mouse and by keys, at any width."""

from typing import Literal

import anyio
import pytest
from playwright.async_api import Locator, expect

from tests.gallery.scenes import accessibility_faults, button, finished, painted, picture
from tests.gallery.shown import EVERYTHING, SIGHT_S, Gallery, Host
from tests.gallery.test_keyboard import focused, tab_to
from tests.hosts import Home, connected
from tests.services.fatthumb import FatThumb

UNHURRIED = "submit=100/1"
SEEN = "easel => [easel.scrollLeft, easel.scrollTop]"
BOXES = "dialog => [...dialog.querySelectorAll('canvas')].map((each) => each.getBoundingClientRect().toJSON())"


def dialog(gallery: Gallery) -> Locator:
    """The comparison."""
    return gallery.view.get_by_role("dialog", name="A: picture")


def row(gallery: Gallery, name: str) -> Locator:
    """What the comparison says under this name."""
    return (
        dialog(gallery)
        .get_by_role("row")
        .filter(has=gallery.view.get_by_role("rowheader", name=name, exact=True))
        .get_by_role("cell")
    )


@pytest.mark.parametrize(
    ("width", "theme", "beside"), [(320, "dark", False), (768, "light", True), (1200, "light", True)]
)
async def test_a_picture_of_the_history_is_compared_with_another_generation_s_and_what_differs_is_said(
    home: Home, fatthumb: FatThumb, host: Host, width: int, theme: Literal["light", "dark"], beside: bool
) -> None:
    async with connected(home.with_(fatthumb, FATTHUMB_LIMITS=UNHURRIED)) as client:
        await finished(client, prompt="A red fox in the snow", aspect_ratio="16:9", provider="sketch", seed=7)
        result = await finished(client, prompt="A red hen in the snow")
        (job,) = fatthumb.jobs.values()
        async with host.shows(client, result, width=width, theme=theme) as gallery:
            await button(gallery, "Compare picture 1").click()
            await expect(gallery.words).to_contain_text("Press the other picture.")
            await expect(gallery.spoken).to_contain_text("Picture 1 is chosen. Press the other one.")
            await button(gallery, "History").click()
            fox = gallery.view.get_by_role("article", name="A red fox in the snow")
            await expect(picture(gallery)).to_have_count(3)
            assert await accessibility_faults(gallery) == []
            await gallery.keep(f"choosing-{width}")
            await fox.get_by_role("button", name="Compare with picture 1").click()
            await expect(dialog(gallery)).to_contain_text(
                "They differ in prompt, provider, model, aspect ratio, and seed."
            )
            await expect(row(gallery, "Prompt")).to_have_text(["A red hen in the snow", "A red fox in the snow"])
            await expect(row(gallery, "Prompt").locator("mark")).to_have_text(["hen", "fox"])
            await expect(row(gallery, "Provider")).to_have_text(["FatThumb", "sketch"])
            await expect(row(gallery, "Seed")).to_have_text(["none", "7"])
            left = dialog(gallery).get_by_role("img", name="Picture 1:").first
            await painted(left, fatthumb.picture(job.thumbnail_ids[0]))
            one, other = await dialog(gallery).evaluate(BOXES)  # at the same moment
            assert (other["x"] >= one["x"] + one["width"]) is beside
            assert (other["y"] >= one["y"] + one["height"]) is not beside
            assert await accessibility_faults(gallery) == []
            assert await gallery.frame.evaluate("document.scrollingElement.scrollWidth") <= width
            await gallery.keep(f"compared-{width}")
            await gallery.page.keyboard.press("Escape")
            await expect(dialog(gallery)).to_be_hidden()
            await expect(fox.get_by_role("button", name="Enlarge picture 1")).to_be_focused()
    assert not [asked for asked in gallery.asked if asked.tool not in {None, "gallery", "get_status"}]


async def test_two_of_one_generation_are_compared_by_keys_and_moved_together(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client, count=2), reduced_motion=True) as gallery,
    ):
        await expect(picture(gallery, 2)).to_be_visible()
        keyboard = gallery.page.keyboard
        await tab_to(gallery, "Compare picture 1")
        await keyboard.press("Enter")
        await tab_to(gallery, "Compare with picture 2")
        await keyboard.press("Enter")
        await expect(dialog(gallery)).to_have_attribute("aria-modal", "true")
        await expect(dialog(gallery)).to_contain_text("They were made in the same way.")
        for _ in range(6):
            await keyboard.press("Tab")
            assert await gallery.frame.evaluate("document.activeElement.closest('[role=dialog]') !== null")
        await tab_to(gallery, "Zoom both")
        await keyboard.press("Enter")
        easels = dialog(gallery).locator(".easel")

        async def seen() -> list[list[float]]:
            return [await easel.evaluate(SEEN) for easel in await easels.all()]

        with anyio.fail_after(SIGHT_S):
            while (before := await seen())[0] != pytest.approx(before[1], abs=2):
                pass
        for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
            await keyboard.press(key)
        await gallery.keep("compared-zoomed")
        with anyio.fail_after(SIGHT_S):  # a scroll takes several frames, and the other picture follows a frame later
            while not ((after := await seen())[1][1] > before[1][1] and after[0] == pytest.approx(after[1], abs=2)):
                pass
        assert await accessibility_faults(gallery) == []
        await keyboard.press("Escape")
        assert await focused(gallery) == "Enlarge picture 2"


async def test_a_choice_is_taken_back_and_its_own_picture_is_no_other(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client, count=2)) as gallery,
    ):
        for way in ("Stop comparing", "Stop comparing picture 1", "Escape"):
            await button(gallery, "Enlarge picture 1").click()
            await gallery.view.get_by_role("dialog").get_by_role("button", name="Compare picture 1").click()
            await expect(button(gallery, "Compare with picture 2")).to_be_visible()
            await (gallery.page.keyboard.press(way) if way == "Escape" else button(gallery, way).click())
            await expect(button(gallery, "Enlarge picture 2")).to_be_visible()
            await expect(gallery.words.get_by_text("Press the other picture.")).to_be_hidden()
            await expect(dialog(gallery)).to_be_hidden()


async def test_there_is_no_comparison_where_there_is_one_picture_and_no_history(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    nothing = {name: can for name, can in EVERYTHING.items() if name != "serverTools"}
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client), capabilities=nothing) as gallery,
    ):
        await expect(button(gallery, "Copy path of picture 1")).to_be_visible()
        await expect(button(gallery, "Compare picture 1")).to_have_count(0)
