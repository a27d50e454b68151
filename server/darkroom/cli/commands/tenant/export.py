"""`tenant export NAME --to FOLDER`: all that a tenant has here, as JSON Lines and picture files."""

import argparse
from pathlib import Path

from darkroom.app.context import Part, open_app
from darkroom.cli.commands.command import DONE, Command
from darkroom.cli.commands.results import print_value, tell
from darkroom.cli.words import counted
from darkroom.errors import NotFound
from darkroom.generations.leaving.exporting import ROWS, export
from darkroom.redact.text import clean
from darkroom.settings import Settings


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="the tenant; `local` is the server's own user")
    command.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="a new or empty folder")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    name: str = arguments.name
    folder: Path = arguments.to.resolve()
    async with open_app(settings, Part.NONE) as app:
        ledger = app.service.ledger
        if not await ledger.stages(name):
            raise NotFound(
                f"The ledger has nothing of {clean(name, 60)!r}.", next_step="`tenant audit` says who has anything."
            )
        made = await export(ledger, app.service.pictures, name, folder)
    found = {
        "tenant": name, "folder": str(folder), "generations": made.generations, "pictures": made.pictures,
        "missing_pictures": made.missing,
    }  # fmt: skip
    line = f"{folder}: {counted(made.generations, 'generation')}, {counted(made.pictures, 'picture')}"
    print_value(found, [line], as_json=arguments.json)
    if made.missing:
        tell(f"Missing: {counted(made.missing, 'picture')}; {ROWS} says which, and why.")
    return DONE


EXPORT = Command("export", "write down all that a tenant has, for the tenant", _take, _run)
