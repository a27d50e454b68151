"""The rows of one owner: none of another's exists here."""

from collections.abc import Mapping, Sequence

from darkroom.errors import NotFound
from darkroom.generations.service import Service
from darkroom.models import Record, moment
from darkroom.redact.text import clean
from darkroom.store.removals import Pictures, Removed, say_pictures


class Rows:
    """Reads them. Every method raises NotFound for an id that this owner has not, and StorageError."""

    def __init__(self, house: Service, owner: str) -> None:
        self._house = house
        self.owner = owner

    async def one(self, generation_id: str) -> Record:
        """The row, for an onlooker."""
        found = await self._house.ledger.several([generation_id], self.owner)
        return (await self._all(found, [generation_id]))[0]

    async def named(self, ids: Sequence[str]) -> list[Record]:
        """The rows, in this order, for a caller who so shows that the responses which named them have come."""
        found = await self._house.ledger.several(ids, self.owner)
        await self._house.delivery.named(found.values())
        return await self._all(found, ids)

    async def _all(self, found: Mapping[str, Record], ids: Sequence[str]) -> list[Record]:
        missing = [generation_id for generation_id in ids if generation_id not in found]
        if missing:
            raise _missing(missing[0], await self._house.ledger.removed(missing[:1], self.owner))
        return [found[generation_id] for generation_id in ids]


def _missing(generation_id: str, removed: Mapping[str, Removed]) -> NotFound:
    if generation_id in removed:
        finished_at, pictures = removed[generation_id]
        day = moment(finished_at).date()
        said = f"{generation_id} was over on {day}; it was deleted since."
        if pictures is Pictures.KEPT:
            said = f"{generation_id} was over on {day}; its details were removed since."
        return NotFound(said, next_step=say_pictures(pictures))
    return NotFound(
        f"There is no generation {clean(generation_id, 60)!r}.",
        next_step="Use the id that generate returned, or find it with list_generations.",
    )
