"""What there is to read, and the completion of what somebody types."""

from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from anyio import to_thread
from mcp import Client, MCPError
from mcp.types import Completion, PromptReference, Resource, ResourceTemplateReference

from tests.hosts import ERAS, PATIENCE_S, Era, Home, call, connected, server_of
from tests.resources.rows import copies
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer, Delay

GENERATION = "darkroom://generations/{id}"
PICTURE = "darkroom://generations/{id}/images/{index}"
MODEL = "darkroom://providers/{provider}/models/{model}"


async def finished(client: Client, **arguments: Any) -> dict[str, Any]:
    """A new generation, once it is over."""
    started = await call(client, "generate", **{"prompt": "A fox reading a map", **arguments})
    (generation,) = (await call(client, "wait", generation_ids=[started["id"]]))["generations"]
    return generation


PAGE = "ui://darkroom/gallery.html"
PATIENT = """
from darkroom.resources import completions
import runpy
completions.WITHIN_S = 100.0
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""A server that leaves no provider's models out because a machine is slow."""


async def listed(client: Client) -> list[Resource]:
    """What is listed besides the gallery's page, which must come first."""
    page, *rest = (await client.list_resources()).resources
    assert page.uri == PAGE
    return rest


async def completed(client: Client, template: str, name: str, typed: str = "", **known: str) -> Completion:
    """What completes this variable of the template."""
    ref = ResourceTemplateReference(uri=template)
    return (await client.complete(ref, {"name": name, "value": typed}, known or None)).completion


@pytest.mark.parametrize("era", ERAS)
async def test_the_newest_generations_and_their_pictures_are_listed_and_can_be_read(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    async with connected(home.with_(fatthumb), era) as client:
        assert await listed(client) == []
        first = await finished(client, provider="sketch", prompt="A fox,\n\u202ereading " + "a map " * 100, count=2)
        fatthumb.next_job(duration=1000.0)
        second = await call(client, "generate", prompt="A boat")
        newest, older, *pictures = await listed(client)
        for resource in (newest, older, *pictures):
            assert (await client.read_resource(resource.uri)).contents[0].mime_type == resource.mime_type
    assert [newest.uri, older.uri] == [f"darkroom://generations/{made['id']}" for made in (second, first)]
    assert (newest.name, newest.title, newest.mime_type) == (second["id"], "A boat", "application/json")
    assert newest.description is not None
    assert newest.description.startswith(("FatThumb is working", "Being sent"))
    assert older.title is not None
    assert older.title.startswith("A fox, reading a map a map")
    assert len(older.title) == 60
    assert older.description == first["progress"]["message"]
    assert older.annotations is not None
    assert older.annotations.last_modified == first["finished_at"]
    for picture, image in zip(pictures, first["images"], strict=True):
        assert (picture.uri, picture.name) == (image["uri"], Path(image["path"]).name)
        assert (picture.mime_type, picture.size) == (image["mime_type"], image["bytes"])
        assert picture.title == f"{older.title} ({image['index']} of 2)"


async def test_the_listing_ends_at_twenty_generations(home: Home) -> None:
    async with connected(home) as client:
        generation = await finished(client)
        newest = copies(home, generation["id"], 30)[:20]
        uris = [resource.uri for resource in await listed(client)]
    wanted = [f"darkroom://generations/{name}" for name in newest]
    assert uris == [uri for name in wanted for uri in (name, f"{name}/images/1")]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_templates_say_what_they_are(home: Home, mode: Literal["legacy", "auto"]) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with Client(server_of(home), mode=mode, cache=None) as client:
            templates = (await client.list_resource_templates()).resource_templates
            capabilities = client.server_capabilities
            assert client.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
    assert [template.uri_template for template in templates] == [GENERATION, PICTURE, MODEL]
    assert [template.mime_type for template in templates] == ["application/json", None, "application/json"]
    assert all(template.title and template.description for template in templates)
    assert capabilities.resources is not None
    assert capabilities.resources.subscribe
    assert capabilities.completions is not None


@pytest.mark.parametrize("era", ERAS)
async def test_without_a_ledger_the_reason_is_read_and_nothing_is_listed(home: Home, era: Era) -> None:
    (home.path / "home").write_text("in the way")
    async with connected(home, era) as client:
        assert await listed(client) == []
        assert len((await client.list_resource_templates()).resource_templates) == 3
        for uri in ("generations/gen_" + "a" * 26, "providers/sketch/models/sketch"):
            with pytest.raises(MCPError) as caught:
                await client.read_resource(f"darkroom://{uri}")
            assert caught.value.error.code == -32603
            assert caught.value.error.message.startswith("storage_error: ")
            assert "DARKROOM_HOME" in caught.value.error.message
        assert (await completed(client, GENERATION, "id")).values == []
        assert (await completed(client, MODEL, "model")).values == []
        assert "sketch" in (await completed(client, MODEL, "provider")).values


@pytest.mark.parametrize("era", ERAS)
async def test_ids_are_completed_newest_first_and_no_more_than_a_hundred(home: Home, era: Era) -> None:
    async with connected(home, era) as client:
        generation = await finished(client)
        alone = await completed(client, GENERATION, "id")
        assert (alone.values, alone.total, alone.has_more) == ([generation["id"]], 1, False)
        newest = copies(home, generation["id"], 150)
        for template in (GENERATION, PICTURE):
            every = await completed(client, template, "id")
            assert (every.values, every.has_more) == (newest[:100], True)
            assert every.total is None
            some = await completed(client, template, "id", newest[0][:9])
            assert some.values == [name for name in newest if name.startswith(newest[0][:9])]
            assert (some.total, some.has_more) == (len(some.values), False)
            for typed in ("x", "%", "_" * 4, "gen_%", "GEN_", "gen_\0", "g" * 100_000, "'", "gen_*", newest[0] + "a"):
                nothing = await completed(client, template, "id", typed)
                assert (nothing.values, nothing.total, nothing.has_more) == ([], 0, False)


async def test_the_indexes_of_a_generation_are_those_of_its_saved_pictures(home: Home) -> None:
    with FatThumb(hidden={1}) as fatthumb:
        async with connected(home.with_(fatthumb)) as client:
            generation = await finished(client, count=3)
            assert (await completed(client, PICTURE, "index", id=generation["id"])).values == ["1", "3"]
            assert (await completed(client, PICTURE, "index", "3", id=generation["id"])).values == ["3"]
            assert (await completed(client, PICTURE, "index")).values == []
            assert (await completed(client, PICTURE, "index", id="gen_nothing")).values == []


async def test_models_are_completed_by_what_their_providers_offer_and_seldom_asked_for(
    home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu
) -> None:
    numbers = [str(model["id"]) for model in betterwaifu.models]
    async with connected(home.with_(fatthumb, betterwaifu), python=("-c", PATIENT)) as client:
        assert (await completed(client, MODEL, "provider")).values == ["fatthumb", "betterwaifu", "sketch"]
        assert (await completed(client, MODEL, "provider", "be")).values == ["betterwaifu"]
        everything = ["gemini-3-pro", "gpt-image-2", *numbers, "sketch"]
        assert (await completed(client, MODEL, "model")).values == everything
        for end in range(1, len(numbers[0]) + 1):
            typed = numbers[0][:end]
            found = (await completed(client, MODEL, "model", typed, provider="betterwaifu")).values
            assert found == [number for number in numbers if number.startswith(typed)]
        assert (await completed(client, MODEL, "model", "g", provider="fatthumb")).values == everything[:2]
        assert (await completed(client, MODEL, "model", "g", provider="sketch")).values == []
        assert (await completed(client, MODEL, "model", provider="nobody")).values == []
    assert len(betterwaifu.requests(route="models")) == 1
    assert betterwaifu.requests(route="account") == []


async def test_a_provider_that_does_not_tell_its_models_holds_up_no_other(home: Home, betterwaifu: BetterWaifu) -> None:
    others = ["gemini-3-pro", "gpt-image-2", "sketch"]
    async with connected(home.with_(betterwaifu)) as client, anyio.create_task_group() as tasks:
        betterwaifu.script("models", Answer(500), Answer(500))
        assert (await completed(client, MODEL, "model")).values == others
        await call(client, "list_models")
        betterwaifu.always("models", Delay(60))
        gave_up = anyio.Event()

        async def patiently() -> None:
            await call(client, "list_models")
            gave_up.set()

        tasks.start_soon(patiently)
        await to_thread.run_sync(
            lambda: betterwaifu.until(lambda: len(betterwaifu.requests(route="models")) == 3, PATIENCE_S)
        )
        assert (await completed(client, MODEL, "model")).values == others
        assert not gave_up.is_set(), "a name is completed sooner than a provider is given up"
        tasks.cancel_scope.cancel()


async def test_what_is_not_ours_to_complete_is_answered_with_nothing(home: Home) -> None:
    async with connected(home) as client:
        await finished(client)
        for template, name in (
            ("darkroom://generations", "id"),
            ("file:///{path}", "path"),
            (GENERATION, "index"),
            (GENERATION, "nothing"),
            (MODEL, "id"),
            (PICTURE, "provider"),
        ):
            assert (await completed(client, template, name)).values == []
        prompt = PromptReference(name="youtube_thumbnail")
        assert (await client.complete(prompt, {"name": "mood", "value": ""})).completion.values == []
