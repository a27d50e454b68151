"""A server over HTTP on a loopback port, as a process: `python -m tests.conformance.serve darkroom` (or `tasks`).

Its first line on stdout is its URL; it ends when its stdin does.
"""

import logging
import os
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import uvicorn
from mcp.server.mcpserver import MCPServer

from darkroom.app.context import open_app
from darkroom.app.server import DarkroomServer
from darkroom.cli.log import configure_logging
from darkroom.providers.declared import read_settings
from tests.conformance.fixture import open_fixture


@asynccontextmanager
async def open_darkroom() -> AsyncGenerator[MCPServer]:
    """Darkroom as the environment sets it up."""
    async with open_app(read_settings(os.environ)) as app:
        yield DarkroomServer(app)


SERVERS = {"darkroom": open_darkroom, "tasks": open_fixture}


async def serve(name: str) -> None:
    """Serves one of them until stdin ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with SERVERS[name]() as server, anyio.create_task_group() as group:
            app = server.streamable_http_app()
            web = uvicorn.Server(uvicorn.Config(app, ws="none", log_level="warning", timeout_graceful_shutdown=1))
            group.start_soon(end_with_stdin, web)
            print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
            await web.serve(sockets=[listener])
            group.cancel_scope.cancel()


async def end_with_stdin(web: uvicorn.Server) -> None:
    """Tells the server to end once there is nothing more to read."""
    await anyio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
    web.should_exit = True


if __name__ == "__main__":
    configure_logging(logging.WARNING, ())
    anyio.run(serve, sys.argv[1])
