"""cancel: takes back what no provider has received yet, or has its provider asked to stop it."""

from typing import Annotated

from mcp.types import CallToolResult, ToolAnnotations

from darkroom.generations.desk import Whose
from darkroom.tools.get_status import GenerationId
from darkroom.tools.results import Results
from darkroom.tools.tool import AgentTool, agent_tool
from darkroom.views import Generation


def cancel_tool(whose: Whose, results: Results) -> AgentTool:
    """The tool at the caller's desk."""

    async def cancel(generation_id: GenerationId) -> Annotated[CallToolResult, Generation]:
        """Cancel a generation that still waits here, at no cost. A provider that has it is asked to stop it, if it can
        be, and may charge it; else it goes on and is collected. The result says which."""
        generation, note = await whose().cancel(generation_id)
        return await results.one(generation, note, again=False)

    return agent_tool(
        cancel,
        title="Cancel a generation",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True
        ),
    )
