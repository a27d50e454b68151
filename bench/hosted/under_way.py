"""10,000 generations under way on three replicas: memory, and processor time for each look."""

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable

import anyio

from bench.common import Provider, bare_get, paced_get
from bench.hosted.calls import Caller
from bench.hosted.lines import Line, at_most, unmeasured
from bench.hosted.null import null_service
from bench.hosted.team import Replica, ask, database, replicas

LIMITS = "submit=100000/1"
REPLICAS, GENERATIONS = 3, 10_000
MEMORY_GOAL_MB, LOOK_GOAL_MS = 80.0, 0.3
TAKEN_WITHIN_S, LOOKED_WITHIN_S = 90.0, 90.0
SETTLED_S, FOR_S = 5.0, 30.0
_COPIED = (
    "owner, provider, account, request, request_hash, answered, submitted_at, provider_queued, images, created_at,"
    " ledger_file, driven_at"
)
# Those of a process that has ended: the others share them.
LEFT = f"""
    INSERT INTO generations (id, stage, holder, submit_token, job_id, {_COPIED})
        SELECT 'gen_' || lpad(i::text, 26, 'a'), 'running', 'gone', 'token ' || i, 'generation_' || i, {_COPIED}
        FROM generations, generate_series(1, {GENERATIONS}) AS i;
    INSERT INTO durations (account, model, count, ended_s, not_yet_s, ready_s)
        SELECT account, request::json ->> 'model', 1, 60 + 30 * i, 59 + 30 * i, 60 + 30 * i
        FROM generations, generate_series(1, 20) AS i WHERE holder <> 'gone';
    INSERT INTO processes (id, lock, server, seen_at, ended) VALUES ('gone', 1, 0, 0, true)
"""
SHARES = "SELECT count(*) FROM generations WHERE stage = 'running' GROUP BY holder ORDER BY 1"
LEFT_OVER = "SELECT count(*) FROM generations WHERE holder = 'gone'"


def measure() -> list[Line]:
    """They are left by a process that has ended; then nobody waits for them, and they last."""
    with database() as server, null_service() as provider:
        url = server.fresh()
        with replicas(REPLICAS, url, provider, LIMITS) as team:
            asyncio.run(_warmed(team, url))
            base = [each.megabytes() for each in team]
            ask(url, LEFT)
            taken_s = _until(lambda: ask(url, LEFT_OVER) == [(0,)], TAKEN_WITHIN_S)
            shares = [number for (number,) in ask(url, SHARES)]
            looked_s = _until(lambda: _reads(provider) >= GENERATIONS, LOOKED_WITHIN_S)
            time.sleep(SETTLED_S)
            looks, used_s = _watched(team, provider)
            more = [each.megabytes() - before for each, before in zip(team, base, strict=True)]
            bare_ms = anyio.run(bare_get, provider)
            paced_ms = anyio.run(paced_get, provider, looks / FOR_S / REPLICAS)
    taken = f"{taken_s:.1f} s, {min(shares):,} to {max(shares):,} each; all looked at after {looked_s:.1f} s more"
    share = f" (beside {max(base):.0f} MB)"
    lines = [
        Line(f"{GENERATIONS:,} left by one dead replica: until {REPLICAS} others had them", "", taken),
        at_most(f"{GENERATIONS:,} under way: memory of each replica beyond the base", max(more), 80, "MB", 0, share),
    ]
    if not looks:
        return [*lines, unmeasured("processor time of a look", "there was none")]
    each_ms = 1000 * used_s / looks
    get = f"a GET {bare_ms:.2f}, {paced_ms:.2f} at their pace"
    beside = f" ({each_ms:.2f} for each of {looks:,} looks in {FOR_S:.0f} s, {get})"
    what = "processor time of a look, beyond a bare GET"
    return [*lines, at_most(what, each_ms - bare_ms, LOOK_GOAL_MS, "ms", beside=beside)]


async def _warmed(team: list[Replica], url: str) -> None:
    """One real generation that was looked at, and a wait for it at each replica, so that everything is imported."""
    first = Caller(team[0].url)
    generation = await first.call("generate", prompt="the one that the others are copies of")
    await first.close()
    _until(lambda: ask(url, "SELECT id FROM generations WHERE images <> '[]'") != [], LOOKED_WITHIN_S)
    for replica in team:
        caller = Caller(replica.url)
        await caller.call("wait", generation_ids=[generation["id"]], timeout_s=2)
        await caller.close()


def _watched(team: list[Replica], provider: Provider) -> tuple[int, float]:
    """The number of looks for a while, and the processor time of the replicas in it."""
    before, used = _reads(provider), sum(each.processor_s() for each in team)
    time.sleep(FOR_S)
    return _reads(provider) - before, sum(each.processor_s() for each in team) - used


def _reads(provider: Provider) -> int:
    with urllib.request.urlopen(provider.log_url, timeout=30) as answer:
        return int(json.load(answer).get("read", 0))


def _until(condition: Callable[[], bool], within_s: float) -> float:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > within_s:
            raise TimeoutError(f"not within {within_s:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - began
