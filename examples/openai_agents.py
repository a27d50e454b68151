# /// script
# requires-python = ">=3.11"
# dependencies = ["openai-agents==0.24.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Darkroom with the OpenAI Agents SDK. The model: OPENAI_API_KEY, perhaps OPENAI_BASE_URL and MODEL."""

import asyncio
import os

from agents import Agent, Runner, set_tracing_disabled
from agents.mcp import MCPServerStdio
from mcp.types import ProgressNotification

# The server gets little more than PATH, HOME and what stands in `env`, for example {"FATTHUMB_API_KEY": "…"}.
SERVER = {"command": "darkroom-mcp", "args": ["serve"], "env": {}}


async def show(message) -> None:
    """One line for each report while pictures are made."""
    notification = getattr(message, "root", message)
    if isinstance(notification, ProgressNotification):
        print("progress:", notification.params.message)


async def main() -> None:
    """Lets the model make a picture."""
    set_tracing_disabled(True)
    async with MCPServerStdio(
        params=SERVER,
        # The SDK gives a tool call 5 s; a wait takes up to 40 s unless it is told otherwise.
        client_session_timeout_seconds=90,
        # It asks servers for no progress by itself: the token asks, the handler hears.
        tool_meta_resolver=lambda call: {"progressToken": call.tool_name},
        message_handler=show,
    ) as darkroom:
        agent = Agent(
            name="Illustrator",
            instructions="Make pictures with the tools. At the end say where they are saved.",
            model=os.environ.get("MODEL", "gpt-5"),
            mcp_servers=[darkroom],
        )
        result = await Runner.run(agent, "Draw a lighthouse keeper reading by lamplight, with sketch.")
    print(result.final_output)


asyncio.run(main())
