"""2,000 clients that wait at one replica, each with progress, for what another drives."""

import asyncio
import resource
import time
from dataclasses import dataclass, field

from bench.common import fatthumb
from bench.hosted.calls import Caller, Refused
from bench.hosted.lines import Line, at_least, at_most
from bench.hosted.team import Replica, database, replicas

LIMITS = "submit=20/1,requests=1000000/60"
CLIENTS, GENERATIONS = 2000, 100
OPENED_PER_S = 200
LASTS_S, MEASURED_S = 45.0, 15.0
PROGRESS_GOAL_S = 5.0
PATIENCE_S = 150.0


@dataclass
class Seen:
    """The notifications of one client, and whether it was given its result."""

    heard: list[float] = field(default_factory=list[float])
    done: bool = False

    def gap(self) -> float:
        """The longest pause between two notifications."""
        return max((after - before for before, after in zip(self.heard, self.heard[1:], strict=False)), default=0.0)


def measure() -> list[Line]:
    """All of them are there for a while; then they are all given their results."""
    _allow_many_files()
    with (
        database() as server,
        fatthumb(duration=LASTS_S, credits=None) as provider,
        replicas(2, server.fresh(), provider, LIMITS) as team,
    ):
        seen, share, more = asyncio.run(_waited(team))
    with_all = sum(each.done and len(each.heard) > 1 for each in seen)
    gaps = sorted(each.gap() for each in seen)
    beside = f" ({100 * share:.0f} % of a core and {more:.0f} MB for them)"
    return [
        at_least("clients that wait at one replica, with progress and a result", with_all, CLIENTS, "clients", beside),
        at_most("longest pause between notifications, p99 of them", gaps[int(len(gaps) * 0.99)], PROGRESS_GOAL_S, "s"),
    ]


async def _waited(team: list[Replica]) -> tuple[list[Seen], float, float]:
    """The sight of each; the share of a core and the memory that the replica took while all were there."""
    asking = Caller(team[0].url)
    ids = [(await asking.call("generate", prompt=f"picture {each}"))["id"] for each in range(GENERATIONS)]
    await asking.close()
    seen, base = [Seen() for _ in range(CLIENTS)], team[1].megabytes()
    async with asyncio.TaskGroup() as group:
        for number, each in enumerate(seen):
            group.create_task(_wait(team[1].url, ids[number % GENERATIONS], each))
            await asyncio.sleep(1 / OPENED_PER_S)
        before, began = team[1].processor_s(), time.monotonic()
        await asyncio.sleep(MEASURED_S)
        share = (team[1].processor_s() - before) / (time.monotonic() - began)
        more = team[1].megabytes() - base
    return seen, share, more


async def _wait(url: str, name: str, seen: Seen) -> None:
    caller = Caller(url)
    try:
        arguments = {"generation_ids": [name], "timeout_s": 600}
        result = await caller.call("wait", lambda _: seen.heard.append(time.monotonic()), PATIENCE_S, **arguments)
        seen.done = not result["timed_out"]
    except Refused as error:
        print(f"a client was given nothing: {error}", flush=True)
    await caller.close()


def _allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
