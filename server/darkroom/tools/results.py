"""Turns generations into what an agent is answered with: text that stands alone, links, previews, structure."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from anyio import to_thread
from mcp.types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent

from darkroom.generations.preview import MAX_BYTES, MIME_TYPE, preview
from darkroom.generations.wording import next_step, say
from darkroom.models import Generation, Image, ImageStatus, ListedGenerations, Sparse, WaitedGenerations

# Hosts refuse results above a megabyte; ours stay under 600 KB, of which base64 previews may take this much.
MAX_RESULT = 600_000
PREVIEWS_SHARE = 400_000
LEAST_PREVIEW = 10_000
MOST_PREVIEWS = 8
LISTED_PROMPT = 300


async def one(generation: Generation, note: str | None = None) -> CallToolResult:
    """One generation: its text, and a link and a preview per saved picture."""
    text = "\n".join(filter(None, (note, say(generation), next_step([generation]))))
    return await _result(text, [generation], generation)


async def waited(generations: Sequence[Generation], *, timed_out: bool, timeout_s: float) -> CallToolResult:
    """Everything that was waited for, finished or not."""
    shown = [short(generation) for generation in generations]
    over = f"Not all done after {timeout_s:g} s; nothing is lost." if timed_out else None
    lines = [*(say(generation) for generation in shown), over, next_step(shown)]
    answer = WaitedGenerations(generations=tuple(shown), timed_out=timed_out)
    return await _result("\n".join(filter(None, lines)), shown, answer)


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
    """The generation with a long prompt cut, for answers that hold many."""
    if len(generation.prompt) <= LISTED_PROMPT:
        return generation
    return generation.model_copy(update={"prompt": generation.prompt[: LISTED_PROMPT - 1] + "…"})


async def _result(text: str, generations: Sequence[Generation], answer: Sparse) -> CallToolResult:
    saved = [image for g in generations for image in g.images if image.status is ImageStatus.SUCCEEDED]
    structure = answer.model_dump(mode="json")
    room = min(PREVIEWS_SHARE, MAX_RESULT - 20_000 - 2 * len(text) - len(json.dumps(structure)))
    content: list[ContentBlock] = [TextContent(text=text)]
    for number, image in enumerate(saved):
        content.append(_link(image))
        share = room // min(len(saved) - number, MOST_PREVIEWS)  # what is left is shared by those to come
        if share < LEAST_PREVIEW:
            continue
        seen = await to_thread.run_sync(partial(preview, Path(image.path or ""), min(MAX_BYTES, share * 3 // 4 - 3)))
        if seen is not None:
            room -= len(seen)
            content.append(ImageContent(data=seen, mime_type=MIME_TYPE))
    return CallToolResult(content=content, structured_content=structure)


def _link(image: Image) -> ResourceLink:
    return ResourceLink(
        uri=image.uri or "",
        name=Path(image.path or "").name,
        mime_type=image.mime_type,
        size=image.bytes,
    )
