"""The end of a server: probes say so, waits return what there is, others go on with its work, and nothing hangs."""

import json
import signal
import time
from collections.abc import Generator
from typing import Any

import anyio
import httpx2
import pytest

from tests.hosts import ERAS, PATIENCE_S, Era, Home, call, darkroom, eventually, over, text_of
from tests.http.hosting import Hosted, client_of, envelope, got, headers_of, hosted, posted, written
from tests.services.fatthumb import FatThumb

ENDS_WITHIN_S = 50.0
"""On a machine with nothing else to do it is less than a second."""


def ended(server: Hosted) -> None:
    assert server.process.wait(ENDS_WITHIN_S) == 0, server.log.read_text()


@pytest.fixture
def slow() -> Generator[FatThumb]:
    """A service whose jobs take longer than any test, until its clock is moved on."""
    with FatThumb(duration=900.0) as service:
        yield service


@pytest.mark.parametrize("era", ERAS)
async def test_waits_return_the_state_so_far_and_the_next_server_goes_on(home: Home, slow: FatThumb, era: Era) -> None:
    user = home.with_(slow)
    with hosted(user) as first:
        async with client_of(first.url, era) as client:
            made = await call(client, "generate", prompt="a slow fox", provider="fatthumb")
            waited: list[Any] = []
            begun = anyio.Event()

            async def heard(progress: float, total: float | None, message: str | None) -> None:
                begun.set()

            async def wait() -> None:
                arguments = {"generation_ids": [made["id"]], "timeout_s": 300}
                waited.append(await client.call_tool("wait", arguments, progress_callback=heard))

            async with anyio.create_task_group() as group:
                group.start_soon(wait)
                await begun.wait()
                first.process.send_signal(signal.SIGTERM)
        (result,) = waited
        assert not result.is_error
        assert result.structured_content["timed_out"]
        assert result.structured_content["generations"][0]["id"] == made["id"]
        assert "this server is being stopped; nothing is lost" in text_of(result)
        await anyio.to_thread.run_sync(ended, first)
    slow.advance(1000)
    with hosted(user) as second:
        async with client_of(second.url, era) as client:
            (generation,) = (await call(client, "wait", generation_ids=[made["id"]]))["generations"]
    assert generation["status"] == "succeeded"
    assert len(slow.posts) == 1


async def test_a_peer_takes_over_at_once(home: Home, slow: FatThumb) -> None:
    user = home.with_(slow)

    def holder(generation_id: str) -> str:
        ((name,),) = user.select(f"SELECT holder FROM generations WHERE id = '{generation_id}'")
        return name

    with hosted(user) as first:
        async with client_of(first.url) as client:
            made = await call(client, "generate", prompt="a slow fox", provider="fatthumb")
        with hosted(user) as second:
            before = holder(made["id"])
            first.process.send_signal(signal.SIGTERM)
            await anyio.to_thread.run_sync(eventually, lambda: holder(made["id"]) != before)
            ended(first)
            async with client_of(second.url) as client:
                slow.advance(1000)
                waited = await call(client, "wait", generation_ids=[made["id"]])
    assert waited["generations"][0]["status"] == "succeeded"
    assert len(slow.posts) == 1


def test_while_it_ends_it_is_not_ready_and_lets_nobody_in(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.slow_submit = 30.0
    with hosted(home.with_(fatthumb)) as server, httpx2.Client(timeout=PATIENCE_S) as http:
        assert got(server, "/readyz").status_code == 200
        params = {"name": "generate", "arguments": {"prompt": "x", "provider": "fatthumb"}}
        with server.connection() as connection:  # a request that is under way for a moment
            connection.sendall(written("tools/call", params))
            fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
            server.process.send_signal(signal.SIGTERM)
            said: list[int] = []
            while server.process.poll() is None:
                try:
                    said.append(http.get(f"{server.base}/readyz").status_code)
                    listing = headers_of("tools/list")
                    said.append(http.post(server.url, content=envelope("tools/list"), headers=listing).status_code)
                except httpx2.TransportError:
                    break
            answer = connection.recv(65_536)
        assert set(said[2:]) <= {503}  # the first may have been faster than the signal
        assert answer.startswith(b"HTTP/1.1 200 OK")
        ended(server)
    listed = darkroom(home.with_(fatthumb), "list", "--json").json["generations"]
    assert [each["prompt"] for each in listed] == ["x"]


async def test_listeners_are_told_that_their_stream_is_over(home: Home) -> None:
    with hosted(home) as server:
        async with httpx2.AsyncClient(timeout=PATIENCE_S) as http:
            wanted = {"notifications": {"toolsListChanged": True}}
            body, headers = envelope("subscriptions/listen", wanted), headers_of("subscriptions/listen")
            lines: list[str] = []
            async with http.stream("POST", server.url, content=body, headers=headers) as stream:
                async for line in stream.aiter_lines():
                    lines.append(line)
                    if "acknowledged" in line:
                        server.process.send_signal(signal.SIGTERM)
        last = json.loads([line for line in lines if line.startswith("data:")][-1].removeprefix("data:"))
        assert last["id"] == 1
        assert "result" in last
        ended(server)


STUCK = """
from darkroom.cli import ending
from darkroom.generations.telling.changes import Changes
from darkroom.http import served
Changes.close = lambda self: None
served.END_WITHIN_S, ending.END_WITHIN_S = 3600.0, {}
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""A server whose waits do not end."""


@pytest.mark.parametrize(("end_within_s", "second"), [("3600.0", "SIGTERM"), ("3600.0", "SIGINT"), ("1.0", None)])
def test_a_second_signal_ends_what_is_stuck_and_so_does_time(
    home: Home, slow: FatThumb, end_within_s: str, second: str | None
) -> None:
    with hosted(home.with_(slow), python=("-c", STUCK.format(end_within_s))) as server:
        wish = {"name": "generate", "arguments": {"prompt": "a slow fox", "provider": "fatthumb"}}
        made = posted(server, "tools/call", wish).json()["result"]["structuredContent"]["id"]
        with server.connection() as connection:
            wait = {"name": "wait", "arguments": {"generation_ids": [made], "timeout_s": 600}}
            connection.sendall(written("tools/call", wait, version="2025-11-25"))
            head = connection.recv(65_536)
            assert head.startswith(b"HTTP/1.1 200 OK")
            assert b"ping" not in head  # the stream began before there was anything to say
            server.process.send_signal(signal.SIGTERM)
            if second is not None:
                eventually(lambda: got(server, "/readyz").status_code == 503)
                server.process.send_signal(signal.Signals[second])
            ended(server)


def test_a_client_that_reads_nothing_does_not_keep_it_from_its_end(home: Home) -> None:
    with hosted(home) as server, server.connection() as connection:
        connection.sendall(b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000\r\n\r\n{")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        ended(server)
        assert time.monotonic() - began < ENDS_WITHIN_S


@pytest.mark.parametrize("version", ["2026-07-28", "2025-11-25"])
async def test_a_caller_whose_stream_breaks_is_given_the_same_generation(
    home: Home, fatthumb: FatThumb, version: str
) -> None:
    fatthumb.slow_submit = 1.0
    arguments = {"prompt": "a fox", "provider": "fatthumb"}
    with hosted(home.with_(fatthumb)) as server:
        with server.connection() as connection:
            connection.sendall(written("tools/call", {"name": "generate", "arguments": arguments}, version=version))
            await anyio.to_thread.run_sync(lambda: fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S))
        async with client_of(server.url) as client:
            again = await call(client, "generate", **arguments)
            listed = (await call(client, "list_generations"))["generations"]
            await over(client, again["id"])
    assert [each["id"] for each in listed] == [again["id"]]
    assert len(fatthumb.posts) == 1
