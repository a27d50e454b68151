"""`delete ID…`: moves pictures to the trash, and takes their generations out of every list, once a person said yes."""

import argparse
from collections.abc import Sequence
from typing import Any

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import AN_ID, DONE, FAILED, Command
from darkroom.cli.commands.facts import size
from darkroom.cli.commands.ids import whole_ids
from darkroom.cli.commands.provider.asking import agreed
from darkroom.cli.commands.results import print_value, tell
from darkroom.cli.words import counted
from darkroom.generations.leaving.discarding import Discarded
from darkroom.models import Image, Record
from darkroom.settings import Settings

FOR_GOOD: dict[str, Any] = {"action": "store_true", "help": "remove the pictures for good, without a trash"}
YES: dict[str, Any] = {"action": "store_true", "help": "do not ask"}


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("ids", nargs="+", **AN_ID)
    command.add_argument("--for-good", **FOR_GOOD)
    command.add_argument("--yes", **YES)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    ids = await whole_ids(settings, arguments.ids)
    async with open_app(settings, Part.NONE) as app:
        desk = app.desk()
        rows = [await desk.deletable(each, for_good=arguments.for_good) for each in ids]
        if not (arguments.yes or await agreed(question(rows, for_good=arguments.for_good), otherwise="--yes")):
            tell("Nothing was removed.")
            return FAILED
        done = await desk.leaving(for_good=arguments.for_good).discard(ids)
    report(done)
    line = f"{counted(done.rows, 'generation')} removed."
    print_value({"removed": done.rows, "left": list(done.left)}, [line], as_json=arguments.json)
    return FAILED if done.left else DONE


def question(rows: Sequence[Record], *, for_good: bool) -> str:
    """The question whether these are to go."""
    pictures: list[Image] = [image for row in rows for image in row.images if image.key is not None]
    weight = size(sum(image.bytes or 0 for image in pictures))
    how = " for good" if for_good else " (pictures go to the system's trash)"
    what = f"{counted(len(rows), 'generation')} with {counted(len(pictures), 'picture')}, {weight},"
    return f"Remove {what}{how}? Only ids and request keys stay, so that nothing is made twice."


def report(done: Discarded) -> None:
    """Says what stays, and why."""
    for error in done.left.values():
        tell(f"{error.message} {error.next_step}")
    for image in done.changed:
        tell(f"{image.key} stays: it is not the picture that was saved there.")


DELETE = Command("delete", "move generations' pictures to the trash, and forget the generations", _take, _run)
