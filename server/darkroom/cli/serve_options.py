"""The words of `serve`."""

import argparse
from pathlib import Path

from darkroom.errors import InvalidRequest


def take_options(command: argparse.ArgumentParser) -> None:
    """Adds the options of `serve`."""
    command.add_argument("--http", action="store_true", help="serve over HTTP, at /mcp, instead of stdin and stdout")
    http = command.add_argument_group("with --http")
    http.add_argument("--host", metavar="ADDRESS", help="listen there (127.0.0.1)")
    http.add_argument("--port", type=_port, metavar="PORT", help="listen there (8765); 0 is any that is free")
    http.add_argument("--tenants", type=Path, metavar="FILE", help="a file of tenants and the hashes of their tokens")
    http.add_argument(
        "--allow-host", action="append", metavar="NAME", help="a host name of this server; may be repeated"
    )
    http.add_argument(
        "--trust-proxy",
        action="append",
        metavar="ADDRESS",
        help="a proxy whose X-Forwarded-For is believed; may be repeated",
    )
    http.add_argument("--oauth-issuer", metavar="URL", help="accept access tokens of this issuer")
    http.add_argument(
        "--oauth-audience", metavar="URL", help="the URL of /mcp as clients know it, for which they must be issued"
    )
    http.add_argument("--oauth-claim", metavar="NAME", help="the claim in them that names a tenant's subject (sub)")


def refuse_without_http(arguments: argparse.Namespace) -> None:
    """Raises InvalidRequest: it is about HTTP, and there is none."""
    given = [name for name in _HTTP_ONLY if getattr(arguments, name) is not None]
    if given:
        option = given[0].replace("_", "-")
        raise InvalidRequest(f"--{option} is for a server over HTTP.", next_step="Add --http.")


_HTTP_ONLY = (
    "host", "port", "tenants", "allow_host", "trust_proxy", "oauth_issuer", "oauth_audience", "oauth_claim",
)  # fmt: skip


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError("a number, at most 65535")
    return int(text)
