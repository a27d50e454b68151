"""Responses with pictures in them: each is kept on the disk until its pictures are saved."""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from darkroom.errors import LOOK_AGAIN, NotFound, ResultUnavailable, StorageError
from darkroom.models import Charged
from darkroom.providers.language.excerpts import Excerpt, abridged, excerpt_in, pieces
from darkroom.providers.language.pictures import decoded
from darkroom.transport.incoming import Incoming

KEPT_S = 30 * 24 * 3600.0
"""Seconds for which a response is kept whose pictures could not all be saved."""
_PIECE = 2**20


class Response(Incoming):
    """A response that goes to the disk as it comes; it stays there once it is told to."""

    def __init__(self, folder: Path, reference: str, room: int) -> None:
        try:
            file = _begun(folder, room)
        except OSError as error:
            raise StorageError(
                f"Responses could not be kept in {folder} ({error.strerror or type(error).__name__}), so nothing was "
                "sent.",
                next_step="Make room there, or make it writable, and generate again.",
            ) from error
        super().__init__(file, self._not_kept)
        self._folder, self._reference, self._hash = folder, reference, hashlib.sha256()
        self._place: Path | None = Path(file.name)

    def write(self, data: bytes | bytearray) -> None:
        """See `Incoming.write`."""
        super().write(data)
        self._hash.update(data)

    @property
    def name(self) -> str:
        """The name by which it is found again, once everything is written."""
        # Its hash alone would be the name of another generation's response too, where a service repeats itself.
        return f"{self._reference}.{self._hash.hexdigest()}"

    def abridged(self) -> bytes:
        """See `excerpts.abridged`."""
        file = self.whole()
        return abridged(file, self._hash.hexdigest())

    def keep(self) -> None:
        """Leaves it in the folder, on the disk and not only on its way there. Raises StorageError: the disk refuses."""
        file = self.whole()
        try:
            os.fsync(file.fileno())
            file.close()
            Path(file.name).replace(self._folder / self.name)
            self._place = None
            _sync(self._folder)
        except OSError as error:
            raise self._not_kept(error) from error

    def drop(self) -> None:
        """Removes it, unless it is kept."""
        with suppress(OSError):
            self._file.close()
        if self._place is not None:
            with suppress(OSError):
                self._place.unlink()

    def _not_kept(self, error: OSError) -> StorageError:
        return StorageError(
            f"The response cannot be kept in {self._folder} ({error.strerror or type(error).__name__}).",
            next_step="Make room there, and look in the provider account's own gallery and credits before you generate "
            "this again: it may have been charged.",
            charged=Charged.MAYBE,
        )


def recall(folder: Path, name: str, title: str) -> bytes:
    """The response of this name, abridged. Raises NotFound: it is not there any more, or not as it was."""
    try:
        with (folder / name).open("rb") as file:
            found, meant = hashlib.sha256(), name.rpartition(".")[2]  # older names are the hash alone
            while piece := file.read(_PIECE):
                found.update(piece)
            file.seek(0)
            if found.hexdigest() == meant:
                return abridged(file, meant)
    except OSError:
        pass
    raise NotFound(f"{title}'s response is not kept here any more", next_step="Generate it again if it is wanted.")


def text(folder: Path, name: str, excerpt: Excerpt) -> Iterator[bytes]:
    """The long text at that place of the response of this name. Raises OSError, or ValueError as `excerpts.pieces`."""
    with (folder / name).open("rb") as file:
        yield from pieces(file, excerpt)


def picture(folder: Path, name: str, source: str, title: str, into: Incoming) -> None:
    """Writes down the picture whose Base64 `source` is, or says where in the response of this name it stands.

    Blocking: for a worker thread.

    Raises:
        NotAnImage: it is no Base64.
        ResultUnavailable: the response cannot be read.
    """
    place = excerpt_in(source)
    try:
        for piece in decoded([source.encode()] if place is None else text(folder, name, place)):
            into.write(piece)
    except OSError as error:
        raise ResultUnavailable(
            f"{title}'s response cannot be read any more ({type(error).__name__}).",
            next_step=LOOK_AGAIN, charged=Charged.YES, passing=True,
        ) from error  # fmt: skip


def forget(folder: Path, name: str) -> None:
    """Removes it: its pictures are saved."""
    (folder / name).unlink(missing_ok=True)


def _begun(folder: Path, room: int) -> IO[bytes]:
    """A new file for its owner alone, with so many bytes free for it; what is too old to be asked for is removed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    oldest = time.time() - KEPT_S
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # another process removes it too
            if file.stat().st_mtime < oldest:
                file.unlink()
    disk = shutil.disk_usage(folder)
    if disk.total and disk.free < room:  # some network drives do not know how large they are
        raise OSError(errno.ENOSPC, f"only {disk.free:,} bytes are free, {room:,} may be needed")
    return NamedTemporaryFile("w+b", dir=folder, prefix=".", suffix=".part", delete=False)


def _sync(folder: Path) -> None:
    """Waits until the folder itself is on the disk, where it can be opened for that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
