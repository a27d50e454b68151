"""The contact sheet: numbers by which an agent can say which picture it means."""

import base64
import io
import subprocess
import sys
from pathlib import Path

import PIL.Image
import PIL.ImageStat
import pytest
from mcp import Client
from mcp.types import CallToolResult, ImageContent

from tests.hosts import ERAS, PATIENCE_S, Era, Home, call, connected, links_of, previews_of, sheet_of, text_of
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer

UNHURRIED = {"FATTHUMB_LIMITS": "submit=1000/1"}
ALL = {"DARKROOM_PREVIEWS": "all"}
SAID = "The first image here is a contact sheet: the pictures side by side, by these numbers."
RUN_ON = "They run on through all generations; images[].index does not."


async def waited(client: Client, *counts: int) -> CallToolResult:
    """What wait answers for new generations of so many pictures each."""
    ids = [(await call(client, "generate", prompt=f"fox {n}", count=count))["id"] for n, count in enumerate(counts)]
    result = await client.call_tool("wait", {"generation_ids": ids, "timeout_s": PATIENCE_S})
    assert not result.is_error, text_of(result)
    return result


def seen(image: ImageContent | None) -> PIL.Image.Image:
    """The picture in a block, which keeps the limits of all."""
    assert image is not None
    data = base64.b64decode(image.data, validate=True)
    assert len(data) <= 150_000
    picture = PIL.Image.open(io.BytesIO(data))
    picture.load()
    assert max(picture.size) <= 768
    assert picture.get_format_mimetype() == image.mime_type == "image/jpeg"
    return picture


def cells(sheet: PIL.Image.Image, columns: int, rows: int) -> list[PIL.Image.Image]:
    """The sheet cut up, row by row."""
    width, height = sheet.width / columns, sheet.height / rows
    corners = [(column * width, row * height) for row in range(rows) for column in range(columns)]
    return [sheet.crop((round(x), round(y), round(x + width), round(y + height))) for x, y in corners]


def middle(picture: PIL.Image.Image) -> list[float]:
    """Its colour in the middle, away from every number."""
    x, y = picture.width // 2, picture.height // 2
    return PIL.ImageStat.Stat(picture.crop((x - 4, y - 4, x + 4, y + 4))).mean


def assert_same(one: PIL.Image.Image, other: PIL.Image.Image) -> None:
    """They show the same picture; every picture of the service has colours of its own."""
    assert all(abs(a - b) < 16 for a, b in zip(middle(one), middle(other), strict=True))


@pytest.mark.parametrize("era", ERAS)
async def test_the_pictures_of_a_generation_stand_on_a_sheet_in_the_order_of_their_numbers(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    async with connected(home.with_(fatthumb, **ALL), era) as client:
        result = await waited(client, 4)
    (generation,) = result.structured_content["generations"]
    assert [block.type for block in result.content] == ["text", "image", *["resource_link", "image"] * 4]
    for cell, preview, image in zip(
        cells(seen(sheet_of(result)), 2, 2), previews_of(result), generation["images"], strict=True
    ):
        assert_same(cell, seen(preview))
        assert f"\n{image['index']}. {image['path']} " in text_of(result)
    assert text_of(result).endswith(SAID)


async def test_one_picture_needs_no_sheet(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb)) as client:
        result = await waited(client, 1)
    assert [block.type for block in result.content] == ["text", "resource_link", "image"]
    assert "contact sheet" not in text_of(result)


async def test_numbers_run_on_through_several_generations_whatever_came_of_each_picture(
    home: Home, fatthumb: FatThumb
) -> None:
    fatthumb.next_job(hidden=frozenset({1}))
    async with connected(home.with_(fatthumb, **ALL)) as client:
        result = await waited(client, 2, 2)
    first, second = result.structured_content["generations"]
    lines = text_of(result).splitlines()
    paths = [first["images"][0]["path"], *(image["path"] for image in second["images"])]
    assert [line.partition(" (")[0] for line in lines if " PNG)" in line] == [
        f"1. {paths[0]}",
        f"3. {paths[1]}",
        f"4. {paths[2]}",
    ]
    assert any(line.startswith("2. The provider hides this picture.") for line in lines)
    assert f"{SAID} {RUN_ON}" in lines
    for cell, preview in zip(cells(seen(sheet_of(result)), 1, 3), previews_of(result), strict=True):
        assert_same(cell, seen(preview))


async def test_a_number_stays_whatever_becomes_of_the_pictures_before_it(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/1000")) as client:
        quick = await call(client, "generate", prompt="quick", count=2)
        queued = await call(client, "generate", prompt="queued", count=3)
        wanted = {"generation_ids": [queued["id"], quick["id"]], "timeout_s": 60}
        before = await client.call_tool("wait", {**wanted, "until": "any"})
        await call(client, "cancel", generation_id=queued["id"])
        after = await client.call_tool("wait", wanted)
    for image in before.structured_content["generations"][1]["images"]:
        for result in (before, after):
            assert f"\n{3 + image['index']}. {image['path']} " in text_of(result)


@pytest.mark.parametrize("shade", [0, 128, 255])
async def test_a_number_is_legible_on_any_picture(home: Home, fatthumb: FatThumb, shade: int) -> None:
    file = io.BytesIO()
    PIL.Image.new("L", (1280, 720), shade).save(file, "PNG")
    fatthumb.always("picture", Answer(200, content=file.getvalue()))
    async with connected(home.with_(fatthumb)) as client:
        sheet = seen(sheet_of(await waited(client, 4))).convert("L")
    plates = [cell.crop((8, 8, 44, 44)).histogram() for cell in cells(sheet, 2, 2)]
    dark, light = ([sum(plate[low : low + 64]) / 36**2 for plate in plates] for low in (0, 192))
    assert min(dark) > 0.3
    assert min(light) > 0.1
    assert light[3] > 1.4 * light[0], "a 4 has more ink than a 1"


async def test_a_sheet_shows_only_so_many_and_says_so(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb, **UNHURRIED)) as client:
        result = await waited(client, *[4] * 7)
    assert "the first 25 pictures side by side" in text_of(result)
    assert seen(sheet_of(result)).width > 400
    assert len(links_of(result)) == 28


async def test_a_picture_that_is_gone_from_the_disk_is_not_on_the_sheet(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb, **ALL)) as client:
        (generation,) = (await waited(client, 3)).structured_content["generations"]
        paths = [Path(image["path"]) for image in generation["images"]]
        paths[0].unlink()
        two = await client.call_tool("wait", {"generation_ids": [generation["id"]]})
        paths[1].unlink()
        one = await client.call_tool("wait", {"generation_ids": [generation["id"]]})
    for cell, preview in zip(cells(seen(sheet_of(two)), 1, 2), previews_of(two), strict=True):
        assert_same(cell, seen(preview))
    assert sheet_of(one) is None
    assert "contact sheet" not in text_of(one)
    assert len(previews_of(one)) == 1
    assert len(links_of(one)) == 3


def test_what_draws_is_not_imported_before_there_is_something_to_draw() -> None:
    code = "import sys, darkroom.cli.main, darkroom.tools; print([name for name in sys.modules if name[:3] == 'PIL'])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
