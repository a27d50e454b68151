"""The SDK's inner server, which alone can be given streams and further methods.

`MCPServer` of mcp 2.3 keeps it in a private attribute and has no public way to either. This file is to go when it has.
"""

from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.mcpserver import MCPServer


def inner_of(server: MCPServer[Any]) -> Server[Any]:
    """The server inside it."""
    return server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
