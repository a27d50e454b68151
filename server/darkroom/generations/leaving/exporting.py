"""Writes down all that an owner has, row by row and piece by piece; what says how much that is comes last."""

import hashlib
import json
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from anyio import to_thread

from darkroom import __version__
from darkroom.errors import InvalidRequest, StorageError
from darkroom.generations.telling.describing import status_of
from darkroom.models import Image, Record, moment
from darkroom.store.day_folders import day_folder, folder_at, sync
from darkroom.store.ledger import Ledger
from darkroom.store.pictures import PictureStore
from darkroom.store.private import make_folder

PAGE = 100
ROWS, MANIFEST, PICTURES = "generations.jsonl", "manifest.json", "pictures"
_DRAFT = f".{MANIFEST}.part"
_PIECE = 2**18
_UNSAFE = re.compile(r"[^a-zA-Z0-9_-]")
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}


@dataclass
class Export:
    """An export into a folder. `missing`: saved pictures that could not be read where they had been saved."""

    folder: Path
    owner: str
    generations: int = 0
    pictures: int = 0
    missing: int = 0
    hashed: Any = field(default_factory=hashlib.sha256, repr=False)


async def export(ledger: Ledger, pictures: PictureStore, owner: str, folder: Path) -> Export:
    """Writes the owner's rows and saved pictures there, for this user alone; the folder is made, or is empty.

    Raises:
        InvalidRequest: something is in the folder already.
        StorageError: it could not all be written; then it has no manifest.
    """
    made = Export(folder, owner)
    with _refusing(folder):
        rows = await to_thread.run_sync(_begun, folder)
        with rows:
            reached, records = 0, None
            while records != ():
                records, reached = await ledger.oldest(owner, after=reached, limit=PAGE)
                for record in records:
                    await to_thread.run_sync(_write, made, rows, pictures, record)
            await to_thread.run_sync(_end, made, rows)
    return made


@contextmanager
def _refusing(folder: Path) -> Generator[None]:
    try:
        yield
    except FileExistsError as error:
        raise _not_empty(folder) from error
    except OSError as error:
        raise StorageError(
            f"The export could not be written to {folder} ({error.strerror or type(error).__name__}); it is not whole, "
            f"and has no {MANIFEST}.",
            next_step="Make room there, or make it writable, and export into another folder.",
        ) from error


def _not_empty(folder: Path) -> InvalidRequest:
    return InvalidRequest(
        f"{folder} is not an empty folder.", next_step="Name one that is new or empty; nothing in it was changed."
    )


def _begun(folder: Path) -> IO[bytes]:
    """The file of rows in the folder, which has nothing else. Raises InvalidRequest, OSError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _not_empty(folder)
    make_folder(folder)
    with folder_at(folder) as place:
        return place.create(ROWS)


def _write(made: Export, rows: IO[bytes], pictures: PictureStore, record: Record) -> None:
    """Writes one row, behind its pictures. Raises OSError."""
    entries = [_picture(made, pictures, record, image) for image in record.images]
    line = json.dumps(_described(record, entries), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    rows.write(line)
    made.hashed.update(line)
    made.generations += 1


def _described(record: Record, pictures: list[dict[str, Any]]) -> dict[str, Any]:
    """The facts of a row that its owner can read."""
    cost, failure = record.cost, record.failure
    return {
        "id": record.id,
        "status": status_of(record),
        "provider": record.request.provider,
        "model": record.request.model,
        "prompt": record.request.prompt,
        "request": record.request.model_dump(mode="json"),
        "request_key": record.request_key,
        "seed": record.seed,
        "created_at": _time(record.created_at),
        "submitted_at": _time(record.submitted_at),
        "finished_at": _time(record.finished_at),
        "cost": None if cost is None else cost.model_dump(mode="json"),
        "error": None if failure is None else failure.model_dump(mode="json"),
        "pictures": pictures,
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds).isoformat(timespec="milliseconds")


def _picture(made: Export, pictures: PictureStore, record: Record, image: Image) -> dict[str, Any]:
    """The entry of a picture, which is copied where it is saved. Raises OSError: it cannot be written."""
    entry = image.model_dump(mode="json")
    if image.key is None:
        return entry
    try:
        file = pictures.open(image.key)
    except (OSError, StorageError, ValueError) as error:
        made.missing += 1
        return {**entry, "missing": _why(error)}
    day = f"{moment(record.created_at):%Y-%m-%d}"
    name = f"{_UNSAFE.sub('_', record.id)}-{image.index}{_SUFFIXES.get(image.mime_type or '', '.bin')}"
    copied = _Copied(file, image.bytes or 0)
    with file, day_folder(made.folder / PICTURES, day) as place:
        place.write(name, copied)
        if copied.size != image.bytes:
            place.remove(name)
            made.missing += 1
            return {**entry, "missing": "What lies there is not the picture that was saved."}
    made.pictures += 1
    return {**entry, "file": f"{PICTURES}/{day}/{name}", "sha256": copied.hashed.hexdigest()}


def _why(error: Exception) -> str:
    said = error.message if isinstance(error, StorageError) else getattr(error, "strerror", None)
    return said or type(error).__name__


class _Copied:
    """A file, piece by piece, and at most one byte more than it should have; then its size and hash are known."""

    def __init__(self, file: IO[bytes], meant: int) -> None:
        self._file, self._left = file, meant + 1
        self.size, self.hashed = 0, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(min(_PIECE, self._left - self.size)):
            self.size += len(piece)
            self.hashed.update(piece)
            yield piece


def _end(made: Export, rows: IO[bytes]) -> None:
    """Writes what says that all of it is there. Raises OSError."""
    rows.flush()
    sync(rows.fileno())
    manifest = {
        "format": 1,
        "tenant": made.owner,
        "made_by": f"darkroom-mcp {__version__}",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "generations": made.generations,
        "pictures": made.pictures,
        "missing_pictures": made.missing,
        "sha256": {ROWS: made.hashed.hexdigest()},
    }
    with folder_at(made.folder) as place:
        place.write(_DRAFT, [json.dumps(manifest, indent=1).encode()])
        place.rename(_DRAFT, MANIFEST)
        place.sync()
