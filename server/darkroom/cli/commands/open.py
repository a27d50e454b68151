"""`open ID`: its pictures, in the program that this machine has for them."""

import argparse
from pathlib import Path

from anyio import to_thread

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import AN_ID, DONE, Command
from darkroom.cli.commands.ids import whole_ids
from darkroom.cli.commands.results import print_value
from darkroom.errors import ResultUnavailable
from darkroom.extensions.desktop import open_picture
from darkroom.models import ImageStatus
from darkroom.settings import Settings
from darkroom.views import Generation


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", **AN_ID)
    command.add_argument("number", metavar="N", nargs="?", type=int, help="its picture of this number alone")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    (generation_id,) = await whole_ids(settings, [arguments.id])
    async with open_app(settings, Part.NONE) as app:
        paths = _paths(await app.desk().kept(generation_id), arguments.number)
    for path in paths:
        await to_thread.run_sync(open_picture, path, settings.file_manager)
    opened = list(map(str, paths))
    print_value({"opened": opened}, opened, as_json=arguments.json)
    return DONE


def _paths(generation: Generation, number: int | None) -> list[Path]:
    """The files of its pictures. Raises ResultUnavailable: there is none."""
    saved = [image for image in generation.images if image.status is ImageStatus.SUCCEEDED]
    wanted = [image for image in saved if number in {None, image.index}]
    paths = [Path(image.path) for image in wanted if image.path is not None]
    if paths:
        return paths
    which = "" if number is None else f" {number}"
    if wanted:
        raise ResultUnavailable(
            f"Picture{which} of {generation.id} is not kept as a file here.",
            next_step=f"darkroom-mcp export {generation.id} --to FOLDER makes one.",
        )
    raise ResultUnavailable(
        f"{generation.id} has no picture{which} to open.", next_step=f"darkroom-mcp show {generation.id} says more."
    )


OPEN = Command("open", "open the pictures of a generation", _take, _run)
