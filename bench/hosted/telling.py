"""The time until a waiter at one replica knows what another replica wrote."""

import asyncio
import time

from bench.common import fatthumb
from bench.hosted.calls import Caller
from bench.hosted.lines import Line, halves, none
from bench.hosted.team import Replica, ask, database, replicas

LIMITS = "submit=5/1,requests=1000000/60"
GENERATIONS = 60
GOAL_S = 0.05


def measure() -> list[Line]:
    """Each is asked for at one replica and waited for at another, by a waiter of its own."""
    with database() as server, fatthumb(duration=4.0, credits=None) as provider:
        url = server.fresh()
        with replicas(2, url, provider, LIMITS) as team:
            told, progress = asyncio.run(_waited(team))
            rows = ask(url, "SELECT id, finished_at, holder FROM generations")
            elsewhere = {name: at for name, at, holder in rows if not holder.startswith(f"{team[1].pid}-")}
    late = [told[name] - at for name, at in elsewhere.items()]
    return [
        *halves("from a row that one replica writes to a waiter at another", late, GOAL_S, None, 3),
        none("waiters without progress or without a result", 2 * GENERATIONS - len(told) - progress),
    ]


async def _waited(team: list[Replica]) -> tuple[dict[str, float], int]:
    """The time of each waiter's result, in seconds since 1970, and the number of those that had progress before."""
    asking, told, progress = Caller(team[0].url), dict[str, float](), set[str]()

    async def wait(name: str) -> None:
        caller = Caller(team[1].url)
        arguments = {"generation_ids": [name], "timeout_s": 100}
        await caller.call("wait", lambda _: progress.add(name), 110, **arguments)
        told[name] = time.time()
        await caller.close()

    async with asyncio.TaskGroup() as group:
        for number in range(GENERATIONS):
            generation = await asking.call("generate", prompt=f"picture {number}")
            group.create_task(wait(generation["id"]))
    await asking.close()
    return told, len(progress)
