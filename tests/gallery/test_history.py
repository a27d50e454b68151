"""The history in the gallery: opened from the page or by the assistant, searched, narrowed and paged."""

import re
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import Any

from playwright.async_api import expect

from darkroom.extensions.gallery import PAGE_SIZE
from tests.gallery.scenes import accessibility_faults, button, finished, painted, picture, started, the_one
from tests.gallery.shown import Host
from tests.hosts import PATIENCE_S, Home, connected
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
            await button(gallery, "Show all").click()
            await expect(history.get_by_role("searchbox")).to_have_value("")
            await expect(rolls).to_have_count(PAGE_SIZE)
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


async def test_the_history_is_told_by_days_and_a_portrait_leaves_no_hole_in_its_row(home: Home, host: Host) -> None:
    async with connected(home) as client:
        made = [
            the_one(await finished(client, prompt=prompt, aspect_ratio=ratio))
            for prompt, ratio in (("A moth", "1:1"), ("A hen", "1:1"), ("A fox", "9:16"), ("A badger", "1:1"))
        ]
        result = await finished(client, prompt="A boat")
        noon = datetime.now().astimezone().replace(hour=12)  # midnight may come while they are made
        with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S)) as ledger, ledger:
            for generation, days in zip([*made, the_one(result)], (400, 1, 0, 0, 0), strict=True):
                ledger.execute(
                    "UPDATE generations SET created_at = ? WHERE id = ?",
                    (noon.timestamp() - days * 86400, generation["id"]),
                )
        async with host.shows(client, result, width=1200, clock=True) as gallery:
            await gallery.page.clock.set_fixed_time(noon)
            await button(gallery, "History").click()
            history = gallery.view.get_by_role("region", name="History")
            await expect(history.get_by_role("article")).to_have_count(5)
            headings = await history.get_by_role("heading").all_inner_texts()
            days = [at for at, heading in enumerate(headings) if not heading.startswith("A ")]
            assert [headings[at] for at in days[:2]] == ["Today", "Yesterday"]
            assert days == [0, 4, 6]
            assert re.fullmatch(r"\w+, \w+ \d+, \d{4}", headings[6])
            portrait = await history.get_by_role("article", name="A fox").locator(".window").bounding_box()
            assert portrait is not None
            assert portrait["height"] <= portrait["width"] + 1
            assert await accessibility_faults(gallery) == []
            await gallery.keep("history-by-days")


async def test_a_late_answer_to_the_assistant_does_not_take_the_place_of_what_a_person_searched_for(
    home: Home, host: Host
) -> None:
    asked: dict[str, Any] = {"action": "history"}
    async with connected(home) as client:
        for prompt in ("A hen", "A fox"):
            await finished(client, prompt=prompt)
        late = await client.call_tool("gallery", asked)
        async with host.shows(client, None, asked_for=asked) as gallery:
            rolls = gallery.view.get_by_role("region", name="History").get_by_role("article")
            await gallery.view.get_by_role("searchbox").fill("hen")
            await button(gallery, "Search").click()
            await expect(rolls).to_have_count(1)
            await gallery.tell(late)
            await expect(gallery.words.get_by_text("Nothing to show yet.")).to_be_hidden()
            await expect(rolls.get_by_role("heading")).to_have_text(["A hen"])
