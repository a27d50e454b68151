"""The tool by which the gallery's page deletes: a call that does not come from the page deletes nothing."""

import secrets
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from darkroom.errors import InvalidRequest
from darkroom.extensions.clients import shows_pages
from darkroom.generations.desk import Whose
from darkroom.models import Sparse
from darkroom.tools.arguments import Trimmed
from darkroom.tools.get_status import EXAMPLE_ID
from darkroom.tools.tool import AgentTool, agent_tool
from darkroom.views import Generation

ASKED_BY_PAGE = "darkroom/asked-by-page"
"""The place in a result's `_meta` where the page finds a token: hosts show that to pages, and not to models."""
GOOD_S = 60.0
MOST = 32
"""Tokens that are good at the same time; the oldest go."""


class _Deleted(Sparse):
    """The thing that was done, in words, and the generation, where only a picture of it was deleted."""

    done: str
    generation: SkipJsonSchema[Generation | None] = None


class _Tokens:
    """Tokens, each for one thing to be deleted, good once and for a minute, in this process."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, float]] = {}

    def make(self, thing: object) -> str:
        while len(self._made) >= MOST:
            del self._made[next(iter(self._made))]
        token = secrets.token_urlsafe(16)
        self._made[token] = thing, anyio.current_time() + GOOD_S
        return token

    def take(self, token: str, thing: object) -> bool:
        made, until = self._made.pop(token, (None, 0.0))
        return made == thing and anyio.current_time() < until


def delete_tool(whose: Whose) -> AgentTool:
    """The tool at the caller's desk."""
    tokens = _Tokens()

    async def gallery_delete(
        context: Context[Any, Any],
        picture: Annotated[
            str, Field(max_length=99, description="Or a generation.", examples=[f"{EXAMPLE_ID}/1"]), Trimmed
        ],
        token: Annotated[str | None, Field(max_length=99, description="The page's.", examples=["x"]), Trimmed] = None,
    ) -> Annotated[CallToolResult, _Deleted]:
        """For the gallery's page, whose user pressed Delete twice: called by you, it deletes nothing."""
        generation_id, index = _named(picture)
        desk = whose()
        await desk.deletable(generation_id, index)
        thing = desk.owner, generation_id, index
        if token and tokens.take(token, thing):
            deleted = await desk.delete(generation_id, index)
            done = f"Moved to the trash.{_say_changed(len(deleted.changed))}"
            return _result(_Deleted(done=done, generation=deleted.generation))
        capabilities = context.client_capabilities
        if token or not shows_pages(capabilities.extensions if capabilities else None):
            raise _for_people(generation_id)
        said = f"Nothing is deleted: its user does that, in the gallery or with darkroom-mcp delete {generation_id}."
        result = _result(_Deleted(done=said))
        result.meta = {ASKED_BY_PAGE: tokens.make(thing)}
        return result

    tool = agent_tool(
        gallery_delete,
        title="Delete",
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
        ),
    )
    tool.meta = {"ui": {"visibility": ["app"]}}
    return tool


def _named(picture: str) -> tuple[str, int | None]:
    """The generation, and the picture of it if it is one alone. Raises InvalidRequest."""
    generation_id, slash, index = picture.partition("/")
    if slash and not (index.isascii() and index.isdigit()):
        raise InvalidRequest(
            "picture: a generation's id is followed by / and a number.", next_step="Correct it; nothing was deleted."
        )
    return generation_id, int(index) if slash else None


def _say_changed(number: int) -> str:
    """The words for pictures that are other files by now."""
    if number == 1:
        return " 1 changed since it was saved, and stays."
    return f" {number} changed since they were saved, and stay." if number else ""


def _result(done: _Deleted) -> CallToolResult:
    return CallToolResult(content=[], structured_content=done.model_dump(mode="json"))


def _for_people(generation_id: str) -> InvalidRequest:
    return InvalidRequest(
        "Only the user deletes pictures, so nothing was deleted.",
        next_step=f"Tell them: press Delete in the gallery, or run darkroom-mcp delete {generation_id} in a terminal.",
    )
