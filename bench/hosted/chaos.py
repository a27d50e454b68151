"""Three replicas, one killed every few seconds; the database is restarted twice and fails over once.

A caller asks one replica after another until one of them replies, as behind a load balancer, and names each picture by
a `request_key`; then it waits, with progress, at whichever replica replies. Windows are held against the service's own
clock.
"""

import asyncio
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench.common import Provider, fatthumb
from bench.hosted.calls import Caller, Refused
from bench.hosted.lines import Line, halves, none
from bench.hosted.taking_over import until_taken_over
from bench.hosted.team import UNDER_WAY, Replica, ask, both, database, replicas
from bench.limits import over
from tests.services.postgres import Cluster, standby_of

SUBMIT, REQUESTS = (30, 3.0), (400, 10.0)
LIMITS = f"submit={SUBMIT[0]}/{SUBMIT[1]:g},requests={REQUESTS[0]}/{REQUESTS[1]:g}"
REPLICAS, CALLERS = 3, 40
KILLED_EVERY_S = 3.0
RESTARTED_AT, REPLACED_AT = {2, 4}, 6
"""The kills in whose place the database is restarted, and replaced by its standby."""
PATIENCE_S = 200.0


@dataclass
class Seen:
    """Everything that callers and the killer saw, by prompt where it is of one generation."""

    ids: dict[str, str] = field(default_factory=dict[str, str])
    results: dict[str, str] = field(default_factory=dict[str, str])
    heard: set[str] = field(default_factory=set[str])
    takeovers: list[float] = field(default_factory=list[float])
    kills: int = 0
    restarts: int = 0
    replaced: bool = False


def measure(generations: int = 300) -> list[Line]:
    """Runs it, and compares the service's log with the ledger."""
    knobs: dict[str, Any] = {"duration": 2.0, "submit_limit": SUBMIT, "request_limit": REQUESTS, "credits": None}
    with fatthumb(**knobs) as provider, database() as primary, standby_of(primary) as standby:
        url = both(primary.fresh(), primary, standby)
        with replicas(REPLICAS, url, provider, LIMITS) as team:
            began = time.monotonic()
            seen = asyncio.run(_chaos(team, primary, standby, url, generations))
            seconds = time.monotonic() - began
        return _compared(provider, url, seen, generations, seconds)


async def _chaos(team: Sequence[Replica], primary: Cluster, standby: Cluster, url: str, generations: int) -> Seen:
    seen, prompts = Seen(), iter([f"picture {number}" for number in range(generations)])

    async def work() -> None:
        for prompt in prompts:
            await _asked_and_waited(team, prompt, seen, deadline)

    deadline, beat = time.monotonic() + PATIENCE_S, 0
    async with asyncio.TaskGroup() as group:
        callers = [group.create_task(work()) for _ in range(CALLERS)]
        while left := [caller for caller in callers if not caller.done()]:
            _, left = await asyncio.wait(left, timeout=KILLED_EVERY_S)
            if left:
                beat += 1
                await asyncio.to_thread(_struck, team, primary, standby, url, beat, seen)
    return seen


def _struck(team: Sequence[Replica], primary: Cluster, standby: Cluster, url: str, beat: int, seen: Seen) -> None:
    if beat in RESTARTED_AT:
        primary.stop()
        primary.start()
        seen.restarts += 1
    elif beat == REPLACED_AT:
        primary.stop()
        standby.promote()
        seen.replaced = True
    else:
        victim = team[beat % REPLICAS]
        had = f"SELECT count(*) FROM generations WHERE holder LIKE %s AND stage IN {UNDER_WAY}"
        busy = ask(url, had, f"{victim.pid}-%") != [(0,)]
        with psycopg.connect(url, autocommit=True, target_session_attrs="read-write") as connection:
            victim.send(signal.SIGKILL)
            seconds = until_taken_over(connection, victim.pid)
        seen.kills += 1
        seen.takeovers += [seconds] if busy else []
        victim.end(signal.SIGKILL)
        victim.start()


async def _asked_and_waited(team: Sequence[Replica], prompt: str, seen: Seen, deadline: float) -> None:
    while time.monotonic() < deadline and prompt not in seen.results:
        caller = Caller(random.choice(team).url)
        try:
            if prompt not in seen.ids:
                generation = await caller.call("generate", within_s=20, prompt=prompt, request_key=prompt)
                seen.ids[prompt] = generation["id"]
                continue
            arguments = {"generation_ids": [seen.ids[prompt]], "timeout_s": 30}
            result = await caller.call("wait", lambda _: seen.heard.add(prompt), 40, **arguments)
            if not result["timed_out"] and (status := result["generations"][0]["status"]) in _OVER:
                seen.results[prompt] = status
        except Refused:  # it was killed, or has no database just now
            await asyncio.sleep(0.1)
        finally:
            await caller.close()


_OVER = {"succeeded", "partial", "failed", "cancelled"}


def _compared(provider: Provider, url: str, seen: Seen, generations: int, seconds: float) -> list[Line]:
    log = provider.log()
    prompts = [post["body"]["prompt"] for post in log["posts"]]
    known = ask(url, "SELECT id, stage, failure FROM generations")
    unknown = sum("outcome_unknown" in (failure or "") for _, _, failure in known)
    lost = sum(stage != "succeeded" and "outcome_unknown" not in (failure or "") for _, stage, failure in known)
    missing = len(set(seen.ids.values()) - {row[0] for row in known}) + generations - len(seen.ids)
    accepted = [at for at, _, route in log["times"] if route == "submit"]
    every = [at for at, _, route in log["times"] if route in {"submit", "read"}]
    happened = f"{seen.kills} kills, {seen.restarts} restarts of the database, {seen.replaced:d} failover"
    beside = f" of {generations} in {seconds:.0f} s; {happened}"
    killed = f" ({unknown} were killed during their POST: said to be unknown, never sent again)"
    return [
        none("generations sent twice", len(prompts) - len(set(prompts)), beside),
        none("generations lost", lost + missing, killed),
        none("windows exceeded, by the service's clock", over(accepted, *SUBMIT) + over(every, *REQUESTS)),
        none("waiters at other replicas that had no result", generations - len(seen.results)),
        Line("waiters that had progress before their result", "", f"{len(seen.heard)} of {generations}"),
        *halves("takeover meanwhile", seen.takeovers, 0.2, 1.0),
    ]
