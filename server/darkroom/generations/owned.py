"""The rows of one owner: none of another's exists here."""

from collections.abc import Sequence

from darkroom.errors import NotFound
from darkroom.generations.service import Service
from darkroom.models import Record
from darkroom.redact.text import clean


class Rows:
    """Reads them. Every method raises NotFound for an id that this owner has not, and StorageError."""

    def __init__(self, house: Service, owner: str) -> None:
        self._house = house
        self.owner = owner

    async def one(self, generation_id: str) -> Record:
        """The row, for an onlooker."""
        return _there(await self._house.ledger.get(generation_id, self.owner), generation_id)

    async def named(self, ids: Sequence[str]) -> list[Record]:
        """The rows, in this order, for a caller who so shows that the responses which named them have come."""
        found = await self._house.ledger.several(ids, self.owner)
        await self._house.delivery.named(found.values())
        return [_there(found.get(generation_id), generation_id) for generation_id in ids]


def _there(record: Record | None, generation_id: str) -> Record:
    if record is None:
        raise NotFound(
            f"There is no generation {clean(generation_id, 60)!r}.",
            next_step="Use the id that generate returned, or find it with list_generations.",
        )
    return record
