"""wait and generate: who waits, for how long, and what goes on without them."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.held import Held
from tests.hosts import (
    ERAS,
    Era,
    Home,
    RawServer,
    call,
    connected,
    eventually,
    previews_of,
    refused,
    running,
    text_of,
)
from tests.services.fatthumb import FatThumb

UNHURRIED = {"FATTHUMB_LIMITS": "submit=1000/1"}


async def taken(client: Client, generation_id: str) -> str:
    """Waits until the provider has it; answers its id."""
    while (await call(client, "get_status", generation_id=generation_id))["status"] == "queued":
        pass
    return generation_id


@asynccontextmanager
async def one_of_two_done(home: Home, fatthumb: FatThumb) -> AsyncGenerator[tuple[Client, str, str]]:
    """A client, the id of a generation that is soon done, and that of one that is not."""
    fatthumb.next_job(duration=0.0)
    fatthumb.next_job(duration=1000.0)
    async with connected(home.with_(fatthumb, **UNHURRIED)) as client:
        quick = await call(client, "generate", prompt="quick")
        slow = await call(client, "generate", prompt="slow")
        yield client, quick["id"], await taken(client, slow["id"])


async def test_running_out_of_time_is_no_error_and_says_to_wait_again(home: Home, fatthumb: FatThumb) -> None:
    async with one_of_two_done(home, fatthumb) as (client, quick, slow):
        await call(client, "wait", generation_ids=[quick])
        result = await client.call_tool("wait", {"generation_ids": [quick, slow], "timeout_s": 0.1})
        assert not result.is_error
        assert result.structured_content["timed_out"] is True
        states = [generation["status"] for generation in result.structured_content["generations"]]
        assert states == ["succeeded", "processing"]
        assert f'call wait with ["{slow}"]' in text_of(result)
        assert "nothing is lost" in text_of(result)
        assert len(previews_of(result)) == 1
        fatthumb.advance(1000)
        answer = await call(client, "wait", generation_ids=[quick, slow])
    assert answer["timed_out"] is False
    assert {generation["status"] for generation in answer["generations"]} == {"succeeded"}


async def test_a_wait_for_any_ends_with_the_first_that_is_done(home: Home, fatthumb: FatThumb) -> None:
    async with one_of_two_done(home, fatthumb) as (client, quick, slow):
        result = await client.call_tool("wait", {"generation_ids": [slow, quick], "until": "any", "timeout_s": 60})
        assert result.structured_content["timed_out"] is False
        states = {generation["id"]: generation["status"] for generation in result.structured_content["generations"]}
        assert states == {slow: "processing", quick: "succeeded"}
        assert f'call wait with ["{slow}"]' in text_of(result)
        at_once = await call(client, "wait", generation_ids=[slow, quick], until="any")
        assert at_once["timed_out"] is False


async def test_an_id_given_twice_is_answered_once(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="a fox")
        answer = await call(client, "wait", generation_ids=[started["id"], started["id"]])
    assert [generation["id"] for generation in answer["generations"]] == [started["id"]]
    assert len(home.saved()) == 1


async def test_an_unknown_id_among_others_is_named_and_the_others_go_on(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="a fox")
        text = await refused(client, "wait", generation_ids=[started["id"], "gen_nothing"], timeout_s=600)
        assert text.startswith("not_found: ")
        assert "gen_nothing" in text
        answer = await call(client, "wait", generation_ids=[started["id"]])
    assert answer["generations"][0]["status"] == "succeeded"


async def test_fifty_generations_are_awaited_at_once(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb, **UNHURRIED)) as client:
        ids = [(await call(client, "generate", prompt=f"{n} {'foxes ' * 100}"))["id"] for n in range(50)]
        result = await client.call_tool("wait", {"generation_ids": ids, "timeout_s": 240})
    generations = result.structured_content["generations"]
    assert [generation["id"] for generation in generations] == ids
    assert {generation["status"] for generation in generations} == {"succeeded"}
    assert len({generation["images"][0]["path"] for generation in generations}) == len(home.saved()) == 50
    assert len(json.dumps(result.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()) < 600_000
    assert all(generation["images"][0]["path"] in text_of(result) for generation in generations)


@pytest.mark.parametrize("era", ERAS)
async def test_a_caller_who_stops_waiting_is_answered_at_once_and_loses_nothing(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    async with connected(home.with_(fatthumb), era) as client:
        started = await call(client, "generate", prompt="a fox")
        await taken(client, started["id"])
        with anyio.CancelScope() as waiting:

            async def leave(progress: float, total: float | None, message: str | None) -> None:
                waiting.cancel()

            await client.call_tool(
                "wait", {"generation_ids": [started["id"]], "timeout_s": 600}, progress_callback=leave
            )
        assert waiting.cancelled_caught
        fatthumb.advance(1000)
        answer = await call(client, "wait", generation_ids=[started["id"]])
    assert answer["generations"][0]["status"] == "succeeded"
    assert len(fatthumb.posts) == 1


def test_a_cancelled_wait_is_silent_from_then_on(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    with running(home.with_(fatthumb), "serve") as process:
        server = RawServer(process)
        server.initialize()
        started = server.call("generate", prompt="a fox")["structuredContent"]["id"]
        while server.call("get_status", generation_id=started)["structuredContent"]["status"] == "queued":
            pass
        arguments: dict[str, Any] = {"generation_ids": [started], "timeout_s": 600}
        wanted = {"name": "wait", "arguments": arguments, "_meta": {"progressToken": "cancelled"}}
        abandoned = server.send("tools/call", wanted)
        while server.read().get("method") != "notifications/progress":
            pass
        notify(server, "notifications/cancelled", {"requestId": abandoned, "reason": "the user left"})
        assert not server.call("get_status", generation_id=started).get("isError")
        fatthumb.advance(1000)
        sent = server.send("tools/call", {"name": "wait", "arguments": arguments})
        heard = [server.read()]
        while heard[-1].get("id") != sent:
            heard.append(server.read())
    assert heard[-1]["result"]["structuredContent"]["generations"][0]["status"] == "succeeded"
    assert not [message for message in heard if message.get("id") == abandoned and "result" in message]
    assert not [message for message in heard if message.get("params", {}).get("progressToken") == "cancelled"]


async def test_a_generation_is_answered_before_its_provider_answers_the_post(home: Home) -> None:
    with FatThumb() as fatthumb:
        fatthumb.script("submit", Held())
        async with connected(home.with_(fatthumb)) as client:
            result = await client.call_tool("generate", {"prompt": "a fox"})
            eventually(lambda: [entry.status for entry in fatthumb.requests(route="submit")] == [0])
            assert not result.is_error
            assert result.structured_content["status"] == "queued"
            assert f'call wait with ["{result.structured_content["id"]}"]' in text_of(result)


async def test_a_post_that_is_answered_late_is_sent_once_and_its_pictures_come(home: Home, fatthumb: FatThumb) -> None:
    held = Held()
    fatthumb.script("submit", held)
    async with connected(home.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="a fox")
        eventually(lambda: bool(fatthumb.posts))
        waited = await call(client, "wait", generation_ids=[started["id"]], timeout_s=0.1)
        assert waited["generations"][0]["status"] == "queued"
        cancelled = await client.call_tool("cancel", {"generation_id": started["id"]})
        assert cancelled.structured_content["status"] == "queued"
        assert "Not cancelled" in text_of(cancelled)
        held.release()
        answer = await call(client, "wait", generation_ids=[started["id"]])
    assert answer["generations"][0]["status"] == "succeeded"
    assert len(fatthumb.requests(route="submit")) == len(fatthumb.posts) == 1


def notify(server: RawServer, method: str, params: dict[str, Any]) -> None:
    assert server.process.stdin is not None
    server.process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}) + "\n")
    server.process.stdin.flush()
