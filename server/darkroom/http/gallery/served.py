"""The gallery's process from its start to its end: the ledger, the MCP server in it, and a port on loopback."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
from mcp import Client
from mcp.client import ClientRequestContext, advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import ElicitRequestParams, ElicitResult, TextResourceContents

from darkroom.app.context import Part, open_app, unwrapped
from darkroom.app.server import DarkroomServer
from darkroom.extensions.gallery import URI
from darkroom.http.gallery.door import Door
from darkroom.http.web import listener, serving
from darkroom.settings import Settings
from darkroom.tools.confirm import Consent


class _Person:
    """The person at the browser, who is asked there: a new question declines its call, which is made again on a yes."""

    def __init__(self) -> None:
        self._deciding = anyio.Lock()
        self._agreed: str | None = None
        self._open: list[str] = []

    @asynccontextmanager
    async def decides(self, agreed: str | None) -> AsyncGenerator[list[str]]:
        """For one call, with the one question that was agreed to. Yields the list that others come into."""
        async with self._deciding:
            self._agreed, self._open = agreed, []
            yield self._open

    async def asked(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Answers a question of the server; see `Client`."""
        agreed, self._agreed = self._agreed, None  # a yes is for one question, once
        if params.message == agreed:
            return ElicitResult(action="accept", content=Consent(make_it=True).model_dump())
        self._open.append(params.message)
        return ElicitResult(action="decline")


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
            person = _Person()
            client = await stack.enter_async_context(
                Client(server, cache=None, extensions=[pages], elicitation_callback=person.asked)
            )

            async def ask(method: str, params: Mapping[str, Any], agreed: str | None) -> str:
                if method == "resources/read":
                    answer = await client.read_resource(params["uri"])
                elif params["name"] == "generate":
                    async with person.decides(agreed) as questions:
                        answer = await client.call_tool("generate", params["arguments"])
                    if questions:
                        return json.dumps({"question": server.unechoed(questions[0])})
                else:
                    answer = await client.call_tool(params["name"], params["arguments"])
                return server.unechoed(answer.model_dump_json(by_alias=True, exclude_none=True))

            (page,) = (await client.read_resource(URI)).contents
            if not isinstance(page, TextResourceContents):
                raise TypeError("the page is text")
            door = Door(page.text, ask)
            async with serving(door, [socket], ()):
                stands(f"http://127.0.0.1:{socket.getsockname()[1]}{door.way_in}")
                await end.wait()
