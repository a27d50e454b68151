"""The MCP server whose resources are what the ledger holds now, besides those that were registered with it."""

from collections.abc import Iterable, Sequence
from typing import Any

from mcp import MCPError
from mcp.server.context import ServerMiddleware
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp.types import (
    INVALID_PARAMS,
    GetPromptResult,
    InputRequiredResult,
    Resource,
    ResourceTemplate,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)
from pydantic import AnyUrl

from darkroom.errors import DarkroomError, InvalidRequest, NotFound
from darkroom.generations.observer import Observer
from darkroom.generations.service import Service
from darkroom.providers.catalogue import Models
from darkroom.resources.completions import Completer
from darkroom.resources.listing import every_template, newest
from darkroom.resources.shelf import Shelf
from darkroom.resources.updates import Updates
from darkroom.resources.uris import parse


class DarkroomServer(MCPServer[Any]):
    """An MCPServer (`options` are its own); resources that were registered with it are listed and read as well."""

    def __init__(
        self,
        service: Service,
        observer: Observer,
        models: Models,
        *,
        middleware: Sequence[ServerMiddleware[Any]] = (),
        **options: Any,
    ) -> None:
        bus = InMemorySubscriptionBus()
        updates = Updates(observer, bus)
        super().__init__(subscriptions=bus, middleware=[updates.while_listened, *middleware], **options)
        self._service = service
        self._shelf = Shelf(service, models)
        self.completion()(Completer(service, observer, models))
        serve = self._lowlevel_server.add_request_handler
        serve("resources/subscribe", SubscribeRequestParams, updates.subscribe)
        serve("resources/unsubscribe", UnsubscribeRequestParams, updates.unsubscribe)

    async def list_resources(self) -> list[Resource]:
        """What was registered, and the newest generations with their pictures."""
        return [*await super().list_resources(), *await newest(self._service)]

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        """Those that were registered, and ours."""
        return [*await super().list_resource_templates(), *every_template()]

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """What the URI names, as it is now.

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
            MCPError: there is no such prompt, or it needs more; the SDK would call either an internal error.
        """
        prompts = {prompt.name: prompt for prompt in await self.list_prompts()}
        if name not in prompts:
            raise MCPError(code=INVALID_PARAMS, message=f"There is no such prompt; there are {', '.join(prompts)}")
        needed = [argument.name for argument in prompts[name].arguments or () if argument.required]
        if missing := [argument for argument in needed if argument not in (arguments or {})]:
            raise MCPError(code=INVALID_PARAMS, message=f"The prompt {name} needs {', '.join(missing)}")
        return await super().get_prompt(name, arguments, context)
