"""Replicas on one PostgreSQL: they die and are started again, and so is the database, and nothing is sent twice."""

import signal
import time
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import Popen

import psycopg
import pytest

from tests.hosts import PATIENCE_S, Home, RawServer, running
from tests.services.fatthumb import FatThumb
from tests.services.postgres import Cluster, cluster, standby_of

pytestmark = pytest.mark.hosting

REPLICAS = 3
GENERATIONS = 300
KILLED_EVERY = 12
RESTARTED = {100: "immediate", 180: "fast"}
"""The database goes down after these, in such a mode, and comes back."""
REPLACED = 240
"""The number of the generation after which its standby takes over."""
WINDOW = (20, 4.0)
LATEST_S = 120.0
TERMINAL = "('succeeded', 'partial', 'failed', 'cancelled')"


class Team:
    """Replicas of one user. What is asked for is asked again, under its key, where its replica died meanwhile."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._open = ExitStack()
        self.replicas: list[RawServer] = []

    def __enter__(self) -> "Team":
        for _ in range(REPLICAS):
            self.replicas.append(self._started())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def replace(self, which: int) -> None:
        """Kills one, and starts another in its place."""
        self.replicas[which].process.send_signal(signal.SIGKILL)
        self.replicas[which].process.wait(PATIENCE_S)
        self.replicas[which] = self._started()

    def ask(self, number: int) -> str:
        """The id of the generation of this number."""
        for attempt in range(30):
            with suppress(AssertionError, OSError):
                result = self.replicas[(number + attempt) % REPLICAS].call(
                    "generate", prompt=f"picture {number}", request_key=f"key {number}"
                )
                if "structuredContent" in result:
                    return result["structuredContent"]["id"]
            time.sleep(0.5)
        raise AssertionError(f"picture {number} was never taken")

    def _started(self) -> RawServer:
        for _ in range(30):
            process: Popen[str] = self._open.enter_context(running(self.home, "serve"))
            server = RawServer(process)
            with suppress(AssertionError, OSError):
                server.initialize()
                return server
        raise AssertionError("no replica can be started")


@pytest.fixture
def server() -> Generator[Cluster]:
    with cluster() as server:
        yield server


@pytest.fixture
def standby(server: Cluster) -> Generator[Cluster]:
    """A synchronous one of that server."""
    with standby_of(server) as other:
        yield other


def unfinished(server: Cluster) -> int:
    try:
        return int(server.say(f"SELECT count(*) FROM s1.generations WHERE stage NOT IN {TERMINAL}")[0][0])
    except psycopg.Error:
        return -1


def check(server: Cluster, service: FatThumb, ids: list[str]) -> None:
    """Every one of these ends, none was sent twice, and no window was exceeded."""
    deadline = time.monotonic() + LATEST_S
    while unfinished(server):
        assert time.monotonic() < deadline, server.say(
            f"SELECT id, stage, holder, trouble FROM s1.generations WHERE stage NOT IN {TERMINAL}"
        )
        time.sleep(0.5)
    rows = server.say("SELECT id, stage, failure::json ->> 'code' FROM s1.generations")
    assert sorted(row[0] for row in rows) == sorted(ids)
    prompts = Counter(post.body["prompt"] for post in service.posts)
    assert max(prompts.values()) == 1, prompts.most_common(3)
    assert service.refused_429 == 0
    assert {row[2] for row in rows if row[1] != "succeeded"} <= {"outcome_unknown"}


def test_replicas_are_killed_and_the_database_restarted_and_replaced_and_every_generation_ends_sent_once(
    tmp_path: Path, server: Cluster, standby: Cluster
) -> None:
    with FatThumb(duration=1.5, submit_limit=WINDOW, slow_submit=0.3) as service:
        url = server.fresh().replace(f":{server.port}", f":{server.port},127.0.0.1:{standby.port}")
        limits = f"submit={WINDOW[0]}/{WINDOW[1]:.0f}"
        user = Home(tmp_path).with_(service, FATTHUMB_LIMITS=limits, DARKROOM_DATABASE_URL=url)
        with Team(user) as team:
            ids: list[str] = []
            for number in range(GENERATIONS):
                ids.append(team.ask(number))
                if number % KILLED_EVERY == 0:
                    team.replace(number // KILLED_EVERY % REPLICAS)
                if number in RESTARTED:
                    server.stop(RESTARTED[number])
                    server.start()
                if number == REPLACED:
                    server.stop()
                    standby.promote()
            check(standby, service, ids)
