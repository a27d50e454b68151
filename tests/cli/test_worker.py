"""`worker` goes on with what the ledger has, whoever began it, and serves nobody."""

import signal
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import pytest

from tests.hosts import PATIENCE_S, Home, RawServer, darkroom, eventually, on_both_databases, running
from tests.services.fatthumb import FatThumb

PATIENT = """
import sys
from darkroom.cli import ending
ending.END_WITHIN_S = 100_000.0
from darkroom.__main__ import main
sys.exit(main())
"""
"""A process that nothing ends but itself."""
DAWDLING = f"from darkroom.generations.driving import submission\nsubmission.CLOSING_GRACE_S = 100_000.0\n{PATIENT}"
"""The same, which would wait a day for a POST that is under way."""


@contextmanager
def working(home: Home, *, python: Sequence[str] = ("-m", "darkroom")) -> Generator[subprocess.Popen[str]]:
    """A worker that has opened the ledger."""
    with running(home, "worker", python=python) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        yield process


def leave(home: Home, *prompts: str) -> None:
    """Begins them in a server that is killed when the first one's job runs."""
    with running(home, "serve") as process:
        server = RawServer(process)
        server.initialize()
        ids = [server.call("generate", prompt=prompt)["structuredContent"]["id"] for prompt in prompts]
        eventually(lambda: server.call("get_status", generation_id=ids[0])["structuredContent"]["status"] != "queued")


def statuses(home: Home) -> list[str]:
    return [each["status"] for each in darkroom(home, "list", "--json").json["generations"]]


@pytest.fixture
def user(home: Home, fatthumb: FatThumb) -> Home:
    """One whose jobs are done once the service's clock is moved on, and come one after another."""
    fatthumb.later_jobs(duration=3600.0)
    return home.with_(fatthumb, FATTHUMB_LIMITS="active=1")


@on_both_databases
def test_what_a_killed_server_left_is_sent_and_finished_by_a_worker(user: Home, fatthumb: FatThumb) -> None:
    leave(user, "under way", "still waiting")
    with working(user):
        fatthumb.advance(3600.0)
        fatthumb.until(lambda: len(fatthumb.posts) == 2, PATIENCE_S)
        fatthumb.advance(3600.0)
        eventually(lambda: statuses(user) == ["succeeded", "succeeded"])
    assert [post.body["prompt"] for post in fatthumb.posts] == ["under way", "still waiting"]


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_at_a_signal_it_ends_well_and_another_goes_on(user: Home, fatthumb: FatThumb, asked: signal.Signals) -> None:
    leave(user, "a slow fox")
    with working(user, python=("-c", PATIENT)) as first, working(user):
        first.send_signal(asked)
        assert first.wait(PATIENCE_S) == 0
        fatthumb.advance(3600.0)
        eventually(lambda: statuses(user) == ["succeeded"])
    assert len(fatthumb.posts) == 1


def test_a_second_signal_ends_it_where_it_is(user: Home, fatthumb: FatThumb) -> None:
    leave(user, "under way", "still waiting")
    fatthumb.slow_submit = 3 * PATIENCE_S
    with working(user, python=("-c", DAWDLING)) as worker:
        fatthumb.advance(3600.0)
        fatthumb.until(lambda: len(fatthumb.posts) == 2, PATIENCE_S)
        worker.send_signal(signal.SIGTERM)
        worker.send_signal(signal.SIGINT)
        assert worker.wait(PATIENCE_S) == 0


def test_a_ledger_that_cannot_be_used_is_said_and_nothing_is_driven(home: Home) -> None:
    home.ledger.parent.mkdir(mode=0o700)
    home.ledger.write_bytes(b"no ledger at all" * 1000)
    before = home.ledger.read_bytes()
    done = darkroom(home, "worker")
    assert (done.status, done.out) == (1, "")
    assert "storage_error" in done.err
    assert home.ledger.read_bytes() == before
