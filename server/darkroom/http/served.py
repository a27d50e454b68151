"""The MCP server behind the front: let in, and ended so that nobody who waits is left without a response."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from darkroom.app.context import LOCAL_OWNER, Opened
from darkroom.app.lowlevel import inner_of
from darkroom.app.server import DarkroomServer
from darkroom.http.bounds import MAX_BODY
from darkroom.http.front import Front
from darkroom.http.outgoing import Outgoing

END_WITHIN_S = 2.0
"""Seconds that requests under way have for their ends, once the server is to end."""


@asynccontextmanager
async def let_in(front: Front, server: DarkroomServer, app: Opened) -> AsyncGenerator[None]:
    """Serves requests while the block lasts; then every wait returns the state so far."""
    # Host and Origin are the front's, for every path.
    manager = StreamableHTTPSessionManager(inner_of(server), stateless=True, max_request_body_size=MAX_BODY)
    outgoing = Outgoing(server.unechoed, (app.settings.home, app.settings.pictures))

    async def ready() -> None:
        await app.service.ledger.ids(LOCAL_OWNER, "gen_none", 1)

    async with front.open(manager, outgoing, ready):
        try:
            yield
        finally:
            front.close()
            app.service.changes.close()
            server.stop_listening()
            with anyio.move_on_after(END_WITHIN_S, shield=True):
                await front.quiet()
