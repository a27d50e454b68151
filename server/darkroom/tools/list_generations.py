"""list_generations: what was asked for before, newest first."""

from collections.abc import Collection
from typing import Annotated

from mcp.types import CallToolResult, ToolAnnotations
from pydantic import Field

from darkroom.generations.desk import Whose
from darkroom.models import Status
from darkroom.tools.arguments import Number, Trimmed, Word, one_of
from darkroom.tools.generate import provider_field
from darkroom.tools.results import Results
from darkroom.tools.tool import AgentTool, agent_tool
from darkroom.views import ListedGenerations


def list_generations_tool(whose: Whose, results: Results, providers: Collection[str]) -> AgentTool:
    """The tool at the caller's desk."""

    async def list_generations(
        status: Annotated[Status | None, Field(description="Only these.", examples=["processing"]), Word] = None,
        provider: Annotated[str | None, provider_field(providers, "Only this one."), Word, one_of(providers)] = None,
        limit: Annotated[int, Field(ge=1, le=100, description="1 to 100, default 20.", examples=[20]), Number] = 20,
        cursor: Annotated[
            str | None, Field(max_length=100, description="The previous next_cursor.", examples=["gen_…"]), Trimmed
        ] = None,
    ) -> Annotated[CallToolResult, ListedGenerations]:
        """List past and running generations, newest first, with ids, status and paths: to find a lost id, or what is
        under way. Free; asks no provider."""
        page = await whose().page(status=status, provider=provider, limit=limit, cursor=cursor)
        return results.listed(page)

    return agent_tool(
        list_generations,
        title="List generations",
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )
