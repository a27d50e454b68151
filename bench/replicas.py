"""Replicas over HTTP on one PostgreSQL, one killed every few seconds: what was paid twice, lost, or sent too soon?

    python3 dev.py bench replicas                      300 generations; the database is restarted twice meanwhile
    python3 dev.py bench replicas --generations 60     the short form

A caller asks one replica after another until one of them replies, as behind a load balancer, and names each picture by
a `request_key`. Windows are held against the service's own clock. Writes .artifacts/replicas.json.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import psycopg

from bench.common import Provider, fatthumb, spread, user, write_json
from bench.limits import over
from tests.http.hosting import envelope, headers_of
from tests.services.postgres import Cluster, cluster

SUBMIT = (30, 3.0)
REQUESTS = (400, 10.0)
LIMITS = f"submit={SUBMIT[0]}/{SUBMIT[1]:g},requests={REQUESTS[0]}/{REQUESTS[1]:g}"
REPLICAS = 3
CALLERS = 12
KILLED_EVERY_S = 3.0
RESTARTED_AT = {2, 5}
"""The kills in whose place the database is restarted."""
PATIENCE_S = 240.0
UNDER_WAY = "('accepted', 'submitting', 'running', 'collecting')"


class Replica:
    """One server, started again after each end."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        self._home = home
        self._environ = environ
        self.start()

    def start(self) -> None:
        """Starts it; returns when it serves."""
        with (self._home / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "darkroom", "serve", "--http", "--port", "0"],
                env=self._environ, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, (self._home / "log").read_text()

    def end(self, how: signal.Signals) -> None:
        """Ends it, and reaps it."""
        self.process.send_signal(how)
        self.process.wait(PATIENCE_S)


def main() -> int:
    """Runs it, prints the figures, and fails where something was paid twice, lost, or sent too soon."""
    parser = argparse.ArgumentParser(description="replicas on one PostgreSQL, killed over and over")
    parser.add_argument("--generations", type=int, default=300)
    arguments = parser.parse_args()
    knobs: dict[str, Any] = {"duration": 2.0, "submit_limit": SUBMIT, "request_limit": REQUESTS, "credits": None}
    with (
        tempfile.TemporaryDirectory() as folder,
        fatthumb(**knobs) as provider,
        cluster() as database,
        ExitStack() as stack,
    ):
        url = database.fresh()
        replicas = [_replica(Path(folder) / str(number), Path(folder), provider, url) for number in range(REPLICAS)]
        for replica in replicas:
            stack.callback(replica.end, signal.SIGTERM)
        return _report(provider, url, *_chaos(replicas, database, url, arguments.generations))


def _replica(home: Path, shared: Path, provider: Provider, url: str) -> Replica:
    home.mkdir()
    pictures = str(shared / "pictures")  # on one machine; elsewhere it is an object store
    environ = {**provider.environ(home, LIMITS), **{"DARKROOM_DATABASE_URL": url, "DARKROOM_PICTURES": pictures}}
    return Replica(home, {**user(home), **environ})


def _chaos(
    replicas: Sequence[Replica], database: Cluster, url: str, generations: int
) -> tuple[dict[str, str], list[float], int, float]:
    """The ids by prompt, seconds from each kill to the takeover of what the dead had, restarts, and seconds in all."""
    over_by, takeovers, restarts = time.monotonic() + PATIENCE_S, list[float](), 0
    began = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as callers:
        asked = {
            f"picture {number}": callers.submit(_asked, replicas, f"picture {number}") for number in range(generations)
        }
        beat = 0
        while time.monotonic() < over_by and not _all_over(url, generations):
            time.sleep(KILLED_EVERY_S)
            beat += 1
            if beat in RESTARTED_AT:
                database.stop()
                database.start()
                restarts += 1
                continue
            victim = replicas[beat % REPLICAS]
            dead = victim.process.pid
            victim.end(signal.SIGKILL)
            if (seconds := _taken_over(url, dead)) is not None:
                takeovers.append(seconds)
            victim.start()
        ids = {prompt: found.result() for prompt, found in asked.items()}
    return ids, takeovers, restarts, time.monotonic() - began


def _asked(replicas: Sequence[Replica], prompt: str) -> str:
    """The id of this picture, from whichever replica replies."""
    arguments = {"prompt": prompt, "provider": "fatthumb", "request_key": prompt}
    body = envelope("tools/call", {"name": "generate", "arguments": arguments})
    headers = headers_of("tools/call", "generate")
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            said = httpx2.post(random.choice(replicas).url, content=body, headers=headers, timeout=20)
            result = _result(said.text)
            if "structuredContent" in result:
                return str(result["structuredContent"]["id"])
        except (httpx2.HTTPError, ValueError, KeyError):
            pass  # it was killed, or has no database just now
        threading.Event().wait(0.1)
    raise TimeoutError(f"nobody took {prompt!r}")


def _result(text: str) -> dict[str, Any]:
    """The result in a response, whether that is one object or a stream of events."""
    last = next((line[5:] for line in reversed(text.splitlines()) if line.startswith("data:")), text)
    return json.loads(last)["result"]


def _ask(url: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql.encode(), values).fetchall()


def _tried(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except psycopg.OperationalError:  # it is being restarted
        return None


def _all_over(url: str, generations: int) -> bool:
    sql = f"SELECT count(*), count(*) FILTER (WHERE stage IN {UNDER_WAY}) FROM generations"
    return _tried(lambda: _ask(url, sql)) == [(generations, 0)]


def _taken_over(url: str, pid: int) -> float | None:
    """Seconds until no row that is under way names the dead process; None: it had none."""
    began, had = time.monotonic(), False
    sql = f"SELECT count(*) FROM generations WHERE holder LIKE %s AND stage IN {UNDER_WAY}"
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(sql.encode(), (f"{pid}-%",)).fetchall() != [(0,)]:
            had = True
            time.sleep(0.005)
            assert time.monotonic() - began < PATIENCE_S
    return time.monotonic() - began if had else None


def _report(provider: Provider, url: str, ids: dict[str, str], takeovers: list[float], restarts: int, s: float) -> int:
    log = provider.log()
    prompts = [post["body"]["prompt"] for post in log["posts"]]
    known = _ask(url, "SELECT id, stage, failure FROM generations")
    unknown = sum("outcome_unknown" in (failure or "") for _, _, failure in known)
    lost = [row for row in known if row[1] != "succeeded" and "outcome_unknown" not in (row[2] or "")]
    missing = set(ids.values()) - {row[0] for row in known}
    double = len(prompts) - len(set(prompts))
    accepted = [at for at, _, route in log["times"] if route == "submit"]
    every = [at for at, _, route in log["times"] if route in {"submit", "read"}]
    exceeded = over(accepted, *SUBMIT) + over(every, *REQUESTS)
    print(f"{len(known)} generations by {REPLICAS} replicas in {s:.0f} s, {len(takeovers)} kills while something was "
          f"under way, {restarts} restarts of the database; {len(every)} requests")  # fmt: skip
    print(f"double charges: {double}")
    print(f"lost generations: {len(lost) + len(missing)}", *lost[:5], sep="\n  ")
    print(f"said to be unknown (killed during the POST; never sent again): {unknown}")
    print(f"windows exceeded: {exceeded}; refused by the service with 429: {log['refused_429']}")
    print(f"takeover, from the kill to the dead one's rows held by another: {spread(takeovers)}")
    write_json("replicas", {
        "generations": len(known), "double charges": double, "lost": len(lost) + len(missing), "unknown": unknown,
        "windows exceeded": exceeded, "restarts": restarts, "s to take over": takeovers, "seconds": s,
    })  # fmt: skip
    return 1 if double or lost or missing or exceeded or len(known) != len(ids) else 0


if __name__ == "__main__":
    sys.exit(main())
