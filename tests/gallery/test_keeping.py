"""Pictures that a person likes best, and those that a person is done with."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import expect

from tests.gallery.scenes import accessibility_faults, button, finished, painted, picture, the_one
from tests.gallery.shown import Host
from tests.gallery.test_keyboard import tab_to
from tests.hosts import Home, call, connected
from tests.services.fatthumb import FatThumb


async def test_a_favourite_is_marked_wherever_it_is_shown_and_found_in_the_history(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with connected(home.with_(fatthumb), apps=True) as client:
        await finished(client, prompt="A hen")
        result = await finished(client, count=2)
        async with host.shows(client, result, width=1200) as gallery:
            star = button(gallery, "Favourite, picture 2")
            await expect(star).to_have_attribute("aria-pressed", "false")
            await tab_to(gallery, "Favourite, picture 2")
            await gallery.page.keyboard.press("Enter")
            await expect(star).to_have_attribute("aria-pressed", "true")
            await expect(star).to_be_focused()
            marks = gallery.view.locator(".star:visible")
            await expect(marks).to_have_count(1)
            await gallery.keep("favourite")
            assert await accessibility_faults(gallery) == []
            await button(gallery, "History").click()
            history = gallery.view.get_by_role("region", name="History")
            await expect(history).to_contain_text("2 shown.")
            await expect(marks).to_have_count(2)
            await button(gallery, "Favourites").click()
            await expect(button(gallery, "Favourites")).to_have_attribute("aria-pressed", "true")
            await expect(history).to_contain_text("1 shown.")
            await expect(history.get_by_role("article")).to_have_count(1)
            assert await accessibility_faults(gallery) == []
            await gallery.keep("favourites")
            await history.get_by_role("button", name="Enlarge picture 2").click()
            large = gallery.view.get_by_role("dialog").get_by_role("button", name="Favourite, picture 2")
            await expect(large).to_have_attribute("aria-pressed", "true")
            await gallery.keep("favourite-enlarged")
            await large.click()
            await expect(large).to_have_attribute("aria-pressed", "false")
            await gallery.page.keyboard.press("Escape")
            await expect(star.first).to_have_attribute("aria-pressed", "false")
            await expect(marks).to_have_count(0)
        shown = await call(client, "gallery", favourites=True)
        assert shown["generations"] == []


async def test_a_picture_then_all_of_a_generation_is_deleted_by_two_presses_and_shown_as_gone(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with connected(home.with_(fatthumb), apps=True) as client:
        result = await finished(client, count=3)
        made = the_one(result)["id"]
        async with host.shows(client, result, clock=True) as gallery:
            await expect(picture(gallery, 3)).to_be_visible()
            clock = gallery.page.clock
            await clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # however slow the machine clicks
            await button(gallery, "Delete picture 2").dblclick()
            await clock.run_for(1000)
            assert not gallery.called("gallery_delete"), "a double click is no confirmation"
            await expect(gallery.spoken).to_contain_text("Press again to delete picture 2.")
            await clock.resume()
            await gallery.keep("delete-confirm")
            assert await accessibility_faults(gallery) == []
            await gallery.page.keyboard.press("Escape")
            await expect(button(gallery, "Delete picture 2")).to_be_visible()
            await button(gallery, "Delete picture 2").click()
            await clock.fast_forward(1000)
            await gallery.view.get_by_role("button", name="Delete it?").click()
            await expect(gallery.words).to_contain_text("Its user deleted this picture.")
            await expect(gallery.words).to_contain_text("Moved to the trash.")
            await expect(picture(gallery)).to_have_count(1)
            await expect(gallery.view.get_by_role("heading", level=2)).to_be_focused()
            await gallery.keep("deleted-picture")
            assert await accessibility_faults(gallery) == []
            assert (len(home.saved()), len(home.trashed())) == (2, 1)
            await gallery.until(lambda: any(asked.method == "ui/update-model-context" for asked in gallery.asked))
            await tab_to(gallery, "Delete")
            await gallery.page.keyboard.press("Enter")
            await gallery.page.clock.fast_forward(1000)
            await expect(gallery.view.get_by_role("button", name="Move all 2 pictures to the trash?")).to_be_focused()
            await gallery.page.keyboard.press("Enter")
            await expect(gallery.words.get_by_text("Deleted", exact=True)).to_be_visible()
            await expect(gallery.view.locator("canvas")).to_have_count(0)
            await expect(button(gallery, "Delete")).to_have_count(0)
            await gallery.keep("deleted")
            assert await accessibility_faults(gallery) == []
        assert (len(home.saved()), len(home.trashed())) == (0, 3)
        async with host.shows(client, result) as gallery:  # a conversation that is opened again
            await expect(gallery.words.get_by_text("Deleted", exact=True)).to_be_visible()
            await expect(gallery.view.locator("canvas")).to_have_count(0)
        assert made not in str(await call(client, "gallery"))


async def test_the_only_picture_goes_with_its_generation_also_from_the_enlarged_one_and_in_a_narrow_page(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with connected(home.with_(fatthumb), apps=True) as client:
        await finished(client)
        shown = await client.call_tool("gallery", {})
        asked: dict[str, object] = {"action": "history"}
        async with host.shows(client, shown, asked_for=asked, width=320, clock=True) as gallery:
            (thumbnail,) = fatthumb.jobs.values()
            await painted(picture(gallery), fatthumb.picture(thumbnail.thumbnail_ids[0]))
            await button(gallery, "Enlarge picture 1").click()
            dialog = gallery.view.get_by_role("dialog")
            await dialog.get_by_role("button", name="Delete picture 1").click()
            await gallery.page.clock.fast_forward(1000)
            await gallery.keep("delete-enlarged-narrow")
            await dialog.get_by_role("button", name="Delete it?").click()
            await expect(dialog).to_be_hidden()
            await expect(gallery.words.get_by_text("Deleted", exact=True)).to_be_visible()
            assert await gallery.frame.evaluate("document.scrollingElement.scrollWidth") <= 320
            await gallery.keep("deleted-narrow")
    assert (home.saved(), len(home.trashed())) == ([], 1)


async def test_a_refusal_is_said_below_the_button_and_nothing_is_shown_as_gone(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    (home.path / "data").write_bytes(b"no folder, so there can be no trash in it")
    async with (
        connected(home.with_(fatthumb, XDG_DATA_HOME=str(home.path / "data")), apps=True) as client,
        host.shows(client, await finished(client, count=2), clock=True) as gallery,
    ):
        await expect(picture(gallery, 2)).to_be_visible()
        await button(gallery, "Delete picture 1").click()
        await gallery.page.clock.fast_forward(1000)
        await gallery.view.get_by_role("button", name="Delete it?").click()
        await expect(gallery.words).to_contain_text("cannot be moved to the trash")
        await expect(gallery.words).to_contain_text("--for-good")
        await gallery.keep("delete-refused")
        await expect(gallery.view.get_by_role("img", name="Picture ")).to_have_count(2)
    assert len(home.saved()) == 2
