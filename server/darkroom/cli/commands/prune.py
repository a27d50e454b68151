"""`prune --older-than DAYS`: moves old generations' pictures to the trash, once a person said yes. Favourites stay."""

import argparse
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass, field

from darkroom.app.context import Opened, Part, open_app
from darkroom.cli.commands.command import AN_ID, DONE, FAILED, Command
from darkroom.cli.commands.delete import FOR_GOOD, YES, question, report
from darkroom.cli.commands.ids import whole_ids
from darkroom.cli.commands.provider.asking import agreed
from darkroom.cli.commands.results import print_value, tell
from darkroom.cli.commands.rows import oldest
from darkroom.cli.words import counted
from darkroom.generations.leaving.discarding import Discarded, Leaving
from darkroom.models import Record
from darkroom.settings import Settings

DAY_S = 86_400.0
BATCH = 100


@dataclass
class _Found:
    """The rows to be removed, and how many are old enough, and stay since they have favourites."""

    rows: list[Record] = field(default_factory=list[Record])
    favourites: int = 0


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--older-than", required=True, type=_days, metavar="DAYS", help="those that were over so long ago"
    )
    command.add_argument("--keep", nargs="+", default=[], metavar="ID", help=f"not these: {AN_ID['help']}")
    command.add_argument("--for-good", **FOR_GOOD)
    command.add_argument("--yes", **YES)


def _days(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise argparse.ArgumentTypeError("a number of days, at most 99999")
    return float(text)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    keep = await whole_ids(settings, arguments.keep)
    async with open_app(settings, Part.NONE) as app:
        for generation_id in keep:
            await app.desk().kept(generation_id)  # a name that is mistaken protects nothing
        found = await _found(app, arguments.older_than * DAY_S, frozenset(keep))
        leaving = app.desk().leaving(for_good=arguments.for_good)
        leaving.check(found.rows)
        if found.favourites:
            tell(f"Favourites stay: {counted(found.favourites, 'generation')} of that age.")
        asked = question(found.rows, for_good=arguments.for_good)
        if found.rows and not (arguments.yes or await agreed(asked, otherwise="--yes")):
            tell("Nothing was removed.")
            return FAILED
        done = await _discarded(leaving, [row.id for row in found.rows])
    report(done)
    line = f"{counted(done.rows, 'generation')} removed." if found.rows else "Nothing is that old."
    print_value({"removed": done.rows, "left": list(done.left)}, [line], as_json=arguments.json)
    return FAILED if done.left else DONE


async def _found(app: Opened, older_s: float, keep: Collection[str]) -> _Found:
    found, before = _Found(), app.service.ledger.now() - older_s
    async with aclosing(oldest(app)) as pages:
        async for page in pages:
            old = [row for row in page if row.id not in keep and _was_over(row, before)]
            found.rows += [row for row in old if not row.favourites]
            found.favourites += sum(bool(row.favourites) for row in old)
            if page[-1].created_at > before:  # and so were all that come after it
                break
    return found


def _was_over(row: Record, before: float) -> bool:
    return row.stage.terminal and row.finished_at is not None and row.finished_at < before


async def _discarded(leaving: Leaving, ids: list[str]) -> Discarded:
    """A few at a time, so that others wait for it for some milliseconds."""
    whole = Discarded()
    for at in range(0, len(ids), BATCH):
        done = await leaving.discard(ids[at : at + BATCH], favourites=False)
        whole.rows += done.rows
        whole.changed += done.changed
        whole.left |= done.left
    return whole


PRUNE = Command("prune", "move old generations' pictures to the trash; favourites stay", _take, _run)
