"""axe finds nothing to complain of, in any state and in either theme."""

from typing import Literal

import pytest
from playwright.async_api import expect

from tests.gallery.scenes import accessibility_faults, button, finished, picture, started
from tests.gallery.shown import Host
from tests.hosts import Home, connected
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing_while_a_generation_runs(home: Home, host: Host, theme: Theme) -> None:
    with FatThumb(duration=1000) as service:
        async with (
            connected(home.with_(service)) as client,
            host.shows(client, await started(client, count=2), theme=theme) as gallery,
        ):
            await expect(gallery.words).to_contain_text("working on it")
            assert await accessibility_faults(gallery) == []
            await gallery.keep(f"running-{theme}")


@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing_when_it_is_done_or_enlarged(
    home: Home, host: Host, fatthumb: FatThumb, theme: Theme
) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client, count=2), theme=theme) as gallery,
    ):
        await expect(picture(gallery, 2)).to_be_visible()
        assert await accessibility_faults(gallery) == []
        await gallery.keep(f"done-{theme}")
        await button(gallery, "Enlarge picture 1").click()
        await expect(gallery.view.get_by_role("dialog")).to_be_visible()
        assert await accessibility_faults(gallery) == []
        await gallery.keep(f"enlarged-{theme}")


@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing_when_it_failed(home: Home, host: Host, theme: Theme) -> None:
    with BetterWaifu(failing="The model ran out of memory") as service:
        async with (
            connected(home.with_(service)) as client,
            host.shows(client, await finished(client), theme=theme) as gallery,
        ):
            await expect(gallery.words).to_contain_text("ran out of memory")
            assert await accessibility_faults(gallery) == []
            await gallery.keep(f"failed-{theme}")


@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing_when_it_came_in_part(home: Home, host: Host, theme: Theme) -> None:
    with FatThumb(hidden={1}, failing={2: "It was too dark"}) as service:
        async with (
            connected(home.with_(service)) as client,
            host.shows(client, await finished(client, count=3), theme=theme) as gallery,
        ):
            await expect(picture(gallery, 1)).to_be_visible()
            assert await accessibility_faults(gallery) == []
            await gallery.keep(f"partial-{theme}")


async def test_axe_finds_nothing_on_a_narrow_page_with_a_long_prompt(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client, prompt="A fox reading a map. " * 100), width=320) as gallery,
    ):
        await button(gallery, "Enlarge picture 1").click()
        await expect(gallery.view.get_by_role("dialog")).to_be_visible()
        await gallery.keep("long-prompt")
        assert await accessibility_faults(gallery) == []
