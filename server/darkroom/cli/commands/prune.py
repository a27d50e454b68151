"""`prune --older-than DAYS`: removes finished generations and their pictures for good, once a person has said yes."""

import argparse
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass, field

from darkroom.app.context import Opened, Part, open_app
from darkroom.cli.commands.command import AN_ID, DONE, FAILED, Command
from darkroom.cli.commands.facts import size
from darkroom.cli.commands.ids import whole
from darkroom.cli.commands.provider.asking import agreed
from darkroom.cli.commands.results import print_value, tell
from darkroom.cli.commands.rows import oldest
from darkroom.errors import DarkroomError
from darkroom.models import Image, Record
from darkroom.settings import Settings

DAY_S = 86_400.0
BATCH = 100


@dataclass
class _Found:
    """The rows to be removed, and what was done to them so far."""

    rows: dict[str, list[Image]] = field(default_factory=dict[str, list[Image]])
    removed: int = 0
    left: list[str] = field(default_factory=list[str])

    @property
    def pictures(self) -> list[Image]:
        """Those of all of them."""
        return [image for images in self.rows.values() for image in images]


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--older-than", required=True, type=_days, metavar="DAYS", help="those that were over so long ago"
    )
    command.add_argument("--keep", nargs="+", default=[], metavar="ID", help=f"not these: {AN_ID['help']}")
    command.add_argument("--yes", action="store_true", help="do not ask")


def _days(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise argparse.ArgumentTypeError("a number of days, at most 99999")
    return float(text)


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    keep = await whole(settings, arguments.keep)
    async with open_app(settings, Part.NONE) as app:
        for generation_id in keep:
            await app.desk().kept(generation_id)  # a name that is mistaken protects nothing
        older_s = arguments.older_than * DAY_S
        found = await _found(app, older_s, frozenset(keep))
        if found.rows and not (arguments.yes or await agreed(_question(found), otherwise="--yes")):
            tell("Nothing was removed.")
            return FAILED
        await _remove(app, found, older_s)
    line = f"{found.removed} generations removed." if found.rows else "Nothing is that old."
    print_value({"removed": found.removed, "left": found.left}, [line], as_json=arguments.json)
    return FAILED if found.left else DONE


async def _found(app: Opened, older_s: float, keep: Collection[str]) -> _Found:
    found, before = _Found(), app.service.ledger.now() - older_s
    async with aclosing(oldest(app)) as pages:
        async for page in pages:
            found.rows |= {row.id: _saved(row) for row in page if row.id not in keep and _was_over(row, before)}
            if page[-1].created_at > before:  # and so were all that come after it
                break
    return found


def _saved(row: Record) -> list[Image]:
    return [image for image in row.images if image.key is not None]


def _was_over(row: Record, before: float) -> bool:
    return row.stage.terminal and row.finished_at is not None and row.finished_at < before


def _question(found: _Found) -> str:
    pictures = found.pictures
    weight = size(sum(image.bytes or 0 for image in pictures))
    return (
        f"{len(found.rows)} generations and their {len(pictures)} pictures ({weight}) are removed for good; only ids "
        "and request keys stay, so that nothing is made twice. Remove them?"
    )


async def _remove(app: Opened, found: _Found, older_s: float) -> None:
    """Pictures first: a row whose pictures are still there is found again by the next prune."""
    ids = list(found.rows)
    for at in range(0, len(ids), BATCH):
        gone = [each for each in ids[at : at + BATCH] if await _without_pictures(app, found, each)]
        found.removed += await app.service.ledger.remove(older_s=older_s, most=BATCH, among=gone)
    if ids:
        await app.desk().pictures.forget_previews()


async def _without_pictures(app: Opened, found: _Found, generation_id: str) -> bool:
    """Removes its pictures; False: one of them cannot be, and the row stays with it."""
    try:
        changed = await app.desk().pictures.remove(found.rows[generation_id])
    except (OSError, DarkroomError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        tell(f"{generation_id} stays: a picture of it cannot be removed ({reason}).")
        found.left.append(generation_id)
        return False
    for image in changed:
        tell(f"{image.key} stays: it is not the picture that was saved there.")
    return True


PRUNE = Command("prune", "remove old generations and their pictures for good", _take, _run)
