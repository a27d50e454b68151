"""`serve --http`: MCP over HTTP, from the first request to the last."""

import argparse
import logging
import os
import threading

import anyio

from darkroom.app.context import unwrapped
from darkroom.cli.commands.command import DONE
from darkroom.cli.heaps import share_arenas
from darkroom.cli.signals import on_signal
from darkroom.http.options import Options, checked
from darkroom.http.served import serve
from darkroom.settings import Settings

log = logging.getLogger(__name__)

END_WITHIN_S = 6.0
"""Seconds after the request to end this process for which the last thread may still hold it up."""
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
    share_arenas()
    end = anyio.Event()
    # A thread that hangs in a disk or a resolver cannot be interrupted, only left behind.
    last_resort = threading.Timer(END_WITHIN_S, _end)
    last_resort.daemon = True

    def stop() -> None:
        if end.is_set():
            _end()
        end.set()
        last_resort.start()

    def stands(url: str) -> None:
        print(url, flush=True)
        if options.tenants is None:
            log.warning(NO_TENANTS)

    with unwrapped():
        async with anyio.create_task_group() as tasks:
            await tasks.start(on_signal, stop)
            await serve(settings, options, end, stands)
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
            issuer=arguments.oauth_issuer,
            audience=arguments.oauth_audience,
            claim=arguments.oauth_claim or Options.claim,
        )
    )


def _end() -> None:
    try:
        logging.shutdown()
    finally:
        os._exit(DONE)
