"""Places of pictures: what the house needs of such a place, and the folder on the user's disk."""

import errno
import os
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import IO, Protocol

from darkroom.errors import StorageError
from darkroom.models import Record, moment
from darkroom.store.files import Draft, opened, removed, try_place, unusable
from darkroom.store.names import picture_stem
from darkroom.store.previews import KeptPreviews
from darkroom.store.trash import into_trash

OBJECT = "s3://"
"""The beginning of the keys of pictures in an object store."""


class PictureStore(Protocol):
    """Pictures by key; the ledger keeps the keys.

    Each method but `unusable` and `path` blocks: call it on a worker thread.
    """

    previews: KeptPreviews
    """Small versions of its pictures."""

    def try_out(self, day: datetime, room: int) -> None:
        """Raises StorageError: a picture of this day, of `room` bytes, could not be saved now."""
        ...

    def unusable(self, reason: str) -> StorageError:
        """The error for a place where no picture can be saved, so that none is asked for."""
        ...

    def begin(self, record: Record) -> Draft:
        """A file for a picture of this row, which is kept under a name of its own, or dropped. Raises StorageError."""
        ...

    def keep(self, draft: Draft, record: Record, index: int, suffix: str) -> str:
        """Keeps it under a name that a person recognises, and returns its key. Raises StorageError."""
        ...

    def open(self, key: str) -> IO[bytes]:
        """The file that lies there, to be read.

        Raises:
            OSError: there is none that can be read.
            StorageError: the store cannot be asked now.
        """
        ...

    def of_day(self, day: date) -> Iterable[tuple[str, int]]:
        """The key and the size of whatever lies where pictures of this day would be saved now.

        Raises:
            OSError: that cannot be told now.
        """
        ...

    def stamp(self, key: str) -> str | None:
        """A text that is another as soon as what lies there is; None: nothing does, or nobody can tell now."""
        ...

    def remove(self, key: str, size: int) -> bool:
        """Removes the picture for good; False: something of another size lies there, which is somebody's, and stays.

        Raises:
            OSError: it is there, and cannot be removed now.
        """
        ...

    def discard(self, key: str, size: int) -> bool:
        """The same, into the system's trash. Raises OSError as well where there is none."""
        ...

    def trashless(self, key: str) -> str | None:
        """The reason why nothing that lies there can go into a trash; None: it can, as far as anybody knows."""
        ...

    def path(self, key: str) -> str | None:
        """The file that a person or an agent can open; None: only this store can read it."""
        ...

    def link(self, key: str, minutes: int) -> str | None:
        """A link that opens the picture for anybody, for so many minutes; None: there is none. It is a secret."""
        ...


class FolderPictures:
    """See `PictureStore`. A picture's key is its path, since the user may choose another folder for the next ones.

    `shared`: callers can open files on this disk.
    """

    def __init__(self, root: Path, previews: Path, *, shared: bool = True) -> None:
        self._root = root
        self._shared = shared
        self.previews = KeptPreviews(previews)

    def try_out(self, day: datetime, room: int) -> None:
        """See `PictureStore.try_out`."""
        try_place(self._root, _day(day), room)

    def unusable(self, reason: str) -> StorageError:
        """See `PictureStore.unusable`."""
        return unusable(self._root, reason)

    def begin(self, record: Record) -> Draft:
        """See `PictureStore.begin`."""
        return Draft(self._root, _day(moment(record.created_at).astimezone()))

    def keep(self, draft: Draft, record: Record, index: int, suffix: str) -> str:
        """See `PictureStore.keep`."""
        return str(draft.keep(picture_stem(record.request.prompt, record.id, index), suffix))

    def open(self, key: str) -> IO[bytes]:
        """See `PictureStore.open`. A link in the file's place, or in its folder's, is not followed."""
        return opened(Path(key))

    def of_day(self, day: date) -> Iterable[tuple[str, int]]:
        """See `PictureStore.of_day`."""
        folder = self._root / f"{day:%Y-%m-%d}"
        try:
            with os.scandir(folder) as entries:
                return [(str(folder / each.name), each.stat(follow_symlinks=False).st_size) for each in entries]
        except FileNotFoundError:
            return []

    def stamp(self, key: str) -> str | None:
        """See `PictureStore.stamp`. No program can set the time of a file's last change of any kind."""
        try:
            found = os.lstat(key)
        except (OSError, ValueError):
            return None
        return f"{found.st_dev}.{found.st_ino}.{found.st_size}.{found.st_mtime_ns}.{found.st_ctime_ns}"

    def remove(self, key: str, size: int) -> bool:
        """See `PictureStore.remove`."""
        if key.startswith(OBJECT):
            raise OSError(errno.ENXIO, "it is in an object store, which DARKROOM_PICTURES does not name here")
        return removed(Path(key), size)

    def discard(self, key: str, size: int) -> bool:
        """See `PictureStore.discard`."""
        if why := self.trashless(key):
            raise OSError(errno.ENOTSUP, why)
        return into_trash(Path(key), size)

    def trashless(self, key: str) -> str | None:
        """See `PictureStore.trashless`. The trash of a server is nobody's who calls from elsewhere."""
        if key.startswith(OBJECT):
            return "an object store has no trash"
        return None if self._shared else "its caller would not find it in the trash of a server"

    def path(self, key: str) -> str | None:
        """See `PictureStore.path`."""
        return key if self._shared and not key.startswith(OBJECT) else None

    def link(self, key: str, minutes: int) -> str | None:
        """See `PictureStore.link`."""
        return None


def _day(day: datetime) -> str:
    return f"{day:%Y-%m-%d}"
