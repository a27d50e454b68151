"""A ledger of a million rows: how long does each question to it take?

python3 dev.py bench rows                  a million rows
python3 dev.py bench rows --rows 100000    fewer, and sooner

Every question is asked of a ledger that has just been opened, so that SQLite's own cache is cold, and the disk's syncs
are not waited for. Then the whole way through a server: the first call of each tool, and the median of the next ones.
Fails where a question takes longer than 50 ms. Writes .artifacts/rows.json.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import anyio

from bench.calls import Wire
from bench.common import user, write_json
from darkroom.accounts import Limits, Window
from darkroom.models import Answered, Charged, Failure, GenerationRequest, Record, Stage, Status
from darkroom.store.database import FILE_NAME, open_database
from darkroom.store.ledger import Room
from darkroom.store.signs import Life
from darkroom.store.sql import SqlLedger
from tests.ledgers import Seen

LONGEST_S = 0.05
DAY_S = 86_400.0
NOW = 1_800_000_000.0
LIMITS = Limits(active=4, submit=(Window(10, 60.0),), requests=(Window(1000, 3600.0),))
LOST = Failure(code="outcome_unknown", message="Lost.", charged=Charged.MAYBE, next_step="Look.")
REQUEST = GenerationRequest(provider="fatthumb", prompt="A fox reading a map by the sea", model="m")
SIGNS = Seen({"dead": Life.DEAD})
Question = Callable[[SqlLedger], Awaitable[Any]]


def main() -> int:
    """Fills a ledger, asks everything, prints the figures."""
    parser = argparse.ArgumentParser(description="a ledger of a million rows")
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        anyio.run(fill, home, arguments.rows)
        size = (home / FILE_NAME).stat().st_size / 1e6
        print(f"{arguments.rows:,} rows, {size:,.0f} MB, SQLite {sqlite3.sqlite_version}")
        took = {name: anyio.run(ask, home, name, question) for name, question in QUESTIONS.items()}
        slow = [name for name, seconds in took.items() if seconds > LONGEST_S]
        whole = {"list": command(home, Path(folder)), **served(home, Path(folder))}
    print(f"slower than {LONGEST_S * 1000:.0f} ms: {', '.join(slow) or 'none'}")
    write_json("rows", {"rows": arguments.rows, "ms": {name: 1000 * each for name, each in {**took, **whole}.items()}})
    return 1 if slow else 0


async def fill(home: Path, count: int) -> None:
    """Most rows are finished ones of FatThumb; each ten-thousandth is of another provider, or ended otherwise.

    Ids are spread as random ones are, and the same in every run.
    """
    async with open_database(home):
        """Makes it."""
    request, images = REQUEST.model_dump_json(), '[{"index":1,"status":"succeeded","path":"/pictures/fox.png"}]'
    failure = LOST.model_dump_json()
    numbers = f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    insert = (
        "INSERT INTO generations (id, owner, provider, account, request, request_hash, request_key, answered, stage,"
        " holder, created_at, submit_token, submitted_at, job_id, provider_queued, images, failure, finished_at)"
    )
    rare = "i % 10000 = 0"
    select = f"""
        SELECT printf('gen_%08x%018x', i * 2654435761 & 0xffffffff, i), 'local',
            iif({rare}, 'betterwaifu', 'fatthumb'), 'key',
            ?, ?, iif({rare}, 'key ' || i, NULL), iif(i % 100 = 50, 'lost', 'delivered'),
            iif({rare}, 'cancelled', iif(i % 500 = 1, 'failed', 'succeeded')), 'holder ' || (i % 50),
            {NOW} - 30.0 * ({count} - i), 'token ' || i, {NOW} - 30.0 * ({count} - i), 'job ' || i, 0, ?,
            iif(i % 500 = 1, ?, NULL), {NOW} - 30.0 * ({count} - i) + 20.0 FROM n
    """
    with closing(sqlite3.connect(home / FILE_NAME, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute(f"{numbers} {insert} {select}", (request, "some hash", images, failure))
        # Some that are under way, of a process that lives and of one that has died.
        db.execute(
            "UPDATE generations SET stage = 'running', holder = iif(seq % 2, 'me', 'dead'), finished_at = NULL"
            " WHERE seq > (SELECT max(seq) FROM generations) - 20"
        )
        db.execute(
            "UPDATE generations SET stage = 'accepted', id = 'waiting', submit_token = NULL, job_id = NULL"
            " WHERE seq = (SELECT max(seq) FROM generations)"
        )


def record(name: str, **fields: Any) -> Record:
    """A row that is not there yet."""
    accepted = Record(id=name, owner="local", request=REQUEST, account="key", stage=Stage.ACCEPTED, created_at=NOW)
    return accepted.model_copy(update={"holder": "me", **fields})


def page(status: Status | None = None, provider: str | None = None, before: str | None = None) -> Question:
    """The question for a page."""
    return lambda ledger: ledger.page("local", status=status, provider=provider, limit=20, before=before)


TURNS = 15
SKETCH = {"prompt": "A fox reading a map by the sea", "provider": "sketch"}
IDS = [f"gen_{number * 2654435761 & 0xFFFFFFFF:08x}{number:018x}" for number in range(1000, 1050)]
ROOM = Room(limit=10_000, free=("sketch",))
QUESTIONS: dict[str, Question] = {
    "the newest": page(),
    "a page far back": page(before=IDS[0]),
    **{f"those that are {status}": page(status=status) for status in Status},
    **{f"those of {provider}": page(provider=provider) for provider in ("fatthumb", "betterwaifu", "sketch")},
    **{
        f"those of {provider} that are {status}": page(provider=provider, status=status)
        for provider in ("fatthumb", "sketch")
        for status in Status
    },
    "which providers there are": lambda ledger: ledger.providers("local"),
    "one by its id": lambda ledger: ledger.get(IDS[0], "local"),
    "fifty by their ids": lambda ledger: ledger.several(IDS, "local"),
    "ids that begin with gen_": lambda ledger: ledger.ids("local", "gen_", 20),
    "ids that begin with gen_0a": lambda ledger: ledger.ids("local", "gen_0a", 20),
    "ids that begin with gen_0a1b2c": lambda ledger: ledger.ids("local", "gen_0a1b2c", 20),
    "ids that begin with nothing there is": lambda ledger: ledger.ids("local", "xyz", 20),
    "a new one": lambda ledger: ledger.begin(record("new 1"), adopt_within_s=600.0),
    "a new one with a name": lambda ledger: ledger.begin(record("new 2", request_key="mine"), adopt_within_s=600.0),
    "a new one within a budget": lambda ledger: ledger.begin(record("new 3"), adopt_within_s=600.0, room=ROOM),
    "whether one was answered": lambda ledger: ledger.answer(record("new 1"), Answered.DELIVERED),
    "who may submit": lambda ledger: ledger.claim_next("key", LIMITS, holder="me", token="t"),
    "where one stands": lambda ledger: ledger.standings([record("waiting")], {"key": LIMITS}),
    "how long it takes": lambda ledger: ledger.durations("key", "m", 1),
    "requests": lambda ledger: ledger.reserve_requests("key", LIMITS.requests, 5),
    "the other holders": lambda ledger: ledger.others("me", ["fatthumb", "betterwaifu"]),
    "what an operator is shown": lambda ledger: ledger.look(),
    "what one has used": lambda ledger: ledger.used("local", ["sketch"]),
    "what is held": lambda ledger: ledger.held("me"),
    "what the dead left": lambda ledger: ledger.adopt(["dead"], "me", {"local": {"fatthumb": "key"}}, lost=LOST),
}  # fmt: skip


async def ask(home: Path, name: str, question: Question) -> float:
    """Opens the ledger, asks, prints and returns the seconds that the answer took."""
    started = time.perf_counter()
    async with open_database(home) as database:
        # What a sync takes is the disk's affair.
        await database.run(lambda: database.db.execute("PRAGMA synchronous = OFF"))
        opened = time.perf_counter()
        await question(SqlLedger(database, SIGNS, lambda: NOW))
        took = time.perf_counter() - opened
    print(f"{took * 1000:8.1f} ms  {name}  (opened in {(opened - started) * 1000:.1f} ms)")
    return took


def command(home: Path, folder: Path) -> float:
    """Seconds for a whole command, from its start to its end."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "DARKROOM_HOME": str(home)}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "darkroom", "list", "--json"], env=environ, capture_output=True, check=True
    )  # fmt: skip
    took = time.perf_counter() - started
    print(f"{took * 1000:8.1f} ms  `darkroom-mcp list`, {len(json.loads(done.stdout)['generations'])} of them")
    return took


def served(home: Path, folder: Path) -> dict[str, float]:
    """Seconds for calls of a server that has just been started: the median of a few, each after something was written.

    `generate` makes a picture of the built-in provider, and mostly returns when that is saved.
    """
    wire = Wire([sys.executable, "-m", "darkroom", "serve"], {**user(folder), "DARKROOM_HOME": str(home)})
    times: dict[str, list[float]] = {"list_generations": [], "get_status": [], "generate": []}
    for number in range(TURNS):
        asked = {"list_generations": {}, "get_status": {"generation_id": IDS[number]}, "generate": SKETCH}
        for tool, words in asked.items():
            started = time.perf_counter()
            wire.call(tool, words)
            times[tool].append(time.perf_counter() - started)
    wire.end()
    for tool, each in times.items():
        print(f"{1000 * median(each):8.1f} ms  {tool}, through a server; the first one {1000 * each[0]:.1f} ms")
    return {f"{tool}, through a server": median(each) for tool, each in times.items()}


if __name__ == "__main__":
    sys.exit(main())
