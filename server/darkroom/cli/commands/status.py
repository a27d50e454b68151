"""`status ID`: looks once, and sends nothing."""

import argparse

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import AN_ID, Command
from darkroom.cli.commands.ids import whole_ids
from darkroom.cli.commands.results import exit_status, print_result
from darkroom.generations.showing import linked
from darkroom.generations.telling.wording import say
from darkroom.settings import Settings


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", **AN_ID)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    (generation_id,) = await whole_ids(settings, [arguments.id])
    async with open_app(settings, Part.LOOK, named=[generation_id]) as app:
        generation = await app.desk().get(generation_id)
        links = await app.desk().pictures.links([generation])
        lines = [say(generation), *links.values(), generation.next_step or ""]
        print_result(linked(generation, links), lines, as_json=arguments.json)
        return exit_status([generation])


STATUS = Command("status", "look at one generation", _take, _run)
