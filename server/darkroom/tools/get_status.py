"""get_status: looks at one generation now, without waiting for it."""

from typing import Annotated

from mcp.types import CallToolResult, ToolAnnotations
from pydantic import Field

from darkroom.generations.desk import Whose
from darkroom.tools.arguments import OneId
from darkroom.tools.results import Results
from darkroom.tools.tool import AgentTool, agent_tool
from darkroom.views import Generation

EXAMPLE_ID = "gen_4tq7fz2l"
GenerationId = Annotated[
    str, Field(min_length=1, max_length=100, description="From generate.", examples=[EXAMPLE_ID]), OneId
]


def get_status_tool(whose: Whose, results: Results) -> AgentTool:
    """The tool at the caller's desk."""

    async def get_status(generation_id: GenerationId) -> Annotated[CallToolResult, Generation]:
        """Look at one generation now; to wait, use wait. Free. Returns its status, progress and the pictures saved so
        far, and fetches again what could not be fetched."""
        return await results.one(await whose().get(generation_id), again=False)

    return agent_tool(
        get_status,
        title="Look at a generation",
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True),
    )
