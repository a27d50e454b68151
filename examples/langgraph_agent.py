# /// script
# requires-python = ">=3.11"
# dependencies = ["langchain==1.5.2", "langchain-mcp-adapters==0.3.2", "langchain-openai==1.7.4", "langgraph==1.2.24"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Darkroom with LangGraph. The model: OPENAI_API_KEY, perhaps OPENAI_BASE_URL and MODEL."""

import asyncio
import os

from langchain.agents import create_agent
from langchain_mcp_adapters.callbacks import CallbackContext, Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langchain_openai import ChatOpenAI

# The adapter makes an image URL of each link to a picture, which OpenAI refuses: so results come without links.
# The server gets little more than PATH, HOME and what stands in `env`, for example {"FATTHUMB_API_KEY": "…"} as well.
ENV = {"DARKROOM_RESULTS": "text,structured,images"}
SERVER = {"transport": "stdio", "command": "darkroom-mcp", "args": ["serve"], "env": ENV}


async def show(progress: float, total: float | None, message: str | None, context: CallbackContext) -> None:
    """One line for each report while pictures are made."""
    print("progress:", message)


async def main() -> None:
    """Lets the model make a picture."""
    callbacks = Callbacks(on_progress=show)
    client = MultiServerMCPClient({"darkroom": SERVER}, callbacks=callbacks)
    # One session for the whole run: `client.get_tools()` would start a server for each call.
    async with client.session("darkroom") as session:
        tools = await load_mcp_tools(session, callbacks=callbacks, server_name="darkroom")
        # Pictures in tool results pass in the Responses API, not in Chat Completions.
        model = ChatOpenAI(model=os.environ.get("MODEL", "gpt-5"), use_responses_api=True)
        agent = create_agent(model, tools, system_prompt="Make pictures with the tools, then say where they are saved.")
        wish = "Draw a lighthouse keeper reading by lamplight, with sketch."
        result = await agent.ainvoke({"messages": [("user", wish)]})
    print(result["messages"][-1].text)


asyncio.run(main())
