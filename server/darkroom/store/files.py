"""Picture files: saved whole or not at all, under names of our own, never over another file."""

import os
import re
import secrets
import unicodedata
from datetime import datetime
from pathlib import Path

from darkroom.errors import StorageError
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
    somebody's, and the next free `stem-2` is taken.

    Raises:
        StorageError: the disk refused; nothing of ours is left there.
    """
    folder = root / day.strftime("%Y-%m-%d")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = folder / f".{secrets.token_hex(8)}.part"
        try:
            _write_synced(temporary, data)
            return _give_name(temporary, folder, stem, suffix, data)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"The picture could not be saved under {root} ({error.strerror or type(error).__name__}).",
            next_step="Make room or make the folder writable, then call get_status: Darkroom fetches the picture "
            "again, at no cost.",
            charged=Charged.YES,
        ) from error


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _give_name(temporary: Path, folder: Path, stem: str, suffix: str, data: bytes) -> Path:
    for number in range(1, 1000):
        name = folder / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}")
        try:
            # A hard link fails where the name is taken; a rename would silently take it over.
            os.link(temporary, name)
        except FileExistsError:
            if _same(name, data):
                return name
            continue
        _sync_folder(folder)
        return name
    raise FileExistsError(17, "a thousand files of that name exist")


def _same(path: Path, data: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
