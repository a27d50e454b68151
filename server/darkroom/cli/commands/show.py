"""`show ID`: all that is known of one generation, with its pictures; asks no provider."""

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from darkroom.app.context import Part, open_app
from darkroom.cli.commands import facts
from darkroom.cli.commands.command import AN_ID, DONE, Command
from darkroom.cli.commands.ids import whole_ids
from darkroom.cli.commands.results import print_value
from darkroom.cli.commands.tables import marked, plain_table
from darkroom.cli.pictures.showing import Thumbnails
from darkroom.cli.terminal import console, spelled
from darkroom.cli.words import for_people
from darkroom.generations.showing import linked
from darkroom.models import GenerationRequest, ImageStatus
from darkroom.settings import Settings
from darkroom.views import Generation

if TYPE_CHECKING:
    from rich.console import Console

THUMBNAIL = (48, 14)
"""The most columns and rows of a picture."""


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", **AN_ID)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    (generation_id,) = await whole_ids(settings, [arguments.id])
    async with open_app(settings, Part.NONE) as app:
        desk, to = app.desk(), console(sys.stdout)
        request, generation = await desk.request_of(generation_id), await desk.kept(generation_id)
        generation = linked(generation, await desk.pictures.links([generation]))
        if arguments.json or not to.is_terminal:
            print_value(facts.as_json(generation, request), _plain(generation, request), as_json=arguments.json)
            return DONE
        _show(generation, request, to)
        pictures = Thumbnails(desk.pictures, to)
        for image in generation.images:
            saved = image.status is ImageStatus.SUCCEEDED
            # Whole, however long it is: a path that is broken into two lines cannot be copied any more.
            to.print(_line(facts.picture(image), to), soft_wrap=True)
            if saved:
                to.print(_line(f"   {facts.measures(image)}", to), style="bright_black")
                await pictures.show(image, *THUMBNAIL)
        return DONE


def _plain(generation: Generation, request: GenerationRequest) -> list[str]:
    found = [("status", str(generation.status)), *facts.lines(generation, request, datetime.now(UTC))]
    said = [f"{name}: {for_people(value)}" for name, value in found]
    for image in generation.images:
        saved = image.status is ImageStatus.SUCCEEDED
        said.append(facts.picture(image) + (f" ({facts.measures(image)})" if saved else ""))
    return said


def _show(generation: Generation, request: GenerationRequest, to: "Console") -> None:
    from rich.text import Text  # noqa: PLC0415 - see `console`

    table = plain_table(heads=False)
    table.add_column(style="bright_black", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("status", marked(generation.status, to))
    for name, value in facts.lines(generation, request, datetime.now(UTC)):
        table.add_row(name, Text(_line(for_people(value), to)))
    to.print(table)


def _line(text: str, to: "Console") -> str:
    return spelled(text, to.encoding)


SHOW = Command("show", "show one generation with its pictures, as far as is known here", _take, _run)
