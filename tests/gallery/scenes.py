"""What several of the gallery's tests begin with, and how they look at it."""

import io
import json
from typing import Any

import anyio
import PIL.Image
from mcp import Client
from mcp.types import CallToolResult
from playwright.async_api import Locator

from tests.gallery.shown import SIGHT_S, Gallery
from tests.npm import MODULES

ALIKE = 24
"""How far a colour may be off, of 255: pictures are scaled and previews compressed."""
GRID = (6, 6)
TO_THEIR_END = """document.getAnimations().forEach(
    (each) => Number.isFinite(each.effect.getComputedTiming().endTime) && each.finish())"""
"""Puts an end to whatever fades in: half transparent it has another contrast."""


async def started(client: Client, **arguments: Any) -> CallToolResult:
    """What generate answers."""
    result = await client.call_tool("generate", {"prompt": "A fox reading a map", **arguments})
    assert not result.is_error
    return result


async def finished(client: Client, **arguments: Any) -> CallToolResult:
    """What wait answers about a generation that has ended."""
    generation = (await started(client, **arguments)).structured_content
    result = await client.call_tool("wait", {"generation_ids": [generation["id"]], "timeout_s": 60})
    assert not result.is_error
    return result


def the_one(result: CallToolResult) -> dict[str, Any]:
    """The generation that wait answered."""
    (generation,) = result.structured_content["generations"]
    return generation


def picture(gallery: Gallery, number: int = 1) -> Locator:
    """A picture of the gallery by its number."""
    return gallery.view.get_by_role("img", name=f"Picture {number}:")


def button(gallery: Gallery, name: str) -> Locator:
    """A button by its whole name."""
    return gallery.view.get_by_role("button", name=name, exact=True)


async def painted(canvas: Locator, served: bytes) -> None:
    """Waits until the colours on the screen are those of the picture that was served."""
    apart = 255
    with anyio.move_on_after(SIGHT_S):
        while (apart := await _difference(canvas, served)) >= ALIKE:
            pass  # a screenshot is pause enough
    assert apart < ALIKE, f"the picture on the screen is another one, by {apart} of 255"


async def _difference(canvas: Locator, served: bytes) -> int:
    seen = PIL.Image.open(io.BytesIO(await canvas.screenshot(animations="disabled"))).convert("RGB")
    meant = PIL.Image.open(io.BytesIO(served)).convert("RGB")
    return max(abs(one - other) for one, other in zip(_coarse(seen), _coarse(meant), strict=True))


def _coarse(whole: PIL.Image.Image) -> bytes:
    """Its inner part in a few large pixels: edges and rounded corners are the page's own affair."""
    width, height = whole.size
    inner = (width // 8, height // 8, width - width // 8, height - height // 8)
    few = whole.resize(GRID, PIL.Image.Resampling.BOX, box=inner)  # pyright: ignore[reportUnknownMemberType]
    return few.tobytes()


async def accessibility_faults(gallery: Gallery) -> list[str]:
    """What axe finds: each rule with the elements that break it."""
    await gallery.frame.evaluate((MODULES / "axe-core" / "axe.min.js").read_text())
    await gallery.frame.evaluate(TO_THEIR_END)
    found = await gallery.frame.evaluate("axe.run(document, { preload: false })")
    return [f"{each['id']}: {json.dumps([node['html'] for node in each['nodes']])}" for each in found["violations"]]
