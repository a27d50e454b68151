"""HTTP on a socket: uvicorn, with a time for every part of a request to come, and without its ways with signals."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import anyio
import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from darkroom.app.context import unwrapped
from darkroom.errors import NotConfigured

HEADERS_WITHIN_S = 10.0
"""Seconds that a connection has for all headers of a request, from its first byte on; a new one, from its beginning."""
MAX_CONNECTIONS = 8_000
DRAIN_S = 2
"""Seconds that connections have to take what was written, once the server is to end."""


class _TimedConnection(H11Protocol):
    """A connection that is closed where it does not get to the end of its headers in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif self._deadline is None:
            self._expect_headers()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        begun, _ = self.conn.trailing_data
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif begun and self._deadline is None:
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_WITHIN_S, self.transport.close)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    """A server in a process that has its own ways with signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leaves signals alone."""
        yield


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0: any free one.

    Raises:
        NotConfigured: it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024, dualstack_ipv6=host == "::")
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise NotConfigured(
            f"This server cannot listen on {host}, port {port}: {reason}.",
            next_step="Choose another with --port, or 0 for any that is free.",
        ) from error


@asynccontextmanager
async def serving(app: ASGIApp, sockets: Sequence[socket.socket], trusted: Sequence[str]) -> AsyncGenerator[None]:
    """Serves the app there while the block lasts. `trusted`: proxies that are believed who their clients are."""
    _allow_many_files()
    # Of its warnings anybody who reaches the port could make any number.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    config = uvicorn.Config(
        app, http=_TimedConnection, ws="none", loop="none", lifespan="off", interface="asgi3", log_config=None,
        access_log=False, server_header=False, proxy_headers=bool(trusted), forwarded_allow_ips=[*trusted],
        reset_contextvars=True, limit_concurrency=MAX_CONNECTIONS, timeout_keep_alive=20,
        timeout_graceful_shutdown=DRAIN_S,
    )  # fmt: skip
    web = _Server(config)
    with unwrapped():
        async with anyio.create_task_group() as group:
            group.start_soon(web.serve, [*sockets])
            try:
                yield
            finally:
                web.should_exit = True


def _allow_many_files() -> None:
    """Lets this process have as many connections as its user may."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows has none, and needs none

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
