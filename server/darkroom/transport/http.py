"""The process's HTTP clients."""

import os
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import anyio
import httpx2

from darkroom.environment import proxies_of
from darkroom.transport import failures

READ_TIMEOUT = httpx2.Timeout(connect=10, read=20, write=20, pool=10)
KEPT = httpx2.Limits(max_connections=100, max_keepalive_connections=20)
SOCKETS = httpx2.Limits(max_connections=8, max_keepalive_connections=0)
FRESH = httpx2.Limits(max_connections=100, max_keepalive_connections=0)


class Http:
    """Clients over the system's proxy and CA settings, made when first needed.

    `kept` reuses its connections; the others open a new one per request, so that a POST never meets a connection
    that the other side has already closed, and a pinned address never serves another name.
    """

    def __init__(self) -> None:
        self._clients: dict[str, httpx2.AsyncClient] = {}

    @property
    def kept(self) -> httpx2.AsyncClient:
        """The client for reads."""
        return self._client("kept", partial(_new_client, limits=KEPT))

    @property
    def fresh(self) -> httpx2.AsyncClient:
        """The client for POSTs, and for pictures at the provider's own origin."""
        return self._client("fresh", partial(_new_client, limits=FRESH))

    @property
    def sockets(self) -> httpx2.AsyncClient:
        """The client for WebSockets, each of which keeps its connection for as long as it is listened to."""
        return self._client("sockets", partial(_new_client, limits=SOCKETS))

    def foreign(self, proxy: str | None) -> httpx2.AsyncClient:
        """The client for links that others wrote: through this proxy, or straight where it is None.

        Unlike the other two it never decides that by itself: an address that was checked has to be the one
        which is connected to.
        """
        return self._client(
            f"foreign {proxy}",
            lambda: _new_client(transport=httpx2.AsyncHTTPTransport(verify=_tls(), limits=FRESH, proxy=proxy)),
        )

    def _client(self, name: str, make: Callable[[], httpx2.AsyncClient]) -> httpx2.AsyncClient:
        if name not in self._clients:
            try:
                self._clients[name] = make()
            except Exception as error:
                raise failures.NotSetUp(_unusable(error)) from error
        return self._clients[name]

    async def aclose(self) -> None:
        """Closes every connection."""
        for client in self._clients.values():
            await client.aclose()


def _unusable(error: Exception) -> str:
    """The variable of the environment that keeps a client from being made."""
    for name, url in proxies_of(os.environ).items():
        try:
            httpx2.Proxy(url if "://" in url else f"http://{url}")
        except Exception:
            return f"{name} is no proxy that can be used: write http://, https:// or socks5://, a host and a port"
    authorities = os.environ.get("SSL_CERT_FILE")
    if authorities and isinstance(error, OSError):  # ssl.SSLError is one
        return "SSL_CERT_FILE is no file of certificates that can be read"
    return f"the proxy and certificate settings of this machine cannot be used: {type(error).__name__}"


def _tls() -> ssl.SSLContext:
    return _tls_of(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _tls_of(file: str | None, folder: str | None) -> ssl.SSLContext:
    """One for all clients, since it reads every certificate, which takes 40 ms; the variables are read in there."""
    return httpx2.create_ssl_context()


def _new_client(**how: Any) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        timeout=READ_TIMEOUT,
        follow_redirects=False,
        headers={"User-Agent": "darkroom-mcp", "Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        verify=_tls(),
        **how,
    )


@asynccontextmanager
async def open_http() -> AsyncGenerator[Http]:
    """The clients for as long as the block lasts."""
    http = Http()
    try:
        yield http
    finally:
        with anyio.CancelScope(shield=True):
            await http.aclose()
