"""Every host starts a server of its own; all of one user share a ledger."""

import os
import re
import signal
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from typing import Any

import pytest

from tests.held import Held
from tests.hosts import PATIENCE_S, Home, RawServer, darkroom, eventually, on_both_databases, running
from tests.ledgers import LOG, NEWER_SQLITE, journal_of
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb


@contextmanager
def serving(home: Home) -> Generator[RawServer]:
    """A server of this user, ready for calls."""
    with running(home, "serve") as process:
        server = RawServer(process)
        server.initialize()
        yield server


def listed(home: Home) -> list[dict[str, Any]]:
    """The ledger's generations, oldest first."""
    generations: list[dict[str, Any]] = darkroom(home, "list", "--json").json["generations"]
    return generations[::-1]


@on_both_databases
def test_two_servers_and_a_command_line_keep_one_key_s_limits_together(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.active_limit, betterwaifu.spacing = 1, 1.5
    betterwaifu.later_jobs(duration=0.5)
    user = home.with_(betterwaifu, BETTERWAIFU_LIMITS="active=1,submit=1/1.5")
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(user)) for _ in range(2)]
        for number in range(4):
            answer = servers[number % 2].call("generate", prompt=f"picture {number}")["structuredContent"]
            assert answer["status"] in {"queued", "processing"}
        terminals = [
            stack.enter_context(running(user, "generate", f"picture {number}", "--timeout", "60")) for number in (4, 5)
        ]
        assert [terminal.wait(PATIENCE_S) for terminal in terminals] == [0, 0]
        eventually(lambda: all(generation["status"] == "succeeded" for generation in listed(user)))
    assert betterwaifu.refused_429 == 0
    assert len(betterwaifu.requests("POST", "/generate")) == len(betterwaifu.posts) == 6
    prompts = [post.body["prompt"] for post in betterwaifu.posts]
    assert prompts[:4] == [f"picture {number}" for number in range(4)]


@on_both_databases
def test_what_must_wait_says_how_many_are_before_it_and_when_it_starts(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/100")
    with serving(user) as server:
        for number in range(2):
            server.call("generate", prompt=f"picture {number}")
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        generation = server.call("generate", prompt="picture 2")["structuredContent"]
    assert generation["status"] == "queued"
    assert generation["progress"]["queue_position"] == 2
    # Two windows of 100 s, less what the calls took.
    assert re.search(r"behind 1, starts in about (1[5-9]\d|20\d) s", generation["progress"]["message"])


@on_both_databases
def test_a_waiter_finishes_though_the_process_that_submitted_is_killed(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb)
    with serving(user) as second:
        with serving(user) as first:
            generation = first.call("generate", prompt="A bridge")["structuredContent"]
            fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
            eventually(lambda: user.taken() == 1)
            waiting = second.send(
                "tools/call",
                {"name": "wait", "arguments": {"generation_ids": [generation["id"]]}, "_meta": {"progressToken": 7}},
            )
            assert second.read()["params"]["message"]
        fatthumb.advance(1000)
        while (message := second.read()).get("id") != waiting:
            pass
    (finished,) = message["result"]["structuredContent"]["generations"]
    assert finished["status"] == "succeeded"
    assert len(fatthumb.requests("POST", "/generate")) == 1


@on_both_databases
def test_what_another_process_drives_is_waited_for_with_its_progress_and_without_a_poll_of_one_s_own(
    home: Home, betterwaifu: BetterWaifu
) -> None:
    betterwaifu.later_jobs(queue=1000.0, queue_positions=(2, 1), duration=0.5)
    user = home.with_(betterwaifu)
    with serving(user) as first, serving(user) as second:
        generation = first.call("generate", prompt="A bridge")["structuredContent"]
        waiting = second.send(
            "tools/call",
            {"name": "wait", "arguments": {"generation_ids": [generation["id"]]}, "_meta": {"progressToken": 7}},
        )
        messages: list[str] = []
        while (message := second.read()).get("id") != waiting:
            messages.append(message["params"]["message"])
            if "position" in messages[-1]:
                betterwaifu.advance(1000)
    assert message["result"]["structuredContent"]["generations"][0]["status"] == "succeeded"
    assert any("position" in text for text in messages)
    reads = [entry.at for entry in betterwaifu.requests(route="read")]
    assert all(later - earlier > 0.9 for earlier, later in pairwise(reads))


def test_a_waiter_finishes_though_its_peer_is_killed_where_the_ledger_keeps_a_log(
    home: Home, fatthumb: FatThumb
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb, **NEWER_SQLITE)
    with serving(user) as second:
        with serving(user) as first:
            generation = first.call("generate", prompt="A train in the snow", count=2)["structuredContent"]
            fatthumb.until(lambda: bool(fatthumb.requests(route="read")), PATIENCE_S)
        fatthumb.advance(1000)
        waited = second.call("wait", generation_ids=[generation["id"]])["structuredContent"]
        assert waited["generations"][0]["status"] == "succeeded"
        assert journal_of(home.ledger.parent) == LOG
    assert len(user.saved()) == 2
    assert len(fatthumb.posts) == 1


@on_both_databases
def test_the_queue_of_a_dead_process_goes_on_in_order(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/2")
    with serving(user) as first:
        for number in range(3):
            first.call("generate", prompt=f"picture {number}")
    with serving(user):
        fatthumb.until(lambda: len(fatthumb.posts) == 3, PATIENCE_S)
    assert [post.body["prompt"] for post in fatthumb.posts] == ["picture 0", "picture 1", "picture 2"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGSTOP")
def test_a_process_that_wakes_after_its_rows_were_taken_records_the_job_s_id_and_nothing_else(
    home: Home, fatthumb: FatThumb
) -> None:
    held = Held()
    fatthumb.script("submit", held)
    user = home.with_(fatthumb)
    with serving(user) as first:
        first.send("tools/call", {"name": "generate", "arguments": {"prompt": "A bridge"}})
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        first.process.send_signal(signal.SIGSTOP)
        held.release()
        for lock in (home.path / "home" / "processes").iterdir():
            lock.unlink()  # a cleaner of old files did that: the process lives, but cannot be seen to
        with serving(user):
            eventually(lambda: listed(user)[0]["status"] == "failed")
            assert listed(user)[0]["error"]["code"] == "outcome_unknown"
            first.process.send_signal(signal.SIGCONT)
            eventually(lambda: listed(user)[0]["status"] == "succeeded")
    assert "error" not in listed(user)[0]
    assert len(fatthumb.requests("POST", "/generate")) == 1
