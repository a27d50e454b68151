"""Generations that a person is done with: their pictures go to the trash, then the rows, whose names stay.

Pictures first: a row whose pictures are still there is found again.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread

from darkroom.errors import Deleted, InvalidRequest, StorageError
from darkroom.models import Charged, Image, ImageStatus, Record
from darkroom.store.ledger import Ledger
from darkroom.store.pictures import PictureStore
from darkroom.store.removals import Pictures
from darkroom.tenants import LOCAL


@dataclass
class Discarded:
    """The number of rows that are gone; pictures that stay since somebody changed them; rows that stay, and why."""

    rows: int = 0
    changed: list[Image] = field(default_factory=list[Image])
    left: dict[str, StorageError] = field(default_factory=dict[str, StorageError])


@dataclass(frozen=True)
class Leaving:
    """The way out for generations of an owner: their pictures go to the system's trash, or for good."""

    ledger: Ledger
    pictures: PictureStore
    owner: str
    for_good: bool = False

    def check(self, records: Iterable[Record]) -> None:
        """Raises StorageError: there is no trash for pictures of these, so none of them is to be touched."""
        for record in () if self.for_good else records:
            for image in record.images:
                if image.key is not None and (why := self.pictures.trashless(image.key)):
                    raise self._refusal(record.id, why)

    async def discard(self, ids: Collection[str], *, favourites: bool = True) -> Discarded:
        """Those of these that are over, as they are now. `favourites` False: those with favourites stay."""
        done, gone = Discarded(), list[str]()
        for record in (await self.ledger.several(ids, self.owner)).values():
            if not record.stage.terminal or (record.favourites and not favourites):
                continue
            try:
                done.changed += await self._away(record, record.images)
            except StorageError as error:
                done.left[record.id] = error
                continue
            gone.append(record.id)
        if gone:
            done.rows = await self.ledger.discard(gone, self.owner, Pictures.GONE if self.for_good else Pictures.TRASH)
            await to_thread.run_sync(self.pictures.previews.clear)
        return done

    async def discard_picture(self, record: Record, index: int) -> tuple[Record | None, list[Image]]:
        """One picture of a generation that is over; returns the row as it is then, and the picture where it stays.

        None: the row is not over, or there is none any more.

        Raises:
            StorageError: it cannot be moved; the row is as it was.
        """
        images = [image for image in record.images if image.index == index]
        changed = await self._away(record, images)
        keys = {image.key for image in images}

        def without(row: Record) -> dict[str, Any]:
            kept = tuple(self._without(image) if image.key in keys else image for image in row.images)
            return {"images": kept, "favourites": row.favourites & ~(1 << (index - 1))}

        revised = await self.ledger.revise(record, without)
        await to_thread.run_sync(self.pictures.previews.clear)
        return revised, changed

    def _without(self, image: Image) -> Image:
        where = (
            "It was removed for good."
            if self.for_good
            else "It is in the system's trash, unless that has been emptied since."
        )
        deleted = Deleted("Its user deleted this picture.", next_step=where, charged=Charged.YES)
        return Image(
            index=image.index, status=ImageStatus.FAILED, error=deleted.failure(), remote_id=image.remote_id, final=True
        )

    async def _away(self, record: Record, images: Sequence[Image]) -> list[Image]:
        """Moves them out; returns those that somebody has changed since, which stay. Raises StorageError."""
        move = self.pictures.remove if self.for_good else self.pictures.discard

        def moved() -> list[Image]:
            return [each for each in images if each.key and not move(each.key, each.bytes or 0)]

        self.check([record])
        try:
            return await to_thread.run_sync(moved)
        except OSError as error:
            raise self._refusal(record.id, error.strerror or type(error).__name__) from error

    def _refusal(self, generation_id: str, why: str) -> StorageError:
        cannot = "be removed" if self.for_good else "be moved to the trash"
        step = f"darkroom-mcp delete {generation_id} --for-good, run where Darkroom runs, removes them without a trash."
        if self.owner != LOCAL:
            step = "Ask whoever runs this server to remove them."
        elif self.for_good:
            step = "Make that possible, and try again."
        return StorageError(f"The pictures of {generation_id} cannot {cannot} ({why}); they stay.", next_step=step)


def check_over(record: Record) -> None:
    """Raises InvalidRequest: something of it may still come."""
    if not record.stage.terminal:
        raise InvalidRequest(
            f"{record.id} is not over yet, so it cannot be deleted.", next_step="Wait for its end, or cancel it first."
        )
