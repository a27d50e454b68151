"""How the gallery looks: in the host's colours, at every width, still where no motion is wanted."""

import io

import anyio
import PIL.Image
import pytest
from playwright.async_api import expect

from tests.gallery.scenes import button, finished, picture, started
from tests.gallery.shown import SIGHT_S, Gallery, Host
from tests.hosts import Home, connected
from tests.services.fatthumb import FatThumb

LONG = "Averylongwordwithoutanyspace" * 9 + " and then a few more that wrap as words do"


async def background(gallery: Gallery) -> int:
    """How bright the corner of the gallery is, of 255."""
    screen = PIL.Image.open(io.BytesIO(await gallery.page.locator("iframe").screenshot())).convert("L")
    level = screen.getpixel((1, 1))
    assert isinstance(level, int)
    return level


async def ink(gallery: Gallery) -> int:
    """How bright its text is, of 255."""
    colour = await gallery.words.evaluate("element => getComputedStyle(element).color")
    level = PIL.Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0))
    assert isinstance(level, int)
    return level


async def is_legible(gallery: Gallery, *, on_dark: bool) -> None:
    """Waits until its text is light on dark, or dark on light: a screen is painted a frame later than it is styled."""
    with anyio.fail_after(SIGHT_S):
        while (await ink(gallery) - await background(gallery)) * (1 if on_dark else -1) <= 120:
            pass  # a screenshot is pause enough


async def test_the_theme_and_the_colours_are_the_hosts_and_change_with_them(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client, count=2), theme="dark") as gallery,
    ):
        await expect(picture(gallery, 2)).to_be_visible()
        await is_legible(gallery, on_dark=True)
        await gallery.change(theme="light")
        await expect(gallery.view.locator("html")).to_have_css("color-scheme", "light")
        await is_legible(gallery, on_dark=False)
        await gallery.change(styles={"variables": {"--color-background-primary": "rgb(100 100 100)"}})
        await expect(gallery.view.locator("body")).to_have_css("background-color", "rgb(100, 100, 100)")


@pytest.mark.parametrize("width", [320, 1200])
async def test_nothing_has_to_be_scrolled_sideways(home: Home, fatthumb: FatThumb, host: Host, width: int) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client, prompt=LONG, count=4), width=width) as gallery,
    ):
        await expect(picture(gallery, 4)).to_be_visible()
        await gallery.keep(f"{width}px")
        for frame in gallery.page.frames:
            assert await frame.evaluate("document.scrollingElement.scrollWidth") <= width
        await button(gallery, "Enlarge picture 1").click()
        await expect(gallery.view.get_by_role("dialog")).to_be_visible()
        await gallery.keep(f"{width}px-enlarged")
        assert await gallery.frame.evaluate("document.scrollingElement.scrollWidth") <= width


async def test_nothing_moves_where_no_motion_is_wanted(home: Home, host: Host) -> None:
    moving = "document.getAnimations().filter(each => each.playState === 'running').length"
    with FatThumb(duration=1000) as service:
        async with connected(home.with_(service)) as client:
            result = await started(client)
            async with host.shows(client, result) as gallery:
                await expect(gallery.words).to_contain_text("working on it")
                assert await gallery.frame.evaluate(moving) > 0
            async with host.shows(client, result, reduced_motion=True) as gallery:
                await expect(gallery.words).to_contain_text("working on it")
                assert await gallery.frame.evaluate(moving) == 0
