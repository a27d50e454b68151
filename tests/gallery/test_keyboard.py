"""The gallery without a mouse."""

import pytest
from playwright.async_api import expect

from tests.gallery.scenes import button, finished, painted, picture
from tests.gallery.shown import Gallery, Host
from tests.hosts import Home, connected
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Redirect

FOCUSED = """() => {
    const element = document.activeElement;
    if (!document.hasFocus() || element === document.body) return null;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    const seen = (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
    return { name: element.ariaLabel ?? element.textContent.trim(), seen };
}"""


async def focused(gallery: Gallery) -> str | None:
    """The name of what has the focus, which must be seen to have it; None outside the gallery."""
    found = await gallery.frame.evaluate(FOCUSED)
    assert found is None or found["seen"], found
    return found and found["name"]


async def tab_to(gallery: Gallery, name: str) -> None:
    """Presses Tab until that has the focus."""
    for _ in range(50):
        await gallery.page.keyboard.press("Tab")
        if await focused(gallery) == name:
            return
    raise AssertionError(f"Tab never came to {name!r}")


async def test_tab_reaches_everything_that_can_be_operated_in_order(home: Home, fatthumb: FatThumb, host: Host) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client, count=2)) as gallery,
    ):
        await expect(picture(gallery, 2)).to_be_visible()
        buttons = await gallery.view.locator("button:visible, a:visible, summary:visible").all()
        names = [await each.get_attribute("aria-label") or await each.inner_text() for each in buttons]
        assert len(set(names)) == len(names) > 0
        reached: list[str] = []
        await gallery.page.keyboard.press("Tab")
        while (name := await focused(gallery)) is not None and len(reached) <= len(names):
            reached.append(name)
            await gallery.page.keyboard.press("Tab")
        assert reached == names


async def test_a_picture_is_enlarged_left_for_its_neighbour_and_put_back_by_keys(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client, count=3)) as gallery,
    ):
        await expect(picture(gallery, 3)).to_be_visible()
        dialog = gallery.view.get_by_role("dialog")
        keyboard = gallery.page.keyboard
        (job,) = fatthumb.jobs.values()
        await tab_to(gallery, "Enlarge picture 1")
        await keyboard.press("Enter")
        await expect(dialog).to_have_attribute("aria-modal", "true")
        await expect(dialog.get_by_role("button", name="Copy prompt")).to_be_visible()
        for key, number in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
            await keyboard.press(key)
            large = dialog.get_by_role("img", name=f"Picture {number}:")
            await expect(large).to_be_visible()
            await painted(large, fatthumb.picture(job.thumbnail_ids[number - 1]))
        for _ in range(20):
            await keyboard.press("Tab")
            assert await gallery.frame.evaluate("document.activeElement.closest('[role=dialog], dialog') !== null")
        await keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        assert await focused(gallery) in {"Enlarge picture 1", "Enlarge picture 2"}
        await expect(button(gallery, "Enlarge picture 1")).to_be_visible()


@pytest.mark.parametrize("key", ["Enter", "Space"])
async def test_a_key_that_is_held_down_confirms_no_payment(
    home: Home, betterwaifu: BetterWaifu, host: Host, key: str
) -> None:
    async with (
        connected(home.with_(betterwaifu, BETTERWAIFU_LIMITS="active=9,submit=100/1")) as client,
        host.shows(client, await finished(client), clock=True) as gallery,
    ):
        clock, keyboard = gallery.page.clock, gallery.page.keyboard
        await expect(picture(gallery)).to_be_visible()
        await tab_to(gallery, "Make a variation of picture 1")
        for _ in range(4):
            await keyboard.down(key)
            await clock.fast_forward(1000)
        await keyboard.up(key)
        await clock.fast_forward(1000)
        await expect(gallery.view.get_by_role("button", name="Spend credits")).to_be_focused()
        assert not gallery.called("generate")
        await keyboard.press(key)
        await gallery.until(lambda: gallery.called("generate"))
        await expect(picture(gallery)).to_have_count(2)
    assert len(betterwaifu.posts) == 2


async def test_the_focus_goes_to_the_title_when_its_button_has_done_its_work(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    fatthumb.always("picture", Redirect("https://10.0.0.1/x.png"))
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client)) as gallery,
    ):
        await tab_to(gallery, "Fetch what is missing (free)")
        fatthumb.always("picture", None)
        await gallery.page.keyboard.press("Enter")
        await expect(gallery.words.get_by_text("1 picture saved.")).to_be_visible()
        assert await focused(gallery) == "A fox reading a map"
