"""An ASGI app on a real loopback socket, in a thread with an event loop of its own."""

import asyncio
import os
import socket
import threading
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

PATIENCE = 240.0
TURNS = 20
"""Of the loop, within which a connection that was accepted is listed."""


class OpenProtocol(H11Protocol):
    """uvicorn's own HTTP, except that an app finds its connection under `scope["state"]["transport"]`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Loopback:
    """Serves one app on one port, which it keeps for itself between `stop` and `start`."""

    def __init__(self, app: ASGIApp, *, port: int = 0, keep_alive: float = 5.0) -> None:
        self._app = app
        self._keep_alive = keep_alive
        self._asked_port = port
        self._reserved: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self.port = 0

    @property
    def running(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        if self.running:
            return
        listener = self._reserved or self._bind(self.port or self._asked_port)
        self._reserved = None
        self._stopping = asyncio.Event()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listener, ready), daemon=True)
        self._thread.start()
        if not ready.wait(PATIENCE):
            raise TimeoutError("the service did not start")

    def stop(self) -> None:
        """Refuse connections from now on; every open one is aborted. The port stays ours."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        loop.call_soon_threadsafe(self._stopping.set)
        thread.join(PATIENCE)
        if thread.is_alive():
            raise TimeoutError("the service did not stop")
        self._thread = self._loop = None
        self._reserved = self._bind(self.port)

    def close(self) -> None:
        """Stop, and give the port back."""
        self.stop()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def _bind(self, port: int) -> socket.socket:
        # Bound without listening, a port refuses connections and yet nobody else can take it.
        # The protocol has to be named: asyncio switches Nagle's 40 ms delays off only where it is.
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        self.port = bound.getsockname()[1]
        return bound

    def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        asyncio.run(self._serve(listener, ready))

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        config = self._config()
        state = ServerState()
        server = await self._loop.create_server(lambda: OpenProtocol(config, state, {}), sock=listener)
        ready.set()
        await self._stopping.wait()
        with suppress(NotImplementedError):  # Windows
            self._loop.remove_reader(listener)
        # Who was accepted just now is still to become a connection, which asyncio cannot make of a closed server.
        for _ in range(TURNS):
            await asyncio.sleep(0)
        server.close()
        await _hang_up_on_all(state)

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._app,
            http=OpenProtocol,
            ws="wsproto",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            # A fraction of a second is as good a timeout as a whole one, whatever the annotation says.
            timeout_keep_alive=self._keep_alive,  # pyright: ignore[reportArgumentType]
        )


async def _hang_up_on_all(state: ServerState) -> None:
    """Abort every connection, end every request; a graceful end would wait for those that hang on purpose."""
    deadline = asyncio.get_running_loop().time() + PATIENCE / 2
    turns = 0
    while turns < TURNS or state.connections or state.tasks:
        for connection in list(state.connections):
            if isinstance(connection, OpenProtocol):
                connection.transport.abort()
        await asyncio.sleep(0)
        for task in list(state.tasks):
            task.cancel()
        turns += 1
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError("a request of the service did not end")
