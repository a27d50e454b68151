"""What a person does with the gallery: vary, copy, open, enlarge, with a mouse and with a keyboard alone."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.gallery.scenes import button, finished, painted, picture, the_one
from tests.gallery.shown import Asked, Host
from tests.hosts import Home, connected, eventually
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

    def has_opened_one(self) -> bool:
        """Whether it was told to by now."""
        return self._notes.exists() and self._notes.read_text().endswith("\n")

    def opened(self) -> list[str]:
        """The folders that were opened."""
        return self._notes.read_text().splitlines()


@pytest.fixture
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Desktop:
    """A desktop."""
    return Desktop(tmp_path_factory.mktemp("desktop"))


async def test_a_variation_is_made_with_another_seed_once_its_cost_is_confirmed(
    home: Home, betterwaifu: BetterWaifu, host: Host
) -> None:
    async with connected(home.with_(betterwaifu, BETTERWAIFU_LIMITS=UNHURRIED)) as client:
        result = await finished(client, seed=7, negative_prompt="text", options={"steps": 30})
        async with host.shows(client, result, clock=True) as gallery:
            await expect(picture(gallery)).to_be_visible()
            clock = gallery.page.clock
            await clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
            await button(gallery, "Make a variation of picture 1").dblclick()
            await expect(gallery.words).to_contain_text("Spend credits on 1 new picture?")
            await gallery.keep("confirm")
            await clock.run_for(1000)
            await expect(gallery.spoken).to_contain_text("This costs credits at BetterWaifu.")
            assert len(betterwaifu.posts) == 1
            await gallery.view.get_by_role("button", name="Spend credits").click()
            await gallery.until(lambda: gallery.called("generate"))
            await clock.resume()
            await expect(gallery.view.get_by_role("heading", level=2)).to_have_count(2)
            await expect(picture(gallery)).to_have_count(2)
            first, second = betterwaifu.posts
            assert first.body.pop("seed") != second.body.pop("seed")
            assert first.body == second.body
            for canvas, post in zip(await picture(gallery).all(), (second, first), strict=True):
                await painted(canvas, betterwaifu.picture(betterwaifu.jobs[post.id].image_ids[0]))


async def test_a_variation_whose_answer_the_host_lost_is_not_paid_for_twice(
    home: Home, betterwaifu: BetterWaifu, host: Host
) -> None:
    async with (
        connected(home.with_(betterwaifu, BETTERWAIFU_LIMITS=UNHURRIED)) as client,
        host.shows(
            client,
            await finished(client),
            asked_for={"prompt": "A fox reading a map"},
            capabilities={"serverTools": {}},  # no records: a variation of a variation is made from what that was
            clock=True,
        ) as gallery,
    ):
        gallery.loses.add("generate")
        for seen in (1, 2, 3):
            await button(gallery, "Make a variation of picture 1").first.click()
            await gallery.page.clock.fast_forward(1000)
            await gallery.view.get_by_role("button", name="Spend credits").click()
            if seen == 1:
                await expect(gallery.words).to_contain_text("the answer was lost")
            await expect(picture(gallery)).to_have_count(seen)
        assert len(betterwaifu.posts) == 3
        keys = [asked.params["arguments"]["request_key"] for asked in gallery.asked if asked.tool == "generate"]
        assert keys[0] == keys[1] != keys[2]
        for settings in await gallery.view.get_by_text("Settings", exact=True).all():
            await settings.click()
        await expect(gallery.view.get_by_text("Seed", exact=True)).to_have_count(3)
        for key in keys:
            await expect(gallery.words).not_to_contain_text(key)


async def test_a_variation_that_costs_nothing_is_made_by_one_click(home: Home, host: Host) -> None:
    async with (
        connected(home) as client,
        host.shows(client, await finished(client)) as gallery,
    ):
        await button(gallery, "Make a variation of picture 1").click()
        await expect(picture(gallery)).to_have_count(2)
    assert len(home.saved()) == 2


@pytest.mark.parametrize("grants", [True, False])
async def test_the_path_of_a_picture_is_copied_also_where_the_clipboard_is_not_granted(
    home: Home, fatthumb: FatThumb, host: Host, grants: bool
) -> None:
    async with connected(home.with_(fatthumb)) as client:
        result = await finished(client, count=2)
        async with host.shows(client, result, grants=grants) as gallery:
            await gallery.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            await button(gallery, "Copy path of picture 2").click()
            await expect(gallery.spoken).to_contain_text("Path of picture 2 copied.")
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
        await expect(gallery.words).to_contain_text("Opened")
    eventually(desktop.has_opened_one)  # it is not waited for for long
    assert desktop.opened() == [str(path.parent) for path in home.saved()]


async def test_without_a_desktop_it_says_where_the_folder_is(home: Home, fatthumb: FatThumb, host: Host) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client)) as gallery,
    ):
        await button(gallery, "Open folder").click()
        await expect(gallery.words).to_contain_text("The folder was not opened")
        await gallery.keep("no-desktop")


async def test_the_link_of_a_picture_is_opened_by_the_host(home: Home, fatthumb: FatThumb, host: Host) -> None:
    async with connected(home.with_(fatthumb)) as client:
        result = await finished(client)
        # As a provider says it that is not on loopback.
        the_one(result)["images"][0]["url"] = "https://pictures.example/1.png"
        async with host.shows(client, result) as gallery:
            await button(gallery, "Open link of picture 1").click()
            await gallery.until(
                lambda: Asked("ui/open-link", {"url": "https://pictures.example/1.png"}) in gallery.asked
            )
