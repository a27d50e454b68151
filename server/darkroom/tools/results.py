"""Turns generations into what tools return: two halves, text with links and images, and structure; each is enough."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import PurePath
from typing import Any, NamedTuple

from mcp.types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent
from pydantic_core import to_json

from darkroom.environment import Previews
from darkroom.generations.desk import Whose
from darkroom.generations.pictures.preview import MAX_BYTES, MIME_TYPE, MOST_ON_SHEET
from darkroom.generations.showing import LINK_MINUTES, linked
from darkroom.generations.telling.wording import next_step, say
from darkroom.models import Image, ImageStatus
from darkroom.views import Generation, ListedGenerations, WaitedGenerations

# Hosts refuse results above a megabyte; ours stay under 600 KB, of which pictures in base64 may take this much.
MAX_RESULT = 600_000
IMAGES_SHARE = 450_000
LEAST_IMAGE = 10_000
MOST_PREVIEWS = 8
WRAPPING = 10_000  # what the protocol puts around a result and its images
LISTED_PROMPT = 300
LISTED_URL = 300
REMEMBERED = 10_000
SAME = 16
"""Structured halves that are kept: what is finished is asked for again and again."""
HOW_TO_SHOW = "To show a person a picture, give its path; where your host shows Markdown images, as ![picture](path)."
HOW_TO_LINK = (
    f"To show a person a picture, give its link, which opens for {LINK_MINUTES} minutes; get_status makes a new one."
)
HOW_TO_READ = "The pictures are kept by the server: read a picture's darkroom:// resource to get its bytes."
SEEN_BEFORE = "What was shown before is not shown again; wait shows it."
Answer = Generation | WaitedGenerations | ListedGenerations


class _Saved(NamedTuple):
    """A saved picture, its number in the text and on the sheet, and its link."""

    generation_id: str
    image: Image
    number: int
    link: ResourceLink

    @property
    def key(self) -> tuple[str, int]:
        """Its name among all pictures."""
        return self.generation_id, self.image.index


class Results:
    """Makes results with as many previews as are wanted, and remembers which pictures it has shown."""

    def __init__(self, whose: Whose, previews: Previews = "sheet") -> None:
        self._whose = whose
        self._previews = previews
        self._shown: dict[tuple[str, int], None] = {}
        kept = lru_cache(SAME)(_structured)
        self._structured: Callable[[Answer], dict[str, Any]] = kept  # pyright: ignore[reportAttributeAccessIssue] - frozen

    async def one(self, generation: Generation, note: str | None = None, *, again: bool = True) -> CallToolResult:
        """One generation. `again` False: pictures that were shown before are linked, and not shown."""
        links = await self._whose().pictures.links([generation])
        generation = linked(generation, links)
        return await self._result([generation], generation, links, before=note, again=again)

    async def waited(
        self, generations: Sequence[Generation], *, timed_out: bool, timeout_s: float, stopped: bool = False
    ) -> CallToolResult:
        """Everything that was waited for, finished or not. `stopped`: the server ended the wait, since it is to end."""
        links = await self._whose().pictures.links(generations)
        shown = tuple(linked(short(generation), links) for generation in generations)
        why = "Not all done, and this server is being stopped" if stopped else f"Not all done after {timeout_s:g} s"
        over = f"{why}; nothing is lost." if timed_out else None
        answer = WaitedGenerations(generations=shown, timed_out=timed_out, next_step=next_step(shown))
        return await self._result(shown, answer, links, after=over)

    def listed(self, page: ListedGenerations) -> CallToolResult:
        """A page of generations; pictures stay where they are."""
        answer = page.model_copy(update={"generations": tuple(short(generation) for generation in page.generations)})
        lines = [say(generation) for generation in answer.generations] or ["No generations match."]
        if page.next_cursor is not None:
            lines.append(f"There are more: call list_generations with cursor {page.next_cursor}.")
        lines.append(_next(answer.generations) or "")
        return CallToolResult(content=[_text(*lines)], structured_content=self._structured(answer))

    async def _result(
        self,
        generations: Sequence[Generation],
        answer: Answer,
        links: Mapping[str, str],
        *,
        before: str | None = None,
        after: str | None = None,
        again: bool = True,
    ) -> CallToolResult:
        lines = [before]
        saved: list[_Saved] = []
        numbers = 0
        for generation in generations:
            lines.append(say(generation, numbers))
            for image in generation.images:
                if image.status is ImageStatus.SUCCEEDED:
                    saved.append(_Saved(generation.id, image, numbers + image.index, _link(image)))
            numbers += max(generation.count, len(generation.images))  # so that a number stays until all have come
        fresh = [one for one in saved if again or one.key not in self._shown] if self._previews != "none" else []
        if saved:
            lines += _how_to_show(saved, links)
        lines.append(SEEN_BEFORE if 0 < len(fresh) < len(saved) or (saved and not fresh and not again) else None)
        after = "\n".join(filter(None, (after, _next(generations))))
        structured = self._structured(answer)
        room = _room(structured, lines, after, [one.link for one in saved]) if fresh else 0
        sheet = await self._sheet(fresh, room)
        content: list[ContentBlock] = []
        if sheet is not None:
            room -= len(sheet.data)
            self._remember(fresh[:MOST_ON_SHEET])
            lines.append(_say_sheet(len(fresh), len(generations)))
            content.append(sheet)
            structured = {**structured, "contact_sheet": True}
        single = fresh if sheet is None or self._previews == "all" else []
        left = len(single)
        for one in saved:
            content.append(one.link)
            if one in single:
                share = room // min(left, MOST_PREVIEWS)  # what is left is shared by those to come
                left -= 1
                if (seen := await _image(partial(self._whose().pictures.preview, one.image), share)) is not None:
                    room -= len(seen.data)
                    self._remember([one])
                    content.append(seen)
        return CallToolResult(content=[_text(*lines, after), *content], structured_content=structured)

    async def _sheet(self, pictures: Sequence[_Saved], room: int) -> ImageContent | None:
        if len(pictures) < 2:
            return None
        drawn_from = [(one.number, one.image) for one in pictures[:MOST_ON_SHEET]]
        draw = partial(self._whose().pictures.contact_sheet, drawn_from)
        return await _image(draw, room if self._previews == "sheet" else room // 3)

    def _remember(self, shown: Sequence[_Saved]) -> None:
        self._shown |= dict.fromkeys(one.key for one in shown)
        while len(self._shown) > REMEMBERED:
            del self._shown[next(iter(self._shown))]


def short(generation: Generation) -> Generation:
    """The generation with a long prompt cut and without long addresses, for results that hold many."""
    images = tuple(
        image.model_copy(update={"url": None}) if len(image.url or "") > LISTED_URL else image
        for image in generation.images
    )
    prompt = generation.prompt
    if len(prompt) > LISTED_PROMPT:
        prompt = prompt[: LISTED_PROMPT - 1] + "…"
    return generation.model_copy(update={"prompt": prompt, "images": images})


def _structured(answer: Answer) -> dict[str, Any]:
    return answer.model_dump(mode="json")


def _room(*parts: object) -> int:
    """The bytes of base64 that there is room for beside these parts of a result."""
    return min(IMAGES_SHARE, MAX_RESULT - WRAPPING - len(to_json(parts)))


def _next(generations: Sequence[Generation]) -> str | None:
    step = generations[0].next_step if len(generations) == 1 else next_step(generations)
    return None if step is None else f"Next: {step[0].lower()}{step[1:]}"


async def _image(draw: Callable[[int], Awaitable[str | None]], share: int) -> ImageContent | None:
    """The picture that it draws within this many bytes of base64, if that is enough for anything."""
    data = None if share < LEAST_IMAGE else await draw(min(MAX_BYTES, share * 3 // 4 - 3))
    return None if data is None else ImageContent(data=data, mime_type=MIME_TYPE)


def _how_to_show(saved: Sequence[_Saved], links: Mapping[str, str]) -> list[str]:
    if any(one.image.path for one in saved):
        return [HOW_TO_SHOW]
    named = [f"{one.number}. {links[one.link.uri]}" for one in saved if one.link.uri in links]
    return [HOW_TO_READ, *([HOW_TO_LINK] if named else []), *named]


def _say_sheet(saved: int, generations: int) -> str:
    which = "the pictures" if saved <= MOST_ON_SHEET else f"the first {MOST_ON_SHEET} pictures"
    text = f"The first image here is a contact sheet: {which} side by side, by these numbers."
    return text if generations == 1 else f"{text} They run on through all generations; images[].index does not."


def _text(*lines: str | None) -> TextContent:
    return TextContent(text="\n".join(filter(None, lines)))


def _link(image: Image) -> ResourceLink:
    return ResourceLink(
        uri=image.uri or "",
        name=PurePath(image.path or image.uri or "").name,
        mime_type=image.mime_type,
        size=image.bytes,
    )
