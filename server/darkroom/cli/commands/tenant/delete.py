"""`tenant delete NAME`: removes all that a tenant has here, pictures and prompts, once a person has typed its name."""

import argparse
from pathlib import Path

from darkroom.app.context import Opened, Part, open_app
from darkroom.cli.commands.command import DONE, FAILED, STILL_RUNNING, Command
from darkroom.cli.commands.provider.asking import typed
from darkroom.cli.commands.results import print_value, tell
from darkroom.cli.commands.tenant.add import THE_FILE
from darkroom.cli.words import counted
from darkroom.errors import InvalidRequest
from darkroom.generations.leaving.deleting import delete, live
from darkroom.redact.text import clean
from darkroom.settings import Settings
from darkroom.tenants import LOCAL, NAME, Tenants


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="a tenant who is not in the file any more")
    command.add_argument("--file", **THE_FILE)
    command.add_argument("--yes", action="store_true", help="do not ask")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    name: str = arguments.name
    _check(arguments.file, name)
    async with open_app(settings, Part.NONE) as app:
        if await _goes_on(app, name):
            return STILL_RUNNING
        rows = sum((await app.service.ledger.stages(name)).values())
        tell(
            f"This removes {counted(rows, 'generation')} of {name} for good: prompts, errors, costs, and pictures from "
            "the store."
        )
        if not (arguments.yes or await typed(f"Type {name} to remove them:", name, otherwise="--yes")):
            tell("Nothing was removed.")
            return FAILED
        gone = await delete(app.service.ledger, app.service.pictures, settings.home, name)
        left = await _goes_on(app, name)
    found = {
        "tenant": name, "generations": gone.generations, "pictures": gone.pictures, "missing_pictures": gone.missing,
        "changed_pictures": gone.changed,
    }  # fmt: skip
    lines = [f"Removed: {counted(gone.generations, 'generation')}, {counted(gone.pictures, 'picture')}"]
    print_value(found, lines, as_json=arguments.json)
    if gone.missing:
        tell(f"Not where it was saved, as seen from this machine: {counted(gone.missing, 'picture')}.")
    if gone.changed:
        tell(f"Not as it was saved, and so left where it is: {counted(gone.changed, 'file')}.")
    return STILL_RUNNING if left else DONE


def _check(file: Path, name: str) -> None:
    """Raises InvalidRequest, NotConfigured: it is no tenant's name, or its token is still good."""
    if not NAME.fullmatch(name) or name == LOCAL:
        raise InvalidRequest(
            f"{clean(name, 60)!r} is no tenant's name.", next_step="`tenant audit` says who has anything here."
        )
    if Tenants.read(file).named(name) is not None:
        raise InvalidRequest(
            f"{name} is in {file}, so its token is still good. Nothing was removed.",
            next_step=f"Take [tenants.{name}] out of the file; the servers notice within a second or two. Then try "
            "again.",
        )


async def _goes_on(app: Opened, name: str) -> bool:
    """True where something of it is at a provider; then that is said."""
    number = await live(app.service.ledger, name)
    if number:
        tell(
            f"At a provider or on the way, and so staying: {counted(number, 'generation')} of {name}. "
            f"Put [tenants.{name}] back into the file with its keys and without tokens and subjects: nobody can "
            "ask for more then, and the servers bring these to their ends. Then take it out, and try again."
        )
    return bool(number)


DELETE = Command("delete", "remove all that a tenant has, for good", _take, _run)
