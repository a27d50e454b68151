"""The state that belongs to the connection that a request came over, and ends with it.

A session of mcp 2.3 keeps its connection, with state and clean-up, in a private attribute; handlers have no public way
to them. This file is to go when they have.
"""

from typing import Any

import anyio
from mcp.server.context import ServerRequestContext

_SCOPES = "darkroom.subscriptions"


def scopes_of(request: ServerRequestContext[Any, Any]) -> dict[str, anyio.CancelScope]:
    """The connection's subscriptions by URI; their scopes are cancelled when it ends."""
    connection = request.session._connection  # pyright: ignore[reportPrivateUsage]
    if _SCOPES not in connection.state:
        scopes = connection.state[_SCOPES] = dict[str, anyio.CancelScope]()
        connection.exit_stack.callback(_cancel_all, scopes)
    return connection.state[_SCOPES]


def _cancel_all(scopes: dict[str, anyio.CancelScope]) -> None:
    for scope in scopes.values():
        scope.cancel()
