"""The history in the gallery: opened from the page or by the assistant, searched, narrowed and paged."""

from typing import Any

from playwright.async_api import expect

from darkroom.extensions.gallery import PAGE_SIZE
from tests.gallery.scenes import accessibility_faults, button, finished, painted, picture, started
from tests.gallery.shown import Host
from tests.hosts import Home, connected
from tests.services.fatthumb import FatThumb


async def test_the_history_is_searched_narrowed_and_paged_and_its_pictures_are_enlarged(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with connected(home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/1000")) as client:
        result = await finished(client, prompt="A hen in the snow")
        (hen,) = fatthumb.jobs.values()
        for number in range(PAGE_SIZE):  # these only wait, which costs the test no picture
            await started(client, prompt=f"A fox {number}")
        async with host.shows(client, result, width=1200) as gallery:
            history = gallery.view.get_by_role("region", name="History")
            rolls = history.get_by_role("article")
            await button(gallery, "History").click()
            await expect(history).to_contain_text(f"{PAGE_SIZE} shown; there are older ones.")
            await expect(rolls).to_have_count(PAGE_SIZE)
            assert await accessibility_faults(gallery) == []
            await gallery.keep("history")
            await button(gallery, "Older").click()
            await expect(history).to_contain_text(f"{PAGE_SIZE + 1} shown.")
            await expect(rolls.last.get_by_role("heading")).to_be_focused()
            await history.get_by_role("searchbox").fill("SNOW hen")
            await history.get_by_role("searchbox").press("Enter")
            await expect(rolls).to_have_count(1)
            await painted(rolls.get_by_role("img").last, fatthumb.picture(hen.thumbnail_ids[0]))
            await gallery.keep("history-found")
            await rolls.get_by_role("button", name="Enlarge picture 1").click()
            await expect(gallery.view.get_by_role("dialog")).to_contain_text("A hen in the snow")
            await gallery.page.keyboard.press("Escape")
            await expect(history.get_by_role("combobox", name="Service")).to_be_hidden()  # there is but one
            await history.get_by_role("combobox", name="State").select_option("failed")
            await expect(history).to_contain_text("None like that.")
            await expect(gallery.spoken).to_contain_text("None like that.")
            await button(gallery, "History").click()
            await expect(rolls).to_have_count(0)
            await expect(picture(gallery)).to_have_count(1)
        asked: dict[str, Any] = {"action": "history", "search": "hen"}
        shown = await client.call_tool("gallery", asked)
        assert [generation["prompt"] for generation in shown.structured_content["generations"]] == ["A hen in the snow"]
        async with host.shows(client, shown, asked_for=asked, width=320) as gallery:
            await expect(gallery.view.get_by_role("searchbox")).to_have_value("hen")
            await expect(picture(gallery)).to_have_accessible_name("Picture 1: A hen in the snow")
            assert await gallery.frame.evaluate("document.scrollingElement.scrollWidth") <= 320
            await gallery.keep("history-narrow")


async def test_the_history_is_narrowed_to_one_service_and_goes_on_with_older_ones_of_it(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with connected(home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/1000")) as client:
        result = await finished(client, prompt="A hen in the snow", provider="sketch")
        for number in range(PAGE_SIZE + 1):  # these only wait, but for the first
            await started(client, prompt=f"A fox {number}")
        async with host.shows(client, result, width=320) as gallery:
            history = gallery.view.get_by_role("region", name="History")
            rolls = history.get_by_role("article")
            await button(gallery, "History").click()
            service = history.get_by_role("combobox", name="Service")
            await expect(service.get_by_role("option")).to_have_text(["All services", "FatThumb", "sketch"])
            await service.select_option("FatThumb")
            await button(gallery, "Older").click()
            await expect(history).to_contain_text(f"{PAGE_SIZE + 1} shown.")
            await expect(rolls.filter(has_text="A fox")).to_have_count(PAGE_SIZE + 1)
            assert await accessibility_faults(gallery) == []
            await gallery.keep("history-of-one-service")
            await service.select_option("sketch")
            await expect(history).to_contain_text("1 shown.")
            await expect(rolls).to_have_count(1)
        asked: dict[str, Any] = {"action": "history", "provider": "sketch"}
        shown = await client.call_tool("gallery", asked)
        async with host.shows(client, shown, asked_for=asked) as gallery:
            service = gallery.view.get_by_role("combobox", name="Service")
            await expect(service).to_have_value("sketch")
            await expect(picture(gallery)).to_have_accessible_name("Picture 1: A hen in the snow")
            await service.select_option("All services")
            await expect(gallery.view.get_by_role("article").filter(has_text="A fox")).not_to_have_count(0)
