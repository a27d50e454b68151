"""The tools that the `tasks-*` scenarios call, as the suite describes them, on a server with the Tasks extension.

None of them knows that it runs as a task: they report progress and ask questions as any tool does.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import anyio
from mcp import MCPError
from mcp.server.mcpserver import Context, MCPServer, require_client_extension
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import INTERNAL_ERROR, ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from pydantic import BaseModel, Field

from darkroom.extensions.tasks import IDENTIFIER, Tasks
from tests.conformance.jobs import open_jobs


class Confirmation(BaseModel):
    """What `confirm_delete` asks."""

    confirm: bool


class Name(BaseModel):
    """What `multi_input` asks, twice."""

    name: str


async def greet(name: str) -> str:
    """Says hello, at once."""
    return f"Hello, {name}!"


async def slow_compute(seconds: Annotated[int, Field(ge=0, le=60)], ctx: Context, label: str = "") -> str:
    """Takes its time."""
    for second in range(seconds):
        await ctx.report_progress(second, seconds, f"{second} of {seconds} s")
        await anyio.sleep(1)
    return f"Computed {label or 'nothing'} for {seconds} s."


async def failing_job(ctx: Context) -> str:
    """Fails as a tool does, and only as a task."""
    require_client_extension(ctx.request_context, IDENTIFIER)
    raise ToolError("This job always fails.")


async def protocol_error_job() -> str:
    """Fails as a request does."""
    raise MCPError(code=INTERNAL_ERROR, message="This job breaks the request itself.")


async def confirm_delete(filename: str, ctx: Context) -> str:
    """Asks before it acts."""
    answer = await ctx.elicit(f"Delete {filename}?", Confirmation)
    return f"Deleted {filename}." if answer.action == "accept" and answer.data.confirm else f"Kept {filename}."


async def multi_input(ctx: Context) -> str:
    """Asks two questions at once."""
    names: list[str] = []

    async def ask(which: str) -> None:
        answer = await ctx.elicit(f"Your {which} name?", Name)
        names.append(answer.data.name if answer.action == "accept" else "nobody")

    async with anyio.create_task_group() as group:
        group.start_soon(ask, "first")
        group.start_soon(ask, "last")
    return f"Thank you, {' and '.join(names)}."


async def test_tool_with_task(ctx: Context) -> str | InputRequiredResult:
    """Asks in the call itself; with the answer it becomes a task."""
    answer = (ctx.input_responses or {}).get("user_name")
    if not isinstance(answer, ElicitResult) or answer.content is None:
        schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        question = ElicitRequestFormParams(message="Who are you?", requested_schema=schema)
        return InputRequiredResult(input_requests={"user_name": ElicitRequest(params=question)})
    return f"Worked for {answer.content['name']}."


TOOLS = (greet, slow_compute, failing_job, protocol_error_job, confirm_delete, multi_input, test_tool_with_task)


@asynccontextmanager
async def open_fixture() -> AsyncGenerator[MCPServer]:
    """The server, with its jobs."""
    async with open_jobs(plain={"greet"}, asks_first={"test_tool_with_task"}) as jobs:
        tasks = Tasks(jobs, caller=lambda _: "everybody")
        server = MCPServer("tasks", extensions=[tasks], middleware=[tasks.listen])
        for tool in TOOLS:
            server.add_tool(tool)
        yield server
