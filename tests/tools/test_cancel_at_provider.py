"""cancel, where the provider has the job and can be asked to stop it: the job's own status says what came of that."""

from collections.abc import Generator
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult

from darkroom.testing import Answer
from darkroom.testing.service import Said
from tests.hosts import Home, call, connected, darkroom, text_of
from tests.services.declared import DeclaredService

EASEL = """
language = 1
name = "easel"
title = "Easel"
base_url = "https://easel.example.com/v1"
limits = { poll_s = 0.1, shortest_s = 0.1 }
[price]
unit = "USD"
source = "https://easel.example.com/pricing"
date = "2026-11-28"
lines = [{ amount = 0.02 }]
[submit]
path = "/jobs"
job = "/id"
body = { prompt = "$prompt" }
[read]
path = "/jobs/{job}"
status = "/status"
words = { running = ["drawing"], done = ["done"], failed = ["broken"], cancelled = ["cancelled"], gone = ["unknown"] }
error = "/why"
[cancel]
path = "/jobs/{job}/cancel"
when = [{ status = 409, means = "late" }, { at = "/code", equals = "nobody", means = "gone" }]
[pictures]
each = "/pictures/*"
url = ""
"""
DRAWING = {"id": "j1", "status": "drawing"}
DONE = {"id": "j1", "status": "done", "pictures": ["{origin}/files/1.png"]}


@pytest.fixture
def easel() -> Generator[DeclaredService]:
    with DeclaredService(EASEL) as service:
        service.says = {"submit": [(200, DRAWING)], "read": [(200, DRAWING)]}
        yield service


def stops(service: DeclaredService, becomes: Any, says: Said = (200, {})) -> None:
    """Lets it reply so to a request to stop the job, whose status is that afterwards."""

    def replied() -> Any:
        service.says["read"] = [(200, becomes)]
        return says[1] if isinstance(says, tuple) else None

    service.says["cancel"] = [(says[0] if isinstance(says, tuple) else 200, replied)]


async def drawn(client: Client) -> str:
    """The id of a generation that the service has."""
    made = (await call(client, "generate", prompt="a cat", provider="easel"))["id"]
    while (await call(client, "get_status", generation_id=made))["status"] == "queued":
        pass
    return made


async def cancelled(client: Client, generation_id: str) -> CallToolResult:
    result = await client.call_tool("cancel", {"generation_id": generation_id})
    assert not result.is_error, text_of(result)
    return result


async def ended(client: Client, generation_id: str) -> dict[str, Any]:
    return (await call(client, "wait", generation_ids=[generation_id]))["generations"][0]


async def test_a_job_that_its_service_stops_ends_as_cancelled_and_perhaps_charged(
    home: Home, easel: DeclaredService
) -> None:
    stops(easel, {"id": "j1", "status": "cancelled"})
    async with connected(easel.home(home)) as client:
        made = await drawn(client)
        await cancelled(client, made)
        seen = await ended(client, made)
        assert (seen["status"], seen["error"]["code"], seen["error"]["charged"]) == ("cancelled", "cancelled", "maybe")
        assert "cancelled it, as it was asked to" in seen["progress"]["message"]
        assert seen["cost"] == {"amount": 0.02, "unit": "USD", "estimated": True}
        again = await cancelled(client, made)
        assert (again.structured_content, "Cancelled at Easel" in text_of(again)) == (seen, True)
    assert [each.path for each in easel.of("cancel")] == ["/v1/jobs/j1/cancel"]
    assert len(easel.posts) == 1


async def test_a_job_that_is_cancelled_counts_against_the_budget_where_it_was_perhaps_charged(
    home: Home, easel: DeclaredService
) -> None:
    stops(easel, {"id": "j1", "status": "cancelled"})
    async with connected(easel.home(home, DARKROOM_BUDGET="1")) as client:
        made = await drawn(client)
        await cancelled(client, made)
        await ended(client, made)
        refused = await client.call_tool("generate", {"prompt": "a dog", "provider": "easel"})
    assert (refused.is_error, len(easel.posts)) == (True, 1)


async def test_a_service_that_says_what_a_cancelled_job_costs_is_believed(home: Home) -> None:
    with DeclaredService(EASEL.replace('/cancel"\n', '/cancel"\ncharged = "no"\n')) as easel:
        easel.says = {"submit": [(200, DRAWING)], "read": [(200, DRAWING)]}
        stops(easel, {"id": "j1", "status": "cancelled"})
        async with connected(easel.home(home)) as client:
            made = await drawn(client)
            await cancelled(client, made)
            seen = await ended(client, made)
    assert (seen["status"], seen["error"]["charged"], seen["cost"]["amount"]) == ("cancelled", "no", 0.0)


async def test_a_job_that_its_service_forgets_once_it_was_asked_to_stop_it_ends_as_cancelled(
    home: Home, easel: DeclaredService
) -> None:
    stops(easel, {"id": "j1", "status": "unknown"})
    async with connected(easel.home(home)) as client:
        made = await drawn(client)
        await cancelled(client, made)
        seen = await ended(client, made)
    assert (seen["status"], seen["error"]["charged"]) == ("cancelled", "maybe")
    assert "does not know the job any more" in seen["error"]["message"]


async def test_a_job_that_goes_on_although_its_service_took_the_request_is_collected(
    home: Home, easel: DeclaredService
) -> None:
    easel.says["cancel"] = [(202, {})]
    async with connected(easel.home(home)) as client:
        made = await drawn(client)
        asked = await cancelled(client, made)
        assert "Easel has taken the request to stop it" in text_of(asked)
        assert "it was asked to stop this" in asked.structured_content["progress"]["message"]
        easel.says["read"] = [(200, DONE)]
        assert (await ended(client, made))["status"] == "succeeded"
    assert len(easel.of("cancel")) == 1


async def test_a_job_that_fails_of_itself_after_the_request_says_why(home: Home, easel: DeclaredService) -> None:
    stops(easel, {"id": "j1", "status": "broken", "why": "out of paint"})
    async with connected(easel.home(home)) as client:
        made = await drawn(client)
        await cancelled(client, made)
        seen = await ended(client, made)
    assert (seen["status"], "out of paint" in seen["error"]["message"]) == ("failed", True)


async def test_a_job_that_is_found_done_is_collected_and_no_request_to_stop_it_is_sent(
    home: Home,
) -> None:
    slow = DeclaredService(EASEL)
    slow.text = slow.text.replace("poll_s = 0.1", "poll_s = 30.0")
    with slow as easel:
        easel.says = {"submit": [(200, DRAWING)], "read": [(200, DRAWING), (200, DONE)]}
        async with connected(easel.home(home)) as client:
            made = (await call(client, "generate", prompt="a cat", provider="easel"))["id"]
            while not easel.of("read"):
                await call(client, "get_status", generation_id=made)
            result = await cancelled(client, made)
            assert "already over" in text_of(result) or "too late" in text_of(result)
            assert (await ended(client, made))["status"] == "succeeded"
    assert easel.of("cancel") == []


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ((409, {"error": "busy"}), "it is too late for Easel to stop it"),
        ((200, {"code": "nobody"}), "Easel says that it does not know the job"),
        ((403, {"error": "not yours"}), "Easel refuses to stop it (Easel returned 403"),
        ((500, {"error": "broken"}), "It is not known whether Easel took the request to stop it (Easel returned 500"),
        (Answer(reset=True), "It is not known whether Easel took the request to stop it (no reply came)"),
    ],
    ids=["late", "gone", "refused", "broken", "lost"],
)
async def test_a_request_that_is_not_taken_is_said_so_sent_once_and_the_generation_goes_on(
    home: Home, easel: DeclaredService, reply: Said, says: str
) -> None:
    easel.says["cancel"] = [reply]
    async with connected(easel.home(home)) as client:
        made = await drawn(client)
        result = await cancelled(client, made)
        assert says in text_of(result)
        assert result.structured_content["status"] == "processing"
        easel.says["read"] = [(200, DONE)]
        assert (await ended(client, made))["status"] == "succeeded"
    assert (len(easel.of("cancel")), len(easel.posts)) == (1, 1)


async def test_a_request_that_comes_while_the_job_is_being_sent_waits_for_the_answer(
    home: Home, easel: DeclaredService
) -> None:
    easel.may_answer.clear()
    stops(easel, {"id": "j1", "status": "cancelled"})
    async with connected(easel.home(home)) as client:
        made = (await call(client, "generate", prompt="a cat", provider="easel"))["id"]
        async with anyio.create_task_group() as group:
            group.start_soon(cancelled, client, made)
            wished = False
            while not wished:
                seen = await call(client, "get_status", generation_id=made)
                wished = "if Easel turns out not to have taken it" in seen["progress"]["message"]
            easel.may_answer.set()
        while not easel.of("cancel"):  # on a slow machine the first gave up waiting
            await cancelled(client, made)
        assert (await ended(client, made))["status"] == "cancelled"
    assert len(easel.posts) == 1


async def test_a_terminal_asks_as_well_and_the_server_that_drives_the_job_ends_it(
    home: Home, easel: DeclaredService
) -> None:
    stops(easel, {"id": "j1", "status": "cancelled"})
    user = easel.home(home)
    async with connected(user) as client:
        made = await drawn(client)
        finished = darkroom(user, "cancel", made)
        assert finished.status in {0, 3}, finished
        assert (await ended(client, made))["status"] == "cancelled"
        assert len(easel.of("cancel")) == 1
        keyless = darkroom(Home(user.path), "cancel", made)
        assert "Nothing to cancel" in keyless.out or "Cancelled at" in keyless.out
