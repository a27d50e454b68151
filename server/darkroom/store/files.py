"""Picture files: saved whole or not at all, under names of our own, never over another file."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from darkroom.errors import StorageError
from darkroom.models import Charged
from darkroom.store.day_folders import Folder, day_folder, folder_at, lock, sync

TRIAL_BYTES = 64 * 1024


class Draft:
    """A picture's file before it has its name: in a folder of the root, for its owner alone.

    Every method blocks, and may be called on any thread, one at a time. What is written to `file` is there to be read.

    Raises:
        StorageError: the disk refused; nothing of ours is left there.
    """

    def __init__(self, root: Path, folder: str) -> None:
        self._root, self._name, self._open = root, f".{secrets.token_hex(8)}.part", ExitStack()
        try:
            self._folder = self._open.enter_context(day_folder(root, folder))
            self.file = self._folder.create(self._name)
            self._open.callback(lambda: self._folder.remove(self._name))
            self._open.callback(self.file.close)
            if lock(self.file):
                self._name = self._folder.rename(self._name, self._name.replace(".part", ".open.part"))
            self._folder.sweep()
        except OSError as error:
            self.drop()
            raise self.refusal(error) from error

    def write(self, content: Iterable[bytes]) -> None:
        """Adds all of this."""
        try:
            self.file.writelines(content)
        except OSError as error:
            raise self.refusal(error) from error

    def keep(self, stem: str, suffix: str) -> Path:
        """Gives it the name `stem.suffix` instead of its own, once its content is on the disk.

        A file of that name with the same bytes is ours from before a crash and is kept; with other bytes it is
        somebody's, and the next free `stem-2` is taken. A link in the place of the day's folder is not followed.
        """
        try:
            self.file.flush()
            sync(self.file.fileno())
            name = give_name(self._folder, self._name, stem, suffix)
        except OSError as error:
            raise self.refusal(error) from error
        self.drop()  # a file that loses one of its names is another by its stamp
        return self._folder.path / name

    def drop(self) -> None:
        """Removes what has no name of its own."""
        with suppress(OSError):  # what cannot be removed now is swept later
            self._open.close()

    def refusal(self, error: OSError) -> StorageError:
        """The error for a disk that takes no more of it, or does not give it back."""
        return StorageError(
            f"The picture could not be saved under {self._root} ({error.strerror or type(error).__name__}).",
            next_step="Make room there, or make the folder that DARKROOM_PICTURES names writable, then call "
            "get_status: Darkroom fetches the picture again, at no cost.",
            charged=Charged.YES,
        )


def try_place(root: Path, name: str, room: int) -> None:
    """Makes a file in the folder of this name, syncs it, removes it, and looks whether `room` bytes are free.

    Raises:
        StorageError: a picture could not be saved there now.
    """
    try:
        with day_folder(root, name) as folder:
            trial = f".{secrets.token_hex(8)}.part"
            folder.write(trial, [bytes(TRIAL_BYTES)])
            folder.remove(trial)
            folder.sync()
            disk = shutil.disk_usage(folder.path if folder.descriptor is None else folder.descriptor)
            if disk.total and disk.free < room:  # some network drives do not know how large they are
                raise OSError(errno.ENOSPC, f"only {disk.free:,} bytes are free, {room:,} are needed")
    except (OSError, ValueError) as error:
        raise unusable(root, getattr(error, "strerror", None) or type(error).__name__) from error


def unusable(root: Path | str, reason: str) -> StorageError:
    """Pictures cannot be saved there, so none is asked for."""
    return StorageError(
        f"Pictures cannot be saved under {root} ({reason}), so nothing was sent.",
        next_step="Make room there, make the folder writable, or name another one in DARKROOM_PICTURES; then generate "
        "again.",
    )


def opened(path: Path) -> IO[bytes]:
    """A file, to be read. A link in its place, or in its folder's, is not followed. Raises OSError."""
    with folder_at(path.parent) as folder:
        return folder.open(path.name)


def removed(path: Path, size: int) -> bool:
    """Removes the file, if it has this size; False: it has another. A link is not followed. Raises OSError."""
    try:
        with folder_at(path.parent) as folder:
            with folder.open(path.name) as file:
                found = os.fstat(file.fileno()).st_size
            if found == size:
                folder.remove(path.name)
            return found == size
    except FileNotFoundError:
        return True


def give_name(folder: Folder, temporary: str, stem: str, suffix: str) -> str:
    """Gives the temporary file the name `stem.suffix`, or the next that is free; see `Draft.keep`. Raises OSError."""
    for number in range(1, 1000):
        name = f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}"
        try:
            folder.name(temporary, name)
        except FileExistsError:
            if folder.alike(temporary, name):
                return name
            continue
        folder.sync()
        return name
    raise FileExistsError(17, "a thousand files of that name exist")
