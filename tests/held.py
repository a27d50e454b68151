"""Answers that a test holds back until it has seen what it waits for, and calls that are broken off meanwhile."""

import asyncio
import threading

import anyio
from anyio import to_thread
from mcp import Client

from tests.hosts import PATIENCE_S, Home, eventually
from tests.services.exchange import Exchange
from tests.services.fatthumb import FatThumb

PATIENT = """
from darkroom.generations import desk
import runpy

desk.ANSWER_WITHIN_S = 3600.0
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""A server whose `generate` waits for its provider, so that it has not answered when a slow machine breaks it off."""


class Held:
    """The request takes effect, but is not answered before `release` is called."""

    def __init__(self) -> None:
        self._released = threading.Event()

    async def play(self, exchange: Exchange) -> None:
        whole = await exchange.normal()
        while not (self._released.is_set() or exchange.closed):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await exchange.answer(whole)

    def release(self) -> None:
        self._released.set()


async def break_off(client: Client, home: Home, fatthumb: FatThumb, prompt: str) -> None:
    """Cancels the first call of `generate` during its POST; returns when the server, a PATIENT one, has noted that."""
    held = Held()
    fatthumb.script("submit", held)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.call_tool, "generate", {"prompt": prompt})
        await to_thread.run_sync(lambda: fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S))
        tasks.cancel_scope.cancel()
    lost = [("lost",)]
    await to_thread.run_sync(eventually, lambda: home.select("SELECT answered FROM generations") == lost)
    held.release()
