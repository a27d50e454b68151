"""The MCP server whose resources are what the ledger holds now, besides those that were registered with it."""

from collections.abc import Iterable
from typing import Any

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import InputRequiredResult, ResourceTemplate
from pydantic import AnyUrl

from darkroom.errors import DarkroomError, InvalidRequest, NotFound
from darkroom.resources.listing import every_template
from darkroom.resources.shelf import Shelf
from darkroom.resources.uris import parse


class DarkroomServer(MCPServer[Any]):
    """See above; what it does not know itself, the SDK's own registry is asked for."""

    def __init__(self, shelf: Shelf, **options: Any) -> None:
        super().__init__(**options)
        self._shelf = shelf

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        """Those of the registry, and ours."""
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
