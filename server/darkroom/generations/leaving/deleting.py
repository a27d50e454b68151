"""Removes all that an owner has: pictures first, then the rows that name them, so that a second run finds the rest."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import anyio
from anyio import to_thread

from darkroom.errors import StorageError
from darkroom.models import Record, Stage, moment
from darkroom.providers import inputs
from darkroom.store.ledger import Ledger
from darkroom.store.pictures import PictureStore

BATCH = 100
"""Rows that one transaction removes: others wait for it for some milliseconds."""
AT_ONCE = 8
"""Pictures that are removed at the same time."""
DAYS = range(-7, 2)
"""Days from a row's end to its beginning, by which the folder of its pictures is named, in any zone."""
_ID = re.compile(r"-([a-z2-7]{8}|[a-z2-7]{26})-\d+(?:-\d+)?\.(?:png|jpg|webp)\Z")
"""The id in a picture's name, whole or its beginning: see `store.names`."""


@dataclass
class Gone:
    """The numbers of rows and pictures that were removed.

    `missing`: pictures that were not where they had been saved; `changed`: those whose place something else has.
    """

    generations: int = 0
    pictures: int = 0
    missing: int = 0
    changed: int = 0


async def live(ledger: Ledger, owner: str) -> int:
    """The number of the owner's generations that are at a provider, or on their way there or from there."""
    stages = await ledger.stages(owner)
    return sum(number for stage, number in stages.items() if not stage.terminal and stage is not Stage.ACCEPTED)


async def delete(ledger: Ledger, pictures: PictureStore, home: Path, owner: str) -> Gone:
    """Removes what is over or waits; what is `live` stays. To be called again after it was interrupted.

    Raises:
        StorageError: something cannot be removed; what names it is still there.
    """
    gone = Gone()
    while await ledger.withdraw(owner, BATCH):
        pass
    while batch := await ledger.removable(owner, BATCH):
        records = [record for record, _ in batch]
        sizes = {image.key: image.bytes or 0 for record in records for image in record.images if image.key}
        shared = await ledger.shared([record.id for record in records], owner)
        await _remove(pictures, {key: size for key, size in sizes.items() if key not in shared}, gone)
        for record in records:
            await to_thread.run_sync(_forget_kept, home, record)
        gone.generations += await ledger.erase(batch)
    names: Mapping[str, float] | None = None
    while names != {} and not await live(ledger, owner):
        names = await ledger.names(owner, BATCH)
        left, shared = await to_thread.run_sync(_left_of, pictures, names), await ledger.shared(names, owner)
        await _remove(pictures, {key: size for key, size in left.items() if key not in shared}, gone)
        await ledger.forget(owner, names)
    await to_thread.run_sync(pictures.previews.clear)
    return gone


async def _remove(pictures: PictureStore, sizes: Mapping[str, int], gone: Gone) -> None:
    """Removes the pictures with these keys, if they have these sizes. Raises StorageError: one cannot be removed."""
    places, refused = anyio.CapacityLimiter(AT_ONCE), list[StorageError]()

    async def remove(key: str, size: int) -> None:
        try:
            there = await to_thread.run_sync(pictures.stamp, key, limiter=places) is not None
            removed = await to_thread.run_sync(pictures.remove, key, size, limiter=places)
        except OSError as error:
            refused.append(_refusal(f"The picture {key}", error))
            return
        gone.changed += not removed
        gone.pictures += removed and there
        gone.missing += removed and not there

    async with anyio.create_task_group() as group:
        for key, size in sizes.items():
            group.start_soon(remove, key, size)
    if refused:
        raise refused[0]


def _refusal(what: str, error: OSError) -> StorageError:
    return StorageError(
        f"{what} cannot be removed ({error.strerror or type(error).__name__}).",
        next_step="Give this command the variables and the rights that the servers have, and run it again: it goes on.",
    )


def _left_of(pictures: PictureStore, names: Mapping[str, float]) -> dict[str, int]:
    """Keys and sizes of pictures that stayed as these rows were removed: only their names tell whose they are.

    Raises:
        StorageError: the store cannot be asked now.
    """
    ids = {each.removeprefix("gen_") for each in names}
    ids |= {each[:8] for each in ids}
    ends = {moment(end).date() for end in names.values()}
    try:
        found = {
            key: size
            for day in sorted({end + timedelta(days=ago) for end in ends for ago in DAYS})
            for key, size in pictures.of_day(day)
            if (named := _ID.search(key)) and named[1] in ids
        }
    except OSError as error:
        raise _refusal("What DARKROOM_KEEP_DAYS left of its pictures", error) from error
    return found


def _forget_kept(home: Path, record: Record) -> None:
    """Removes what this machine kept of it on the way: pictures that it was made from, and a response."""
    inputs.forget(inputs.folder_in(home), record.id)
    if isinstance(name := record.kept.get("answer"), str):
        with suppress(OSError):  # what cannot be removed now is swept later
            (home / "providers" / "answers" / Path(name).name).unlink(missing_ok=True)
