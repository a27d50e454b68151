"""Every way to end the server: quickly, and with nothing lost."""

import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from darkroom.cli.serve import END_WITHIN_S
from tests.held import Held
from tests.hosts import PATIENCE_S, Home, RawServer, darkroom, eventually, running
from tests.services.fatthumb import FatThumb
from tests.services.faults import Alter, Hang

Prepare = Callable[[FatThumb, RawServer], None]


def idle(service: FatThumb, server: RawServer) -> None:
    """Nothing is going on."""


def posting(service: FatThumb, server: RawServer) -> None:
    """The one POST has no answer yet."""
    service.slow_submit = 30.0
    server.send("tools/call", {"name": "generate", "arguments": {"prompt": "x"}})
    service.until(lambda: len(service.posts) == 1, PATIENCE_S)


def polling(service: FatThumb, server: RawServer) -> None:
    """A poll hangs, and somebody waits."""
    service.always("read", Hang())
    generation = server.call("generate", prompt="x")["structuredContent"]
    server.send("tools/call", {"name": "wait", "arguments": {"generation_ids": [generation["id"]]}})
    service.until(lambda: bool(service.requests(route="read")), PATIENCE_S)


def downloading(service: FatThumb, server: RawServer) -> None:
    """A picture hangs half-way."""
    service.always("picture", Hang(keep=100))
    server.call("generate", prompt="x")
    service.until(lambda: bool(service.picture_requests), PATIENCE_S)


def asked_to_end(process: subprocess.Popen[str], how: str) -> None:
    """What a host does to be rid of its server."""
    if how == "EOF":
        assert process.stdin is not None
        process.stdin.close()
    else:
        process.send_signal(signal.Signals[how])


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "EOF"])
@pytest.mark.parametrize("prepare", [idle, posting, polling, downloading])
def test_the_server_ends_without_its_provider_s_answer_and_loses_nothing(
    home: Home, fatthumb: FatThumb, prepare: Prepare, how: str
) -> None:
    user = home.with_(fatthumb)
    with running(user, "serve") as process:
        server = RawServer(process)
        server.initialize()
        prepare(fatthumb, server)
        asked_to_end(process, how)
        assert process.wait(PATIENCE_S) == 0
    if prepare is posting:
        assert [entry.status for entry in fatthumb.requests(route="submit")] == [0], "it has waited for the answer"
    fatthumb.slow_submit = 0.0
    fatthumb.always("read", None)
    fatthumb.always("picture", None)
    for generation in darkroom(user, "list", "--json").json["generations"]:
        finished = darkroom(user, "wait", generation["id"], "--json").json["generations"][0]
        if prepare is posting:
            assert finished["error"]["code"] == "outcome_unknown"
        else:
            assert finished["status"] == "succeeded"
    assert len(fatthumb.posts) == (0 if prepare is idle else 1)


def test_a_post_that_is_answered_just_after_the_signal_is_written_down(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb)
    fatthumb.next_job(duration=1000.0)
    with running(user, python=("-c", PATIENT + MAIN)) as process:
        server = RawServer(process)
        server.initialize()
        held = Held()
        fatthumb.script("submit", held)
        server.send("tools/call", {"name": "generate", "arguments": {"prompt": "x"}})
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        process.send_signal(signal.SIGTERM)
        held.release()
        assert process.wait(PATIENCE_S) == 0
    (generation,) = darkroom(user, "list", "--json").json["generations"]
    assert generation["status"] == "processing"
    fatthumb.advance(1000)
    assert darkroom(user, "wait", generation["id"]).status == 0


BROKEN = """
import darkroom
import secrets, sys

accounts = 2

drawn = secrets.token_hex
tokens = []

def unforeseen(size):
    # A token lets a submission through, in a task that no call waits for: drawn once at the start, again after a call.
    if size == 16:
        tokens.append(size)
        if len(tokens) > accounts:
            raise RuntimeError("NOBODY FORESAW THIS")
    return drawn(size)

secrets.token_hex = unforeseen

"""
HANGING = """
import darkroom
import sqlite3, sys, threading

class Hanging(sqlite3.Connection):
    def close(self):
        threading.Event().wait()

connect = sqlite3.connect

def hanging(path, *args, **kwargs):
    ledger = "ledger" in str(path)  # and not what the coverage is kept in
    return connect(path, *args, **kwargs, **({"factory": Hanging} if ledger else {}))

sqlite3.connect = hanging
"""
UNRESOLVED = """
import darkroom
import pathlib, socket, sys, threading

resolve = socket.getaddrinfo

def hanging(host, *args, **kwargs):
    if "hangs" not in str(host):
        return resolve(host, *args, **kwargs)
    pathlib.Path("{asked}").touch()
    threading.Event().wait()

socket.getaddrinfo = hanging
"""
PATIENT = """
from darkroom.cli import serve
from darkroom.generations.driving import submission
import sys
serve.END_WITHIN_S = submission.CLOSING_GRACE_S = 100.0
"""
"""A server that gives a slow machine the time to write down what comes just after the signal."""
MAIN = """
import runpy
sys.argv[1:] = ["serve"]
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


@contextmanager
def serving(home: Home, code: str) -> Generator[RawServer]:
    """A server in whose process this code runs first; killed at the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", code + MAIN],
        env=home.environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1,
    ) as process:  # fmt: skip
        try:
            server = RawServer(process)
            server.initialize()
            yield server
        finally:
            process.kill()


@pytest.mark.parametrize("how", ["SIGTERM", "EOF"])
def test_a_disk_that_hangs_holds_the_end_up_for_less_than_two_seconds(home: Home, how: str) -> None:
    with serving(home, HANGING) as server:
        server.call("list_generations")
        asked_to_end(server.process, how)
        assert server.process.wait(PATIENCE_S) == 0
    # The time is the server's own, so that a slow machine fails no test.
    assert END_WITHIN_S < 2


def at_a_name_that_hangs(job: Any) -> Any:
    """A job whose pictures lie there."""
    return {**job, "thumbnails": [{**each, "url": "https://hangs.example/a.png"} for each in job["thumbnails"]]}


@pytest.mark.parametrize("how", ["SIGTERM", "EOF"])
@pytest.mark.parametrize("whose", ["a picture", "a provider"])
def test_a_name_that_is_never_resolved_does_not_hold_the_end_up(
    home: Home, fatthumb: FatThumb, tmp_path: Path, whose: str, how: str
) -> None:
    fatthumb.always("read", Alter(at_a_name_that_hangs))
    user = home.with_(fatthumb)
    if whose == "a provider":
        user = user.with_(FATTHUMB_BASE_URL="http://hangs.example/api/v1")
    asked = tmp_path / "asked"
    with serving(user, UNRESOLVED.replace("{asked}", str(asked))) as server:
        server.call("generate", prompt="x")
        eventually(asked.exists)
        asked_to_end(server.process, how)
        assert server.process.wait(PATIENCE_S) == 0


def test_an_error_that_nobody_foresaw_ends_the_server_at_once_and_the_next_one_carries_on(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb)
    with serving(user, BROKEN) as server:
        server.send("tools/call", {"name": "generate", "arguments": {"prompt": "x"}})
        # Its stdin stays open: a host that waits for an answer must see that none will come.
        assert server.process.wait(PATIENCE_S) == 1
        assert server.process.stderr is not None
        assert "NOBODY FORESAW THIS" in server.process.stderr.read()
    (generation,) = darkroom(user, "list", "--json").json["generations"]
    assert darkroom(user, "wait", generation["id"]).status == 0
    assert len(fatthumb.posts) == 1
