"""Places of pictures: what the house needs of such a place, and the folder on the user's disk."""

import os
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from darkroom.store.files import Draft, opened, try_place
from darkroom.store.previews import KeptPreviews


class PictureStore(Protocol):
    """Pictures by key; the ledger keeps the keys. Each method but `path` blocks: call it on a worker thread."""

    name: str
    """The name of this place for people."""
    previews: KeptPreviews
    """Small versions of its pictures."""

    def try_out(self, day: datetime, room: int) -> None:
        """Raises StorageError: a picture of this day, of `room` bytes, could not be saved now."""
        ...

    def begin(self, day: datetime) -> Draft:
        """A file for a picture of this day, which is kept under a name of its own, or dropped. Raises StorageError."""
        ...

    def keep(self, draft: Draft, stem: str, suffix: str) -> str:
        """Keeps the picture under a name like `stem`; returns its key. Raises StorageError."""
        ...

    def open(self, key: str) -> IO[bytes]:
        """The file that lies there, to be read. Raises OSError."""
        ...

    def stamp(self, key: str) -> str | None:
        """A text that is another as soon as what lies there is; None: nothing does."""
        ...

    def path(self, key: str) -> str | None:
        """The file that a person or an agent can open; None: only this store can read it."""
        ...


class FolderPictures:
    """See `PictureStore`. A picture's key is its path, since the user may choose another folder for the next ones.

    `shared`: callers can open files on this disk.
    """

    def __init__(self, root: Path, previews: Path, *, shared: bool = True) -> None:
        self._root = root
        self._shared = shared
        self.previews = KeptPreviews(previews)
        self.name = str(root)

    def try_out(self, day: datetime, room: int) -> None:
        """See `PictureStore.try_out`."""
        try_place(self._root, day, room)

    def begin(self, day: datetime) -> Draft:
        """See `PictureStore.begin`."""
        return Draft(self._root, day)

    def keep(self, draft: Draft, stem: str, suffix: str) -> str:
        """See `PictureStore.keep`."""
        return str(draft.keep(stem, suffix))

    def open(self, key: str) -> IO[bytes]:
        """See `PictureStore.open`. A link in the file's place, or in its folder's, is not followed."""
        return opened(Path(key))

    def stamp(self, key: str) -> str | None:
        """See `PictureStore.stamp`. No program can set the time of a file's last change of any kind."""
        try:
            found = os.lstat(key)
        except (OSError, ValueError):
            return None
        return f"{found.st_dev}.{found.st_ino}.{found.st_size}.{found.st_mtime_ns}.{found.st_ctime_ns}"

    def path(self, key: str) -> str | None:
        """See `PictureStore.path`."""
        return key if self._shared else None
