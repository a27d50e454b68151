"""Picture files: saved whole or not at all, under names of our own, never over another file."""

import os
import re
import secrets
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from darkroom.errors import ResultUnavailable, StorageError
from darkroom.models import Charged

MAX_STEM_BYTES = 80


def picture_stem(prompt: str, generation_id: str, index: int) -> str:
    """A file name (without suffix) that a person recognises: words of the prompt, a short id, the number."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", prompt[:400]).casefold())
    stem = ""
    for word in words:
        longer = f"{stem}-{word}" if stem else word
        if len(longer.encode("utf-8", "ignore")) > MAX_STEM_BYTES:
            break
        stem = longer
    stem = stem.replace("_", "-").strip("-") or "picture"
    return f"{stem}-{generation_id.removeprefix('gen_')[:8]}-{index}"


def save_picture(root: Path, day: datetime, stem: str, suffix: str, data: bytes) -> Path:
    """Writes `data` to `root/YYYY-MM-DD/stem.suffix` through a temporary file, synced before it gets its name.

    A file of that name with the same bytes is ours from before a crash and is kept; with other bytes it is
    somebody's, and the next free `stem-2` is taken. A link in the place of the day's folder is not followed.

    Raises:
        StorageError: the disk refused; nothing of ours is left there.
    """
    path = root / day.strftime("%Y-%m-%d")
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _opened(path) as folder:
            temporary = f".{secrets.token_hex(8)}.part"
            try:
                folder.write(temporary, data)
                return path / _give_name(folder, temporary, stem, suffix, data)
            finally:
                folder.remove(temporary)
    except OSError as error:
        raise StorageError(
            f"The picture could not be saved under {root} ({error.strerror or type(error).__name__}).",
            next_step="Make room or make the folder writable, then call get_status: Darkroom fetches the picture "
            "again, at no cost.",
            charged=Charged.YES,
        ) from error


def read_picture(path: Path, size: int) -> bytes:
    """The bytes of a saved picture, `size` of them. A link in its place, or in its folder's, is not followed.

    Raises:
        ResultUnavailable: it is not there as it was saved. The file is the user's, who may have moved or changed it.
    """
    next_step = "If you moved it, use it where it is now; Darkroom keeps no other copy."
    try:
        with _opened(path.parent) as folder:
            data = folder.read(path.name, size + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ResultUnavailable(f"There is no picture to be read at {path} ({reason}).", next_step=next_step) from error
    if len(data) != size:
        raise ResultUnavailable(f"What lies at {path} is not the picture that was saved there.", next_step=next_step)
    return data


def _give_name(folder: "_Folder", temporary: str, stem: str, suffix: str, data: bytes) -> str:
    for number in range(1, 1000):
        name = f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}"
        try:
            # A hard link fails where the name is taken; a rename would silently take it over.
            folder.link(temporary, name)
        except FileExistsError:
            if folder.holds(name, data):
                return name
            continue
        folder.sync()
        return name
    raise FileExistsError(17, "a thousand files of that name exist")


@dataclass(frozen=True)
class _Folder:
    """A folder held open, so that what is swapped in at its path meanwhile is never written to.

    Windows has no descriptors of folders (`descriptor` None): there the path is used.
    """

    path: Path
    descriptor: int | None

    def write(self, name: str, data: bytes) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self._at(name), flags, 0o600, dir_fd=self.descriptor), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def link(self, old: str, new: str) -> None:
        os.link(self._at(old), self._at(new), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def read(self, name: str, limit: int) -> bytes:
        # Without O_NONBLOCK, a pipe of that name would be waited for.
        flags = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
        with os.fdopen(os.open(self._at(name), flags, dir_fd=self.descriptor), "rb") as file:
            return file.read(limit)

    def holds(self, name: str, data: bytes) -> bool:
        try:
            return self.read(name, len(data) + 1) == data
        except OSError:
            return False

    def remove(self, name: str) -> None:
        try:
            os.unlink(self._at(name), dir_fd=self.descriptor)
        except FileNotFoundError:
            return

    def sync(self) -> None:
        if self.descriptor is not None:
            os.fsync(self.descriptor)

    def _at(self, name: str) -> str:
        return name if self.descriptor is not None else str(self.path / name)


@contextmanager
def _opened(path: Path) -> Generator[_Folder]:
    if os.name == "nt":
        yield _Folder(path, None)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield _Folder(path, descriptor)
    finally:
        os.close(descriptor)
