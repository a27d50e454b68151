"""The record of whose keys are kept, and where: one file beside the ledger, for its owner alone."""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from darkroom.errors import NotConfigured, StorageError

FILE = "keys.toml"
MOST_BYTES = 100_000
_HEADING = "# Written by `darkroom-mcp setup`: whose keys are kept, and where. Share it with nobody.\n\n"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Kept:
    """One service whose key is kept. `key`: the key itself, where `place` is this file."""

    name: str
    place: Literal["keychain", "file"]
    key: str = field(default="", repr=False)


def read(home: Path) -> tuple[Kept, ...]:
    """The record; empty where `setup` has kept nothing. Reads one small file, and imports little.

    Raises:
        NotConfigured: the file cannot be read.
    """
    file = home / FILE
    try:
        if not file.is_file():
            return ()
        if file.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        import tomllib  # noqa: PLC0415 - most starts need none

        found: Mapping[str, Any] = tomllib.loads(file.read_text("utf-8"))
        return tuple(_kept(name, value) for name, value in found.items())
    except (OSError, ValueError, RecursionError) as error:
        raise NotConfigured(
            f"{file} cannot be read ({type(error).__name__}), so no kept key is used.",
            next_step="Delete it and run darkroom-mcp setup again, or set the keys' variables.",
        ) from error


def _kept(name: str, value: object) -> Kept:
    table = cast("Mapping[str, Any]", value if isinstance(value, Mapping) else {})
    place, key = table.get("place"), table.get("key", "")
    if not _NAME.fullmatch(name) or place not in {"keychain", "file"} or not isinstance(key, str):
        raise ValueError("it is no record of keys")
    return Kept(name, place, key)


def write(home: Path, kept: Iterable[Kept]) -> None:
    """Puts this record in the place of the one that there is. Raises StorageError: that is as it was."""
    from tempfile import NamedTemporaryFile  # noqa: PLC0415

    import tomlkit  # noqa: PLC0415 - only setup writes

    from darkroom.store.private import FILE as ALONE  # noqa: PLC0415
    from darkroom.store.private import make_folder, restore  # noqa: PLC0415

    tables = {each.name: {"place": each.place, **({"key": each.key} if each.key else {})} for each in kept}
    draft: Path | None = None
    try:
        make_folder(home)
        with NamedTemporaryFile(dir=home, suffix=".part", delete=False) as opened:  # its mode is 0600
            draft = Path(opened.name)
            opened.write((_HEADING + tomlkit.dumps(tables)).encode())
            opened.flush()
            os.fsync(opened.fileno())
        restore(draft, ALONE)
        draft.replace(home / FILE)
    except OSError as error:
        with suppress(OSError):
            if draft is not None:
                draft.unlink()
        raise StorageError(
            f"{home / FILE} cannot be written ({error.strerror or type(error).__name__}).",
            next_step="No key was kept. Look at the folder and try again.",
        ) from error
