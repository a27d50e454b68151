"""The time in which nothing can be written while a synchronous standby takes the database's place, and what is lost."""

import asyncio
import time
from dataclasses import dataclass, field

from bench.hosted.calls import Caller, Refused
from bench.hosted.lines import Line, at_most, none
from bench.hosted.null import null_service
from bench.hosted.team import Replica, ask, both, database, replicas
from tests.services.postgres import Cluster, standby_of

LIMITS = "submit=1/3600,requests=1000000/60"
REPLICAS, WRITERS = 3, 6
BEFORE_S, AFTER_S = 3.0, 12.0
GOAL_S = 1.0
"""Seconds beside the promotion itself."""


@dataclass
class Written:
    """The acknowledged writes of one writer: ids, and when each acknowledgement came."""

    ids: list[str] = field(default_factory=list[str])
    times: list[float] = field(default_factory=list[float])

    def gap(self) -> float:
        """The longest pause between two of them."""
        return max(after - before for before, after in zip(self.times, self.times[1:], strict=False))


def measure() -> list[Line]:
    """The primary and all its connections end as in a crash; the standby is promoted at once."""
    with database() as primary, standby_of(primary) as standby, null_service() as provider:
        url = both(primary.fresh(), primary, standby)
        with replicas(REPLICAS, url, provider, LIMITS) as team:
            promotion_s, written = asyncio.run(_written(team, primary, standby))
        known = {name for (name,) in ask(url, "SELECT id FROM generations")}
    gap_s = max(each.gap() for each in written)
    acknowledged = {name for each in written for name in each.ids}
    beside = f" (gap {gap_s:.2f} s, promotion {promotion_s:.2f} s, {WRITERS} writers)"
    return [
        at_most("writers' gap at a failover, beyond the promotion", gap_s - promotion_s, GOAL_S, "s", beside=beside),
        none("acknowledged and lost in it", len(acknowledged - known), f" of {len(acknowledged)}"),
    ]


async def _written(team: list[Replica], primary: Cluster, standby: Cluster) -> tuple[float, list[Written]]:
    """Seconds from the crash to the end of the promotion, and all that was acknowledged."""
    written, end = [Written() for _ in range(WRITERS)], asyncio.Event()
    writers = [asyncio.create_task(_write(team, number, each, end)) for number, each in enumerate(written)]
    await asyncio.sleep(BEFORE_S)
    began = time.monotonic()
    await asyncio.to_thread(primary.stop)
    await asyncio.to_thread(standby.promote)
    promotion_s = time.monotonic() - began
    await asyncio.sleep(AFTER_S)
    end.set()
    await asyncio.gather(*writers)
    return promotion_s, written


async def _write(team: list[Replica], which: int, written: Written, end: asyncio.Event) -> None:
    """Asks one replica for one generation after the other; one that is refused is asked for again."""
    caller, number = Caller(team[which % len(team)].url), 0
    while not end.is_set():
        name = f"writer {which}, picture {number}"
        try:
            generation = await caller.call("generate", prompt=name, request_key=name)
        except Refused:
            await asyncio.sleep(0.05)
            continue
        written.ids.append(generation["id"])
        written.times.append(time.monotonic())
        number += 1
    await caller.close()
