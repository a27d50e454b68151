"""Host and Origin of a request: only names that are this server's own, so that no page elsewhere speaks to it."""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from darkroom.http.refusals import Refusal

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check(headers: Mapping[str, str], hosts: Collection[str]) -> None:
    """Raises Refusal: the request is for another host, or comes from a page of another one. A port is any."""
    host = headers.get("host", "")
    if _name(f"//{host}") not in hosts:
        raise Refusal(421, "There is no such host here: name it with --allow-host.")
    origin = headers.get("origin")
    if origin is not None and _name(origin) not in hosts:
        raise Refusal(403, "Pages of that origin may not ask here.")


def _name(url: str) -> str | None:
    """The host in lower case; None: there is none to be read."""
    try:
        parts = urlsplit(url)
        _ = parts.port
        plain = parts.scheme in {"", "http", "https"} and parts.username is None and not parts.path.strip("/")
        return parts.hostname if plain else None
    except ValueError:
        return None
