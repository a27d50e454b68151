"""A replica that dies, or that lives and does not run: another goes on with its work in time, and nobody twice."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from darkroom.store.postgres.presence import LEASE_S
from tests.hosts import Home, eventually
from tests.services.fatthumb import FatThumb
from tests.services.postgres import Cluster
from tests.test_many_processes import serving

pytestmark = pytest.mark.hosting

FROZEN_S = 15.0


@pytest.fixture
def user(home: Home, fatthumb: FatThumb, postgres: Cluster) -> Home:
    """A user with a key, whose ledger is in PostgreSQL."""
    return home.with_(fatthumb, DARKROOM_DATABASE_URL=postgres.fresh())


def row(postgres: Cluster, user: Home) -> tuple[str, str]:
    """The holder and the stage of the one generation."""
    schema = user.extra["DARKROOM_DATABASE_URL"].rpartition("%3D")[2]
    ((holder, stage),) = postgres.say(f"SELECT holder, stage FROM {schema}.generations")
    return holder, stage


def seconds_until(condition: Callable[[], bool]) -> float:
    since = time.monotonic()
    eventually(condition)
    return time.monotonic() - since


def test_what_a_killed_replica_drove_another_drives_before_any_lease_is_over(
    user: Home, fatthumb: FatThumb, postgres: Cluster
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    with serving(user) as first:
        first.call("generate", prompt="A bridge")
        eventually(lambda: row(postgres, user)[1] == "running")
        holder = row(postgres, user)[0]
        with serving(user) as second:
            second.call("list_generations")
            first.process.send_signal(signal.SIGKILL)
            assert seconds_until(lambda: row(postgres, user)[0] != holder) < LEASE_S
            fatthumb.advance(1000)
            eventually(lambda: row(postgres, user)[1] == "succeeded")
    assert len(fatthumb.requests("POST", "/generate")) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGSTOP")
def test_what_a_frozen_replica_drove_another_ends_and_who_wakes_lets_go_of_it(
    user: Home, fatthumb: FatThumb, postgres: Cluster
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    with serving(user) as first, serving(user) as second:
        generation = first.call("generate", prompt="A bridge")["structuredContent"]
        eventually(lambda: row(postgres, user)[1] == "running")
        holder = row(postgres, user)[0]
        since = time.monotonic()
        first.process.send_signal(signal.SIGSTOP)
        eventually(lambda: row(postgres, user)[0] != holder)
        assert time.monotonic() - since >= LEASE_S - 1.0
        time.sleep(max(FROZEN_S - (time.monotonic() - since), 0.0))
        first.process.send_signal(signal.SIGCONT)
        fatthumb.advance(1000)
        assert first.over(generation["id"])["status"] == "succeeded"
        assert second.over(generation["id"])["status"] == "succeeded"
        assert row(postgres, user)[0] != holder
    assert len(user.saved()) == 1
    assert len(fatthumb.requests("POST", "/generate")) == 1
