"""The gallery's process from its start to its end: the ledger, the MCP server in it, and a port on loopback."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import anyio
from mcp import Client
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import TextResourceContents

from darkroom.app.context import Part, open_app, unwrapped
from darkroom.app.server import DarkroomServer
from darkroom.extensions.gallery import URI
from darkroom.http.gallery.door import Door
from darkroom.http.web import listener, serving
from darkroom.settings import Settings


async def serve_gallery(settings: Settings, end: anyio.Event, stands: Callable[[str], None]) -> None:
    """Serves until `end`; calls `stands` with the address that works once.

    Raises:
        NotConfigured: there is no port.
        StorageError: the ledger cannot be used.
    """
    with unwrapped(), listener("127.0.0.1", 0) as socket:
        async with AsyncExitStack() as stack:
            server = DarkroomServer(await stack.enter_async_context(open_app(settings, Part.OWN)))
            pages = advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})
            client = await stack.enter_async_context(Client(server, cache=None, extensions=[pages]))

            async def ask(method: str, params: Mapping[str, Any]) -> str:
                if method == "tools/call":
                    answer = await client.call_tool(params["name"], params["arguments"])
                else:
                    answer = await client.read_resource(params["uri"])
                return server.unechoed(answer.model_dump_json(by_alias=True, exclude_none=True))

            (page,) = (await client.read_resource(URI)).contents
            if not isinstance(page, TextResourceContents):
                raise TypeError("the page is text")
            door = Door(page.text, ask)
            async with serving(door, [socket], ()):
                stands(f"http://127.0.0.1:{socket.getsockname()[1]}{door.way_in}")
                await end.wait()
