# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic-ai-slim[mcp,openai]==2.68.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Darkroom with pydantic-ai. The model: MODEL, as `openai-responses:gpt-5`, and its vendor's own variables."""

import asyncio
import os

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset

# The server gets little more than PATH, HOME and what stands in `env`, for example {"FATTHUMB_API_KEY": "…"}.
SERVER = StdioTransport(command="darkroom-mcp", args=["serve"], env={})


async def show(progress: float, total: float | None, message: str | None) -> None:
    """One line for each report while pictures are made."""
    print("progress:", message)


async def main() -> None:
    """Lets the model make a picture."""
    agent = Agent(
        os.environ.get("MODEL", "openai-responses:gpt-5"),
        instructions="Make pictures with the tools. At the end say where they are saved.",
        toolsets=[MCPToolset(SERVER, progress_handler=show)],
    )
    async with agent:
        result = await agent.run("Draw a lighthouse keeper reading by lamplight, with sketch.")
    print(result.output)


asyncio.run(main())
