"""Hosts drop one half of a result or the other, and parts of a half: each that may be left holds what agents need."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult

from darkroom.app.context import Opened, open_app
from darkroom.app.server import DarkroomServer
from darkroom.generations.asking.wishes import Wish
from darkroom.providers.declared import read_settings
from tests.extensions.task_client import tasks_of
from tests.hosts import ERAS, PATIENCE_S, Era, Home, identity, text_of
from tests.services.fatthumb import FatThumb
from tests.services.faults import Redirect

CODEX = "codex-mcp-client"
PROMPT = "A fox who reads a map by the light of a lamp that a bear holds up, in the manner of old woodcuts"
SHEET = ["text", "image", "resource_link", "resource_link"]
BARE = ["text", "resource_link", "resource_link"]


@dataclass(frozen=True)
class Studio:
    """Everything that a server has, in this process, and two generations whose pictures are saved."""

    app: Opened
    two: str
    one: str

    @asynccontextmanager
    async def client(
        self, era: Era = "legacy", *, name: str = "", apps: bool = False, **settings: Any
    ) -> AsyncGenerator[Client]:
        """A client of a new server over it, which has shown nothing yet."""
        server = DarkroomServer(replace(self.app, settings=replace(self.app.settings, **settings)))
        async with Client(server, mode=era, cache=None, **identity(name, apps=apps)) as client:
            yield client


async def made(app: Opened, count: int, prompt: str = PROMPT) -> str:
    """The id of a new generation that is over."""
    async with app.desk().submit(Wish(prompt=prompt, count=count)) as started:
        pass
    async for _ in app.desk().watch([started.id], timeout_s=PATIENCE_S):
        pass
    return started.id


@asynccontextmanager
async def app_of(home: Home, fatthumb: FatThumb) -> AsyncGenerator[Opened]:
    environ = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1").environ
    with anyio.fail_after(PATIENCE_S):
        async with open_app(read_settings(environ)) as app:
            yield app


@pytest.fixture
async def studio(home: Home, fatthumb: FatThumb) -> AsyncGenerator[Studio]:
    async with app_of(home, fatthumb) as app:
        made_of: dict[int, str] = {}

        async def make(count: int) -> None:
            made_of[count] = await made(app, count)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(make, 2)
            tasks.start_soon(make, 1)
        yield Studio(app, made_of[2], made_of[1])


def kinds(result: CallToolResult) -> list[str]:
    assert not result.is_error, text_of(result)
    return [block.type for block in result.content]


async def waited(client: Client, *ids: str, **arguments: Any) -> CallToolResult:
    return await client.call_tool("wait", {"generation_ids": list(ids), **arguments})


@pytest.mark.parametrize("era", ERAS)
async def test_each_half_says_what_to_do_next_about_all_that_is_unfinished(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    async with app_of(home, fatthumb) as app, Studio(app, "", "").client(era) as client:
        started = await client.call_tool("generate", {"prompt": PROMPT})
        one = started.structured_content["id"]
        late = await waited(client, one, timeout_s=0.1)
        answers = [
            started,
            late,
            await client.call_tool("get_status", {"generation_id": one}),
            await client.call_tool("list_generations", {}),
        ]
    for answer in answers:
        assert f'Next: call wait with ["{one}"].' in text_of(answer)
        for generation in answer.structured_content.get("generations", [answer.structured_content]):
            assert generation["next_step"] == f'Call wait with ["{one}"].'
    assert late.structured_content["next_step"] == f'Call wait with ["{one}"].'


@pytest.mark.parametrize("era", ERAS)
async def test_each_half_says_that_the_first_image_is_a_contact_sheet_and_there_is_no_other(
    studio: Studio, era: Era
) -> None:
    async with studio.client(era, name="claude-code") as client:
        assert all(tool.output_schema for tool in (await client.list_tools()).tools)
        sheet = await waited(client, studio.two)
        single = await waited(client, studio.one)
        both = await waited(client, studio.two, studio.one)
    for result in (sheet, both):
        assert kinds(result)[:2] == ["text", "image"]
        assert kinds(result).count("image") == 1
        assert result.structured_content["contact_sheet"] is True
        assert "The first image here is a contact sheet" in text_of(result)
        assert "next_step" not in result.structured_content
    assert kinds(single) == ["text", "resource_link", "image"]
    assert "contact_sheet" not in single.structured_content


async def test_what_was_shown_before_is_shown_again_by_wait_alone(studio: Studio) -> None:
    asked = {"generation_id": studio.two}
    for tool in ("get_status", "cancel"):
        async with studio.client() as client:
            first = await client.call_tool(tool, asked)
            again = await client.call_tool(tool, asked)
            shown = await waited(client, studio.two)
            after = await client.call_tool(tool, asked)
        assert kinds(first) == kinds(shown) == SHEET
        assert first.structured_content["contact_sheet"] is True
        for result in (again, after):
            assert kinds(result) == BARE
            assert "contact_sheet" not in result.structured_content
            assert "wait shows it" in text_of(result)
        assert "wait shows it" not in text_of(first)


async def test_a_picture_that_comes_later_is_shown_without_those_that_were_shown(
    home: Home, fatthumb: FatThumb
) -> None:
    fatthumb.always("picture", Redirect("https://10.0.0.1/x.png"))
    fatthumb.script("picture", None)
    async with app_of(home, fatthumb) as app, Studio(app, await made(app, 2), "").client() as client:
        (before,) = (await client.call_tool("list_generations", {})).structured_content["generations"]
        partly = await waited(client, before["id"], timeout_s=10)
        fatthumb.always("picture", None)
        again = await client.call_tool("get_status", {"generation_id": before["id"]})
    assert before["next_step"] == f"Call get_status with {before['id']} to fetch what is missing again, at no cost."
    assert kinds(partly) == ["text", "resource_link", "image"]
    assert sorted(kinds(again)) == ["image", "resource_link", "resource_link", "text"]
    assert "contact_sheet" not in again.structured_content


async def test_the_text_names_the_prompt_s_first_words_and_how_to_show_a_picture(studio: Studio) -> None:
    odd = await made(studio.app, 1, 'A "fox"\n\x1b[2J' + "x" * 9_000)
    async with studio.client() as client:
        instructions = client.instructions or ""
        texts = [text_of(await waited(client, generation)) for generation in (studio.two, odd)]
        listed = text_of(await client.call_tool("list_generations", {}))
    for text in (texts[0], listed):
        assert '"A fox who reads a map by the light of a lamp' in text
        assert "woodcuts" not in text
    assert "\"A 'fox' [2Jxxx" in texts[1]
    assert len(texts[1]) < 2_000
    for words in (instructions, *texts):
        assert "give its path" in words
        assert "![picture](path)" in words


async def test_the_user_says_how_many_previews_there_are(studio: Studio, subtests: pytest.Subtests) -> None:
    one = ["text", "resource_link", "image"]
    expected = {
        "all": (["text", "image", *["resource_link", "image"] * 2], one),
        "sheet": (SHEET, one),
        "none": (BARE, one[:2]),
    }
    for previews, (two, single) in expected.items():
        with subtests.test(previews=previews):
            async with studio.client(previews=previews) as client:
                several = await waited(client, studio.two)
                assert kinds(several) == two
                assert kinds(await waited(client, studio.one)) == single
            assert several.structured_content.get("contact_sheet", False) is (two[1] == "image")
            assert ("contact sheet" in text_of(several)) is (two[1] == "image")


@pytest.mark.parametrize("era", ERAS)
async def test_codex_gets_text_links_and_images_and_no_structure_that_would_hide_them(studio: Studio, era: Era) -> None:
    one = {"generation_id": studio.one}
    async with studio.client(era, name=CODEX) as client:
        tools = (await client.list_tools()).tools
        result = await waited(client, studio.two)
        others = [await client.call_tool(tool, one) for tool in ("get_status", "cancel")]
        others += [await client.call_tool(tool, {}) for tool in ("list_generations", "list_models")]
        refused = await client.call_tool("get_status", {"generation_id": "gen_x"})
    assert [tool.output_schema for tool in tools] == [None] * 6
    assert kinds(result) == SHEET
    assert all(answer.structured_content is None and text_of(answer) for answer in (result, *others))
    assert refused.is_error
    assert "not_found" in text_of(refused)


async def test_the_user_says_which_halves_and_parts_there_are_whoever_the_client_is(
    studio: Studio, subtests: pytest.Subtests
) -> None:
    expected = {
        "text": ["text"],
        "structured": [],
        "text, structured": ["text"],
        "TEXT images": ["text", "image"],
        "structured,images,text": ["text", "image"],
        "text,structured,links": BARE,
    }
    for (wanted, kept), name in product(expected.items(), ("", CODEX)):
        with subtests.test(wanted=wanted, client=name):
            parts = read_settings({"DARKROOM_RESULTS": wanted}).results
            structured = "structured" in wanted
            async with studio.client(name=name, results=parts) as client:
                tools = (await client.list_tools()).tools
                result = await waited(client, studio.two)
                refused = await client.call_tool("get_status", {"generation_id": "gen_x"})
            assert kinds(result) == kept
            assert "not_found" in text_of(refused)
            assert (result.structured_content is not None) is structured
            assert all((tool.output_schema is not None) is structured for tool in tools)
            assert not structured or ("contact_sheet" in result.structured_content) is ("image" in kept)


def test_the_results_of_tasks_are_fitted_however_they_are_told(home: Home, fatthumb: FatThumb) -> None:
    with tasks_of(home.with_(fatthumb, DARKROOM_RESULTS="text,links,images")) as client:
        task = client.task("generate", prompt=PROMPT, count=2)
        asked = client.ended(task)["result"]
        listening = client.send("subscriptions/listen", notifications={"taskIds": [task]})
        while (told := client.server.read()).get("method") != "notifications/tasks":
            assert told.get("id") != listening
    for result in (asked, told["params"]["result"]):
        assert [block["type"] for block in result["content"]] == SHEET
        assert "structuredContent" not in result


async def test_the_page_s_own_tool_is_listed_to_those_alone_who_show_the_page(studio: Studio) -> None:
    for apps, era in product((True, False), ERAS):
        async with studio.client(era, apps=apps) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert ("gallery" in tools) is ("gallery_delete" in tools) is apps
        assert len(tools) == 6 + 2 * apps
        if apps:
            hints = tools["gallery"].annotations
            assert hints is not None
            assert (hints.read_only_hint, hints.destructive_hint) == (False, False), "it opens a folder"


async def test_the_page_finds_the_structure_that_the_model_is_not_given(studio: Studio) -> None:
    text_alone = frozenset({"text"})
    async with studio.client(apps=True, results=text_alone) as client:
        result = await client.call_tool("get_status", {"generation_id": studio.one})
        seen = await client.call_tool("gallery", {"generation_id": studio.one, "index": 1, "action": "view"})
    async with studio.client(results=text_alone) as client:
        plain = await client.call_tool("get_status", {"generation_id": studio.one})
    assert result.structured_content is None
    assert (result.meta or {})["darkroom/structured"]["id"] == studio.one
    assert kinds(seen) == ["image"]
    assert seen.structured_content is not None
    assert "darkroom/structured" not in (plain.meta or {})
