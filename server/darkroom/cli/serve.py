"""`serve`: MCP on stdin and stdout, from the first line to the last."""

import logging
import os
import signal
import sys
from collections.abc import Callable

import anyio

from darkroom.app import build_server, open_app
from darkroom.settings import Settings


def serve(settings: Settings) -> int:
    """Serves until stdin ends or a signal asks to stop.

    File descriptor 1 belongs to JSON-RPC alone: until the transport takes it, and again after it, whatever else is
    printed in this process or by a child of it goes to stderr.
    """
    wire = os.dup(1)
    os.dup2(2, 1)
    try:
        return anyio.run(_serve, settings, lambda: _hand_over(wire))
    finally:
        os.dup2(2, 1)
        sys.stdout.flush()


def _hand_over(wire: int) -> None:
    sys.stdout.flush()
    os.dup2(wire, 1)


async def _serve(settings: Settings, hand_over: Callable[[], None]) -> int:
    over = anyio.Event()
    signalled = False

    async def transport() -> None:
        hand_over()
        await server.run_stdio_async()
        over.set()

    async def signals() -> None:
        nonlocal signalled
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            async for _ in received:
                signalled = True
                over.set()

    async with anyio.create_task_group() as tasks:
        async with open_app(settings) as app:
            server = build_server(app)
            tasks.start_soon(transport)
            tasks.start_soon(signals)
            await over.wait()
        if signalled:
            # The transport's thread is blocked in a read of stdin that nothing can interrupt; all else is closed.
            logging.shutdown()
            sys.stderr.flush()
            os._exit(0)
        tasks.cancel_scope.cancel()
    return 0
