"""A key kept, or forgotten: the record names its place, and no other file has it."""

from pathlib import Path

from darkroom.errors import StorageError
from darkroom.keys import keychain, record
from darkroom.keys.record import Kept

KEEP_WITHIN_S = 20.0
"""Seconds that a keychain may take while a person looks on, whom it may ask for a password."""


def keep(home: Path, name: str, key: str) -> Kept:
    """Keeps the key in the system's keychain, or else in the record's own file; returns where. It blocks.

    Raises:
        NotConfigured: the record cannot be read.
        StorageError: it cannot be written.
    """
    others = [each for each in record.read(home) if each.name != name]
    in_keychain = keychain.keep(name, key, KEEP_WITHIN_S)
    kept = Kept(name, "keychain") if in_keychain else Kept(name, "file", key)
    record.write(home, [*others, kept])
    return kept


def forget(home: Path, name: str) -> Kept | None:
    """Forgets the key; returns where it was, None: it was not kept. It blocks. Raises as `keep`."""
    kept = {each.name: each for each in record.read(home)}
    former = kept.pop(name, None)
    if former is None:
        return None
    if former.place == "keychain" and not keychain.forget(name, KEEP_WITHIN_S):
        raise StorageError(
            f"The system's keychain did not delete the key of {name}.",
            next_step=f"Unlock it and try again, or delete it there: it is called {keychain.SERVICE}.",
        )
    record.write(home, kept.values())
    return former
