"""Parts that the benchmarks share: a provider service of its own process, and figures."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BARE_GETS = 1000
PACED_S, PAUSE_S = 15.0, 3.0


def user(home: Path) -> dict[str, str]:
    """The environment of a user without a key, whose files are all in this folder."""
    return {
        "PATH": os.environ["PATH"], "HOME": str(home), "DARKROOM_HOME": str(home / "home"),
        "DARKROOM_PICTURES": str(home / "pictures"),
    }  # fmt: skip


@dataclass(frozen=True)
class Provider:
    """A FatThumb service in another process."""

    url: str
    key: str
    log_url: str

    def log(self) -> dict[str, Any]:
        """Its own log: accepted posts, refusals, and when each request arrived."""
        with urllib.request.urlopen(self.log_url, timeout=30) as answer:
            return json.load(answer)

    def environ(self, home: Path, limits: str) -> dict[str, str]:
        """The environment of a user of it."""
        return {
            **user(home),
            "FATTHUMB_API_KEY": self.key,
            "FATTHUMB_BASE_URL": self.url,
            "FATTHUMB_LIMITS": limits,
        }


@contextmanager
def fatthumb(**knobs: Any) -> Generator[Provider]:
    """A FatThumb service for as long as the block lasts."""
    command = [sys.executable, "-m", "tests.services", "fatthumb"]
    for name, value in knobs.items():
        command += ["--set", f"{name}={json.dumps(value)}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            hello = json.loads(process.stdout.readline())
            yield Provider(hello["url"], hello["key"], hello["log"])
        finally:
            process.terminate()


def processor_s(pid: int) -> float:
    """Seconds of processor time that this process has used, with its threads that have ended; 0 except on Linux."""
    return time.clock_gettime((~pid << 3) | 2) if sys.platform == "linux" else 0.0  # see clock_getcpuclockid(3)


def rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    """Reads the user's ledger."""
    path = home / "home" / "ledger.sqlite3"
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30)) as db:  # a killed server's half commit
        db.execute("PRAGMA query_only = ON")
        return db.execute(sql).fetchall()


def spread(figures: Sequence[float], unit: str = "s") -> str:
    """Median, 95th percentile and maximum in one line."""
    ordered = sorted(figures)
    if not ordered:
        return "no figures"
    high = ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]
    return f"p50 {median(ordered):.3f} {unit}, p95 {high:.3f} {unit}, max {ordered[-1]:.3f} {unit} (n={len(ordered)})"


def write_json(name: str, figures: Any) -> None:
    """Keeps a benchmark's figures in .artifacts/NAME.json."""
    path = ROOT / ".artifacts" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    print(f"written to {path.relative_to(ROOT)}")


async def bare_get(provider: Provider) -> float:
    """Ms of processor time for a GET of the HTTP client, over a connection that is kept."""
    import httpx2  # noqa: PLC0415 - most benchmarks start without it

    async with httpx2.AsyncClient(headers={"x-api-key": provider.key}) as client:
        await client.get(f"{provider.url}/generations/none")
        began = time.process_time()
        for _ in range(BARE_GETS):
            await client.get(f"{provider.url}/generations/none")
        return 1000 * (time.process_time() - began) / BARE_GETS


async def paced_get(provider: Provider, per_s: float) -> float:
    """The same for GETs that come so many a second, each from a task that paused: a process that idles meanwhile finds
    nothing of it in its caches, and several are under way at once.
    """
    import anyio  # noqa: PLC0415 - as above
    import httpx2  # noqa: PLC0415

    gets, each_ms = 0, 0.0

    async def look(client: httpx2.AsyncClient) -> None:
        nonlocal gets
        await anyio.sleep(random.uniform(0, PAUSE_S))
        while True:
            await client.get(f"{provider.url}/generations/none")
            gets += 1
            await anyio.sleep(PAUSE_S)

    async with httpx2.AsyncClient(headers={"x-api-key": provider.key}) as client, anyio.create_task_group() as tasks:
        for _ in range(max(round(per_s * PAUSE_S), 1)):
            tasks.start_soon(look, client)
        await anyio.sleep(PAUSE_S)
        before, began = gets, time.process_time()
        await anyio.sleep(PACED_S)
        each_ms = 1000 * (time.process_time() - began) / max(gets - before, 1)
        tasks.cancel_scope.cancel()
    return each_ms
