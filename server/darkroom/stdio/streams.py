"""The two streams that the server is given: messages from its client, and messages to it."""

import select
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from darkroom.stdio.door import Door
from darkroom.stdio.outbox import Outbox
from darkroom.stdio.wire import Heard, Wire

LOOK_EVERY_S = 0.25
DRAIN_S = 0.5


async def _read(
    wire: Wire, heard: list[Heard], incoming: MemoryObjectSendStream[SessionMessage | Exception], outbox: Outbox
) -> None:
    """Hands on the messages that arrive, until the client hangs up; what it began to say then is passed over."""
    door = Door(incoming, outbox)
    async with incoming, anyio.create_task_group() as tasks:
        tasks.start_soon(door.run)
        await _hand_on(wire, heard, outbox, door)
        tasks.cancel_scope.cancel()


async def _hand_on(wire: Wire, heard: list[Heard], outbox: Outbox, door: Door) -> None:
    for line, said in heard:
        if not await _room(wire.source, outbox, door):
            return
        await door.take(line, said or None)
    heard.clear()
    while chunk := await _chunk(wire):
        for line in wire.lines.feed(chunk):
            if not await _room(wire.source, outbox, door):
                return
            await door.take(line)


async def _chunk(wire: Wire) -> bytes:
    if wire.pollable:  # a thread for each message would be most of a short call's time
        await anyio.wait_readable(wire.source)
        return wire.read()
    return await to_thread.run_sync(wire.read, abandon_on_cancel=True)


async def _room(source: int, outbox: Outbox, door: Door) -> bool:
    """Waits while the client does not read its responses, or asks too much. False: it has hung up meanwhile."""
    while outbox.full or door.crowded:
        if _hung_up(source):
            return False
        with anyio.move_on_after(LOOK_EVERY_S):
            await outbox.change()
    return True


def _hung_up(source: int) -> bool:
    """True where nobody can write to this pipe any more, though there is more to read. Unknown on Windows: then no."""
    if sys.platform == "win32":
        return False
    poll = select.poll()
    poll.register(source, getattr(select, "POLLRDHUP", 0))
    return bool(poll.poll(0))


@asynccontextmanager
async def stdio_streams(
    wire: Wire, heard: list[Heard], unechoed: Callable[[str], str]
) -> AsyncGenerator[tuple[MemoryObjectReceiveStream[SessionMessage | Exception], Outbox]]:
    """Messages from the wire, and a stream whose messages go out on it.

    What was `heard` before comes first; where a response to it was sent, the server's own is dropped. `unechoed` takes
    out of a message what its client must not be sent, though it may have said it itself.

    Raises:
        OSError: the client has gone, or does not read what it is sent (TimeoutError).
    """
    outbox = Outbox(wire, unechoed)
    incoming, messages = anyio.create_memory_object_stream[SessionMessage | Exception]()
    written = anyio.Event()

    async def write() -> None:
        await outbox.write()
        written.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        tasks.start_soon(_read, wire, heard, incoming, outbox)
        yield messages, outbox
        await outbox.aclose()
        with anyio.move_on_after(DRAIN_S):
            await written.wait()
        tasks.cancel_scope.cancel()
    if not written.is_set():
        raise TimeoutError("it does not read what it is sent")
