"""The other processes on this ledger: their changes are reported here, and the rows that they leave are taken over."""

import logging
from collections.abc import Collection, Iterable
from functools import partial

import anyio
from anyio.abc import TaskGroup

from darkroom.errors import StorageError
from darkroom.generations.driving.driver import Driver
from darkroom.generations.driving.posting import lost_in_submission
from darkroom.generations.telling.changes import Changes
from darkroom.models import Record
from darkroom.providers.owners import Owners
from darkroom.store.ledger import Ledger
from darkroom.store.presence import RESTORED_EVERY_S
from darkroom.store.processes import BATCH
from darkroom.store.signs import Presence
from darkroom.tenants import LOCAL

log = logging.getLogger(__name__)

ADOPTION_INTERVAL_S = 1.0
FOLLOW_INTERVAL_S = 0.2
YIELD_S = 0.00001
"""Seconds, for each generation that this process drives already, before it takes more: who has fewer goes first."""


class Peers:
    """Every host starts a server of its own, and all of one user share a ledger."""

    def __init__(
        self,
        ledger: Ledger,
        presence: Presence,
        owners: Owners,
        changes: Changes,
        only: Collection[str] | None = None,
    ) -> None:
        self._ledger = ledger
        self._only = only
        self._presence = presence
        self._owners = owners
        self._changes = changes
        self._version = -1
        self._stamp: object = None
        self._others: list[str] = []
        self._left: list[str] = []

    def start(self, group: TaskGroup, driver: Driver) -> None:
        """Shows that this process runs, follows what others change, and goes on with what they leave."""
        group.start_soon(self._stay_present)
        group.start_soon(self._follow_changes)
        group.start_soon(self._adopt_repeatedly, driver)

    async def adopt(self, driver: Driver) -> None:
        """Takes over the unfinished rows of processes that are dead, or live but do not run, and drives them on."""
        if (stamp := await self._ledger.stamp()) != self._stamp:
            several = self._owners.tenants is not None
            providers = None if several else self._owners.local.registry.providers.keys()
            self._others = await self._ledger.others(self._presence.id, providers)
            self._left = await self._ledger.left(self._others) if several else [LOCAL]
            self._stamp = stamp
        gone = self._presence.look(self._others)
        if not gone:
            return
        means = {owner: found for owner in self._left if (found := self._owners.found(owner)) is not None}
        theirs = {owner: found.registry.providers for owner, found in means.items()}
        accounts = {
            owner: {name: provider.access.account for name, provider in own.items()} for owner, own in theirs.items()
        }
        finds = {name for own in theirs.values() for name, provider in own.items() if provider.traits.finds}
        lost = lost_in_submission().failure()
        adopt = partial(self._ledger.adopt, gone, self._presence.id, accounts, lost=lost, only=self._only, finds=finds)
        adopted, more = list[Record](), True
        while more:  # all of it before anything is looked at: thousands of looks would hold up the rest
            part = await adopt()
            self._version = -1  # what this process itself ended of theirs is no news of another's, but it is news
            adopted += part
            if more := len(part) >= BATCH:
                await anyio.sleep((len(adopted) + len(driver.driven())) * YIELD_S)
        for record in adopted:
            log.info("%s adopted from a process that does not run any more", record.id)
            self._changes.publish(record)
            driver.resume(record)

    async def _stay_present(self) -> None:
        while True:
            await anyio.sleep(RESTORED_EVERY_S)
            try:
                self._presence.stay()
            except Exception:  # others may take this process for a silent one: that must not end it
                log.exception("This process cannot be shown to the others")

    async def _adopt_repeatedly(self, driver: Driver) -> None:
        while True:
            try:
                await self.adopt(driver)
            except (StorageError, OSError) as error:
                log.error("What other processes left cannot be looked at: %s", error)
            except Exception:  # one row's trouble must not end the process
                log.exception("What other processes left cannot be taken over")
            await self._presence.wait(ADOPTION_INTERVAL_S)

    async def _follow_changes(self) -> None:
        seen: dict[str, object] = {}
        said = ""
        while True:
            ids = await self._changes.watched()
            try:
                newest = await self._ledger.version()
                if newest != self._version or not seen.keys() >= set(ids):
                    self._version = newest
                    changed, seen = await self._ledger.changes(ids, seen)
                    self._publish(changed)
                said = ""
            except Exception as error:  # one row's trouble must not end the process
                self._version = -1
                if str(error) != said:  # an outage is logged once, not five times a second
                    said = str(error)
                    log.error(
                        "What other processes change cannot be seen: %s",
                        error,
                        exc_info=not isinstance(error, StorageError),
                    )
            await self._ledger.news(FOLLOW_INTERVAL_S)

    def _publish(self, changed: Iterable[Record]) -> None:
        for record in changed:
            # What this process drives it publishes itself, and sooner; what is over anybody may make better.
            if record.holder != self._presence.id or record.stage.terminal:
                self._changes.publish(record)
