"""`wait ID…`: shows progress until they are done, and prints the saved paths."""

import argparse

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import AN_ID, Command, seconds
from darkroom.cli.commands.ids import whole_ids
from darkroom.cli.commands.results import exit_status, print_result, reported_paths
from darkroom.cli.commands.watching import watched
from darkroom.generations.showing import linked
from darkroom.settings import Settings


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("ids", nargs="+", **AN_ID)
    command.add_argument("--timeout", type=seconds, default=600.0, metavar="SECONDS", help="default: 600")
    command.add_argument("--until", choices=("all", "any"), default="all")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    ids = await whole_ids(settings, arguments.ids)
    async with open_app(settings, Part.OWN, named=ids) as app:
        answer = await watched(app, ids, arguments.timeout, arguments.until)
        links = await app.desk().pictures.links(answer.generations)
        answer = answer.model_copy(update={"generations": tuple(linked(each, links) for each in answer.generations)})
        print_result(answer, reported_paths(answer.generations, links), as_json=arguments.json)
        finished = [generation for generation in answer.generations if generation.status.terminal]
        return exit_status(finished if arguments.until == "any" and finished else answer.generations)


WAIT = Command("wait", "wait for generations", _take, _run)
