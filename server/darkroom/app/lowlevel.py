"""Ways into `MCPServer` of mcp 2.3 that are not public; this file is to go when they are.

Its inner server, which alone can be given streams and further methods, and a start without a log handler of its own.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.mcpserver import MCPServer


def inner_of(server: MCPServer[Any]) -> Server[Any]:
    """The server inside it."""
    return server._lowlevel_server  # pyright: ignore[reportPrivateUsage]


@contextmanager
def without_rich_logging() -> Generator[None]:
    """Lets a server be made that sets up no log handler, where logging is set up already.

    It would import rich for one that `logging.basicConfig` then drops, which is a twentieth of the whole start.
    """
    name = "rich.console"
    blocked = name not in sys.modules
    if blocked:
        sys.modules[name] = None  # type: ignore[assignment] - this is how an import is made to fail
    try:
        yield
    finally:
        if blocked:
            del sys.modules[name]
