# /// script
# requires-python = ">=3.11"
# dependencies = ["mcp==2.3.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Darkroom from a program of your own, with the MCP Python SDK and no model: generate, wait, show."""

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import ImageContent

# The server gets little more than PATH, HOME and what stands in `env`, for example {"FATTHUMB_API_KEY": "…"}.
SERVER = StdioServerParameters(command="darkroom-mcp", args=["serve"], env={})


async def show(progress: float, total: float | None, message: str | None) -> None:
    """One line for each report while pictures are made."""
    print("progress:", message)


async def main() -> None:
    """Makes two pictures."""
    async with Client(SERVER) as client:
        wish = {"prompt": "A lighthouse keeper reading by lamplight", "provider": "sketch", "count": 2}
        generation = (await client.call_tool("generate", wish)).structured_content
        # The id came at once; a wait that runs out of time is no error, and the next one goes on from there.
        while True:
            result = await client.call_tool("wait", {"generation_ids": [generation["id"]]}, progress_callback=show)
            if result.is_error:
                raise SystemExit(result.content[0].text)
            if not result.structured_content["timed_out"]:
                break
    (generation,) = result.structured_content["generations"]
    for image in generation["images"]:
        print("picture:", image.get("path") or image["error"]["message"])
    # What a model would see: one contact sheet of all pictures.
    print("images:", sum(isinstance(block, ImageContent) for block in result.content))


anyio.run(main)
