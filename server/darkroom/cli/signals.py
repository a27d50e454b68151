"""Signals that ask to stop, as something that happens inside the event loop."""

import asyncio
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import anyio
from anyio.abc import TaskStatus


async def on_signal(stop: Callable[[], None], *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
    """Calls `stop` at each request to end this process."""
    if sys.platform == "win32":
        with _received((signal.SIGINT, signal.SIGBREAK), stop):
            task_status.started()
            await anyio.sleep_forever()
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        task_status.started()
        async for _ in received:
            stop()


@contextmanager
def _received(numbers: tuple[signal.Signals, ...], stop: Callable[[], None]) -> Generator[None]:
    """The same where an event loop cannot wait for signals: it is woken by each, and told from the handler."""
    loop = asyncio.get_running_loop()
    before = {number: signal.signal(number, lambda _, __: loop.call_soon_threadsafe(stop)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
