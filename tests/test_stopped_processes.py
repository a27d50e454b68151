"""A process that lives but does not run stops nobody who has the same key."""

import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.held import Held
from tests.hosts import PATIENCE_S, Home, RawServer, eventually, on_both_databases, running
from tests.services.fatthumb import FatThumb
from tests.test_many_processes import listed

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGSTOP")

IMPATIENT = """
from darkroom.store import presence
import runpy, sys
presence.SILENT_AFTER_S = 2.5
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


@contextmanager
def serving(home: Home) -> Generator[RawServer]:
    """A server for which a process that showed nothing for a moment is silent."""
    with running(home, "serve", python=("-c", IMPATIENT)) as process:
        server = RawServer(process)
        server.initialize()
        yield server


def test_what_waits_and_what_runs_of_a_stopped_process_goes_on_in_another_and_is_sent_once(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/3")
    fatthumb.later_jobs(duration=1.0)
    with serving(user) as first, serving(user):
        for number in range(3):
            first.call("generate", prompt=f"picture {number}")
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        eventually(lambda: user.taken() == 1)
        first.process.send_signal(signal.SIGSTOP)
        fatthumb.until(lambda: len(fatthumb.posts) == 3, PATIENCE_S)
        eventually(lambda: all(generation["status"] == "succeeded" for generation in listed(user)))
        first.process.send_signal(signal.SIGCONT)
        assert first.call("list_generations")["structuredContent"]["generations"][0]["status"] == "succeeded"
    assert [post.body["prompt"] for post in fatthumb.posts] == [f"picture {number}" for number in range(3)]


def test_a_submission_of_a_stopped_process_keeps_its_slot_and_who_waits_is_told_for_whom(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="active=1")
    held = Held()
    fatthumb.script("submit", held)
    with serving(user) as first, serving(user) as second:
        first.send("tools/call", {"name": "generate", "arguments": {"prompt": "A bridge"}})
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        first.process.send_signal(signal.SIGSTOP)
        waiting = second.call("generate", prompt="A river")["structuredContent"]["id"]
        sent = listed(user)[0]["id"]

        def told(generation_id: str) -> str:
            return second.call("get_status", generation_id=generation_id)["structuredContent"]["progress"]["message"]

        eventually(lambda: f"behind {sent}" in told(waiting))
        assert f"process {first.process.pid}" in told(waiting)
        assert f"process {first.process.pid}" in told(sent)
        assert len(fatthumb.posts) == 1
        held.release()
        first.process.send_signal(signal.SIGCONT)
        eventually(lambda: all(generation["status"] == "succeeded" for generation in listed(user)))
    assert len(fatthumb.posts) == 2


@on_both_databases
def test_an_identical_call_to_another_server_at_once_is_given_what_a_killed_one_owed(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/1000")
    with serving(user) as other, serving(user) as first:
        generation = first.call("generate", prompt="A bridge")["structuredContent"]
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(PATIENCE_S)
        assert other.call("generate", prompt="A bridge")["structuredContent"]["id"] == generation["id"]
    assert len(fatthumb.posts) == 1


def test_a_copied_home_says_why_it_sends_nothing_and_wait_sends_it(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/1000")
    with serving(user) as first:
        for number in range(2):
            first.call("generate", prompt=f"picture {number}")
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
    (home.path / "home").rename(home.path / "backup")
    subprocess.run(["cp", "-a", home.path / "backup", home.path / "home"], check=True)
    user = user.with_(FATTHUMB_LIMITS="submit=1000/1")
    with serving(user) as server:
        generation = listed(user)[1]
        assert "copied or restored" in generation["progress"]["message"]
        answer = server.call("wait", generation_ids=[generation["id"]])["structuredContent"]
        assert answer["generations"][0]["status"] == "succeeded"
    assert [post.body["prompt"] for post in fatthumb.posts] == ["picture 0", "picture 1"]
