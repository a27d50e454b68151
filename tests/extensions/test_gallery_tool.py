"""The gallery's page and the tool that only it calls, as a host meets them."""

import base64
import io
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import PIL.Image
import PIL.ImageOps
import pytest
from mcp import Client
from mcp.types import CallToolResult, ImageContent, ResourceLink, TextContent, TextResourceContents

from tests.hosts import (
    ERAS,
    PATIENCE_S,
    Era,
    Home,
    RawServer,
    call,
    connected,
    eventually,
    refused,
    server_of,
)
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer

PAGE = "ui://darkroom/gallery.html"
MIME_TYPE = "text/html;profile=mcp-app"
UNKNOWN_ID = "gen_aaaaaaaaaaaaaaaaaaaaaaaaaa"
PATIENT = """
from darkroom.extensions import desktop
import runpy
desktop.VERDICT_WITHIN_S = 100.0
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""A server that gives a file manager all the time it needs to fail."""


def noise(width: int, height: int) -> bytes:
    """A picture that no codec can make small."""
    file = io.BytesIO()
    PIL.Image.frombytes("RGB", (width, height), os.urandom(width * height * 3)).save(file, "PNG")
    return file.getvalue()


async def page_of(client: Client) -> TextResourceContents:
    """The page as a host reads it."""
    (content,) = (await client.read_resource(PAGE)).contents
    assert isinstance(content, TextResourceContents)
    return content


async def drawn(client: Client, **arguments: Any) -> dict[str, Any]:
    """A generation whose pictures are saved."""
    started = await call(client, "generate", **{"prompt": "A fox", **arguments})
    return (await call(client, "wait", generation_ids=[started["id"]]))["generations"][0]


async def viewed(client: Client, generation: dict[str, Any], index: int = 1) -> ImageContent:
    """The one picture that the page is answered with."""
    result: CallToolResult = await client.call_tool(
        "gallery", {"generation_id": generation["id"], "index": index, "action": "view"}
    )
    assert not result.is_error
    (content,) = result.content
    assert isinstance(content, ImageContent)
    return content


@pytest.mark.parametrize("era", ERAS)
async def test_the_page_is_listed_and_read_and_named_by_the_tools_that_it_shows(home: Home, era: Era) -> None:
    async with connected(home, era, apps=True) as client:
        (page,) = [one for one in (await client.list_resources()).resources if one.uri == PAGE]
        content = await page_of(client)
        tools = {tool.name: tool.meta for tool in (await client.list_tools()).tools}
    assert page.mime_type == content.mime_type == MIME_TYPE
    assert content.text.startswith("<!doctype html>")
    assert content.meta == page.meta
    assert page.meta is not None
    assert page.meta["ui"]["permissions"] == {"clipboardWrite": {}}
    assert "csp" not in page.meta["ui"], "it needs no origin"
    assert tools.pop("generate") == tools.pop("wait") == tools.pop("gallery") == {"ui": {"resourceUri": PAGE}}
    assert tools.pop("gallery_delete") == {"ui": {"visibility": ["app"]}}
    assert set(tools.values()) == {None}


async def test_the_extension_is_announced_to_those_who_ask_what_the_server_can(home: Home) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with Client(server_of(home), mode="auto", cache=None) as client:
            extensions = client.server_capabilities.extensions
    assert extensions is not None
    assert "io.modelcontextprotocol/ui" in extensions


async def test_the_page_holds_all_that_it_needs_and_makes_no_markup_of_data(home: Home) -> None:
    async with connected(home) as client:
        page = (await page_of(client)).text
    addresses = set(re.findall(r"https?://[^\s\"'`)]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}, "which is a name and never fetched"
    assert not re.search(
        r"<link|<img|<iframe|\bsrc=|@import|\bimport\(|fetch\(|XMLHttpRequest|WebSocket|url\((?!#)", page
    )
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", page)


@pytest.mark.parametrize("era", ERAS)
async def test_results_are_for_a_client_without_apps_what_they_always_were(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    async with connected(home.with_(fatthumb), era) as client:
        started = await client.call_tool("generate", {"prompt": "A fox", "count": 2})
        waited = await client.call_tool("wait", {"generation_ids": [started.structured_content["id"]]})
    kinds = [type(block) for block in waited.content]
    assert kinds == [TextContent, ImageContent, ResourceLink, ResourceLink]
    assert all("ui" not in (result.meta or {}) for result in (started, waited))


def picture_in(content: ImageContent) -> PIL.Image.Image:
    assert content.mime_type == "image/jpeg"
    picture = PIL.Image.open(io.BytesIO(base64.b64decode(content.data, validate=True)))
    assert picture.format == "JPEG"
    return picture


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(1280, 720, (1280, 720)), (3200, 1800, (1600, 900)), (700, 2100, (533, 1600))],
)
async def test_a_picture_is_seen_large_within_what_hosts_take(
    home: Home, fatthumb: FatThumb, width: int, height: int, size: tuple[int, int]
) -> None:
    smooth = PIL.ImageOps.fit(PIL.Image.linear_gradient("L"), (width, height))
    file = io.BytesIO()
    PIL.Image.merge("RGB", (smooth, smooth.rotate(180), smooth)).save(file, "PNG", compress_level=0)
    assert len(file.getvalue()) > 2_000_000
    fatthumb.always("picture", Answer(200, content=file.getvalue()))
    async with connected(home.with_(fatthumb)) as client:
        content = await viewed(client, await drawn(client))
    assert len(content.data) <= 600_000
    assert picture_in(content).size == size


async def test_a_picture_that_no_codec_makes_small_is_seen_smaller(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.always("picture", Answer(200, content=noise(1600, 1600)))
    async with connected(home.with_(fatthumb)) as client:
        content = await viewed(client, await drawn(client))
    assert len(content.data) <= 600_000
    assert picture_in(content).size == (800, 800)


async def test_a_picture_that_is_not_there_is_refused_in_words(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    asked: dict[str, Any] = {"index": 1, "action": "view"}
    async with connected(home.with_(fatthumb)) as client:
        for action in ("view", "open_folder"):
            unknown = await refused(client, "gallery", generation_id=UNKNOWN_ID, index=1, action=action)
            assert unknown.startswith("not_found")
        running = await call(client, "generate", prompt="A fox")
        assert "no saved picture 1" in await refused(client, "gallery", generation_id=running["id"], **asked)
        generation = await drawn(client, provider="sketch")
        for index in (0, 5, "x", True):
            text = await refused(client, "gallery", generation_id=generation["id"], index=index, action="view")
            assert text.startswith("invalid_request: index")
        assert "picture 2" in await refused(client, "gallery", generation_id=generation["id"], index=2, action="view")
        assert "generation_id" in await refused(client, "gallery", action="view")
        assert "cursor" in await refused(client, "gallery", cursor=UNKNOWN_ID)
        text = await refused(client, "gallery", generation_id=generation["id"], index=1, action="delete")
        assert text.startswith("invalid_request: action")
        (saved,) = home.saved()
        saved.unlink()
        gone = await refused(client, "gallery", generation_id=generation["id"], **asked)
    assert gone.startswith("result_unavailable")
    assert str(saved) in gone


def desktop(home: Home, script: str | None, **extra: str) -> Home:
    """The user at a desktop whose file manager is this script; None: none is installed."""
    programs = home.path / "programs"
    programs.mkdir()
    if script is not None:
        command = programs / "xdg-open"
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(stat.S_IRWXU)
    return home.with_(PATH=f"{programs}:/usr/bin:/bin" if script is not None else str(programs), **extra)


def told_by(pipe: Path) -> bool:
    """Writes a line there, as soon as somebody has it open."""
    try:
        window = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    os.write(window, b"the user closes it\n")
    os.close(window)
    return True


async def folder_opened(home: Home) -> tuple[dict[str, Any], CallToolResult]:
    """A saved picture, and the answer to its folder being asked for."""
    async with connected(home, python=("-c", PATIENT)) as client:
        (image,) = (await drawn(client))["images"]
        generation = (await call(client, "list_generations"))["generations"][0]
        asked = {"generation_id": generation["id"], "index": 1, "action": "open_folder"}
        result = await client.call_tool("gallery", asked)
        assert await call(client, "list_models"), "whatever the file manager prints, the protocol is not disturbed"
    return image, result


async def test_the_file_manager_is_given_the_picture_s_folder_and_nothing_else(home: Home, fatthumb: FatThumb) -> None:
    told = home.path / "told"
    noisy = f'echo noise; echo noise >&2; cat; printf "%s\\n" "$#" "$1" > "{told}"'
    image, result = await folder_opened(desktop(home.with_(fatthumb), noisy, DISPLAY=":0"))
    assert not result.is_error
    folder = str(Path(image["path"]).parent)
    assert told.read_text().splitlines() == ["1", folder]
    assert result.structured_content == {"done": f"Opened {folder}."}


def test_a_file_manager_that_stays_open_counts_and_outlives_the_server(home: Home, fatthumb: FatThumb) -> None:
    started, closed, ended = (home.path / name for name in ("started", "closed", "ended"))
    os.mkfifo(closed)
    user = desktop(
        home.with_(fatthumb), f'touch "{started}"; read line < "{closed}"; touch "{ended}"', WAYLAND_DISPLAY="wayland-0"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "darkroom", "serve"],
        env=user.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        server = RawServer(process)
        server.initialize()
        generation = server.call("generate", prompt="A fox")["structuredContent"]["id"]
        server.call("wait", generation_ids=[generation])
        result = server.call("gallery", generation_id=generation, index=1, action="open_folder")
        os.killpg(process.pid, signal.SIGKILL)  # as a terminal does with all that it started
    assert not result.get("isError")
    eventually(started.exists)
    assert not ended.exists()
    eventually(lambda: told_by(closed))
    eventually(ended.exists)


@pytest.mark.parametrize(
    ("script", "display", "why"),
    [
        ("exit 0", {}, "there is no desktop"),
        (None, {"DISPLAY": ":0"}, "xdg-open is not installed"),
        ("exit 4", {"DISPLAY": ":0"}, "status 4"),
    ],
)
async def test_a_folder_that_cannot_be_opened_is_named_instead(
    home: Home, fatthumb: FatThumb, script: str | None, display: dict[str, str], why: str
) -> None:
    image, result = await folder_opened(desktop(home.with_(fatthumb), script, **display))
    (text,) = result.content
    assert result.is_error
    assert isinstance(text, TextContent)
    assert text.text.startswith("result_unavailable: The folder was not opened")
    assert why in text.text
    assert str(Path(image["path"]).parent) in text.text
