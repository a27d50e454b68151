"""Ways on from every state, each with its cost: cancelled while it waits, tried again, run with another prompt."""

import io
from typing import Any

import PIL.Image
from playwright.async_api import Locator, expect

from tests.gallery.scenes import accessibility_faults, button, finished, picture, started
from tests.gallery.shown import Gallery, Host
from tests.hosts import Home, connected
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

MIRRORED = "ثعلب يقرأ خريطة"
CAPTION_BELOW = """frame => frame.querySelector("figcaption").getBoundingClientRect().top
    - frame.querySelector("canvas").getBoundingClientRect().bottom"""


async def arguments_of(gallery: Gallery, tool: str) -> dict[str, Any]:
    """What the page called this tool with last."""
    await gallery.until(lambda: gallery.called(tool))
    return [asked.params["arguments"] for asked in gallery.asked if asked.tool == tool][-1]


async def brightness(part: Locator) -> int:
    """How bright it is on average, of 255."""
    seen = PIL.Image.open(io.BytesIO(await part.screenshot(animations="disabled"))).convert("L")
    level = seen.resize((1, 1), PIL.Image.Resampling.BOX).getpixel((0, 0))  # pyright: ignore[reportUnknownMemberType]
    assert isinstance(level, int)
    return level


async def test_what_waits_is_cancelled_by_two_presses_and_tried_again_or_with_another_prompt(
    home: Home, host: Host
) -> None:
    with BetterWaifu() as service:
        user = home.with_(service, BETTERWAIFU_LIMITS="active=1,submit=1/1000")
        async with connected(user) as client:
            await finished(client)
            waiting = await started(client, prompt=MIRRORED, seed=7, options={"steps": 30})
            async with host.shows(client, waiting, clock=True) as gallery:
                await gallery.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
                await expect(gallery.words).to_contain_text("Waiting")
                await expect(gallery.view.get_by_role("heading", name=MIRRORED)).to_have_css("direction", "rtl")
                window = gallery.view.locator(".window")
                box = await window.bounding_box()
                assert box is not None
                assert box["height"] > box["width"], "a portrait has its shape before it is there"
                assert await brightness(window) > 30, "it is no black box"
                await gallery.keep("waiting-portrait")
                assert await accessibility_faults(gallery) == []
                await button(gallery, "Copy prompt").click()
                await expect(gallery.spoken).to_contain_text("Prompt copied.")
                assert await gallery.page.evaluate("navigator.clipboard.readText()") == MIRRORED
                await button(gallery, "Cancel").click()
                await gallery.page.clock.fast_forward(1000)
                assert not gallery.called("cancel")
                await gallery.view.get_by_role("button", name="Cancel it? Free while it still waits here").click()
                await expect(gallery.words.get_by_text("Cancelled", exact=True)).to_be_visible()
                await gallery.keep("cancelled")
                await button(gallery, "Edit prompt").click()
                await gallery.view.get_by_role("textbox", name="The prompt to run").fill("A badger")
                assert await accessibility_faults(gallery) == []
                await gallery.keep("edit")
                await gallery.view.get_by_role("button", name="Run (").click()
                await gallery.page.clock.fast_forward(1000)
                assert not gallery.called("generate")
                await gallery.view.get_by_role("button", name="Spend").click()
                edited = await arguments_of(gallery, "generate")
                await expect(gallery.view.get_by_role("heading", level=2)).to_have_text(["A badger", MIRRORED])
                await gallery.view.get_by_role("button", name="Try again (").click()
                await gallery.page.clock.fast_forward(1000)
                await gallery.view.get_by_role("button", name="Spend").click()
                await expect(gallery.view.get_by_role("heading", level=2)).to_have_count(3)
                again = await arguments_of(gallery, "generate")
    assert (edited["prompt"], again["prompt"]) == ("A badger", MIRRORED)
    for arguments in (edited, again):
        assert (arguments["seed"], arguments["options"]["steps"]) == (7, 30)
    assert edited["request_key"] != again["request_key"]
    assert len(service.posts) == 1


async def test_many_are_a_compact_grid_whose_pictures_are_used_from_the_enlarged_one(home: Home, host: Host) -> None:
    with FatThumb(failing={2: "It was too dark"}) as service:
        async with connected(home.with_(service)) as client:
            ids = [(await started(client, count=count)).structured_content["id"] for count in (1, 1, 2, 2, 1, 1)]
            result = await client.call_tool("wait", {"generation_ids": ids, "timeout_s": 60})
            async with host.shows(client, result, width=1200) as gallery:
                await expect(picture(gallery)).to_have_count(len(ids))
                rolls = await gallery.view.get_by_role("article").all()
                boxes = [box for roll in rolls if (box := await roll.bounding_box())]
                assert len({box["x"] for box in boxes}) >= 4
                assert await gallery.view.locator(".frame").first.evaluate(CAPTION_BELOW) >= -1
                await expect(gallery.view.locator(".frame .blank:visible")).to_have_count(0)
                assert await accessibility_faults(gallery) == []
                await gallery.keep("many")
                await button(gallery, "Enlarge picture 1").first.click()
                await button(gallery, "Use picture 1").click()
                await gallery.until(lambda: any(asked.method == "ui/message" for asked in gallery.asked))
                (said,) = [asked.params for asked in gallery.asked if asked.method == "ui/message"]
    assert said["content"] == [{"type": "text", "text": f"Use picture 1 of {ids[0]}."}]
