"""`serve --http`: MCP over HTTP, from the first request to the last."""

import argparse
import logging

from darkroom.cli.commands.command import DONE
from darkroom.cli.ending import asked_to_end
from darkroom.cli.heaps import share_heaps
from darkroom.http.options import Options, checked
from darkroom.http.served import serve
from darkroom.settings import Settings

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
    share_heaps()

    def stands(url: str) -> None:
        print(url, flush=True)
        if options.tenants is None:
            log.warning(NO_TENANTS)

    async with asked_to_end() as end:
        await serve(settings, options, end, stands)
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
