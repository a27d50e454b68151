"""list_models: what can be asked of which provider."""

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated

from mcp.types import CallToolResult, TextContent, ToolAnnotations

from darkroom.providers.catalogue import Catalogue, say
from darkroom.tools.arguments import Word, one_of
from darkroom.tools.generate import provider_field
from darkroom.tools.tool import AgentTool, agent_tool


def list_models_tool(catalogue: Callable[[str | None], Awaitable[Catalogue]], providers: Collection[str]) -> AgentTool:
    """The tool over this catalogue."""

    async def list_models(
        provider: Annotated[str | None, provider_field(providers, "Only this one."), Word, one_of(providers)] = None,
    ) -> Annotated[CallToolResult, Catalogue]:
        """List providers, models, what each accepts, prices, limits, whether a key is set, and the balance where told.
        Free. Call it before generate when a model, size or option matters."""
        answer = await catalogue(provider)
        text = "\n\n".join(say(answer))
        return CallToolResult(content=[TextContent(text=text)], structured_content=answer.model_dump(mode="json"))

    return agent_tool(
        list_models,
        title="List models",
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True),
    )
