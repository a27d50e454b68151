"""The time until another replica drives what one had, after SIGKILL and after a freeze."""

import asyncio
import signal
import time

import psycopg

from bench.hosted.calls import Caller
from bench.hosted.lines import Line, halves
from bench.hosted.null import null_service
from bench.hosted.team import UNDER_WAY, Replica, ask, database, replicas

LIMITS = "submit=100000/1,requests=1000000/60"
REPLICAS, EACH = 3, 5
KILLS, FREEZES = 9, 2
KILLED_GOAL_S, KILLED_LONGEST_S, FROZEN_GOAL_S = 0.2, 1.0, 8.0
PATIENCE_S = 30.0


def measure() -> list[Line]:
    """Kills one after the other, then stops some."""
    with database() as server, null_service() as provider:
        url = server.fresh()
        with replicas(REPLICAS, url, provider, LIMITS) as team:
            killed = [_after(team[each % REPLICAS], url, signal.SIGKILL) for each in range(KILLS)]
            frozen = [_after(team[each % REPLICAS], url, signal.SIGSTOP) for each in range(FREEZES)]
    return [
        *halves("takeover after SIGKILL", killed, KILLED_GOAL_S, KILLED_LONGEST_S),
        *halves("takeover after a freeze (SIGSTOP)", frozen, FROZEN_GOAL_S, FROZEN_GOAL_S)[1:],
    ]


def _after(victim: Replica, url: str, how: signal.Signals) -> float:
    asyncio.run(_something(victim, url))
    pid = victim.pid
    with psycopg.connect(url, autocommit=True) as connection:
        victim.send(how)
        seconds = until_taken_over(connection, pid)
    victim.end(signal.SIGKILL)
    victim.start()
    return seconds


async def _something(victim: Replica, url: str) -> None:
    """Gives it something to drive."""
    caller = Caller(victim.url)
    for number in range(EACH):
        await caller.call("generate", prompt=f"picture {number} of {victim.pid}")
    await caller.close()
    deadline = time.monotonic() + PATIENCE_S
    sql = "SELECT count(*) FROM generations WHERE holder LIKE %s AND stage = 'running'"
    while ask(url, sql, f"{victim.pid}-%") == [(0,)]:
        assert time.monotonic() < deadline, "nothing came under way at the replica that is to die"
        await asyncio.sleep(0.1)


def until_taken_over(connection: "psycopg.Connection[tuple[int]]", pid: int) -> float:
    """Seconds until no row that is under way names this process."""
    began = time.monotonic()
    sql = f"SELECT count(*) FROM generations WHERE holder LIKE %s AND stage IN {UNDER_WAY}".encode()
    while connection.execute(sql, (f"{pid}-%",)).fetchall() != [(0,)]:
        time.sleep(0.005)
        assert time.monotonic() - began < PATIENCE_S, "nobody took over what it had"
    return time.monotonic() - began
