"""Replicas over HTTP on one PostgreSQL, each a process of its own, with everything that the bench starts for them."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.common import Provider, processor_s, user
from tests.services.postgres import Cluster, cluster

START_WITHIN_S = 60.0
END_WITHIN_S = 20.0
UNDER_WAY = "('accepted', 'submitting', 'running', 'collecting')"
DURABLE = ("fsync=on", "full_page_writes=on", "shared_buffers=128MB")
"""As a database of one's own would be: the tests' clusters wait for no disk."""


class Replica:
    """One server, which may be started again after each end."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        home.mkdir()
        self._log = home / "log"
        self._environ = {**user(home), **environ}
        self.url = ""
        self.start()

    def start(self) -> None:
        """Starts it; returns when it serves."""
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "darkroom", "serve", "--http", "--port", "0"],
                env=self._environ, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        impatience = threading.Timer(START_WITHIN_S, self.process.kill)
        impatience.start()
        self.url = self.process.stdout.readline().strip()
        impatience.cancel()
        assert self.url, f"no replica can be started:\n{self._log.read_text()[-2000:]}"

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self.process.send_signal(number)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ends it, by force where it does not end in time, and reaps it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
        try:
            self.process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def megabytes(self, name: str = "Rss") -> float:
        """Its memory as the kernel counts it: `Rss` with what it shares, `Pss` with its share of that."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        raise LookupError(name)

    def processor_s(self) -> float:
        """Seconds of processor time that it has used."""
        return processor_s(self.pid)


@contextmanager
def replicas(
    number: int, url: str, provider: Provider | None, limits: str = "", **environ: str
) -> Generator[list[Replica]]:
    """So many, with one folder of pictures, ended with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        shared = {"DARKROOM_DATABASE_URL": url, "DARKROOM_PICTURES": f"{folder}/pictures", **environ}
        if provider is not None:
            shared |= {
                "FATTHUMB_API_KEY": provider.key, "FATTHUMB_BASE_URL": provider.url, "FATTHUMB_LIMITS": limits,
                "DARKROOM_PROVIDER": "fatthumb",
            }  # fmt: skip
        team: list[Replica] = []
        try:
            for each in range(number):
                team.append(Replica(Path(folder) / str(each), shared))
            yield team
        finally:
            end_all(team)


def end_all(team: Sequence[Replica]) -> None:
    """Ends them at the same time."""
    if team:
        with ThreadPoolExecutor(len(team)) as pool:
            list(pool.map(Replica.end, team))


@contextmanager
def database() -> Generator[Cluster]:
    """A PostgreSQL of the bench's own that waits for the disk, as one should in earnest."""
    with cluster() as server:
        server.stop("fast")
        server.start(*DURABLE)
        yield server


def both(url: str, primary: Cluster, standby: Cluster) -> str:
    """The URL of whichever of them takes writes."""
    return url.replace(f":{primary.port}", f":{primary.port},127.0.0.1:{standby.port}")


def ask(url: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of one question to the database, or of the last of several statements."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(sql.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


def machine_is_busy() -> str:
    """A remark on figures that others on the machine disturb; empty where they do not."""
    load = os.getloadavg()[0]
    return f"The load average before it began was {load:.1f}." if load > 1.0 else ""
