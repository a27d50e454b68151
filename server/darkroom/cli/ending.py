"""The end of a process that goes on until a signal asks it to stop."""

import logging
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from darkroom.app.context import unwrapped
from darkroom.cli.commands.command import DONE
from darkroom.cli.signals import on_signal

END_WITHIN_S = 6.0
"""Seconds after the request to end this process for which the last thread may still hold it up."""


@asynccontextmanager
async def asked_to_end() -> AsyncGenerator[anyio.Event]:
    """The event that the first signal sets, for the block to end by; a second one ends the process where it is."""
    end = anyio.Event()
    # A thread that hangs in a disk or a resolver cannot be interrupted, only left behind.
    last_resort = threading.Timer(END_WITHIN_S, _end)
    last_resort.daemon = True

    def stop() -> None:
        if end.is_set():
            _end()
        end.set()
        last_resort.start()

    with unwrapped():
        async with anyio.create_task_group() as tasks:
            await tasks.start(on_signal, stop)
            yield end
            tasks.cancel_scope.cancel()


def _end() -> None:
    try:
        logging.shutdown()
    finally:
        os._exit(DONE)
