"""What is told of a generation to those who subscribed to it, in both eras."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import anyio
import pytest
from anyio.abc import TaskStatus
from mcp import Client, MCPDeprecationWarning, MCPError
from mcp.client._memory import InMemoryTransport
from mcp.types import ResourceUpdatedNotification, TextResourceContents

from darkroom.app.context import open_app
from darkroom.app.server import DarkroomServer
from darkroom.providers.declared import read_settings
from tests.hosts import ERAS, PATIENCE_S, Era, Home, call, connected, eventually, server_of
from tests.resources.rows import copies
from tests.services.fatthumb import FatThumb

ONE_A_DAY = {"FATTHUMB_LIMITS": "submit=1/86400"}


class Ear:
    """Every URI that the server said was updated, in order."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._news = anyio.Event()

    async def __call__(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self.heard.append(message.params.uri)
            self._news.set()
            self._news = anyio.Event()

    async def until(self, condition: Callable[[list[str]], bool]) -> None:
        """Waits until what was heard is so."""
        while not condition(self.heard):
            await self._news.wait()


@asynccontextmanager
async def hearing(server: Any, era: Era) -> AsyncGenerator[tuple[Client, Ear]]:
    """A real client of the server, and what it hears."""
    ear = Ear()
    with anyio.fail_after(PATIENCE_S):
        async with Client(server, mode=era, cache=None, message_handler=ear) as client:
            yield client, ear


@asynccontextmanager
async def subscribed(client: Client, era: Era, *uris: str) -> AsyncGenerator[None]:
    """The client is subscribed to these for as long as the block lasts."""
    if era != "legacy":
        async with client.listen(resource_subscriptions=uris):
            yield
        await anyio.wait_all_tasks_blocked()  # the client's own task sends that it is over
        return
    for uri in uris:
        with pytest.warns(MCPDeprecationWarning):
            await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]
    yield
    for uri in uris:
        with pytest.warns(MCPDeprecationWarning):
            await client.unsubscribe_resource(uri)  # pyright: ignore[reportDeprecated]


async def queued(client: Client, number: int) -> list[str]:
    """URIs of generations that wait behind a first one, until a day has passed."""
    made = [await call(client, "generate", prompt=f"picture {n}") for n in range(number + 1)]
    while (await call(client, "get_status", generation_id=made[0]["id"]))["status"] == "queued":
        pass  # once it is sent, nobody moves up because of it
    return [f"darkroom://generations/{generation['id']}" for generation in made[1:]]


async def cancelled(client: Client, uri: str) -> None:
    """Cancels it."""
    assert (await call(client, "cancel", generation_id=uri.rpartition("/")[2]))["status"] == "cancelled"


async def status_at(client: Client, uri: str) -> str:
    """The status that is read there."""
    (found,) = (await client.read_resource(uri)).contents
    assert isinstance(found, TextResourceContents)
    return json.loads(found.text)["status"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_generation_tells_each_change_of_its_state_and_a_picture_its_arrival(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    fatthumb.next_job(duration=1000.0)
    async with hearing(server_of(home.with_(fatthumb)), era) as (client, ear):
        uri = f"darkroom://generations/{(await call(client, 'generate', prompt='A fox', count=2))['id']}"
        eventually(lambda: len(fatthumb.posts) == 1)
        async with subscribed(client, era, uri, f"{uri}/images/1"):
            fatthumb.advance(600)
            await ear.until(lambda heard: f"{uri}/images/1" in heard)
            assert (await client.read_resource(f"{uri}/images/1")).contents
            assert await status_at(client, uri) == "processing"
            fatthumb.advance(600)
            while await status_at(client, uri) != "succeeded":
                before = len(ear.heard)
                await ear.until(lambda heard, before=before: len(heard) > before)
    assert set(ear.heard) == {uri, f"{uri}/images/1"}
    assert len(ear.heard) < 12


@pytest.mark.parametrize("era", ERAS)
async def test_what_another_process_changes_is_told_as_well(home: Home, fatthumb: FatThumb, era: Era) -> None:
    user = home.with_(fatthumb, **ONE_A_DAY)
    async with connected(user) as other, hearing(server_of(user), era) as (client, ear):
        (uri,) = await queued(other, 1)
        async with subscribed(client, era, uri):
            await cancelled(other, uri)
            await ear.until(bool)
            assert await status_at(client, uri) == "cancelled"
    assert ear.heard == [uri]


async def test_nothing_is_told_while_only_the_clock_moves_and_a_place_in_the_queue_is(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb, **ONE_A_DAY)
    legacy: Era = "legacy"
    modern: Era = "2026-07-28"
    async with hearing(server_of(user), legacy) as (client, ear), hearing(server_of(user), modern) as (other, its_ear):
        first, second, third = await queued(client, 3)
        async with subscribed(client, legacy, second, third), subscribed(other, modern, second, third):
            waited = await call(client, "wait", generation_ids=[second.rpartition("/")[2]], timeout_s=9)
            assert waited["timed_out"]  # and has meanwhile told its progress twice
            assert ear.heard == its_ear.heard == []
            await cancelled(client, first)
            await ear.until(lambda heard: set(heard) == {second, third})
            await its_ear.until(lambda heard: set(heard) == {second, third})
    assert len(ear.heard) == len(its_ear.heard) == 2


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_no_longer_subscribed_to_is_not_told(home: Home, fatthumb: FatThumb, era: Era) -> None:
    async with hearing(server_of(home.with_(fatthumb, **ONE_A_DAY)), era) as (client, ear):
        first, second = await queued(client, 2)
        async with subscribed(client, era, second):
            async with subscribed(client, era, first):
                pass
            await cancelled(client, first)
            await cancelled(client, second)
            await ear.until(lambda heard: second in heard)
    assert first not in ear.heard


async def test_two_streams_that_listen_to_the_same_each_hear_it_once_and_one_may_leave(
    home: Home, fatthumb: FatThumb
) -> None:
    async with hearing(server_of(home.with_(fatthumb, **ONE_A_DAY)), "2026-07-28") as (client, ear):
        first, second = await queued(client, 2)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(subscribed(client, "2026-07-28", first, second, first))
            async with subscribed(client, "2026-07-28", first, second):
                await cancelled(client, second)  # behind which nobody moves up
                await ear.until(lambda heard: heard.count(second) == 2)
            await cancelled(client, first)
            await ear.until(lambda heard: first in heard)
    assert (ear.heard.count(first), ear.heard.count(second)) == (1, 2)


async def test_only_what_exists_and_can_change_is_subscribed_to(home: Home) -> None:
    async with connected(home) as client:
        generation = await call(client, "generate", prompt="A fox")
        for uri in (
            "darkroom://generations/gen_" + "a" * 26,
            f"darkroom://generations/{generation['id']}/images/2",
            f"darkroom://generations/{generation['id']}/",
            "darkroom://providers/sketch/models/sketch",
            "file:///etc/passwd",
            "",
        ):
            with pytest.warns(MCPDeprecationWarning), pytest.raises(MCPError) as caught:
                await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]
            assert (caught.value.error.code, caught.value.error.data) == (-32602, {"uri": uri})
        with pytest.warns(MCPDeprecationWarning):
            await client.unsubscribe_resource("darkroom://nothing")  # pyright: ignore[reportDeprecated]


async def test_a_stream_is_told_of_what_exists_beside_what_does_not(home: Home, fatthumb: FatThumb) -> None:
    async with hearing(server_of(home.with_(fatthumb, **ONE_A_DAY)), "2026-07-28") as (client, ear):
        (uri,) = await queued(client, 1)
        nothing = ("darkroom://generations/gen_" + "a" * 26, "darkroom://x", "ui://page", f"{uri}/images/9")
        async with subscribed(client, "2026-07-28", *nothing, uri):
            await cancelled(client, uri)
            await ear.until(bool)
    assert ear.heard == [uri]


@pytest.mark.parametrize("era", ERAS)
async def test_a_session_subscribes_to_a_hundred_at_most_and_to_others_once_it_has_left_some(
    home: Home, era: Era
) -> None:
    async with connected(home, era) as client:
        generation = await call(client, "generate", prompt="A fox")
        await call(client, "wait", generation_ids=[generation["id"]])
        uris = [f"darkroom://generations/{name}" for name in copies(home, generation["id"], 101)]
        if era == "legacy":
            async with subscribed(client, era, *uris[:99]):
                async with subscribed(client, era, uris[99]):
                    with pytest.raises(MCPError, match="At most 100") as caught:
                        async with subscribed(client, era, uris[100]):
                            pass
                async with subscribed(client, era, uris[100]):
                    pass
        else:
            with pytest.raises(MCPError, match="At most 100") as caught:
                async with subscribed(client, era, *uris):
                    pass
            async with subscribed(client, era, *uris[:100]):
                pass
        assert (caught.value.error.code, caught.value.error.data) == (-32602, {"uri": uris[100]})


async def stays_subscribed(
    client: Client, era: Era, uris: list[str], gone: anyio.Event, *, task_status: TaskStatus[None]
) -> None:
    """Takes nothing back before the client is gone, and finds then that it cannot."""
    with suppress(MCPError, RuntimeError):
        async with subscribed(client, era, *uris):
            task_status.started()
            await gone.wait()


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_leaves_without_a_word_leaves_nothing_running(
    home: Home, fatthumb: FatThumb, era: Era
) -> None:
    user = home.with_(fatthumb, **ONE_A_DAY)
    async with open_app(read_settings(user.environ)) as app, connected(user) as other:
        server = DarkroomServer(app)
        uris = await queued(other, 4)
        running = len(anyio.get_running_tasks())
        for cancel in uris[:2]:
            gone = anyio.Event()
            async with anyio.create_task_group() as tasks:
                async with hearing(InMemoryTransport(server), era) as (client, ear):
                    await tasks.start(stays_subscribed, client, era, uris, gone)
                    assert len(anyio.get_running_tasks()) > running + len(uris)
                    await cancelled(other, cancel)
                    await ear.until(bool)
                gone.set()
            with anyio.fail_after(PATIENCE_S):
                while len(anyio.get_running_tasks()) > running:
                    await anyio.wait_all_tasks_blocked()


@pytest.mark.parametrize("era", ERAS)
async def test_without_a_ledger_a_subscription_is_refused_with_the_reason(home: Home, era: Era) -> None:
    (home.path / "home").write_text("in the way")
    uri = "darkroom://generations/gen_" + "a" * 26
    async with connected(home, era) as client:
        with pytest.raises(MCPError, match="storage_error"):
            async with subscribed(client, era, uri):
                pass
