"""Kills the server with SIGKILL, over and over, and counts what was lost or paid for twice.

    python3 dev.py bench kill                 2,000 kills: one at every traced system call, the others at random moments
    python3 dev.py bench kill --kills 200     the short form that CI runs

Random kills: servers are forked from a process that has already imported everything, so that a kill costs a moment and
not a start; each is a real process with real pipes, speaking MCP, and gets a real SIGKILL. System calls: where strace
is installed, a whole `generate` is run again and again, killed at its first, second, third … call of each kind.
Half of it all is done with Python's own SQLite, half with a newer one, whose ledgers have a write-ahead log.
Writes .artifacts/kill.json.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.common import ROOT, Provider, fatthumb, rows, spread, write_json
from darkroom.stdio.wire import Wire

LIMITS = "submit=1000000/60,requests=100000000/3600"
UNFINISHED = "('accepted', 'submitting', 'running', 'collecting')"
# What touches the ledger, the pictures or the provider.
CALLS = (
    "fsync", "fdatasync", "pwrite64", "write", "linkat", "unlink", "unlinkat", "flock", "socket", "connect", "sendto",
    "recvfrom",
)  # fmt: skip
PATIENCE_S = 120.0
LIBRARIES: dict[str, dict[str, str]] = {"own": {}}
"""Libraries of SQLite, each of which keeps a ledger's journal in its way, and the environment that brings it."""
if find_spec("pysqlite3"):
    LIBRARIES["newer"] = {"PYTHONPATH": str(ROOT / "tests" / "newer_sqlite")}


@dataclass
class Tally:
    """The tally of one user's kills."""

    kills: int = 0
    answered: set[str] = field(default_factory=set[str])
    recoveries: list[float] = field(default_factory=list[float])
    home: str = ""


def main() -> int:
    """Runs both halves and prints the figures; fails where anything was lost or paid for twice."""
    parser = argparse.ArgumentParser(description="kill the server, count the damage")
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--users", type=int, default=4, help="how many ledgers are killed at the same time")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    # The long form goes on until a run makes no further call of the kind, which is some 200 at most.
    most = 200 if arguments.kills >= 2000 else arguments.kills // 32
    with (
        tempfile.TemporaryDirectory() as folder,
        fatthumb(duration=0.3, credits=None) as provider,
        ExitStack() as stack,
    ):
        started = time.monotonic()
        each = max(1, arguments.users // len(LIBRARIES))
        pools = {
            library: stack.enter_context(
                ProcessPoolExecutor(each, mp_context=get_context("spawn"), initializer=prepare, initargs=(library,))
            )
            for library in LIBRARIES
        }
        tallies: list[Tally] = []
        if shutil.which("strace"):
            traced = [
                pool.submit(kill_at_calls, provider, Path(folder) / f"{library} {call}", library, call, most)
                for call in CALLS for library, pool in pools.items()
            ]  # fmt: skip
            tallies += [future.result() for future in traced]
        left = max(0, arguments.kills - sum(tally.kills for tally in tallies))
        users = [
            pool.submit(
                kill_at_random, provider, Path(folder) / f"{library} user {n}", library,
                -(-left // (each * len(pools))), arguments.seed + n,
            )
            for n in range(each) for library, pool in pools.items()
        ]  # fmt: skip
        tallies += [future.result() for future in users]
        return report(provider, tallies, time.monotonic() - started)


def prepare(library: str) -> None:
    """Makes this process one whose children, forked from it, have that SQLite: nothing of Darkroom is imported yet."""
    if LIBRARIES[library]:
        sys.modules["sqlite3"] = import_module("pysqlite3")


def report(provider: Provider, tallies: list[Tally], seconds: float) -> int:
    """Holds every ledger against the provider's own log."""
    prompts = [post["body"]["prompt"] for post in provider.log()["posts"]]
    double = len(prompts) - len(set(prompts))
    lost: list[str] = []
    unknown = done = logs = 0
    for tally in tallies:
        home = Path(tally.home)
        known = rows(home, "SELECT id, stage, json_extract(request, '$.prompt'), failure FROM generations")
        unknown += sum("outcome_unknown" in (row[3] or "") for row in known)
        done += sum(row[1] == "succeeded" for row in known)
        lost += [f"{row} ended neither saved nor unknown" for row in known if not ended_well(row)]
        lost += [f"{missing} was answered and is not known" for missing in tally.answered - {row[0] for row in known}]
        paid = {prompt for prompt in prompts if prompt.startswith(f"{home.name} ")}
        lost += [f"{prompt!r} was accepted and is not known" for prompt in paid - {row[2] for row in known}]
        lost += [f"{home.name}: {found}" for found in rows(home, "PRAGMA integrity_check") if found != ("ok",)]
        logs += rows(home, "PRAGMA journal_mode") == [("wal",)]
    recoveries = [second for tally in tallies for second in tally.recoveries]
    kills = sum(tally.kills for tally in tallies)
    print(f"{kills} kills in {seconds:.0f} s; {len(prompts)} POSTs accepted, {done} generations saved")
    print(f"ledgers: {len(tallies)}, {logs} of them with a write-ahead log")
    print(f"double charges: {double}")
    print(f"lost generations: {len(lost)}", *lost[:10], sep="\n  ")
    print(f"said to be unknown (killed during the POST; never sent again): {unknown}")
    print(f"recovery, from the new process's first line to the dead one's rows adopted: {spread(recoveries)}")
    write_json("kill", {
        "kills": kills, "double charges": double, "lost": len(lost), "unknown": unknown, "s to recover": recoveries,
    })  # fmt: skip
    return 1 if double or lost or not kills else 0


def ended_well(row: tuple[Any, ...]) -> bool:
    """Saved, or said to be unknown."""
    return row[1] == "succeeded" or (row[1] == "failed" and "outcome_unknown" in (row[3] or ""))


def kill_at_random(provider: Provider, home: Path, library: str, kills: int, seed: int) -> Tally:
    """One user's server, killed at random moments of its life."""
    chance = random.Random(seed)
    tally = Tally(home=str(home))
    environ = provider.environ(home, LIMITS) | LIBRARIES[library]
    for module in ("darkroom.cli.main", "darkroom.cli.serve", "darkroom.app.server"):
        import_module(module)  # once here, and not once per kill
    for number in range(kills):
        before = processes(home)
        server = Forked(environ)
        if chance.random() < 0.7:
            seconds = adopted_after(home, before)
            tally.recoveries += [seconds] if before else []
        server.say(
            "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "k", "version": "0"}
        )
        server.say("notifications/initialized")
        for part in range(chance.choice((1, 1, 2))):
            server.say("tools/call", name="generate", arguments={"prompt": f"{home.name} picture {number}.{part}"})
        time.sleep(chance.uniform(0, 0.15) if chance.random() < 0.5 else chance.uniform(0, 1.5))
        tally.answered |= server.kill()
        tally.kills += 1
    settle(Forked(environ), home)
    return tally


def kill_at_calls(provider: Provider, home: Path, library: str, call: str, most: int) -> Tally:
    """One user's command line, killed at its nth call of this kind, for n = 1, 2, 3 and so on."""
    tally = Tally(home=str(home))
    environ = provider.environ(home, LIMITS) | LIBRARIES[library]
    strace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}"]
    python = [sys.executable, "-m", "darkroom"]
    for number in range(1, most + 1):
        inject = [*strace, "-e", f"inject={call}:signal=SIGKILL:when={number}"]
        prompt = f"{home.name} picture {number}"
        done = subprocess.run(
            [*inject, *python, "generate", prompt, "--json"], env=environ, capture_output=True, check=False,
            timeout=PATIENCE_S,
        )  # fmt: skip
        if done.returncode == 0:
            break  # it makes fewer calls of this kind
        tally.kills += 1
    settle(Forked(environ), home)
    return tally


class Forked:
    """A server in a child of this process, which has imported everything already."""

    def __init__(self, environ: dict[str, str]) -> None:
        child_in, self._to = os.pipe()
        self._from, child_out = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            become_server(environ, child_in, child_out, (self._to, self._from))
        os.close(child_in)
        os.close(child_out)
        self._next = 0

    def say(self, method: str, **params: Any) -> None:
        """Sends a request, or a notification where the method is one."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if not method.startswith("notifications/"):
            self._next += 1
            message |= {"id": self._next, "params": params}
        os.write(self._to, json.dumps(message).encode() + b"\n")

    def kill(self) -> set[str]:
        """Kills it, and answers the ids of the generations that it had answered."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._to)
        with os.fdopen(self._from, "rb") as pipe:
            lines = pipe.read().split(b"\n")
        answers = [json.loads(line).get("result", {}) for line in lines[:-1]]  # the last one may be cut
        return {answer["structuredContent"]["id"] for answer in answers if "structuredContent" in answer}


def become_server(environ: dict[str, str], stdin: int, stdout: int, others: tuple[int, ...]) -> None:
    """Never returns."""
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for descriptor in (*others, stdin, stdout):
        os.close(descriptor)
    # A worker's own streams lead elsewhere.
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.clear()
    os.environ.update(environ)
    try:
        os._exit(import_module("darkroom.cli.main").main(["serve"], Wire(os.dup(0), os.dup(1))))
    finally:
        os._exit(1)


def adopted_after(home: Path, before: set[str]) -> float:
    """Seconds until a new process is there and no unfinished row is held by any other."""
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE_S:
        new = processes(home) - before
        if new:
            try:
                held = rows(home, f"SELECT DISTINCT holder FROM generations WHERE stage IN {UNFINISHED}")
            except sqlite3.OperationalError:
                held = [("?",)]
            if {row[0] for row in held} <= new:
                return time.monotonic() - started
        time.sleep(0.002)
    raise TimeoutError("the dead process's rows were never adopted")


def processes(home: Path) -> set[str]:
    """The processes that show themselves, and those that died showing."""
    return {path.stem for path in (home / "home" / "processes").glob("*.lock")}


def settle(server: Forked, home: Path) -> None:
    """Lets a last server finish everything."""
    deadline = time.monotonic() + PATIENCE_S
    while unfinished(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    server.kill()


def unfinished(home: Path) -> bool:
    """True where anything is still under way, or the ledger not yet made."""
    try:
        return bool(rows(home, f"SELECT 1 FROM generations WHERE stage IN {UNFINISHED} LIMIT 1"))
    except sqlite3.OperationalError:
        return True


if __name__ == "__main__":
    sys.exit(main())
