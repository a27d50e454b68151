"""Copies of pictures in a folder that a person names: for its owner alone, and never over another file."""

import secrets
from pathlib import Path

from darkroom.errors import StorageError
from darkroom.store.day_folders import Folder, folder_at
from darkroom.store.files import give_name
from darkroom.store.private import make_folder


def keep_copy(folder: Path, stem: str, suffix: str, content: bytes) -> str:
    """Writes the file there, whole or not at all, and returns its name; blocking, for a worker thread.

    A file of that name with the same bytes is that copy. Where it has others, the next free `stem-2` is taken.

    Raises:
        StorageError: it cannot be written there.
    """
    try:
        make_folder(folder)
        # A link to the folder is what the person named; those inside it are not followed.
        with folder_at(folder.resolve()) as opened:
            return _kept(opened, stem, suffix, content)
    except OSError as error:
        raise StorageError(
            f"Nothing can be written to {folder} ({error.strerror or type(error).__name__}).",
            next_step="Name another folder, or make room there.",
        ) from error


def _kept(folder: Folder, stem: str, suffix: str, content: bytes) -> str:
    temporary = f".{secrets.token_hex(8)}.part"
    folder.write(temporary, [content])
    try:
        return give_name(folder, temporary, stem, suffix)
    finally:
        folder.remove(temporary)
