"""SIGTERM and SIGINT, as something that happens inside the event loop."""

import signal
import sys
from collections.abc import Callable

import anyio
from anyio.abc import TaskStatus


async def on_signal(stop: Callable[[], None], *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
    """Calls `stop` at each request to end this process. On Windows there is none to wait for but Python's own."""
    if sys.platform == "win32":
        task_status.started()
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        task_status.started()
        async for _ in received:
            stop()
