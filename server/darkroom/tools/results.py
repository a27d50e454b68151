"""Turns generations into what an agent is answered with: text that stands alone, links, previews, structure."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from mcp.types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent

from darkroom.generations.decoding import decoding
from darkroom.generations.preview import MAX_BYTES, MIME_TYPE, MOST_ON_SHEET, contact_sheet, preview
from darkroom.generations.wording import next_step, say
from darkroom.models import Generation, Image, ImageStatus, ListedGenerations, Sparse, WaitedGenerations

# Hosts refuse results above a megabyte; ours stay under 600 KB, of which pictures in base64 may take this much.
MAX_RESULT = 600_000
IMAGES_SHARE = 450_000
SHEET_SHARE = IMAGES_SHARE // 3
LEAST_IMAGE = 10_000
MOST_PREVIEWS = 8
WRAPPING = 10_000  # what the protocol puts around a result and its images
LISTED_PROMPT = 300
LISTED_URL = 300


async def one(generation: Generation, note: str | None = None) -> CallToolResult:
    """One generation: its text, and a link and a preview per saved picture."""
    return await _result([generation], generation, before=note)


async def waited(generations: Sequence[Generation], *, timed_out: bool, timeout_s: float) -> CallToolResult:
    """Everything that was waited for, finished or not."""
    shown = [short(generation) for generation in generations]
    over = f"Not all done after {timeout_s:g} s; nothing is lost." if timed_out else None
    return await _result(shown, WaitedGenerations(generations=tuple(shown), timed_out=timed_out), after=over)


def listed(page: ListedGenerations) -> CallToolResult:
    """A page of generations, as text and structure; pictures stay on the disk."""
    answer = page.model_copy(update={"generations": tuple(short(generation) for generation in page.generations)})
    lines = [say(generation) for generation in answer.generations] or ["No generations match."]
    if page.next_cursor is not None:
        lines.append(f"There are more: call list_generations with cursor {page.next_cursor}.")
    return CallToolResult(
        content=[TextContent(text="\n".join(lines))], structured_content=answer.model_dump(mode="json")
    )


def short(generation: Generation) -> Generation:
    """The generation with a long prompt cut and without long addresses, for answers that hold many."""
    images = tuple(
        image.model_copy(update={"url": None}) if len(image.url or "") > LISTED_URL else image
        for image in generation.images
    )
    prompt = generation.prompt
    if len(prompt) > LISTED_PROMPT:
        prompt = prompt[: LISTED_PROMPT - 1] + "…"
    return generation.model_copy(update={"prompt": prompt, "images": images})


async def _result(
    generations: Sequence[Generation], answer: Sparse, *, before: str | None = None, after: str | None = None
) -> CallToolResult:
    lines = [before]
    saved: list[tuple[int, Image]] = []
    numbers = 0
    for generation in generations:
        lines.append(say(generation, numbers))
        saved += [(numbers + i.index, i) for i in generation.images if i.status is ImageStatus.SUCCEEDED]
        numbers += max(generation.count, len(generation.images))  # so that a number stays until all have come
    after = "\n".join(filter(None, (after, next_step(generations)))) or None
    links = [_link(image) for _, image in saved]
    bare = CallToolResult(content=[_text(*lines, after), *links], structured_content=answer.model_dump(mode="json"))
    room = min(IMAGES_SHARE, MAX_RESULT - WRAPPING - len(bare.model_dump_json(by_alias=True).encode()))
    content: list[ContentBlock] = []
    if len(saved) > 1:
        on_sheet = [(number, Path(image.path or "")) for number, image in saved[:MOST_ON_SHEET]]
        sheet = await _image(partial(contact_sheet, on_sheet), min(SHEET_SHARE, room))
        if sheet is not None:
            room -= len(sheet.data)
            lines.append(_say_sheet(len(saved), len(generations)))
            content.append(sheet)
    for place, ((_, image), link) in enumerate(zip(saved, links, strict=True)):
        share = room // min(len(saved) - place, MOST_PREVIEWS)  # what is left is shared by those to come
        seen = await _image(partial(preview, Path(image.path or "")), share)
        room -= len(seen.data) if seen else 0
        content += [link, seen] if seen else [link]
    return bare.model_copy(update={"content": [_text(*lines, after), *content]})


async def _image(draw: Callable[[int], str | None], share: int) -> ImageContent | None:
    """What it draws within this many bytes of base64, if that is enough for anything."""
    if share < LEAST_IMAGE:
        return None
    return await drawn(partial(draw, min(MAX_BYTES, share * 3 // 4 - 3)))


async def drawn(draw: Callable[[], str | None]) -> ImageContent | None:
    """What this draws from pictures on the disk, as content; not on the event loop, and few at a time."""
    data = await decoding(draw)
    return None if data is None else ImageContent(data=data, mime_type=MIME_TYPE)


def _say_sheet(saved: int, generations: int) -> str:
    which = "the pictures" if saved <= MOST_ON_SHEET else f"the first {MOST_ON_SHEET} pictures"
    text = f"The first image here is a contact sheet: {which} side by side, by these numbers."
    return text if generations == 1 else f"{text} They run on through all generations; images[].index does not."


def _text(*lines: str | None) -> TextContent:
    return TextContent(text="\n".join(filter(None, lines)))


def _link(image: Image) -> ResourceLink:
    return ResourceLink(
        uri=image.uri or "",
        name=Path(image.path or "").name,
        mime_type=image.mime_type,
        size=image.bytes,
    )
