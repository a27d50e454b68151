"""Small versions of saved pictures, kept beside the ledger so that each is made once; of many the oldest go.

Nothing depends on them: what is missing is made again from the picture.
"""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from darkroom.store.private import FILE, make_folder, restore

MAX_KEPT = 200 * 2**20
"""Bytes of them that are kept; a quarter of that is freed at a time."""
TIDIED_EVERY = 50
MOST_AT_HAND = 16
"""Texts that are in memory as well; each has 200 KB at most, and mostly a quarter of that."""
JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


class KeptPreviews:
    """JPEGs by what they were made of, in any number of values. Each method blocks: call it on a worker thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = 0
        self._at_hand: dict[Hashable, str] = {}
        self._turn = Lock()

    def read(self, *made_of: object) -> bytes | None:
        """The JPEG; None: it is not kept, or not whole."""
        try:
            data = self._path(made_of).read_bytes()
        except OSError:
            return None
        return data if data.startswith(JPEG_START) and data.endswith(JPEG_END) else None

    def text(self, *made_of: Hashable) -> str | None:
        """The same in base64, from memory where it was read lately: what is finished is asked for again and again."""
        if (text := self._at_hand.get(made_of)) is not None:
            return text
        if (data := self.read(*made_of)) is None:
            return None
        text = base64.b64encode(data).decode("ascii")
        with self._turn:
            while len(self._at_hand) >= MOST_AT_HAND:
                del self._at_hand[next(iter(self._at_hand))]
            self._at_hand[made_of] = text
        return text

    def keep(self, data: bytes, *made_of: object) -> None:
        """Keeps the JPEG, if the disk has room for it."""
        temporary = self._folder / f".{secrets.token_hex(8)}.part"
        with suppress(OSError):
            make_folder(self._folder)
            if self._kept % TIDIED_EVERY == 0:
                self._tidy()
            self._kept += 1
            try:
                descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), FILE)
                with os.fdopen(descriptor, "wb") as file:
                    restore(descriptor, FILE)
                    file.write(data)
                temporary.replace(self._path(made_of))
            finally:
                temporary.unlink(missing_ok=True)

    def clear(self) -> None:
        """Removes all of them."""
        with self._turn:
            self._at_hand.clear()
        with suppress(OSError):
            for entry in list(os.scandir(self._folder)):
                with suppress(OSError):  # another process may be tidying up
                    Path(entry).unlink()

    def _path(self, made_of: tuple[object, ...]) -> Path:
        return self._folder / f"{hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:40]}.jpg"

    def _tidy(self) -> None:
        files = sorted((entry.stat().st_mtime, entry.stat().st_size, entry.path) for entry in os.scandir(self._folder))
        size = sum(size for _, size, _ in files)
        least = size if size <= MAX_KEPT else MAX_KEPT * 3 // 4
        for _, each, path in files:
            if size <= least:
                return
            with suppress(OSError):  # another process tidies too
                Path(path).unlink()
            size -= each
