"""The desk of one owner, who may submit, get, wait for, cancel and list generations."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import NamedTuple

import anyio

from darkroom.declaration import Traits
from darkroom.errors import InvalidRequest, StorageError
from darkroom.generations.asking.budget import NOTHING_NEW, refusing
from darkroom.generations.asking.delivery import Letter, repeated
from darkroom.generations.asking.wishes import Wish
from darkroom.generations.leaving.discarding import Leaving, check_over
from darkroom.generations.owned import Rows
from darkroom.generations.service import Service
from darkroom.generations.showing import Showing, saved_picture
from darkroom.generations.telling.wording import AGAIN, say_cancelled
from darkroom.generations.watching import Watching
from darkroom.models import Answered, GenerationRequest, Image, Record, Stage, Status
from darkroom.providers.registry import Registry
from darkroom.redact.text import clean
from darkroom.views import Generation, ListedGenerations

ANSWER_WITHIN_S = 0.8
"""Seconds that `submit` waits for the provider's first word; a refusal usually comes sooner."""


class Deletion(NamedTuple):
    """The generation without its picture (None: all of it is gone), and pictures that stay since they were changed."""

    generation: Generation | None
    changed: list[Image]


class Desk:
    """The service, for one owner: none of another's generations exists here."""

    def __init__(self, house: Service, owner: str) -> None:
        self._house = house
        self.owner = owner
        self.pictures = Showing(house)
        self._rows = Rows(house, owner)
        self.watch = Watching(house, self._rows).watch

    @asynccontextmanager
    async def submit(self, wish: Wish, *, new: bool = True, letter: Letter | None = None) -> AsyncGenerator[Generation]:
        """Commits a new generation and returns it within a second, sent to its provider or not.

        The block, and the letter's way to the caller, are part of the response: a caller that leaves loses it.
        Its next identical call within ten minutes is given the same generation. `request_key` names it for good.
        `new` False: it must be one of these. Where it is, its `next_step` says so.

        Raises:
            InvalidRequest, NotConfigured: it cannot be made; nothing was written or sent.
            RateLimited: the budget is used up; nothing was written or sent.
            StorageError: it could not be committed; nothing was sent.
        """
        record, images = await self._house.wanted(wish, self.owner, self._saved)
        room = self._house.room(record) if new else NOTHING_NEW
        await self._house.inputs.keep(record, images)
        with refusing(room, record):
            async with self._house.delivery.answering(record, room, letter) as begun:
                await self._begun(begun, record)
                generation = await self._settled_a_little(begun)
                if begun.id != record.id:
                    step = " ".join(filter(None, (generation.next_step, AGAIN)))
                    generation = generation.model_copy(update={"next_step": step})
                yield generation

    async def submit_agreed(self, task_id: str, wish: Wish) -> None:
        """Commits a new generation that the user of this task said yes to; nothing, where the task asks no more.

        Its response counts as delivered: who has the task has it.

        Raises:
            DarkroomError: as `submit`; the task still asks.
        """
        wanted, images = await self._house.wanted(wish, self.owner, self._saved)
        record = wanted.model_copy(update={"answered": Answered.DELIVERED})
        room = self._house.room(record)
        await self._house.inputs.keep(record, images)
        with refusing(room, record):
            begin = partial(self._house.ledger.begin_agreed, record, task_id, room=room)
            begun = await repeated(begin, begin)
        if begun is not None:
            await self._begun(begun, record)

    async def _begun(self, begun: Record, record: Record) -> None:
        if begun.id != record.id:
            await self._house.inputs.forget(record)
        if begun.request != record.request:
            raise InvalidRequest(
                f"request_key {clean(record.request_key or '', 60)!r} names another request, {begun.id}.",
                next_step="Use a new request_key for a new picture; nothing was sent.",
            )
        self._house.driver.named(begun)

    async def foresee(self, wish: Wish) -> GenerationRequest | None:
        """The request that `submit` would send to a provider now; None: it would return an existing generation.

        Raises:
            InvalidRequest, NotConfigured, RateLimited, StorageError: as `submit` would.
        """
        record, _ = await self._house.wanted(wish, self.owner, self._saved)
        room = self._house.room(record)
        with refusing(room, record):
            foreseen = await self._house.delivery.foresee(record, room)
        return record.request if foreseen.id == record.id else None

    def traits(self, provider: str) -> Traits:
        """The abilities of this provider."""
        return self._registry.traits(provider)

    @property
    def _registry(self) -> Registry:
        return self._house.owners.of(self.owner).registry

    async def _saved(self, generation_id: str, index: int) -> bytes:
        """One of this owner's pictures. Raises DarkroomError."""
        return (await self.pictures.picture(await self.kept(generation_id), index))[1]

    async def _settled_a_little(self, record: Record) -> Generation:
        subscribe = self._house.changes.subscribe
        with subscribe([record.id], brief=True) as subscription, anyio.move_on_after(ANSWER_WITHIN_S):
            with suppress(StorageError):  # it is committed: whatever is wrong now, its id must be returned
                record = await self._house.ledger.get(record.id, record.owner) or record
            while record.stage in {Stage.ACCEPTED, Stage.SUBMITTING} and not await self._held_back(record):
                record = (await subscription.take()).get(record.id, record)
        return await self._house.describer.generation(record)

    async def get(self, generation_id: str) -> Generation:
        """The generation, freshly read from its provider where what is known is older than its shortest interval.

        Of one whose outcome is unknown it also names the jobs that its provider lists and that may be it.

        Raises:
            NotFound: the owner has none of that id.
        """
        (record,) = await self._rows.named([generation_id])
        record = await self._house.driver.look_again(record)
        return await self._house.describer.generation(await self._house.likely.advised(record))

    async def kept(self, generation_id: str) -> Generation:
        """The generation as the ledger has it; raises NotFound.

        No provider is asked, and no result counts as delivered: an onlooker is not the caller who waits for it.
        """
        return await self._house.describer.generation(await self._rows.one(generation_id))

    async def request_of(self, generation_id: str) -> GenerationRequest:
        """The request for it; raises NotFound."""
        return (await self._rows.one(generation_id)).request

    async def ids(self, prefix: str, limit: int) -> list[str]:
        """The owner's newest ids that begin so. Raises StorageError."""
        return await self._house.ledger.ids(self.owner, prefix, limit)

    async def delivered(self, ids: Iterable[str]) -> None:
        """A caller that asks for these has read the results that named them. Raises NotFound."""
        await self._rows.named(list(ids))

    async def cancel(self, generation_id: str) -> tuple[Generation, str]:
        """Cancels what no provider has received, and asks a provider to stop what it has, where it can be asked.

        Anything else goes on. Returns the generation, and what came of the wish in words. While it is being sent, the
        wish is kept: where its provider turns out not to have taken it, it is cancelled.

        Raises:
            NotFound: the owner has none of that id.
        """
        await self._rows.named([generation_id])
        record = self._house.journal.published(await self._house.ledger.cancel(generation_id, self.owner))
        record, stop = await self._house.stopping.stop(record)
        if record.stage is Stage.CANCELLED:
            await self._house.inputs.forget(record)
        title = self._registry.traits(record.request.provider).title
        return await self._house.describer.generation(record), say_cancelled(record, stop, title)

    async def mark(self, generation_id: str, index: int, *, favourite: bool) -> Generation:
        """Notes whether the owner likes this picture best.

        Raises:
            NotFound: the owner has none of that id, or it has no such picture.
        """
        saved_picture(await self.kept(generation_id), index)
        record = await self._house.ledger.mark(generation_id, self.owner, index, favourite=favourite)
        record = self._house.journal.published(record, again=True)
        return await self._house.describer.generation(record)

    def leaving(self, *, for_good: bool = False) -> Leaving:
        """The way out for what the owner, in person, is done with: to the trash, or for good."""
        return Leaving(self._house.ledger, self._house.pictures, self.owner, for_good)

    async def deletable(self, generation_id: str, index: int | None = None, *, for_good: bool = False) -> Record:
        """The row that `delete` would be about.

        Raises:
            NotFound: the owner has none of that id, or it has no such picture.
            InvalidRequest: it is not over.
            StorageError: there is no trash for its pictures.
        """
        record = await self._rows.one(generation_id)
        if index is not None:
            saved_picture(await self._house.describer.generation(record), index)
        check_over(record)
        self.leaving(for_good=for_good).check([record])
        return record

    async def delete(self, generation_id: str, index: int | None = None) -> Deletion:
        """Moves the pictures of a generation to the trash and takes it out of the ledger, or one picture of it.

        Raises:
            NotFound, InvalidRequest, StorageError: as `deletable`, and where a picture cannot be moved; nothing is
                deleted but the pictures that were moved before it.
        """
        record = await self.deletable(generation_id, index)
        if index is not None:
            revised, changed = await self.leaving().discard_picture(record, index)
            revised = self._house.journal.published(revised, again=True)
            return Deletion(await self._house.describer.generation(revised), changed)
        done = await self.leaving().discard([generation_id])
        for error in done.left.values():
            raise error
        if not done.rows:  # it has gone on, or away, since
            await self.deletable(generation_id)
        return Deletion(None, done.changed)

    async def page(
        self,
        *,
        status: Status | None = None,
        provider: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
        search: str = "",
        favourites: bool = False,
    ) -> ListedGenerations:
        """The owner's generations, newest first. `favourites`: those with such a picture.

        `search`: those with all of these words in their prompts.

        Raises:
            InvalidRequest: the cursor is not one of ours, or there is no such provider.
        """
        if provider is not None:
            self._registry.known(provider)
        if cursor is not None and await self._house.ledger.get(cursor, self.owner) is None:
            raise InvalidRequest(
                "cursor is not one that list_generations returned.",
                next_step="Pass next_cursor of the page before, or leave cursor out.",
            )
        page = await self._house.ledger.page(
            self.owner, status=status, provider=provider, limit=limit, before=cursor, words=tuple(search.split()),
            favourites=favourites,
        )  # fmt: skip
        shown = await self._house.describer.generations(page.records)
        return ListedGenerations(generations=tuple(shown), next_cursor=page.next_cursor)

    async def providers(self) -> list[str]:
        """The providers of the owner's generations that `page` can be asked for. Raises StorageError."""
        return [name for name in await self._house.ledger.providers(self.owner) if name in self._registry.declared]

    async def _held_back(self, record: Record) -> bool:
        """True where it waits for a limit, so that there is no word of the provider to wait for."""
        standing = await self._house.describer.standing(record)
        return standing is not None and (standing.at_the_earliest or standing.starts_in_s > ANSWER_WITHIN_S)


Whose = Callable[[], Desk]
"""The desk of the owner who asks, known anew for each request."""
