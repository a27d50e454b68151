"""wait: stays with generations until they are done, and reports progress while it does."""

from contextlib import aclosing
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import Field

from darkroom.generations.desk import Whose
from darkroom.generations.telling.describing import Snapshot
from darkroom.generations.telling.wording import say_progress
from darkroom.tools.arguments import Ids, Number, Word
from darkroom.tools.get_status import EXAMPLE_ID
from darkroom.tools.results import Results
from darkroom.tools.tool import AgentTool, agent_tool
from darkroom.views import WaitedGenerations


def wait_tool(whose: Whose, results: Results) -> AgentTool:
    """The tool at the caller's desk."""

    async def wait(
        context: Context[Any, Any],
        generation_ids: Annotated[
            list[Annotated[str, Field(min_length=1, max_length=100)]],
            Field(min_length=1, max_length=50, description="1 to 50 ids from generate.", examples=[[EXAMPLE_ID]]),
            Ids,
        ],
        timeout_s: Annotated[
            float,
            Field(ge=0, le=600, description="0 to 600, default 40; many hosts give up after 60.", examples=[40]),
            Number,
        ] = 40,
        until: Annotated[
            Literal["all", "any"],
            Field(description="Return when all (default) or any are done.", examples=["any"]),
            Word,
        ] = "all",
    ) -> Annotated[CallToolResult, WaitedGenerations]:
        """Wait until generations are done and their pictures saved, streaming progress. Free. Returns file paths and
        previews. Running out of time is no error: it returns the state so far; call wait again."""
        meter = Meter()
        last: Snapshot | None = None
        beats = "progress_token" in (context.request_context.meta or {})  # else nobody would hear them
        watching = whose().watch(generation_ids, timeout_s=timeout_s, until=until, beats=beats)
        async with aclosing(watching):
            async for snapshot in watching:
                last = snapshot
                progress = meter.next(snapshot.share)
                await context.report_progress(progress, snapshot.total, say_progress(snapshot.generations))
        if last is None:
            raise RuntimeError("a watch yields at least once")
        return await results.waited(
            last.generations, timed_out=last.timed_out, timeout_s=timeout_s, stopped=last.stopped
        )

    return agent_tool(
        wait,
        title="Wait for generations",
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True),
    )


class Meter:
    """Progress that strictly increases, as the protocol demands, even where the pictures stand still."""

    _LEAST = 1e-6

    def __init__(self) -> None:
        self._last = -1.0

    def next(self, share: float) -> float:
        """The share, or a little more than the last one where it did not grow."""
        self._last = max(share, self._last + self._LEAST) if self._last >= 0 else share
        return self._last
