"""Removal, as the house needs it: of rows that were over long ago, and of all that one owner has."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from darkroom.models import Record, Stage


class Removable(NamedTuple):
    """A row that is to go, and its pictures as the ledger has them written down: one that changes meanwhile stays."""

    record: Record
    written: str


class Removals(Protocol):
    """Each method is one transaction, and raises StorageError where the disk refuses it."""

    async def remove(self, *, older_s: float, most: int, among: Collection[str] | None = None) -> int:
        """Removes up to so many rows, of any owner, that were over so many seconds ago; returns how many it removed.

        `among`: of these alone; None: of all.
        Their ids, owners, request keys and the hashes of their requests stay. Outdated is raised as by `begin`.
        """
        ...

    async def removed(self, ids: Collection[str], owner: str) -> Mapping[str, float]:
        """Those of these that were this owner's and are removed, each with when it was over (seconds since 1970)."""
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
