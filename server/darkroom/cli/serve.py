"""`serve`: MCP on stdin and stdout, from the first line to the last."""

import gc
import logging
import os
import sys
import threading
from contextlib import AsyncExitStack

import anyio

from darkroom.app.context import Opened, Unopened, open_app
from darkroom.app.server import DarkroomServer, serve_stdio
from darkroom.cli.commands.command import DONE, FAILED
from darkroom.cli.heaps import share_heaps
from darkroom.cli.signals import on_signal
from darkroom.errors import DarkroomError
from darkroom.settings import Settings
from darkroom.stdio.wire import Wire

log = logging.getLogger(__name__)

END_WITHIN_S = 1.8
"""Seconds after the request to end this process for which the last thread may still hold it up."""


def serve(settings: Settings | DarkroomError, wire: Wire) -> int:
    """Serves until stdin ends or a signal asks to stop. Over an error, every tool returns that error.

    JSON-RPC comes in and goes out on the wire; nothing else in this process knows its descriptors.
    An error that nobody foresaw ends the process: its client sees that, and the next process carries on.
    """
    anyio.run(_serve_or_fail, settings, wire)
    return DONE


async def _serve_or_fail(settings: Settings | DarkroomError, wire: Wire) -> None:
    try:
        await _serve(settings, wire)
    except BaseException:
        log.critical("This was not foreseen.", exc_info=True)
        _end(FAILED)  # the event loop would wait for names being resolved, Python for the thread that reads stdin


async def _serve(settings: Settings | DarkroomError, wire: Wire) -> None:
    over = anyio.Event()
    cut_off = anyio.Event()
    # A thread that hangs in a disk, a resolver or a read of stdin cannot be interrupted, only left behind. Nothing
    # calls this off: after us the event loop and Python wait for threads too.
    last_resort = threading.Timer(END_WITHIN_S, _end, [DONE])
    last_resort.daemon = True

    async def transport() -> None:
        try:
            await serve_stdio(server, wire, heard)
        except* OSError as group:
            log.info("The client has gone: %s", group.exceptions[0])
            cut_off.set()
        over.set()

    def stop() -> None:
        cut_off.set()
        over.set()
        if last_resort.ident is None:
            last_resort.start()

    async with anyio.create_task_group() as tasks:
        heard = wire.relieve()  # while there is still nothing that a process should close before it ends
        await tasks.start(on_signal, stop)
        async with AsyncExitStack() as stack:
            server = DarkroomServer(await _opened(settings, stack))
            log.info("Serving on stdin and stdout")
            tasks.start_soon(transport)
            share_heaps()
            gc.freeze()  # which spares every later collection, and the end, from looking through it
            gc.enable()
            try:
                await over.wait()
            finally:
                if last_resort.ident is None:
                    last_resort.start()
        if cut_off.is_set():
            _end(DONE)  # the transport's thread is still in a read or a write; all else is closed
        tasks.cancel_scope.cancel()


async def _opened(settings: Settings | DarkroomError, stack: AsyncExitStack) -> Opened | Unopened:
    if isinstance(settings, DarkroomError):
        return await _unopened(settings, None)
    try:
        return await stack.enter_async_context(open_app(settings))
    except DarkroomError as error:
        log.error("%s %s", error.message, error.next_step)
        return await _unopened(error, settings)


async def _unopened(error: DarkroomError, settings: Settings | None) -> Unopened:
    from darkroom.doctor.refusal import explained  # noqa: PLC0415 - a server that opens needs none of it

    return Unopened(await explained(error, settings))


def _end(status: int) -> None:
    try:
        logging.shutdown()
        sys.stderr.flush()
    finally:  # also where stderr takes nothing more
        os._exit(status)
