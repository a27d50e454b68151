"""The disk: room for the ledger and the pictures, and a picture that is really saved and removed."""

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import anyio
from anyio import to_thread

from darkroom.buckets import Bucket
from darkroom.doctor.findings import Finding, of_error, ok, warning
from darkroom.errors import StorageError
from darkroom.settings import Settings
from darkroom.store.files import Draft, try_place, unusable

ROOM = 4 * 2**20
"""Bytes without which no picture is asked for."""
LITTLE = 200 * 2**20
"""Bytes below which a warning is due: a response of some services takes half of that while it comes."""
PATIENCE_S = 10.0
SIZE = 256
_MORE = "Make room there before it is full, or name another folder."


async def disk(settings: Settings) -> AsyncIterator[Finding]:
    """The findings about the disk."""
    yield await saved(settings)
    folders = {"The ledger's disk": settings.home}
    if isinstance(settings.pictures, Path) and settings.no_place is None:
        folders["The pictures' disk"] = settings.pictures
    for name, folder in folders.items():
        free = await to_thread.run_sync(_free, folder)
        if free is not None:
            said = f"{name} has {_size(free)} free ({folder})"
            yield ok("disk", said) if free >= LITTLE else warning("disk", said, _MORE)


async def saved(settings: Settings) -> Finding:
    """The finding about saving a picture, by doing so."""
    return await _in_time(_save, settings)


async def place(settings: Settings) -> Finding:
    """The finding about the place of the pictures, which is tried without one."""
    return await _in_time(_try, settings)


async def _in_time(check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    if settings.no_place is not None:
        return of_error("disk", settings.no_place)
    try:
        with anyio.fail_after(PATIENCE_S):
            return await to_thread.run_sync(check, settings, abandon_on_cancel=True)
    except TimeoutError:
        return of_error("disk", unusable(str(settings.pictures), f"it does not respond within {PATIENCE_S:g} s"))
    except StorageError as error:
        return of_error("disk", error)


def _try(settings: Settings) -> Finding:
    day = datetime.now().astimezone()
    if isinstance(settings.pictures, Bucket):
        from darkroom.store.objects import ObjectPictures  # noqa: PLC0415 - few have what it needs

        ObjectPictures(settings.pictures, settings.home, settings.home / "previews").try_out(day, ROOM)
    else:
        name = f"{day:%Y-%m-%d}"
        with _nothing_left(settings.pictures, name):
            try_place(settings.pictures, name, ROOM)
    return ok("disk", f"Pictures can be saved in {settings.pictures}")


def _save(settings: Settings) -> Finding:
    if isinstance(settings.pictures, Bucket):
        return _try(settings)
    _save_in(settings.pictures, f"{datetime.now().astimezone():%Y-%m-%d}")
    return ok("disk", f"A picture was saved under {settings.pictures} and removed")


def _save_in(root: Path, name: str) -> None:
    """Saves a sketch as any picture is saved, and removes it."""
    from darkroom.providers.drawing.art import paint  # noqa: PLC0415 - drawing is heavy

    with _nothing_left(root, name):
        try_place(root, name, ROOM)
        draft = Draft(root, name)
        try:
            draft.write([paint("a picture on trial", seed=1, index=1, width=SIZE, height=SIZE)])
            draft.keep(f"darkroom-doctor-{secrets.token_hex(4)}", ".png").unlink()
        except OSError as error:
            raise unusable(root, error.strerror or type(error).__name__) from error
        except StorageError as error:
            raise StorageError(error.message, next_step=unusable(root, "").next_step) from error
        finally:
            draft.drop()


@contextmanager
def _nothing_left(root: Path, name: str) -> Generator[None]:
    """Removes the folders that the block makes for itself."""
    # pathlib's own `exists` raises where a folder above cannot be read.
    made = [each for each in (root / name, root, *root.parents) if not os.path.exists(each)]  # noqa: PTH110
    try:
        yield
    finally:
        for folder in made:
            with suppress(OSError):  # it was not made, or somebody else has put something there
                folder.rmdir()


def _free(folder: Path) -> int | None:
    """The free bytes of the disk that the folder is, or will be, on; None: nobody knows."""
    there = next((each for each in (folder, *folder.parents) if os.path.exists(each)), None)  # noqa: PTH110
    try:
        found = shutil.disk_usage(there) if there is not None else None
    except OSError:
        return None
    return found.free if found is not None and found.total else None


def _size(count: int) -> str:
    return f"{count / 10**9:.1f} GB" if count >= 10**9 else f"{count / 10**6:.0f} MB"
