"""`list`: one line a generation, newest first; asks no provider and moves nothing on."""

import argparse
import re
import sys
from datetime import UTC, datetime

from darkroom.app.context import Opened, Part, open_app
from darkroom.cli.commands.command import DONE, Command, take_provider
from darkroom.cli.commands.results import print_result
from darkroom.cli.commands.tables import listed
from darkroom.cli.pictures.showing import Thumbnails
from darkroom.cli.terminal import console
from darkroom.models import ImageStatus, Status
from darkroom.redact.text import clean
from darkroom.settings import Settings
from darkroom.views import Generation, ListedGenerations

SHOWN_PROMPT = 60
LONGEST_SEARCH = 200
THUMBNAIL = (24, 7)
"""The most columns and rows of a picture beside its generation."""


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("--status", choices=[status.value for status in Status])
    take_provider(command, past=True)
    command.add_argument("--search", type=_words, metavar="WORDS", help="those with these in their prompts")
    command.add_argument("--favourites", action="store_true", help="those with a picture that was marked so")
    command.add_argument("--limit", type=_page_size, default=20, metavar="N", help="1 to 100 (default: 20)")
    command.add_argument("--cursor", help="the cursor that the page before ended with")
    command.add_argument("--thumbnails", action="store_true", help="show the first picture of each, on a terminal")


def _page_size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("a number from 1 to 100")
    return int(text)


def _words(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_SEARCH:
        raise argparse.ArgumentTypeError(f"one word or several, of at most {LONGEST_SEARCH} characters together")
    return text


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    async with open_app(settings, Part.NONE) as app:
        page = await app.desk().page(
            status=None if arguments.status is None else Status(arguments.status),
            provider=arguments.provider,
            limit=arguments.limit,
            cursor=arguments.cursor,
            search=arguments.search or "",
            favourites=arguments.favourites,
        )
        rest = [] if page.next_cursor is None else [f"There are more: --cursor {page.next_cursor}"]
        if not page.generations:
            rest.insert(0, _nothing(arguments, page))
        if arguments.json or not console(sys.stdout).is_terminal:
            print_result(page, [*_rows(page), *rest], as_json=arguments.json)
            return DONE
        await _show(app, page, thumbnails=arguments.thumbnails)
        print_result(page, rest, as_json=False)
        return DONE


def _nothing(arguments: argparse.Namespace, page: ListedGenerations) -> str:
    if arguments.search and page.next_cursor is not None:
        return "None so far; there are older ones, which were not searched."
    return "No generation is like that." if _narrowed(arguments) else "No generations yet."


def _narrowed(arguments: argparse.Namespace) -> bool:
    return any((arguments.search, arguments.status, arguments.provider, arguments.cursor, arguments.favourites))


async def _show(app: Opened, page: ListedGenerations, *, thumbnails: bool) -> None:
    to, now = console(sys.stdout), datetime.now(UTC)
    if not page.generations:
        return
    if not thumbnails:
        to.print(listed(page.generations, to, now))
        return
    pictures = Thumbnails(app.desk().pictures, to)
    for generation in page.generations:
        to.print(listed([generation], to, now, heads=False))
        first = next((image for image in generation.images if image.status is ImageStatus.SUCCEEDED), None)
        if first is not None:
            await pictures.show(first, *THUMBNAIL)


def _rows(page: ListedGenerations) -> list[str]:
    costs = max((len(_cost(generation)) for generation in page.generations), default=0)
    return [_row(generation, costs) for generation in page.generations]


def _cost(generation: Generation) -> str:
    return "" if generation.cost is None else f"{generation.cost}  "


def _row(generation: Generation, costs: int) -> str:
    """The generation in one line of a file or a pipe, which scripts read. `costs`: the width of the longest cost."""
    when = generation.created_at.astimezone()
    row = f"{generation.id}  {when:%Y-%m-%d %H:%M %z}  {generation.status:<10}  {generation.provider:<11}  "
    return row + _cost(generation).rjust(costs) + clean(generation.prompt, SHOWN_PROMPT)


LIST = Command("list", "list generations, newest first", _take, _run)
