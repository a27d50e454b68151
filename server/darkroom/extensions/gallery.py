"""The gallery (MCP Apps): a page that hosts show beside the results of generate and wait, and the tool it asks."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from anyio import to_thread
from mcp.server.apps import APP_MIME_TYPE, Apps
from mcp.server.mcpserver.resources import TextResource
from mcp.types import CallToolResult, ContentBlock, ImageContent, ToolAnnotations
from pydantic import Field

from darkroom import __version__
from darkroom.declaration import Traits
from darkroom.errors import NotFound, ResultUnavailable
from darkroom.extensions.desktop import open_folder
from darkroom.generations.desk import Whose
from darkroom.generations.outcome import WORTH_ANOTHER_TRY
from darkroom.generations.pictures.preview import MIME_TYPE
from darkroom.generations.telling.wording import IN_SHORT
from darkroom.models import MAX_COUNT, Frozen, Image, ImageStatus
from darkroom.tools.arguments import Number
from darkroom.tools.get_status import GenerationId
from darkroom.tools.tool import AgentTool, agent_tool

URI = "ui://darkroom/gallery.html"
STRUCTURED = "darkroom/structured"
"""The place in a result's `_meta` where the page finds the structured half that the model is not to see."""
PARTS = Path(__file__).with_name("gallery_page")
SCRIPTS = (
    "elements", "host", "pictures", "generation", "buttons", "again", "foot", "roll", "frame", "actions", "rolls",
    "lightbox", "start",
)  # fmt: skip
"""In the order in which they run, in one scope."""
SHOWN = {"generate", "wait"}
"""The tools whose results the page shows."""
LARGE_SIDES = (1600, 800)
LARGE_BYTES = 440_000
"""Under 600 KB once it is base64, with the result around it."""


class _Done(Frozen):
    """The thing that was done, in words."""

    done: str


def gallery_page(traits: Mapping[str, Traits]) -> Apps:
    """The page, for providers that can do this.

    It draws from bytes and never touches the network, so it asks for no origin.
    """
    apps = Apps()
    apps.add_resource(
        TextResource(
            uri=URI,
            name="gallery",
            title="Darkroom gallery",
            description="Shows generations as they develop, and their pictures.",
            mime_type=APP_MIME_TYPE,
            meta={"ui": {"permissions": {"clipboardWrite": {}}, "prefersBorder": False}},
            text=_page(traits),
        )
    )
    return apps


def with_gallery(tools: Iterable[AgentTool], whose: Whose, file_manager: str | None) -> Iterator[AgentTool]:
    """The same tools, those that the page belongs to naming it, and the page's own after them."""
    for tool in tools:
        if tool.name in SHOWN:
            tool.meta = {"ui": {"resourceUri": URI}}
        yield tool
    own = gallery_tool(whose, file_manager)
    own.meta = {"ui": {"visibility": ["app"]}}
    yield own


def gallery_tool(whose: Whose, file_manager: str | None) -> AgentTool:
    """The tool at the caller's desk."""

    async def gallery(
        generation_id: GenerationId,
        index: Annotated[int, Field(ge=1, le=MAX_COUNT, description="Picture.", examples=[1]), Number],
        action: Annotated[Literal["view", "open_folder"], Field(description="What to do.", examples=["view"])],
    ) -> Annotated[CallToolResult, _Done]:
        """For the gallery page: show a picture large, or open its folder."""
        image = await _saved(whose, generation_id, index)
        if action == "open_folder":
            if image.path is None:
                raise ResultUnavailable(
                    "There is no folder to open: the pictures are kept by the server.",
                    next_step=f"Read the resource {image.uri} to get the picture.",
                )
            folder = Path(image.path).parent
            await to_thread.run_sync(open_folder, folder, file_manager)
            return _done(f"Opened {folder}")
        for side in LARGE_SIDES:
            seen = await whose().pictures.preview(image, LARGE_BYTES, side)
            if seen is not None:
                shown = ImageContent(data=seen, mime_type=MIME_TYPE)
                return _done(f"Picture {index}, at most {side} px", shown)
        raise ResultUnavailable(
            f"The picture at {image.path or image.uri} cannot be read any more.",
            next_step="Look whether it was moved or changed.",
        )

    return agent_tool(
        gallery,
        title="Show in the gallery",
        annotations=ToolAnnotations(  # it opens a window on the user's desktop
            read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


def _page(traits: Mapping[str, Traits]) -> str:
    """The one self-contained document that a host takes."""
    script = "\n".join((_facts(traits), *((PARTS / f"{name}.js").read_text("utf-8") for name in SCRIPTS)))
    page = (PARTS / "page.html").read_text("utf-8")
    return page.replace("{style}", (PARTS / "style.css").read_text("utf-8")).replace("{script}", script)


def _facts(traits: Mapping[str, Traits]) -> str:
    """The constants that the scripts need and that are decided elsewhere."""
    providers = {
        name: {"title": it.title, "seed": it.seed, "free": it.free, "from": it.images and it.images.models}
        for name, it in traits.items()
    }
    facts = {
        "VERSION": __version__,
        "PROVIDERS": providers,
        "WORTH_ANOTHER_TRY": sorted(WORTH_ANOTHER_TRY),
        "STRUCTURED": STRUCTURED,
        "IN_SHORT": IN_SHORT,
    }
    return "\n".join(f"const {name} = {json.dumps(fact)};" for name, fact in facts.items())


async def _saved(whose: Whose, generation_id: str, index: int) -> Image:
    generation = await whose().kept(generation_id)
    for image in generation.images:
        if image.index == index and image.status is ImageStatus.SUCCEEDED:
            return image
    raise NotFound(
        f"{generation.id} has no saved picture {index}.", next_step="Call get_status to see which pictures it has."
    )


def _done(what: str, *content: ContentBlock) -> CallToolResult:
    answer = _Done(done=f"{what}.")
    return CallToolResult(content=list(content), structured_content=answer.model_dump(mode="json"))
