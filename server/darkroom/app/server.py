"""The MCP server: tools, prompts, resources and extensions over one context."""

import logging
from collections.abc import Iterable
from typing import Any

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.server.request_state import RequestStateSecurity
from mcp.server.subscriptions import ListenHandler
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    GetPromptResult,
    InputRequiredResult,
    Resource,
    ResourceTemplate,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    Tool,
    UnsubscribeRequestParams,
)
from pydantic import AnyUrl, ValidationError

from darkroom import __version__
from darkroom.app.context import Opened, Unopened
from darkroom.app.eras import serve_eras
from darkroom.app.lowlevel import inner_of, without_rich_logging
from darkroom.errors import DarkroomError, InvalidRequest, NotFound, invalid_arguments
from darkroom.extensions.fitting import Fitting
from darkroom.extensions.gallery import gallery_page, with_gallery
from darkroom.extensions.generation_tasks import GenerationTasks
from darkroom.extensions.tasks import Tasks
from darkroom.generations.desk import Desk
from darkroom.prompts import every_prompt
from darkroom.providers.catalogue import Catalogue
from darkroom.redact.secrets import Redactor
from darkroom.resources.bus import OwnersBus
from darkroom.resources.completions import Completer
from darkroom.resources.listing import every_template, newest
from darkroom.resources.shelf import Shelf
from darkroom.resources.updates import Updates
from darkroom.resources.uris import parse
from darkroom.stdio.streams import stdio_streams
from darkroom.stdio.wire import Heard, Wire
from darkroom.tools import every_tool
from darkroom.tools.confirm import Confirmation
from darkroom.tools.results import Results
from darkroom.tools.tool import unforeseen

_INSTRUCTIONS = (
    "Makes pictures with generation services. generate returns an id at once; call wait with it until the "
    "pictures are saved. Nothing is lost if you stop waiting: the work goes on, and get_status or wait picks it "
    "up later, also after a restart. Do not call generate again for the same picture because it is slow: each "
    "call is paid for. Where contact_sheet is true, the first image shows the pictures side by side, numbered from 1 "
    "through all generations of the result. The user may not see what you see: to show a picture, "
)
INSTRUCTIONS = _INSTRUCTIONS + "give its path, or ![picture](path) where your host shows Markdown images."
INSTRUCTIONS_REMOTE = _INSTRUCTIONS + "read its darkroom:// resource, which has its bytes; there is no path."
log = logging.getLogger(__name__)

MAX_LISTENING = 4_096
"""Streams of `subscriptions/listen` at once; a door for many people bounds those of each."""


async def _explained(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware that reports a fault of our own as one, without its words: they may quote anything."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except Exception:
        log.exception("%s failed in a way that was not foreseen", ctx.method)
        said = f"{unforeseen(ctx.method)} What was begun goes on: list_generations has it."
        raise MCPError(INTERNAL_ERROR, said) from None


class DarkroomServer(MCPServer[Any]):
    """An `MCPServer` that also has the ledger's generations as resources."""

    def __init__(self, app: Opened | Unopened) -> None:
        parts, accounts = app.settings.results, app.settings.accounts

        def desk() -> Desk:
            return app.opened().desk()

        async def catalogue(provider: str | None) -> Catalogue:
            return await app.opened().catalogue(provider)

        results = Results(desk, app.settings.previews if parts is None or "images" in parts else "none")
        confirmation = Confirmation(desk, app.settings.confirm_over)
        tools = {tool.name: tool for tool in every_tool(desk, catalogue, confirmation, results, app.providers)}
        tasks = Tasks(GenerationTasks(app.opened, tools, results), caller=lambda _: app.owner())
        bus = OwnersBus(desk)
        updates = Updates(lambda: app.opened().observer, desk, bus)
        traits = {name: account.declaration.traits for name, account in accounts.items()}
        shown = list(with_gallery(tools.values(), desk, results, app.settings.file_manager, app.providers))
        self._listening = ListenHandler(bus, max_subscriptions=MAX_LISTENING)
        self._undescribed = shown.copy()
        with without_rich_logging():
            super().__init__(
                name="darkroom",
                title="Darkroom",
                version=__version__,
                instructions=INSTRUCTIONS_REMOTE if app.remote else INSTRUCTIONS,
                tools=[*shown],
                extensions=[gallery_page(traits), tasks],
                subscriptions=bus,
                # What one replica has asked a user, another one may be told.
                request_state_security=RequestStateSecurity(keys=[app.secret]) if app.secret else None,
                middleware=[_explained, Fitting(parts), updates.while_listened, tasks.listen],
            )
        for prompt in every_prompt():
            self.add_prompt(prompt)
        self.unechoed = Redactor(app.settings.secrets).unechoed
        self._desk = desk
        self._shelf = Shelf(desk, lambda: app.opened().models)
        self.completion()(Completer(desk, lambda: app.opened().models, app.providers))
        serve = inner_of(self).add_request_handler
        serve("subscriptions/listen", SubscriptionsListenRequestParams, self._listening)
        if not app.remote:  # where no connection outlives its request, nobody can be notified in this way
            serve("resources/subscribe", SubscribeRequestParams, updates.subscribe)
            serve("resources/unsubscribe", UnsubscribeRequestParams, updates.unsubscribe)

    def stop_listening(self) -> None:
        """Ends every `subscriptions/listen` in the protocol's own way."""
        self._listening.close()

    async def list_tools(self) -> list[Tool]:
        """The tools, with the schemas that agents are shown."""
        while self._undescribed:
            self._undescribed.pop().describe()
        return await super().list_tools()

    async def list_resources(self) -> list[Resource]:
        """The registered resources, and the newest generations with their pictures."""
        return [*await super().list_resources(), *await newest(self._desk)]

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        """Those that were registered, and ours."""
        return [*await super().list_resource_templates(), *every_template()]

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """The thing that the URI names, as it is now.

        Raises:
            ResourceNotFoundError: there is no such thing.
            ResourceError: it cannot be read; the message says why.
        """
        named = parse(str(uri))
        if named is None:
            return await super().read_resource(uri, context)
        try:
            return [await self._shelf.read(named)]
        except (NotFound, InvalidRequest) as error:
            raise ResourceNotFoundError(str(error)) from None
        except DarkroomError as error:
            raise ResourceError(str(error)) from None

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """The brief, with what the person said in it.

        Raises:
            MCPError: there is no such prompt, or not with these arguments; the SDK would call either an internal error.
        """
        prompts = {prompt.name: prompt for prompt in await self.list_prompts()}
        if name not in prompts:
            raise MCPError(code=INVALID_PARAMS, message=f"There is no such prompt; there are {', '.join(prompts)}")
        needed = [argument.name for argument in prompts[name].arguments or () if argument.required]
        if missing := [argument for argument in needed if argument not in (arguments or {})]:
            raise MCPError(code=INVALID_PARAMS, message=f"The prompt {name} needs {', '.join(missing)}")
        try:
            return await super().get_prompt(name, arguments, context)
        except ValueError as error:
            unfit = error.__cause__ and error.__cause__.__cause__
            if not isinstance(unfit, ValidationError):
                raise
            raise MCPError(code=INVALID_PARAMS, message=str(invalid_arguments(unfit))) from error


async def serve_stdio(server: DarkroomServer, wire: Wire, heard: list[Heard]) -> None:
    """Serves MCP on the wire until its input ends. Raises OSError: the client has gone before.

    `heard`: what came before the server stood.
    """
    inner = inner_of(server)
    async with stdio_streams(wire, heard, server.unechoed) as (incoming, outgoing):
        options = inner.create_initialization_options()
        await serve_eras(lambda read, write: inner.run(read, write, options), incoming, outgoing)
