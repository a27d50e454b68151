"""Pictures that requests are made from: each is kept under its generation's id until that has been sent."""

import hashlib
import os
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from darkroom.errors import StorageError
from darkroom.models import GenerationRequest, InputImage

COMMITTED_WITHIN_S = 600.0
"""Seconds after which no row will come any more for a picture that was kept: it is committed right after it."""


class Attached(NamedTuple):
    """A picture with its bytes."""

    image: InputImage
    data: bytes


def folder_in(home: Path) -> Path:
    """The place where the pictures are kept until they are sent."""
    return home / "providers" / "inputs"


def keep(folder: Path, generation_id: str, images: Sequence[Attached]) -> None:
    """Writes the pictures for their owner alone, on the disk before it returns.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in images:
            _write(_place(folder, generation_id, each.image), each.data)
    except OSError as error:
        forget(folder, generation_id)
        raise StorageError(
            f"The pictures cannot be kept in {folder} until they are sent ({error.strerror or type(error).__name__}).",
            next_step="Make room there, or make it writable, and call again. Nothing was sent.",
        ) from error


def recall(folder: Path, generation_id: str, request: GenerationRequest) -> list[Attached]:
    """The request's pictures, byte for byte as they were kept.

    Raises:
        StorageError: one is not there any more, or is another.
    """
    return [Attached(each, _recalled(_place(folder, generation_id, each), each)) for each in request.images]


def forget(folder: Path, generation_id: str) -> None:
    """Removes the generation's pictures: they were sent, or never will be."""
    for file in folder.glob(f"{generation_id}.*"):
        with suppress(OSError):  # another process removes it too, or the next look does
            file.unlink()


def kept_for(folder: Path) -> list[str]:
    """The generations that pictures are kept for."""
    try:
        return sorted({file.name.partition(".")[0] for file in folder.iterdir()})
    except OSError:
        return []


def sweep(folder: Path, unsent: Collection[str]) -> None:
    """Removes the pictures of every generation but these, unless they were kept just now."""
    oldest = time.time() - COMMITTED_WITHIN_S
    for file in folder.glob("*"):
        with suppress(OSError):  # another process removes it too
            if file.name.partition(".")[0] not in unsent and file.stat().st_mtime < oldest:
                file.unlink()


def _place(folder: Path, generation_id: str, image: InputImage) -> Path:
    return folder / f"{generation_id}.{image.sha256}"


def _recalled(place: Path, image: InputImage) -> bytes:
    try:
        data = place.read_bytes()
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise StorageError(
            f"The picture that this was to be made from is not kept in {place.parent} any more, so nothing was sent.",
            next_step="Generate it again with the picture.",
        )
    return data


def _write(place: Path, data: bytes) -> None:
    descriptor = os.open(place, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
