"""What a person does with the gallery: vary, copy, open, enlarge, with a mouse and with a keyboard alone."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.gallery.scenes import ALIKE, button, difference, finished, picture, the_one
from tests.gallery.shown import Host
from tests.hosts import Home, connected
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

UNHURRIED = "active=9,submit=100/1"


class Desktop:
    """A desktop whose file manager notes what it is told to open."""

    def __init__(self, folder: Path) -> None:
        self._notes = folder / "opened"
        program = folder / "xdg-open"
        program.write_text(f'#!/bin/sh\necho "$1" >> "{self._notes}"\n')
        program.chmod(0o700)
        self.environ = {"DISPLAY": ":9", "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    def opened(self) -> list[str]:
        """The folders that were opened."""
        return self._notes.read_text().splitlines()


@pytest.fixture
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Desktop:
    """A desktop."""
    return Desktop(tmp_path_factory.mktemp("desktop"))


async def test_a_variation_is_made_by_a_click_and_followed(home: Home, betterwaifu: BetterWaifu, host: Host) -> None:
    async with connected(home.with_(betterwaifu, BETTERWAIFU_LIMITS=UNHURRIED)) as client:
        result = await finished(client, seed=7, negative_prompt="text", options={"steps": 30})
        async with host.shows(client, result) as gallery:
            await expect(picture(gallery)).to_be_visible()
            await button(gallery, "Make a variation of picture 1").click()
            await gallery.until(lambda: len(betterwaifu.posts) == 2)
            first, second = (dict(post.body) for post in betterwaifu.posts)
            assert first.pop("seed") != second.pop("seed")
            assert first == second
            await expect(gallery.status).to_contain_text("1 picture saved.")
            varied = betterwaifu.jobs[betterwaifu.posts[1].id]
            assert await difference(picture(gallery), betterwaifu.picture(varied.image_ids[0])) < ALIKE


async def test_the_path_of_a_picture_is_copied(home: Home, fatthumb: FatThumb, host: Host) -> None:
    async with connected(home.with_(fatthumb)) as client:
        result = await finished(client, count=2)
        async with host.shows(client, result) as gallery:
            await gallery.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            await button(gallery, "Copy path of picture 2").click()
            await expect(gallery.view.get_by_text("Copied")).to_be_visible()
            copied = await gallery.page.evaluate("navigator.clipboard.readText()")
    assert copied == the_one(result)["images"][1]["path"]


async def test_the_folder_is_opened_by_the_server_on_its_own_desktop(
    home: Home, fatthumb: FatThumb, host: Host, desktop: Desktop
) -> None:
    async with (
        connected(home.with_(fatthumb, **desktop.environ)) as client,
        host.shows(client, await finished(client)) as gallery,
    ):
        await button(gallery, "Open folder").click()
        await expect(gallery.view.get_by_text("Opened")).to_be_visible()
    assert desktop.opened() == [str(path.parent) for path in home.saved()]


async def test_without_a_desktop_it_says_where_the_folder_is(home: Home, fatthumb: FatThumb, host: Host) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client)) as gallery,
    ):
        await button(gallery, "Open folder").click()
        await expect(gallery.view.get_by_text("The folder was not opened")).to_be_visible()
        await gallery.keep("no-desktop")


async def test_the_address_of_a_picture_is_opened_by_the_host(home: Home, fatthumb: FatThumb, host: Host) -> None:
    async with connected(home.with_(fatthumb)) as client:
        result = await finished(client)
        async with host.shows(client, result) as gallery:
            await button(gallery, "Open address of picture 1").click()
            await gallery.until(lambda: any(asked.method == "ui/open-link" for asked in gallery.asked))
            (asked,) = [asked for asked in gallery.asked if asked.method == "ui/open-link"]
    assert asked.params == {"url": the_one(result)["images"][0]["url"]}
