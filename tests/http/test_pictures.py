"""The main job over HTTP, in both eras: a picture is made, waited for and read, and no path of the server is shown."""

import base64
import json
import sqlite3
from collections.abc import Generator
from contextlib import closing
from typing import Any

import anyio
import pytest
from mcp.types import BlobResourceContents

from tests.hosts import ERAS, PATIENCE_S, Era, Home, call, links_of, over, text_of
from tests.http.hosting import Hosted, client_of, hosted


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hosted]:
    with hosted(Home(tmp_path_factory.mktemp("pictures"))) as server:
        yield server


@pytest.mark.parametrize("era", ERAS)
async def test_a_picture_is_made_with_progress_and_read_from_its_resource(server: Hosted, era: Era) -> None:
    reports: list[float] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        reports.append(progress)

    async with client_of(server.url, era) as client:
        started = await call(client, "generate", prompt=f"a fox, {era}", provider="sketch")
        waited = await client.call_tool(
            "wait", {"generation_ids": [started["id"]], "timeout_s": 60}, progress_callback=heard
        )
        (generation,) = waited.structured_content["generations"]
        (link,) = links_of(waited)
        read = (await client.read_resource(str(link.uri))).contents[0]
    assert generation["status"] == "succeeded"
    assert reports == sorted(set(reports))
    assert reports
    assert isinstance(read, BlobResourceContents)
    assert len(base64.b64decode(read.blob)) == generation["images"][0]["bytes"] == link.size


@pytest.mark.parametrize("era", ERAS)
async def test_nothing_that_a_caller_is_sent_names_a_folder_of_the_server(server: Hosted, era: Era) -> None:
    said: list[Any] = []
    async with client_of(server.url, era) as client:
        said.append(client.instructions)
        started = await call(client, "generate", prompt=f"no path, {era}", provider="sketch", count=2)
        said += await over(client, started["id"])
        waited = await client.call_tool("wait", {"generation_ids": [started["id"]]})
        said += [text_of(waited), await call(client, "list_generations"), await call(client, "list_models")]
        for uri in [str(resource.uri) for resource in (await client.list_resources()).resources]:
            if uri.startswith("darkroom:") and "images" not in uri:
                said.append((await client.read_resource(uri)).contents[0].model_dump_json())
        folder = await client.call_tool(
            "gallery", {"generation_id": started["id"], "index": 1, "action": "open_folder"}
        )
        said.append(text_of(folder))
        assert folder.is_error
        (picture,) = server.home.saved()[:1]
        picture.rename(picture.with_suffix(".moved"))
        for image in (1, 2):
            view = {"generation_id": started["id"], "index": image, "action": "view"}
            said.append(text_of(await client.call_tool("gallery", view)))
        picture.with_suffix(".moved").rename(picture)
    everything = json.dumps(said)
    assert str(server.home.path) not in everything
    assert '"path"' not in everything
    assert "![picture](path)" not in everything
    assert f"darkroom://generations/{started['id']}/images/2" in text_of(waited)


@pytest.mark.parametrize("era", ERAS)
async def test_a_result_is_given_again_until_its_id_is_named(server: Hosted, era: Era) -> None:
    wish = {"prompt": f"a lighthouse, {era}", "provider": "sketch"}
    async with client_of(server.url, era) as client:
        first = await call(client, "generate", **wish)
        again = await client.call_tool("generate", wish)
        assert again.structured_content["id"] == first["id"]
        assert "another seed or request_key" in text_of(again)
        assert "another seed or request_key" in again.structured_content["next_step"]
        by_key = await call(client, "generate", **wish, request_key=f"second {era}")
        by_seed = await call(client, "generate", **wish, seed=7)
        assert len({first["id"], by_key["id"], by_seed["id"]}) == 3
        await call(client, "get_status", generation_id=first["id"])
        await call(client, "cancel", generation_id=by_key["id"])
        fresh = await client.call_tool("generate", wish)
        assert fresh.structured_content["id"] not in {first["id"], by_key["id"], by_seed["id"]}
        assert "request_key" not in text_of(fresh)


async def test_a_result_that_nobody_named_for_ten_minutes_counts_as_delivered(server: Hosted) -> None:
    wish = {"prompt": "long ago", "provider": "sketch"}

    async def made_again_after(seconds: float) -> bool:
        async with client_of(server.url) as client:
            first = await call(client, "generate", **wish)
            with closing(sqlite3.connect(server.home.ledger, timeout=PATIENCE_S)) as ledger, ledger:
                change = "UPDATE generations SET created_at = created_at - ? WHERE id = ?"
                ledger.execute(change, (seconds, first["id"]))
            return (await call(client, "generate", **wish))["id"] != first["id"]

    assert not await made_again_after(590 - PATIENCE_S)
    assert await made_again_after(600)


async def test_identical_calls_at_the_same_moment_are_one_generation(server: Hosted) -> None:
    ids: set[str] = set()
    async with (
        client_of(server.url) as client,
        client_of(server.url, "legacy") as other,
        anyio.create_task_group() as group,
    ):

        async def ask(asking: Any) -> None:
            ids.add((await call(asking, "generate", prompt="at once", provider="sketch"))["id"])

        for each in (client, other) * 3:
            group.start_soon(ask, each)
    assert len(ids) == 1


async def test_the_stateless_older_era_has_no_subscriptions(server: Hosted) -> None:
    async with client_of(server.url, "legacy") as client:
        resources = client.server_capabilities.resources
        assert resources is not None
        assert not resources.subscribe
