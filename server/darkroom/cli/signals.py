"""SIGTERM and SIGINT, as something that happens inside the event loop."""

import signal
import sys
from collections.abc import Callable

import anyio


async def on_signal(stop: Callable[[], None]) -> None:
    """Calls `stop` at each request to end this process. On Windows there is none to wait for but Python's own."""
    if sys.platform == "win32":
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        async for _ in received:
            stop()
