"""Generations, pictures and models read as resources."""

import base64
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import BlobResourceContents, TextResourceContents

from tests.hosts import ERAS, PATIENCE_S, Era, Home, call, connected
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer, Redirect

UNKNOWN, FAILED = -32602, -32603


async def finished(client: Client, **arguments: Any) -> dict[str, Any]:
    """A new generation, once it is over."""
    started = await call(client, "generate", **{"prompt": "A fox reading a map", **arguments})
    (generation,) = (await call(client, "wait", generation_ids=[started["id"]]))["generations"]
    return generation


async def read_json(client: Client, uri: str) -> dict[str, Any]:
    """The one JSON text that the URI names."""
    (found,) = (await client.read_resource(uri)).contents
    assert isinstance(found, TextResourceContents)
    assert (found.uri, found.mime_type) == (uri, "application/json")
    return json.loads(found.text)


async def not_read(client: Client, uri: str) -> MCPError:
    """The error that reading it ends in."""
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    assert caught.value.error.data == {"uri": uri}
    return caught.value


def uri_of(generation: dict[str, Any]) -> str:
    return f"darkroom://generations/{generation['id']}"


def bytes_at(path: str) -> bytes:
    return Path(path).read_bytes()


async def test_a_generation_is_read_as_the_tools_answer_it_and_with_what_was_asked_for(home: Home) -> None:
    asked = {"prompt": "A fox reading a map", "provider": "sketch", "model": "sketch", "count": 2, "seed": 7}
    async with connected(home, "legacy") as client, connected(home, "2026-07-28") as other:
        generation = await finished(client, count=2, seed=7)
        for each in (client, other):
            found = await read_json(each, uri_of(generation))
            assert found.pop("request") == asked
            assert found == generation


async def test_the_request_of_a_generation_is_what_generate_takes_for_the_same_again(
    home: Home, betterwaifu: BetterWaifu, fatthumb: FatThumb
) -> None:
    asked = [
        {"prompt": "A\nfox", "provider": "betterwaifu", "aspect_ratio": "2:3", "negative_prompt": "text", "seed": -1,
         "options": {"steps": 30, "cfg_scale": 7.5}},
        {"prompt": "A boat", "provider": "betterwaifu", "model": "814910"},
        {"prompt": "A pier", "provider": "fatthumb", "count": 3, "options": {"person_ids": ["me"]}},
        {"prompt": "A tree", "provider": "sketch"},
    ]  # fmt: skip
    limits = {"BETTERWAIFU_LIMITS": "active=9,submit=1000/1", "FATTHUMB_LIMITS": "submit=1000/1"}
    user = home.with_(betterwaifu, fatthumb, **limits)
    async with connected(user) as client:
        (tool,) = [tool for tool in (await client.list_tools()).tools if tool.name == "generate"]
        ids: set[str] = set()
        for arguments in asked:
            generation = await call(client, "generate", **arguments)
            request = (await read_json(client, uri_of(generation)))["request"]
            assert request.items() >= arguments.items()
            assert request.keys() <= tool.input_schema["properties"].keys()
            assert None not in request.values()
            again = await call(client, "generate", **request)
            assert (await read_json(client, uri_of(again)))["request"] == request
            ids |= {generation["id"], again["id"]}
        assert len(ids) == 2 * len(asked)
        betterwaifu.until(lambda: len(betterwaifu.posts) == 4, PATIENCE_S)
    bodies = [post.body for post in betterwaifu.posts]
    assert [bodies.count(body) for body in bodies] == [2] * 4


@pytest.mark.parametrize("era", ERAS)
async def test_a_picture_is_read_as_the_bytes_that_were_saved(
    home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu, era: Era
) -> None:
    async with connected(home.with_(fatthumb, betterwaifu), era) as client:
        for provider, kind in (("fatthumb", "image/png"), ("betterwaifu", "image/webp")):
            generation = await finished(client, provider=provider)
            (image,) = generation["images"]
            assert image["uri"] == f"{uri_of(generation)}/images/1"
            (found,) = (await client.read_resource(image["uri"])).contents
            assert isinstance(found, BlobResourceContents)
            assert (found.uri, found.mime_type) == (image["uri"], kind)
            assert base64.b64decode(found.blob, validate=True) == bytes_at(image["path"])


async def test_reading_asks_no_provider(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.next_job(duration=1000.0)
    async with connected(home.with_(fatthumb, FATTHUMB_LIMITS="requests=1/1000")) as client:
        generation = await call(client, "generate", prompt="A fox", count=2)
        with anyio.fail_after(PATIENCE_S):  # its response may be under way when the service has taken it
            while (await read_json(client, uri_of(generation)))["status"] == "queued":
                pass
        asked = len(fatthumb.log)
        for _ in range(10):
            assert (await read_json(client, uri_of(generation)))["status"] == "processing"
        error = await not_read(client, f"{uri_of(generation)}/images/2")
        assert error.error.code == FAILED
        assert f"Picture 2 of {generation['id']} is not saved yet" in error.error.message
        assert f'Call wait with ["{generation["id"]}"]' in error.error.message
        assert (await not_read(client, f"{uri_of(generation)}/images/3")).error.code == UNKNOWN
    assert len(fatthumb.log) - asked <= 1  # the one that its limits allow the poller


async def test_a_picture_that_did_not_come_says_why(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.always("picture", Redirect("https://10.0.0.1/x.png"))
    async with connected(home.with_(fatthumb)) as client:
        generation = await finished(client)
        assert "uri" not in generation["images"][0]
        error = await not_read(client, f"{uri_of(generation)}/images/1")
        fatthumb.script("submit", Answer(402))
        unpaid = await finished(client, prompt="unpaid")
        refusal = await not_read(client, f"{uri_of(unpaid)}/images/1")
    assert error.error.code == refusal.error.code == FAILED
    assert generation["images"][0]["error"]["message"] in error.error.message
    assert "Charged: yes" in error.error.message
    assert unpaid["error"]["message"] in refusal.error.message
    assert "Charged: no" in refusal.error.message


def away(path: Path) -> None:
    path.rename(path.with_suffix(".mine"))


def another(path: Path) -> None:
    path.write_bytes(b"a shopping list")


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def a_link(path: Path) -> None:
    away(path)
    path.symlink_to(path.with_suffix(".mine"))


def a_linked_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to(path.parent.with_name("elsewhere"))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders, and links only for some")
async def test_a_file_that_is_not_the_saved_picture_any_more_is_not_read(
    home: Home, fatthumb: FatThumb, subtests: pytest.Subtests
) -> None:
    async with connected(home.with_(fatthumb)) as client:
        generations = [await finished(client, count=4), await finished(client, prompt="An owl", count=3)]
        images = [image for generation in generations for image in generation["images"]]
        # The last one does it to all that are still there.
        for image, done in zip(images, (away, another, longer, a_link, a_pipe, a_folder, a_linked_folder), strict=True):
            with subtests.test(done=done.__name__):
                assert (await client.read_resource(image["uri"])).contents
                done(Path(image["path"]))
                error = await not_read(client, image["uri"])
                assert error.error.code == FAILED
                assert image["path"] in error.error.message
                assert "If you moved it" in error.error.message
        for generation in generations:
            assert await read_json(client, uri_of(generation))


async def test_rows_of_older_versions_name_their_pictures_in_the_same_way(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb)) as client:
        generation = await finished(client)
    with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S)) as db, db:
        db.execute("UPDATE generations SET images = json_set(images, '$[0].uri', 'file:///tmp/a.png')")
    async with connected(home.with_(fatthumb)) as client:
        (found,) = (await call(client, "list_generations"))["generations"]
        assert found["images"][0]["uri"] == generation["images"][0]["uri"] == f"{uri_of(generation)}/images/1"


def spellings_of(generation: dict[str, Any]) -> list[str]:
    """URIs that look like the generation's, or like another thing that must not be had, and name nothing."""
    uri, generation_id = uri_of(generation), generation["id"]
    return [
        "darkroom://generations/gen_" + "a" * 26,
        f"darkroom://generations/gen_{'a' * 26}/images/1",
        *(
            f"{uri}/images/{index}"
            for index in ("0", "2", "99", "100", "-1", "+1", "01", "1.0", "1e0", "", "x", "²", "١")
        ),
        *(f"{uri}{tail}" for tail in ("/", "?", "#", "?x=1", "#x", " ", "\n", "\0", "%20", "%0a", "%00", "/images")),
        *(f"{uri}/images/{tail}" for tail in ("1/", "1?", "1%20", "1\n", "%31", "1/../1", "1/images/1", "1%2f..%2f1")),
        f"darkroom://generations/{generation_id.upper()}",
        f"DARKROOM://generations/{generation_id}",
        f"darkroom:generations/{generation_id}",
        f"darkroom:///generations/{generation_id}",
        f"darkroom://generations//{generation_id}",
        f"darkroom://generations/./{generation_id}",
        f"darkroom://generations/x/../{generation_id}",
        f"darkroom://generations/..%2fgenerations%2f{generation_id}",
        f"darkroom://user@generations/{generation_id}",
        f"darkroom://generations:80/{generation_id}",
        f"darkroom://generations/{generation_id.replace('_', '%5f')}",
        f"darkroom://generations/{generation_id.replace('_', '%255f')}",
        f"darkroom://generations/{generation_id[:-1]}",
        f"darkroom://generations/{generation_id}a",
        f"darkroom://generations/{generation_id}' OR '1'='1",
        "darkroom://generations/%",
        "darkroom://generations/{id}",
        "darkroom://generations/",
        "darkroom://generations",
        "darkroom://",
        "darkroom:",
        "",
        "a" * 100_000,
        f"darkroom://generations/{'../' * 50}etc/passwd",
        f"file://{generation['images'][0]['path']}",
        "file:///etc/passwd",
        "ui://darkroom/nothing",
        "darkroom://providers/nobody/models/sketch",
        "darkroom://providers/sketch/models/nothing",
        "darkroom://providers/sketch/models/",
        "darkroom://providers/sketch/models/sketc%68",
        "darkroom://providers/sketch/models/sketch/",
        "darkroom://providers/sketch/models/sketch%00",
        "darkroom://providers/sketch/models/%ff%fe",
        "darkroom://providers/sketch/models/..%2f..",
        "darkroom://providers/sketch/models/" + "%41" * 200,
    ]


@pytest.mark.parametrize("era", ERAS)
async def test_what_names_nothing_is_unknown_however_it_is_spelled(
    home: Home, fatthumb: FatThumb, era: Era, subtests: pytest.Subtests, capfd: pytest.CaptureFixture[str]
) -> None:
    async with connected(home.with_(fatthumb), era) as client:
        generation = await finished(client)
        for uri in spellings_of(generation):
            with subtests.test(uri=uri[:100]):
                assert (await not_read(client, uri)).error.code == UNKNOWN
        assert await read_json(client, uri_of(generation))
    assert "Traceback" not in capfd.readouterr().err


async def test_what_belongs_to_another_is_unknown(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb)) as client:
        generation = await finished(client)
        with closing(sqlite3.connect(home.ledger, timeout=PATIENCE_S)) as db, db:
            db.execute("UPDATE generations SET owner = 'somebody'")
        for uri in (uri_of(generation), generation["images"][0]["uri"]):
            assert (await not_read(client, uri)).error.code == UNKNOWN


@pytest.mark.parametrize("era", ERAS)
async def test_a_model_is_read_with_what_it_accepts(home: Home, betterwaifu: BetterWaifu, era: Era) -> None:
    async with connected(home.with_(betterwaifu), era) as client:
        listed = {state["name"]: state for state in (await call(client, "list_models"))["providers"]}
        for provider, wanted in (("betterwaifu", "814910"), ("sketch", "sketch"), ("fatthumb", "gpt-image-2")):
            found = await read_json(client, f"darkroom://providers/{provider}/models/{wanted}")
            state = listed[provider]
            assert found["provider"] == provider
            assert found["model"] == next(model for model in state["models"] if model["id"] == wanted)
            for name in ("accepts", "limits", "status"):
                assert found[name] == state[name]
            assert "account" not in found


async def test_a_model_of_a_silent_provider_is_not_called_unknown(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.stop()
    async with connected(home.with_(betterwaifu)) as client:
        error = await not_read(client, "darkroom://providers/betterwaifu/models/814910")
    assert error.error.code == FAILED
    assert "provider_unreachable" in error.error.message
