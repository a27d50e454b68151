"""What each answer of a provider becomes: a refusal, a doubt, a pause, or a hiccup that nobody notices."""

import json
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import formatdate, parsedate_to_datetime
from typing import Any

import anyio
import pytest
from anyio import to_thread

from tests.hosts import PATIENCE_S, Home, call, connected, over, text_of
from tests.services.base import Service
from tests.services.betterwaifu import MODERATED, BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Alter, Answer, CutBody, CutJson, Fault, Html, Raw, Redirect, Reset, UnknownFields
from tests.services.records import Logged

UNHURRIED = {"FATTHUMB_LIMITS": "submit=1000/1", "BETTERWAIFU_LIMITS": "submit=1000/1"}
"""Limits of our own that are in nobody's way."""

REFUSALS: list[tuple[Answer, str, str]] = [
    (Answer(401, json={"error": "Missing or invalid API key"}), "unauthorized", "FATTHUMB_API_KEY"),
    (Answer(402, json={"error": "Insufficient credits"}), "payment_required", "credits"),
    (Answer(403, json={"error": "This model requires a paid plan"}), "plan_required", "plan"),
    (Answer(400, json={"error": "Upgrade your plan to use this"}), "plan_required", "plan"),
    (Answer(404, json={"error": "Not found"}), "not_found", "ids"),
    (Answer(400, json={"error": MODERATED}), "moderated", "Reword"),
    (Answer(422, json={"message": "blocked by our safety review"}), "moderated", "Reword"),
    (Answer(400, json={"error": "personIds: no such person"}), "invalid_request", "generate again"),
    (Answer(400, text=""), "invalid_request", "generate again"),
    (Answer(400, content=b"[" * 900 + b"]" * 900), "invalid_request", "generate again"),
    (Html(403), "provider_error", "network"),
    (Answer(418, content=b"\xff\x00\xfe"), "invalid_request", "generate again"),
    (Answer(401, json={"error": {"message": "no\x1b[2J\u202esuch\nkey"}}), "unauthorized", "FATTHUMB_API_KEY"),
    (Answer(402, json={"error": "poor " * 10_000}), "payment_required", "credits"),
]

DOUBTS: list[Fault] = [
    Answer(500),
    Answer(500, json={"error": "Internal error"}, accepts=True),
    Html(502),
    Html(504, accepts=True),
    Html(200),
    Html(200, accepts=True),
    CutJson(),
    CutBody(),
    Reset(),
    Reset(accepts=True),
    Reset(accepts=True, rst=False),
    Reset(accepts=True, before_body=False),
    Raw(accepts=True),
    Answer(200, json={}, accepts=True),
    Answer(200, json=[], accepts=True),
    Answer(200, json={"generationId": ""}, accepts=True),
    Answer(200, json={"generationId": None}, accepts=True),
    Answer(200, text="", accepts=True),
    Redirect("/api/v1/generate", 303, accepts=True),
    Answer(408),
]

HICCUPS: list[Fault] = [
    Answer(500),
    Answer(503, headers={"Retry-After": "1"}),
    Html(200),
    Html(502),
    CutJson(),
    CutBody(),
    Reset(),
    Reset(before_body=False),
    Raw(),
    Answer(200, json=[]),
    Answer(200, json={}),
    Answer(404, json={"error": "Not found"}),
    Answer(429, headers={"Retry-After": "1"}),
    UnknownFields(),
    Alter(lambda job: job | {"status": "reticulating"}),
    Alter(lambda job: job | {"status": None}),
    Alter(lambda job: job | {"status": "queued", "thumbnails": None}),
]


def submissions(service: Service[Any], prompt: str) -> list[Logged]:
    """Every POST of this prompt, accepted or not."""
    return [entry for entry in service.requests(route="submit") if json.loads(entry.body)["prompt"] == prompt]


async def test_a_refused_submission_fails_with_its_reason_and_was_not_charged(
    home: Home, fatthumb: FatThumb, subtests: pytest.Subtests
) -> None:
    async with connected(home.with_(fatthumb, **UNHURRIED)) as client:
        for number, (answer, code, hint) in enumerate(REFUSALS):
            with subtests.test(status=answer.status, code=code):
                fatthumb.script("submit", answer)
                started = await call(client, "generate", prompt=f"refused {number}")
                result = await client.call_tool("wait", {"generation_ids": [started["id"]]})
                assert not result.is_error
                (generation,) = result.structured_content["generations"]
                error = generation["error"]
                assert (generation["status"], error["code"], error["charged"]) == ("failed", code, "no")
                assert f"FatThumb returned {answer.status}" in error["message"]
                assert hint in error["next_step"]
                assert code in text_of(result)
                assert "Charged: no" in text_of(result)
                assert error["message"] in text_of(result)
                assert (len(error["message"]) < 400, error["message"].isprintable()) == (True, True)
                assert "<" not in error["message"]
                assert len(submissions(fatthumb, f"refused {number}")) == 1
    assert fatthumb.posts == []
    assert home.saved() == []


async def test_a_refusal_holds_the_provider_s_own_words_marked_as_such(home: Home, betterwaifu: BetterWaifu) -> None:
    async with connected(home.with_(betterwaifu, **UNHURRIED)) as client:
        flagged = await call(client, "generate", prompt="something forbidden")
        unlisted = await call(client, "generate", prompt="a fox", model="999999")
        betterwaifu.always("submit", Answer(400, json={"error": f"the key {betterwaifu.key} is odd"}))
        leaking = await call(client, "generate", prompt="an owl")
        betterwaifu.always("submit", None)
        betterwaifu.subscription = None
        without_plan = await call(client, "generate", prompt="a cat")
        ids = [generation["id"] for generation in (flagged, unlisted, leaking, without_plan)]
        errors = [generation["error"] for generation in await over(client, *ids)]
    assert [error["code"] for error in errors] == ["moderated", "invalid_request", "invalid_request", "plan_required"]
    assert f'returned 400 and says: "{MODERATED}"' in errors[0]["message"]
    assert '"Invalid model_version_id"' in errors[1]["message"]
    assert '"the key [redacted] is odd"' in errors[2]["message"]
    assert {error["charged"] for error in errors} == {"no"}
    assert betterwaifu.posts == []


async def test_a_submission_whose_answer_is_lost_or_unreadable_is_never_sent_again(
    home: Home, fatthumb: FatThumb, subtests: pytest.Subtests
) -> None:
    user = home.with_(fatthumb, **UNHURRIED)
    ids: list[str] = []
    async with connected(user) as client:
        for number, fault in enumerate(DOUBTS):
            with subtests.test(fault=fault):
                fatthumb.script("submit", fault)
                started = await call(client, "generate", prompt=f"doubt {number}")
                ids.append(started["id"])
                result = await client.call_tool("wait", {"generation_ids": [started["id"]]})
                (generation,) = result.structured_content["generations"]
                error = generation["error"]
                assert (generation["status"], error["code"]) == ("failed", "outcome_unknown")
                assert error["charged"] == "maybe"
                assert "gallery" in error["next_step"]
                assert "<" not in error["message"]
                assert "Charged: maybe" in text_of(result)
    async with connected(user) as client:
        # The queue is in order: had the new process sent any of them again, it would have been before this one.
        last = await call(client, "generate", prompt="a fox")
        assert (await over(client, last["id"]))[0]["status"] == "succeeded"
        for generation in await over(client, *ids):
            assert generation["error"]["code"] == "outcome_unknown"
    counts = [len(submissions(fatthumb, f"doubt {number}")) for number in range(len(DOUBTS))]
    assert counts == [1] * len(DOUBTS)


async def test_an_answer_with_fields_nobody_documented_is_a_success(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.always("submit", UnknownFields())
    fatthumb.always("read", UnknownFields())
    async with connected(home.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="a fox")
        assert (await over(client, started["id"]))[0]["status"] == "succeeded"
    assert len(fatthumb.requests(route="submit")) == 1


TOLD: dict[str, tuple[Callable[[], dict[str, str]], float]] = {
    "in seconds": (lambda: {"Retry-After": "2"}, 2.0),
    "in milliseconds": (lambda: {"retry-after-ms": "1500"}, 1.5),
    "by a date": (lambda: {"Retry-After": formatdate(time.time() + 3, usegmt=True)}, 0.0),
    "by a date that has passed": (lambda: {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    "without a time": (lambda: {}, 5.0),
}


@pytest.mark.parametrize("how", TOLD)
async def test_a_submission_told_to_come_later_stays_queued_and_comes_when_it_was_told(
    home: Home, fatthumb: FatThumb, how: str
) -> None:
    headers, wait = TOLD[how]
    async with connected(home.with_(fatthumb, **UNHURRIED)) as client:
        named = headers()
        fatthumb.script("submit", Answer(429, json={"error": "Rate limit exceeded"}, headers=named))
        started = await call(client, "generate", prompt=how)
        assert started["status"] in {"queued", "processing", "succeeded"}
        assert "error" not in started
        (done,) = await over(client, started["id"])
    assert (done["status"], "error" in done) == ("succeeded", False)
    refused, accepted = submissions(fatthumb, how)
    assert (refused.status, accepted.status) == (429, 200)
    assert accepted.at - refused.answered_at >= wait
    if how == "by a date":
        assert accepted.wall >= parsedate_to_datetime(named["Retry-After"]).timestamp()
    assert len(fatthumb.posts) == 1


async def test_what_waits_for_a_provider_that_said_later_says_when_it_starts(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.script("submit", Answer(429, json={"error": "Rate limit exceeded"}, headers={"Retry-After": "300"}))
    async with connected(home.with_(fatthumb, **UNHURRIED)) as client:
        first = await call(client, "generate", prompt="a fox")
        second = await call(client, "generate", prompt="an owl")
        while "Rate limit" not in (await call(client, "get_status", generation_id=first["id"]))["progress"]["message"]:
            pass
        told = await call(client, "wait", generation_ids=[first["id"], second["id"]], timeout_s=0.1)
        cancelled = await call(client, "cancel", generation_id=second["id"])
    assert [generation["status"] for generation in told["generations"]] == ["queued", "queued"]
    messages = [generation["progress"]["message"] for generation in told["generations"]]
    assert "Rate limit exceeded" in messages[0]
    assert "behind 1" in messages[1]
    (first_s, second_s) = (int(re.findall(r"starts in about (\d+) s", message)[0]) for message in messages)
    assert 300 - PATIENCE_S < first_s <= second_s <= 300
    assert cancelled["status"] == "cancelled"
    assert len(fatthumb.requests(route="submit")) == 1


async def test_a_read_that_goes_wrong_is_tried_again_until_the_pictures_are_there(
    home: Home, fatthumb: FatThumb
) -> None:
    async with connected(home.with_(fatthumb, **UNHURRIED)) as client:
        fatthumb.script("read", *HICCUPS)
        ids: list[str] = []
        for number in range(len(HICCUPS)):
            ids.append((await call(client, "generate", prompt=f"hiccup {number}"))["id"])
        done = await over(client, *ids)
        assert [generation["status"] for generation in done] == ["succeeded"] * len(HICCUPS)
        assert not any("error" in generation for generation in done)
    assert fatthumb.unplayed("read") == 0
    assert len(fatthumb.requests(route="submit")) == len(fatthumb.posts) == len(HICCUPS)
    assert len(home.saved()) == len(HICCUPS)


async def test_trouble_at_a_running_job_is_said_while_it_lasts(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.always("read", Answer(401, json={"error": "Missing or invalid API key"}))
    said = anyio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        if "returned 401" in (message or ""):
            fatthumb.always("read", None)
            said.set()

    async with connected(home.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="a fox")
        wanted = {"generation_ids": [started["id"]], "timeout_s": 60}
        result = await client.call_tool("wait", wanted, progress_callback=on_progress)
    assert said.is_set()
    assert result.structured_content["generations"][0]["status"] == "succeeded"


async def test_a_job_that_its_provider_forgot_expires_once_it_is_older_than_a_replica_s_delay(
    home: Home, fatthumb: FatThumb
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    async with connected(home.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="a fox")
        await to_thread.run_sync(fatthumb.until, lambda: bool(fatthumb.posts), PATIENCE_S)
        fatthumb.jobs.pop(fatthumb.posts[0].id)
        (generation,) = await over(client, started["id"])
    submitted, finished = (datetime.fromisoformat(generation[name]) for name in ("submitted_at", "finished_at"))
    assert finished - submitted >= timedelta(seconds=10)
    assert len(fatthumb.requests(route="read")) > 1, "it was not believed at once"
    error = generation["error"]
    assert (generation["status"], error["code"], error["charged"]) == ("failed", "expired", "maybe")
    assert "gallery" in error["next_step"]
    assert len(fatthumb.posts) == 1
