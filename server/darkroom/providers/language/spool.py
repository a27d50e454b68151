"""Responses that are the result: each is kept on the disk, for its generation, until its pictures are saved."""

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from darkroom.errors import NotFound, StorageError
from darkroom.models import Charged

KEPT_S = 30 * 24 * 3600.0
"""Seconds for which a response is kept whose pictures could not all be saved."""


def try_out(folder: Path) -> None:
    """Removes what is too old to be asked for. Raises StorageError: no response could be kept there."""
    try:
        _written(folder, b"trial").unlink()
        oldest = time.time() - KEPT_S
        for file in folder.iterdir():
            with suppress(FileNotFoundError):  # another process has removed it
                if file.stat().st_mtime < oldest:
                    file.unlink()
    except OSError as error:
        raise StorageError(
            f"Responses could not be kept in {folder} ({error.strerror or type(error).__name__}), so nothing was sent.",
            next_step="Make room there, or make it writable, and generate again.",
        ) from error


def keep(folder: Path, data: bytes, reference: str) -> str:
    """Puts the response to this generation's POST on the disk; returns the name by which it is found again.

    Raises:
        StorageError: the disk refuses, though it is paid for.
    """
    # Its hash alone would be the name of another generation's response too, where a service repeats itself.
    name = f"{reference}.{hashlib.sha256(data).hexdigest()}"
    try:
        _written(folder, data).replace(folder / name)
    except OSError as error:
        raise StorageError(
            f"The response, which is paid for, cannot be kept in {folder} ({error.strerror or type(error).__name__}).",
            next_step="Make room there before you generate anything else.",
            charged=Charged.YES,
        ) from error
    return name


def recall(folder: Path, name: str, title: str) -> bytes:
    """The response of this name. Raises NotFound: it is not there any more, or not as it was."""
    try:
        data = (folder / name).read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != name.rpartition(".")[2]:  # older names are the hash alone
        raise NotFound(f"{title}'s response is not kept here any more", next_step="Generate it again if it is wanted.")
    return data


def forget(folder: Path, name: str) -> None:
    """Removes it: its pictures are saved."""
    (folder / name).unlink(missing_ok=True)


def _written(folder: Path, data: bytes) -> Path:
    """A new file with this content, for its owner alone, on the disk and not only on its way there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(file.name)
