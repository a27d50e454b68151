"""The fixture of tasks over HTTP on a loopback port, as a process: `python -m tests.conformance.serve`.

Its first line on stdout is its URL; it ends when its stdin does.
"""

import logging
import socket
import sys

import anyio
import uvicorn

from darkroom.cli.log import configure_logging
from tests.conformance.fixture import open_fixture


async def serve() -> None:
    """Serves it until stdin ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with open_fixture() as server, anyio.create_task_group() as group:
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
    anyio.run(serve)
