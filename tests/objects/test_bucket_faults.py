"""An object store that fails: nothing is paid for that could not be saved, and what is finished is not lost."""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest

from tests.hosts import PATIENCE_S, Home, RawServer, call, connected, darkroom, eventually, over, running
from tests.services.fatthumb import FatThumb
from tests.services.objects import Asked, Kept, ObjectStore


def trials_are(status: int) -> Callable[[Asked], int | None]:
    return lambda asked: None if asked.saves else status


@contextmanager
def closed_port() -> Generator[str]:
    """An endpoint where nobody listens, and nobody else can meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


async def assert_unsent(user: Home, fatthumb: FatThumb, reason: str) -> None:
    """A generation is refused for this reason, before anything is paid for."""
    async with connected(user.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="a fox")
        (generation,) = await over(client, started["id"])
    error = generation["error"]
    assert (generation["status"], error["code"], error["charged"]) == ("failed", "storage_error", "no")
    assert reason in error["message"]
    assert "nothing was sent" in error["message"]
    assert "DARKROOM_PICTURES" in error["next_step"]
    assert fatthumb.requests(route="submit") == []


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, "there is no such bucket"),
        (403, "it denies access"),
        (301, "another region"),
        (400, "it responds with status 400"),
        (503, "it responds with status 503"),
    ],
)
async def test_nothing_is_sent_while_no_picture_could_be_saved(
    user: Home, fatthumb: FatThumb, store: ObjectStore, status: int, reason: str
) -> None:
    store.fault = trials_are(status)
    await assert_unsent(user, fatthumb, reason)


async def test_nothing_is_sent_while_the_store_cannot_be_reached(user: Home, fatthumb: FatThumb) -> None:
    with closed_port() as endpoint:
        await assert_unsent(user.with_(AWS_ENDPOINT_URL=endpoint), fatthumb, "it cannot be reached")


async def test_nothing_is_sent_without_credentials(user: Home, fatthumb: FatThumb) -> None:
    with closed_port() as endpoint:
        others = {name: value for name, value in user.extra.items() if "ACCESS_KEY" not in name}
        keyless = Home(user.path, {**others, "AWS_METADATA_ENDPOINT": endpoint})
        await assert_unsent(keyless, fatthumb, "AWS_ACCESS_KEY_ID is not set")


def test_nothing_is_sent_where_the_extra_is_not_installed(user: Home, fatthumb: FatThumb) -> None:
    code = (
        "import sys, runpy; sys.modules['obstore'] = None; sys.argv = ['darkroom', *sys.argv[1:]]; "
        "runpy.run_module('darkroom', run_name='__main__', alter_sys=True)"
    )
    with running(user.with_(fatthumb), "serve", python=("-c", code)) as process:
        server = RawServer(process)
        server.initialize()
        result = server.call("generate", prompt="a fox")
    assert result["isError"]
    assert "darkroom-mcp[s3]" in result["content"][0]["text"]
    assert fatthumb.requests(route="submit") == []


async def test_a_finished_picture_waits_for_a_store_that_is_down_and_is_paid_for_once(
    user: Home, fatthumb: FatThumb, store: ObjectStore, bucket: Kept
) -> None:
    store.fault = lambda asked: 503 if asked.saves else None
    async with connected(user.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="a fox")
        while "trouble" not in (now := await call(client, "get_status", generation_id=started["id"]))["progress"]:
            assert now["status"] in {"queued", "processing"}
        assert "could not be saved in the object store" in now["progress"]["trouble"]
        assert bucket.names() == []
        store.healed()
        (generation,) = await over(client, started["id"])
    assert generation["status"] == "succeeded"
    assert len(bucket.names()) == len(fatthumb.posts) == 1


async def test_a_store_that_is_down_says_so_to_who_reads_a_picture_and_keeps_no_result_from_coming(
    user: Home, store: ObjectStore
) -> None:
    async with connected(user) as client:
        started = await call(client, "generate", prompt="a fox", provider="sketch")
        (generation,) = await over(client, started["id"])
        store.fault = lambda _: 503
        with pytest.raises(Exception, match="cannot be read now"):
            await client.read_resource(generation["images"][0]["uri"])
        assert (await over(client, started["id"]))[0]["status"] == "succeeded"


async def test_a_store_that_hangs_is_not_asked_for_each_picture_of_a_result(user: Home, store: ObjectStore) -> None:
    async with connected(user) as client:
        ids = [(await call(client, "generate", prompt=f"fox {n}", provider="sketch", count=4))["id"] for n in range(2)]
        await over(client, *ids)
        store.asked.clear()
        store.hangs = True
        assert [each["status"] for each in await over(client, *ids)] == ["succeeded"] * 2
    assert len(store.asked) < 8  # of which one is the library's second attempt


def test_a_process_killed_between_the_upload_and_its_row_leaves_one_object_and_one_job(
    user: Home, fatthumb: FatThumb, store: ObjectStore, bucket: Kept
) -> None:
    stored, go_on = threading.Event(), threading.Event()

    def hold(asked: Asked) -> None:
        if asked.saves:
            stored.set()
            go_on.wait(PATIENCE_S)

    store.served = hold
    paying = user.with_(fatthumb)
    try:
        with running(paying, "serve") as process:
            server = RawServer(process)
            server.initialize()
            server.call("generate", prompt="a fox")
            assert stored.wait(PATIENCE_S)
    finally:
        store.served = lambda _: None
        go_on.set()
    assert len(bucket.names()) == 1
    with running(paying, "serve"):
        eventually(lambda: darkroom(paying, "list", "--json").json["generations"][0]["status"] == "succeeded")
    assert len(bucket.names()) == len(fatthumb.posts) == 1
    assert len([asked for asked in store.asked if asked.saves]) == 2
