"""A job that ComfyUI has and that is cancelled: taken out of its queue, or interrupted where that hits no other."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client

from tests.hosts import Home, call, connected, text_of
from tests.services.comfyui import ComfyUI


@asynccontextmanager
async def two_jobs(service: ComfyUI, home: Home) -> AsyncGenerator[tuple[Client, str, str]]:
    """A client, and two generations that ComfyUI has: one that runs, and one that waits behind it."""
    service.stays = True
    async with connected(service.home(home)) as client:
        made: list[str] = []
        for prompt in ("first", "second"):
            made.append((await call(client, "generate", prompt=prompt, provider="comfyui"))["id"])
            state = ""
            while state not in {"queued", "working"}:
                state = (await call(client, "get_status", generation_id=made[-1]))["progress"]["state"]
        yield client, made[0], made[1]


async def ended(client: Client, service: ComfyUI, *ids: str) -> list[dict[str, Any]]:
    service.stays = False
    return (await call(client, "wait", generation_ids=list(ids)))["generations"]


async def test_a_job_that_waits_in_its_queue_is_taken_out_and_the_one_that_runs_goes_on(home: Home) -> None:
    with ComfyUI() as service:
        async with two_jobs(service, home) as (client, runs, waits):
            await call(client, "cancel", generation_id=waits)
            assert [job.id for job in service.queue] == [service.posts[0]["prompt_id"]]
            first, second = await ended(client, service, runs, waits)
    assert (first["status"], second["status"]) == ("succeeded", "cancelled")
    assert second["error"]["charged"] == "no"
    assert service.paths("POST").count("/interrupt") == 0


async def test_the_job_that_runs_is_interrupted_and_the_one_behind_it_goes_on(home: Home) -> None:
    with ComfyUI() as service:
        async with two_jobs(service, home) as (client, runs, waits):
            await call(client, "cancel", generation_id=runs)
            first, second = await ended(client, service, runs, waits)
    assert (first["status"], second["status"]) == ("cancelled", "succeeded")
    assert (first["error"]["code"], first["error"]["charged"]) == ("cancelled", "no")


@pytest.mark.parametrize("version", ["0.3.63", "unknown", ""])
async def test_a_version_that_may_interrupt_another_job_is_not_asked_to(home: Home, version: str) -> None:
    with ComfyUI(version=version) as service:
        async with two_jobs(service, home) as (client, runs, waits):
            result = await client.call_tool("cancel", {"generation_id": runs})
            assert "too late for ComfyUI to stop it" in text_of(result)
            assert [one["status"] for one in await ended(client, service, runs, waits)] == ["succeeded"] * 2
    assert service.paths("POST").count("/interrupt") == 0
