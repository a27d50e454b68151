"""cancel and list_generations: taking back what was not sent, and finding what was."""

from typing import Any

from mcp import Client

from tests.hosts import Home, call, connected, previews_of, text_of
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer

ONE_AT_A_TIME = {"BETTERWAIFU_LIMITS": "active=1,submit=1000/1"}
UNHURRIED = {"FATTHUMB_LIMITS": "submit=1000/1", "BETTERWAIFU_LIMITS": "submit=1000/1"}


async def generated(client: Client, prompt: str, **arguments: Any) -> str:
    """The id of a new generation."""
    return (await call(client, "generate", prompt=prompt, **arguments))["id"]


async def taken(client: Client, generation_id: str) -> str:
    """Waits until the provider has it; answers its id."""
    while (await call(client, "get_status", generation_id=generation_id))["status"] == "queued":
        pass
    return generation_id


async def ids_of(client: Client, **arguments: Any) -> list[str]:
    """What list_generations answers, by id."""
    return [generation["id"] for generation in (await call(client, "list_generations", **arguments))["generations"]]


async def test_what_still_waits_here_is_cancelled_for_good_and_never_sent(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.next_job(duration=1000.0)
    async with connected(home.with_(betterwaifu, **ONE_AT_A_TIME)) as client:
        first = await taken(client, await generated(client, "first"))
        second = await generated(client, "second")
        third = await generated(client, "third")
        result = await client.call_tool("cancel", {"generation_id": second})
        assert not result.is_error
        assert result.structured_content["status"] == "cancelled"
        assert "finished_at" in result.structured_content
        assert not {"submitted_at", "error"} & result.structured_content.keys()
        assert f"{second} cancelled" in text_of(result)
        assert "nothing is charged" in text_of(result)
        assert "Next:" not in text_of(result)
        again = await client.call_tool("cancel", {"generation_id": second})
        assert (again.is_error, again.structured_content) == (False, result.structured_content)
        betterwaifu.advance(1000)
        answer = await call(client, "wait", generation_ids=[first, second, third])
        states = [generation["status"] for generation in answer["generations"]]
        assert states == ["succeeded", "cancelled", "succeeded"]
        looked = await call(client, "get_status", generation_id=second)
        assert looked["status"] == "cancelled"
    assert [post.body["prompt"] for post in betterwaifu.posts] == ["first", "third"]
    assert len(betterwaifu.requests(route="submit")) == 2


async def test_a_wait_ends_when_what_it_waits_for_is_cancelled(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.next_job(duration=1000.0)
    asked: list[str] = []
    async with connected(home.with_(betterwaifu, **ONE_AT_A_TIME)) as client:
        await generated(client, "first")
        second = await generated(client, "second")

        async def cancel(progress: float, total: float | None, message: str | None) -> None:
            if not asked:
                asked.append(second)
                await call(client, "cancel", generation_id=second)

        wanted = {"generation_ids": [second], "timeout_s": 600}
        result = await client.call_tool("wait", wanted, progress_callback=cancel)
    assert result.structured_content["timed_out"] is False
    (generation,) = result.structured_content["generations"]
    assert (generation["id"], generation["status"]) == (second, "cancelled")
    assert len(betterwaifu.posts) == 1


async def test_what_its_provider_has_goes_on_after_a_cancel_and_is_collected(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    async with connected(home.with_(fatthumb)) as client:
        generation = await taken(client, await generated(client, "a fox"))
        result = await client.call_tool("cancel", {"generation_id": generation})
        assert not result.is_error
        assert result.structured_content["status"] == "processing"
        assert "Not cancelled: it has been sent to fatthumb" in text_of(result)
        assert "goes on and is collected" in text_of(result)
        assert f'call wait with ["{generation}"]' in text_of(result)
        fatthumb.advance(1000)
        (done,) = (await call(client, "wait", generation_ids=[generation]))["generations"]
        assert done["status"] == "succeeded"
        late = await client.call_tool("cancel", {"generation_id": generation})
        assert late.structured_content == done
        assert "already over" in text_of(late)
    assert len(home.saved()) == 1


async def test_a_list_is_newest_first_and_narrowed_by_status_and_provider(
    home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu
) -> None:
    betterwaifu.later_jobs(queue=1000.0)
    limits = {"FATTHUMB_LIMITS": "submit=1000/1", **ONE_AT_A_TIME}
    async with connected(home.with_(fatthumb, betterwaifu, **limits)) as client:
        assert text_of(await client.call_tool("list_generations", {})) == "No generations match."
        fatthumb.next_job(failing={0: "out of paint"})
        fatthumb.next_job(failing={1: "out of paint"})
        failed = await generated(client, "failed", provider="fatthumb")
        partial = await generated(client, "partial", provider="fatthumb", count=2)
        succeeded = await generated(client, "succeeded", provider="fatthumb")
        fatthumb.script("submit", Answer(402, json={"error": "Insufficient credits"}))
        poor = await generated(client, "poor", provider="fatthumb")
        await call(client, "wait", generation_ids=[failed, partial, succeeded, poor])
        fatthumb.next_job(duration=1000.0)
        working = await taken(client, await generated(client, "working", provider="fatthumb"))
        there = await generated(client, "in its provider's queue", provider="betterwaifu")
        here = await generated(client, "in our own queue", provider="betterwaifu")
        cancelled = await generated(client, "cancelled", provider="betterwaifu")
        await call(client, "cancel", generation_id=cancelled)
        while (await call(client, "get_status", generation_id=there))["progress"].get("queue_position") != 3:
            pass
        everything = await client.call_tool("list_generations", {})
        newest_first = [cancelled, here, there, working, poor, succeeded, partial, failed]
        assert await ids_of(client) == newest_first
        by_status = {
            status: await ids_of(client, status=status)
            for status in ("queued", "processing", "succeeded", "partial", "failed", "cancelled")
        }
        assert by_status == {
            "queued": [here, there],
            "processing": [working],
            "succeeded": [succeeded],
            "partial": [partial],
            "failed": [poor, failed],
            "cancelled": [cancelled],
        }
        assert await ids_of(client, provider="betterwaifu") == [cancelled, here, there]
        assert await ids_of(client, provider="sketch") == []
        assert await ids_of(client, provider="fatthumb", status="failed", limit=1) == [poor]
    assert previews_of(everything) == []
    assert all(generation in text_of(everything) for generation in newest_first)
    assert all(str(path) in text_of(everything) for path in home.saved())


async def test_pages_follow_each_other_without_a_gap_or_a_repeat_while_more_is_asked_for(
    home: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu
) -> None:
    async with connected(home.with_(fatthumb, betterwaifu, **UNHURRIED)) as client:
        made = [
            await generated(client, f"{number} {'long ' * 200}", provider=("fatthumb", "betterwaifu")[number % 2])
            for number in range(7)
        ]
        pages: list[list[str]] = []
        cursor: dict[str, str] = {}
        while True:
            result = await client.call_tool("list_generations", {"limit": 3, **cursor})
            page = result.structured_content
            pages.append([generation["id"] for generation in page["generations"]])
            if "next_cursor" not in page:
                assert "cursor" not in text_of(result)
                break
            assert f"call list_generations with cursor {page['next_cursor']}" in text_of(result)
            assert all(len(generation["prompt"]) <= 300 for generation in page["generations"])
            cursor = {"cursor": page["next_cursor"]}
            await generated(client, "one more", provider="fatthumb")
        assert pages == [made[:3:-1], made[3:0:-1], made[:1]]
        first = await call(client, "list_generations", limit=1, provider="betterwaifu")
        second = await ids_of(client, limit=2, provider="betterwaifu", cursor=first["next_cursor"])
        assert second == [made[3], made[1]]
        exactly = await call(client, "list_generations", limit=3, provider="betterwaifu")
        assert "next_cursor" not in exactly


async def test_a_list_outlives_the_server_and_asks_no_provider(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb)
    async with connected(user) as client:
        made = await generated(client, "a fox")
        (done,) = (await call(client, "wait", generation_ids=[made]))["generations"]
    fatthumb.stop()
    asked = len(fatthumb.log)
    async with connected(Home(user.path)) as client:
        assert (await call(client, "list_generations"))["generations"] == [done]
        assert await call(client, "get_status", generation_id=made) == done
    assert len(fatthumb.log) == asked
