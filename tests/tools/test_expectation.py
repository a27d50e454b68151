"""How long a generation will take is learned from those before it, and said to nobody before it is."""

from datetime import datetime
from typing import Any

import pytest
from mcp import Client

from tests.hosts import Home, call, connected
from tests.services.fatthumb import FatThumb

EXACT_S = 0.11
"""Figures are rounded to tenths of a second."""


def took(generation: dict[str, Any], since: str) -> float:
    ended, began = (datetime.fromisoformat(generation[name]) for name in ("finished_at", since))
    return (ended - began).total_seconds()


async def finished(client: Client, number: int, **arguments: Any) -> list[dict[str, Any]]:
    """So many generations, once they have succeeded."""
    begun = [await call(client, "generate", prompt=f"a fox {each}", **arguments) for each in range(number)]
    answer = await call(client, "wait", generation_ids=[each["id"] for each in begun])
    assert [each["status"] for each in answer["generations"]] == ["succeeded"] * number
    return answer["generations"]


async def learned(client: Client, generation_id: str) -> dict[str, Any]:
    """The running generation, once it is told how long it will take."""
    while True:
        answer = await call(client, "wait", generation_ids=[generation_id], timeout_s=1)
        if "expected_s" in answer["generations"][0]["progress"]:
            return answer["generations"][0]


async def test_a_running_generation_is_expected_to_take_as_long_as_the_last_ones_like_it(
    home: Home, fatthumb: FatThumb
) -> None:
    async with connected(home.with_(fatthumb)) as client:
        await finished(client, 2)
        await finished(client, 3, count=2)
        fatthumb.later_jobs(duration=1000.0)
        unlearned = await call(client, "generate", prompt="a fox unlike two others")
        unlike = await call(client, "generate", prompt="a fox unlike three others", model="gpt-image-2", count=2)
        like = await call(client, "generate", prompt="a fox like three others", count=2)
        running = await learned(client, like["id"])
        listed = (await call(client, "list_generations"))["generations"]
    before = sorted(took(each, "submitted_at") for each in listed if each["count"] == 2 and "finished_at" in each)
    asked, sent = (datetime.fromisoformat(running[name]) for name in ("created_at", "submitted_at"))
    assert len(before) == 3
    expected = running["progress"]["expected_s"]
    assert expected == pytest.approx((sent - asked).total_seconds() + before[1], abs=EXACT_S)
    said = running["progress"]["message"]  # a slow machine may be past it already
    assert f" s so far of about {expected:.0f} s." in said or f"{expected:.0f} s is usual." in said
    silent = [each for each in listed if each["id"] in {unlearned["id"], unlike["id"]} or "finished_at" in each]
    assert len(silent) == 7
    assert [each for each in silent if "expected_s" in each["progress"]] == []


async def test_the_wait_in_our_own_queue_is_part_of_it(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb, FATTHUMB_LIMITS="submit=3/1000")) as client:
        before = await finished(client, 3)
        queued = await learned(client, (await call(client, "generate", prompt="a fox in the queue"))["id"])
    assert queued["status"] == "queued"
    first_sent = min(datetime.fromisoformat(each["submitted_at"]) for each in before)
    until_sent = (first_sent - datetime.fromisoformat(queued["created_at"])).total_seconds() + 1000
    usual = sorted(took(each, "submitted_at") for each in before)[1]
    assert until_sent + usual <= queued["progress"]["expected_s"] <= until_sent + usual + 1


async def test_what_waits_for_another_job_to_end_is_not_promised_a_time(home: Home, fatthumb: FatThumb) -> None:
    async with connected(home.with_(fatthumb, FATTHUMB_LIMITS="active=1")) as client:
        await finished(client, 3)
        fatthumb.later_jobs(duration=1000.0)
        first = await learned(client, (await call(client, "generate", prompt="a first fox"))["id"])
        second = await call(client, "generate", prompt="a second fox")
    assert "expected_s" in first["progress"]
    assert "expected_s" not in second["progress"]


async def test_progress_is_the_share_of_what_is_expected_and_out_of_as_many_pictures_once_that_is_known(
    home: Home, fatthumb: FatThumb
) -> None:
    told: list[tuple[float, float | None]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total))

    async with connected(home.with_(fatthumb)) as client:
        (first, *_) = await finished(client, 3, count=2)
        fatthumb.later_jobs(duration=1000.0)
        unlike = await call(client, "generate", prompt="a fox unlike them", count=3)
        like = await call(client, "generate", prompt="a fox like them", count=2)
        expected = (await learned(client, like["id"]))["progress"]["expected_s"]
        wait: dict[str, Any] = {"timeout_s": max(expected, 1.0)}  # longer than is usual
        await client.call_tool("wait", {"generation_ids": [unlike["id"], first["id"]], **wait}, progress_callback=tell)
        assert {total for _, total in told} == {None}
        told.clear()
        await client.call_tool("wait", {"generation_ids": [like["id"], first["id"]], **wait}, progress_callback=tell)
    assert {total for _, total in told} == {4}
    assert told[-1][0] == pytest.approx(2.99, abs=0.001), "two done, and almost the third"
