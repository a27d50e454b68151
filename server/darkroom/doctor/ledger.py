"""The ledger: whether it opens and is sound, what is under way in it, and who else uses it."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio

from darkroom import __version__
from darkroom.doctor.findings import Finding, failure, of_error, ok, warning
from darkroom.errors import StorageError
from darkroom.models import Stage
from darkroom.settings import Settings
from darkroom.store.cures import MOVE, UPDATE_HERE
from darkroom.store.database import FILE_NAME, SqliteDatabase
from darkroom.store.ledger import Unfinished
from darkroom.store.opening import Store
from darkroom.store.presence import FilePresence
from darkroom.store.signs import Neighbour

CHECKED_WITHIN_S = 30.0
_STAGES = {
    Stage.ACCEPTED: "waiting to be sent",
    Stage.SUBMITTING: "being sent",
    Stage.RUNNING: "at their services",
    Stage.COLLECTING: "being saved",
}
_UPDATE_OTHER = (
    "Update Darkroom where that process's host starts it (its configuration names the command), then restart the host."
)


async def ledger(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    """The findings about a ledger that was opened, which means: made or brought up to date, locked, and written to."""
    where = "The ledger in PostgreSQL" if settings.database else f"The ledger {settings.home / FILE_NAME}"
    if store.ledger.outdated:
        yield warning("ledger", "A newer Darkroom uses this ledger as well; this one starts nothing.", UPDATE_HERE)
    else:
        yield ok("ledger", f"{where} opens and its schema is known")
    try:
        await store.database.transaction(lambda: None)
        yield ok("ledger", "It can be written to")
        yield await _integrity(store, settings.home / FILE_NAME)
    except StorageError as error:
        yield of_error("ledger", error)


async def _integrity(store: Store, path: Path) -> Finding:
    if not isinstance(store.database, SqliteDatabase):
        return ok("ledger", "Its integrity is PostgreSQL's own affair")
    with anyio.move_on_after(CHECKED_WITHIN_S):
        if await store.database.check():
            return ok("ledger", "It is sound: SQLite has read it through")
        return failure("ledger", f"The ledger {path} is damaged.", MOVE)
    return warning(
        "ledger", f"It was not read through within {CHECKED_WITHIN_S:g} s; so far nothing was found",
        "Run this again while no picture is being made, if you suspect damage.",
    )  # fmt: skip


async def generations(store: Store, others: int | None) -> AsyncIterator[Finding]:
    """The findings about what is not over. `others`: how many other processes there are; None: nobody knows."""
    try:
        found = await store.ledger.unfinished()
    except StorageError as error:
        yield of_error("generations", error)
        return
    for each in _under_way(found, others):
        yield each


def _under_way(found: Unfinished, others: int | None) -> Iterator[Finding]:
    counts = [f"{found.stages[stage]} {words}" for stage, words in _STAGES.items() if found.stages.get(stage)]
    if not counts:
        yield ok("generations", "Nothing is under way")
    elif others == 0:
        cure = "Start a host that uses Darkroom, or run darkroom-mcp list and then darkroom-mcp wait ID."
        yield warning("generations", f"{', '.join(counts)}; no process runs that goes on with them", cure)
    else:
        yield ok("generations", f"Under way: {', '.join(counts)}")
    for generation_id, trouble in found.troubled.items():
        yield warning("generations", f"{generation_id}: {trouble}", f"Run darkroom-mcp status {generation_id}.")


async def neighbours(store: Store) -> list[Neighbour] | None:
    """The other processes on this ledger; None where it is in PostgreSQL, which does not name them."""
    presence = store.presence
    if not isinstance(presence, FilePresence):
        return None
    try:
        return await store.database.transaction(presence.neighbours)
    except StorageError:
        return None


def processes(found: list[Neighbour] | None) -> Iterator[Finding]:
    """The findings about the other processes."""
    if found is None:
        yield ok("processes", "Other processes are not listed here")
        return
    alike = [each.pid for each in found if each.version == __version__]
    yield ok("processes", f"Other processes of this version: {', '.join(alike) or 'none'}")
    for each in found:
        if each.version == __version__:
            continue
        version = each.version or "an older one, which does not say its version"
        said = f"Process {each.pid} runs another Darkroom: {version}"
        newer = _parts(each.version) > _parts(__version__)
        yield warning("processes", said, UPDATE_HERE if newer else _UPDATE_OTHER)


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
