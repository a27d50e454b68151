"""The gallery (MCP Apps): a page beside the results of generate and wait, or with the history; and its own tool."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from anyio import to_thread
from mcp.server.apps import APP_MIME_TYPE, Apps
from mcp.server.mcpserver.resources import TextResource
from mcp.types import CallToolResult, ContentBlock, ImageContent, ToolAnnotations
from pydantic import Field, WithJsonSchema

from darkroom import __version__
from darkroom.declaration import Traits
from darkroom.errors import Deleted, InvalidRequest, NotFound, ResultUnavailable
from darkroom.extensions.desktop import open_folder
from darkroom.extensions.gallery_deleting import ASKED_BY_PAGE, delete_tool
from darkroom.generations.desk import Desk, Whose
from darkroom.generations.outcome import WORTH_ANOTHER_TRY
from darkroom.generations.pictures.preview import MAX_BYTES, MIME_TYPE
from darkroom.generations.telling.wording import IN_SHORT
from darkroom.models import MAX_COUNT, Image, ImageStatus, Sparse, Status
from darkroom.tools.arguments import Number, OneId, Trimmed, Word, one_of
from darkroom.tools.generate import provider_field
from darkroom.tools.get_status import EXAMPLE_ID
from darkroom.tools.results import Results
from darkroom.tools.tool import AgentTool, agent_tool

URI = "ui://darkroom/gallery.html"
STRUCTURED = "darkroom/structured"
"""The place in a result's `_meta` where the page finds the structured half that the model is not to see."""
PARTS = Path(__file__).with_name("gallery_page")
SCRIPTS = (
    "elements", "host", "pictures", "generation", "buttons", "again", "keeping", "foot", "roll", "frame", "actions",
    "rolls", "ledger", "cover", "lightbox", "comparison", "start",
)  # fmt: skip
"""In the order in which they run, in one scope."""
SHOWN = {"generate", "wait", "gallery"}
"""The tools whose results the page shows."""
LARGE = ((1600, 440_000), (800, 440_000))
"""Sides, and bytes: under 600 KB once they are base64, with the result around them."""
SMALL = ((512, MAX_BYTES),)
PAGE_SIZE = 24
LONGEST_SEARCH = 200


class _Done(Sparse):
    """The thing that was done, in words; of the history, a page as list_generations has it."""

    done: str
    # The page knows the shape, and every conversation would pay for it.
    generations: Annotated[list[Any] | None, WithJsonSchema({})] = None
    next_cursor: Annotated[str | None, WithJsonSchema({})] = None
    providers: Annotated[list[str] | None, WithJsonSchema({})] = None


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


def with_gallery(
    tools: Iterable[AgentTool], whose: Whose, results: Results, file_manager: str | None, providers: Collection[str]
) -> Iterator[AgentTool]:
    """The same tools, those that the page belongs to naming it, and the page's own after them."""
    for tool in (*tools, gallery_tool(whose, results, file_manager, providers), delete_tool(whose)):
        if tool.name in SHOWN:
            tool.meta = {"ui": {"resourceUri": URI}}
        yield tool


def gallery_tool(whose: Whose, results: Results, file_manager: str | None, providers: Collection[str]) -> AgentTool:
    """The tool at the caller's desk."""

    async def gallery(
        action: Annotated[
            Literal["history", "view", "thumbnail", "open_folder", "favourite", "no_favourite"],
            Field(description="history; favourite marks a picture; the rest are the page's.", examples=["history"]),
            Word,
        ] = "history",
        search: Annotated[
            str | None, Field(max_length=LONGEST_SEARCH, description="Words of prompts.", examples=["fox"]), Trimmed
        ] = None,
        status: Annotated[Status | None, Field(description="Only these.", examples=["failed"]), Word] = None,
        provider: Annotated[str | None, provider_field(providers, "Only this one."), Word, one_of(providers)] = None,
        favourites: Annotated[bool | None, Field(description="Only with some.", examples=[True])] = None,
        cursor: Annotated[
            str | None, Field(max_length=100, description="next_cursor.", examples=["gen_…"]), Trimmed
        ] = None,
        generation_id: Annotated[
            str | None, Field(max_length=100, description="Its id.", examples=[EXAMPLE_ID]), OneId
        ] = None,
        index: Annotated[int, Field(ge=1, le=MAX_COUNT, description="Picture.", examples=[1]), Number] = 1,
    ) -> Annotated[CallToolResult, _Done]:
        """Show the user the gallery of all past generations, to browse and search. Free; asks no provider."""
        if action == "history":
            wish: dict[str, Any] = {"status": status, "provider": provider, "cursor": cursor, "search": search or ""}
            return await _history(whose(), results, {**wish, "favourites": bool(favourites)})
        image = await _saved(whose, generation_id, index)
        if action in {"favourite", "no_favourite"}:
            return await _marked(whose, generation_id or "", index, favourite=action == "favourite")
        if action == "open_folder":
            return await _opened(image, file_manager)
        return await _seen(whose, image, SMALL if action == "thumbnail" else LARGE)

    return agent_tool(
        gallery,
        title="Show the gallery",
        annotations=ToolAnnotations(  # it opens a window on the user's desktop
            read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


async def _history(desk: Desk, results: Results, wish: Mapping[str, Any]) -> CallToolResult:
    listed = results.listed(await desk.page(limit=PAGE_SIZE, **wish))
    structured: dict[str, Any] = {"done": "Shown in the gallery.", **(listed.structured_content or {})}
    if wish["cursor"] is None:
        structured["providers"] = await desk.providers()
    return CallToolResult(content=listed.content, structured_content=structured)


async def _marked(whose: Whose, generation_id: str, index: int, *, favourite: bool) -> CallToolResult:
    await whose().mark(generation_id, index, favourite=favourite)
    return _done(f"Picture {index} is {'a favourite now' if favourite else 'no favourite any more'}")


async def _opened(image: Image, file_manager: str | None) -> CallToolResult:
    if image.path is None:
        raise ResultUnavailable(
            "There is no folder to open: the pictures are kept by the server.",
            next_step=f"Read the resource {image.uri} to get the picture.",
        )
    folder = Path(image.path).parent
    await to_thread.run_sync(open_folder, folder, file_manager)
    return _done(f"Opened {folder}")


async def _seen(whose: Whose, image: Image, sizes: Iterable[tuple[int, int]]) -> CallToolResult:
    for side, most in sizes:
        seen = await whose().pictures.preview(image, most, side)
        if seen is not None:
            shown = ImageContent(data=seen, mime_type=MIME_TYPE)
            return _done(f"Picture {image.index}, at most {side} px", shown)
    raise ResultUnavailable(
        f"The picture at {image.path or image.uri} cannot be read any more.",
        next_step="Look whether it was moved or changed.",
    )


def _page(traits: Mapping[str, Traits]) -> str:
    """The one self-contained document that a host takes."""
    script = "\n".join((_facts(traits), *((PARTS / f"{name}.js").read_text("utf-8") for name in SCRIPTS)))
    page = (PARTS / "page.html").read_text("utf-8")
    style = "".join((PARTS / f"{name}.css").read_text("utf-8") for name in ("style", "cover"))
    return page.replace("{style}", style).replace("{script}", script)


def _facts(traits: Mapping[str, Traits]) -> str:
    """The constants that the scripts need and that are decided elsewhere."""
    providers = {
        name: {
            "title": it.title,
            "seed": it.seed,
            "free": it.free,
            "note": it.note,
            "from": it.images and it.images.models,
        }
        for name, it in traits.items()
    }
    facts = {
        "VERSION": __version__,
        "PROVIDERS": providers,
        "WORTH_ANOTHER_TRY": sorted(WORTH_ANOTHER_TRY),
        "STRUCTURED": STRUCTURED,
        "ASKED_BY_PAGE": ASKED_BY_PAGE,
        "IN_SHORT": IN_SHORT,
    }
    return "\n".join(f"const {name} = {json.dumps(fact)};" for name, fact in facts.items())


async def _saved(whose: Whose, generation_id: str | None, index: int) -> Image:
    if generation_id is None:
        raise InvalidRequest("generation_id: only history goes without one", next_step="Name the generation.")
    generation = await whose().kept(generation_id)
    for image in generation.images:
        if image.index == index and image.status is ImageStatus.SUCCEEDED:
            return image
        if image.index == index and image.error is not None and image.error.code == Deleted.code:
            raise Deleted(image.error.message, next_step=image.error.next_step, charged=image.error.charged)
    raise NotFound(
        f"{generation.id} has no saved picture {index}.", next_step="Call get_status to see which pictures it has."
    )


def _done(what: str, *content: ContentBlock) -> CallToolResult:
    answer = _Done(done=f"{what}.")
    return CallToolResult(content=list(content), structured_content=answer.model_dump(mode="json"))
