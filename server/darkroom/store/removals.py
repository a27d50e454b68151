"""Removal, as the house needs it: of rows that were over long ago, and of all that one owner has."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from darkroom.models import Record, Stage


class Removable(NamedTuple):
    """A row that is to go, and its pictures as the ledger has them written down: one that changes meanwhile stays."""

    record: Record
    written: str


class Pictures(StrEnum):
    """The place of a removed row's pictures."""

    KEPT = "kept"
    """They stayed as they were saved, if there were any."""
    TRASH = "trash"
    GONE = "gone"


_SAID = {
    Pictures.KEPT: "Its pictures, if it had any, stay where they were saved.",
    Pictures.TRASH: "Its pictures, if it had any, were moved to the system's trash.",
    Pictures.GONE: "Its pictures, if it had any, were removed for good.",
}


def say_pictures(pictures: Pictures) -> str:
    """The sentence on them."""
    return _SAID[pictures]


class Removed(NamedTuple):
    """The rest of a removed row: when it was over (seconds since 1970), and where its pictures are."""

    finished_at: float
    pictures: Pictures


class Removals(Protocol):
    """Each method is one transaction, and raises StorageError where the disk refuses it."""

    async def remove(self, *, older_s: float, most: int) -> int:
        """Removes up to so many rows, of any owner, that were over so many seconds ago; returns how many it removed.

        Their pictures are kept; ids, owners, request keys and the hashes of their requests stay, and what a budget of
        these days counts. Outdated is raised as by `begin`.
        """
        ...

    async def discard(self, ids: Collection[str], owner: str, pictures: Pictures) -> int:
        """The same of those of these rows that are this owner's and over, and whose pictures are there now."""
        ...

    async def removed(self, ids: Collection[str], owner: str) -> Mapping[str, Removed]:
        """Those of these that were this owner's and are removed."""
        ...

    async def stages(self, owner: str) -> Mapping[Stage, int]:
        """The number of this owner's rows in each stage in which there are any."""
        ...

    async def withdraw(self, owner: str, most: int) -> int:
        """Cancels up to so many of this owner's rows that no provider has received; returns how many it cancelled."""
        ...

    async def removable(self, owner: str, most: int) -> list[Removable]:
        """Up to so many of this owner's rows that are over, oldest first."""
        ...

    async def shared(self, ids: Collection[str], owner: str) -> frozenset[str]:
        """The keys of those pictures of other owners whose names may be the same: two ids may begin alike."""
        ...

    async def erase(self, removable: Sequence[Removable]) -> int:
        """Removes those of these rows that are as they were, and keeps no name of them; returns how many it removed."""
        ...

    async def names(self, owner: str, most: int) -> Mapping[str, float]:
        """Up to so many ids of this owner's that stayed as its rows were removed, each with when it was over."""
        ...

    async def forget(self, owner: str, ids: Collection[str]) -> None:
        """Removes what stayed of these rows, and this owner's tasks and turns."""
        ...
