"""`list`: one line a generation, newest first; asks no provider and moves nothing on."""

import argparse
import re
import sys

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import DONE, Command, take_provider
from darkroom.cli.commands.results import print_result
from darkroom.cli.terminal import columns, cut
from darkroom.models import Status
from darkroom.redact.text import clean
from darkroom.settings import Settings
from darkroom.views import Generation

SHORT_ID = len("gen_") + 8
"""So much of an id tells it from the others of any one user."""
SHOWN_PROMPT = 60


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("--status", choices=[status.value for status in Status])
    take_provider(command, past=True)
    command.add_argument("--limit", type=_page_size, default=20, metavar="N", help="1 to 100 (default: 20)")
    command.add_argument("--cursor", help="the cursor that the page before ended with")


def _page_size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError("a number from 1 to 100")
    return int(text)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    async with open_app(settings, Part.NONE) as app:
        page = await app.desk().page(
            status=None if arguments.status is None else Status(arguments.status),
            provider=arguments.provider,
            limit=arguments.limit,
            cursor=arguments.cursor,
        )
        costs = max((len(_cost(generation)) for generation in page.generations), default=0)
        lines = [_row(generation, costs) for generation in page.generations] or ["No generations yet."]
        if page.next_cursor is not None:
            lines.append(f"There are more: --cursor {page.next_cursor}")
        print_result(page, lines, as_json=arguments.json)
        return DONE


def _cost(generation: Generation) -> str:
    return "" if generation.cost is None else f"{generation.cost}  "


def _row(generation: Generation, costs: int) -> str:
    """The generation in one line, which on a terminal is as wide as that, with so much of its id as tells it apart.

    `costs`: the width of the longest cost.
    """
    width = columns(sys.stdout)
    when = generation.created_at.astimezone()
    known = generation.id if width is None else generation.id[:SHORT_ID]
    row = f"{known}  {when:%Y-%m-%d %H:%M %z}  {generation.status:<10}  {generation.provider:<11}  "
    row += _cost(generation).rjust(costs) + clean(generation.prompt, SHOWN_PROMPT)
    return row if width is None else cut(row, width, sys.stdout)


LIST = Command("list", "list generations, newest first", _take, _run)
