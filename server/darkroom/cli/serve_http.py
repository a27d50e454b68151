"""`serve --http`: MCP over HTTP, from the first request to the last."""

import argparse
import logging
import os
import sys
from dataclasses import replace

import anyio

from darkroom.app.context import open_app, unwrapped
from darkroom.app.server import DarkroomServer
from darkroom.cli.commands.command import DONE
from darkroom.cli.signals import on_signal
from darkroom.http.front import PATH, Front
from darkroom.http.identity import Identity, asking
from darkroom.http.options import Options, checked
from darkroom.http.served import let_in
from darkroom.http.web import listener, serving
from darkroom.settings import Settings
from darkroom.tenants import Tenants

log = logging.getLogger(__name__)

NO_TENANTS = (
    "Everybody who can reach this port makes pictures as the one local owner, without a token: it is for this machine "
    "alone. --tenants FILE says who may ask."
)


async def serve_http(settings: Settings, arguments: argparse.Namespace) -> int:
    """Serves until a signal asks to stop; a second one ends the process where it is.

    Raises:
        InvalidRequest: a server like that must not be.
        NotConfigured: the port or the tenants file cannot be used.
        StorageError: the ledger cannot.
    """
    options = _options(arguments)
    tenants = None if options.tenants is None else Tenants.read(options.tenants)
    if tenants is not None and settings.inputs:
        log.warning("DARKROOM_INPUTS is not used: tenants send no files of this machine.")
        settings = replace(settings, inputs=())
    front = Front(Identity(tenants), options.names)
    asked_to_end = anyio.Event()

    def stop() -> None:
        if asked_to_end.is_set():
            _end()
        asked_to_end.set()

    with unwrapped(), listener(options.host, options.port) as socket:
        host, port = socket.getsockname()[:2]
        async with anyio.create_task_group() as tasks:
            await tasks.start(on_signal, stop)
            async with serving(front, [socket], options.proxies), open_app(settings, remote=True) as app:
                server = DarkroomServer(replace(app, owner=asking))
                async with let_in(front, server, app):
                    print(f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}", flush=True)
                    if tenants is None:
                        print(NO_TENANTS, file=sys.stderr, flush=True)
                    await asked_to_end.wait()
            tasks.cancel_scope.cancel()
    return DONE


def _options(arguments: argparse.Namespace) -> Options:
    return checked(
        Options(
            host=arguments.host or Options.host,
            port=Options.port if arguments.port is None else arguments.port,
            tenants=arguments.tenants,
            hosts=tuple(arguments.allow_host or ()),
            proxies=tuple(arguments.trust_proxy or ()),
        )
    )


def _end() -> None:
    try:
        logging.shutdown()
    finally:
        os._exit(DONE)
