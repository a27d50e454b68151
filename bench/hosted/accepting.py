"""Generations that three replicas accept in a second."""

import asyncio
import time

from bench.common import Provider
from bench.hosted.calls import Caller, Refused, Work, at_once
from bench.hosted.lines import Line, at_least, none
from bench.hosted.null import null_service
from bench.hosted.team import Replica, ask, database, replicas

REPLICAS, CALLERS = 3, 12
FOR_S = 10.0
GOAL = 150.0
LATER = "submit=1/3600,requests=1000000/60"
"""One is sent, the others wait: what is measured is the way to the ledger and back."""
AT_ONCE = "submit=100000/1,requests=1000000/60"


def measure() -> list[Line]:
    """Those that wait for their turn, and those that are sent as well."""
    waiting, lost = _accepted(LATER)
    sent, lost_too = _accepted(AT_ONCE)
    return [
        at_least("generations accepted per second, from `generate` over HTTP to its response", waiting, GOAL, "per s"),
        Line("the same, each sent to its service as well and then looked at", "", f"{sent:,.0f} per s"),
        none("accepted and not in the ledger", lost + lost_too),
    ]


def _accepted(limits: str) -> tuple[float, int]:
    """The number in a second, and that of those which the ledger has not."""
    with database() as server, null_service() as provider:
        url = server.fresh()
        with replicas(REPLICAS, url, provider, limits) as team:
            ids, seconds = asyncio.run(_asked(team, provider))
            known = {name for (name,) in ask(url, "SELECT id FROM generations")}
    return len(ids) / seconds, len(set(ids) - known)


async def _asked(team: list[Replica], provider: Provider) -> tuple[list[str], float]:
    callers = [Caller(replica.url) for replica in team for _ in range(CALLERS)]
    ids: list[str] = []

    async def generate(caller: Caller, number: int) -> None:
        try:
            ids.append((await caller.call("generate", prompt=f"picture {number}"))["id"])
        except Refused as error:
            print(f"refused: {error}", flush=True)

    def job(number: int) -> Work:
        async def work(caller: Caller) -> None:
            await generate(caller, number)

        return work

    await at_once(callers, [job(-number - 1) for number in range(len(callers))])  # connections, imports, first rows
    ids.clear()
    began = time.monotonic()
    await at_once(callers, [job(number) for number in range(100_000)], began + FOR_S)
    seconds = time.monotonic() - began
    for caller in callers:
        await caller.close()
    return ids, seconds
