"""Every way to end the server: quickly, and with nothing lost."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.hosts import PATIENCE_S, Home, RawServer, darkroom, running
from tests.services.fatthumb import FatThumb
from tests.services.faults import Hang

END_WITHIN_S = 2.0
# Stopping a process and noticing it takes a moment of its own on a busy machine.
SLACK_S = 1.5

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


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "EOF"])
@pytest.mark.parametrize("prepare", [idle, posting, polling, downloading])
def test_the_server_ends_within_two_seconds_and_loses_nothing(
    home: Home, fatthumb: FatThumb, prepare: Prepare, how: str
) -> None:
    user = home.with_(fatthumb)
    with running(user, "serve") as process:
        server = RawServer(process)
        server.initialize()
        prepare(fatthumb, server)
        asked = time.monotonic()
        if how == "EOF":
            assert process.stdin is not None
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[how])
        assert process.wait(PATIENCE_S) == 0
        assert time.monotonic() - asked < END_WITHIN_S + SLACK_S
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
    with running(user, "serve") as process:
        server = RawServer(process)
        server.initialize()
        fatthumb.slow_submit = 0.6
        server.send("tools/call", {"name": "generate", "arguments": {"prompt": "x"}})
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    (generation,) = darkroom(user, "list", "--json").json["generations"]
    assert generation["status"] == "processing"
    assert darkroom(user, "wait", generation["id"]).status == 0


BROKEN = """
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

import runpy
sys.argv[1:] = ["serve"]
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


def test_an_error_that_nobody_foresaw_ends_the_server_at_once_and_the_next_one_carries_on(
    home: Home, fatthumb: FatThumb
) -> None:
    user = home.with_(fatthumb)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", BROKEN], env=user.environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1
    ) as process:
        try:
            server = RawServer(process)
            server.initialize()
            server.send("tools/call", {"name": "generate", "arguments": {"prompt": "x"}})
            # Its stdin stays open: a host that waits for an answer must see that none will come.
            assert process.wait(PATIENCE_S) == 1
            assert process.stderr is not None
            assert "NOBODY FORESAW THIS" in process.stderr.read()
        finally:
            process.kill()
    (generation,) = darkroom(user, "list", "--json").json["generations"]
    assert darkroom(user, "wait", generation["id"]).status == 0
    assert len(fatthumb.posts) == 1
