"""All checks, one section after the other: each goes on where another one finds a failure."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import AsyncExitStack

from anyio import to_thread

from darkroom.app.context import unwrapped
from darkroom.doctor import ledger as ledgers
from darkroom.doctor.disk import disk
from darkroom.doctor.findings import Finding, discreet, of_error
from darkroom.doctor.hosts import hosts
from darkroom.doctor.services import services
from darkroom.doctor.variables import variables
from darkroom.errors import DarkroomError, NotConfigured
from darkroom.redact.secrets import Redactor
from darkroom.settings import Settings
from darkroom.store.opening import Store, open_store


async def examine(
    settings: Settings, *, unread: NotConfigured | None = None, blank: Collection[str] = ()
) -> AsyncGenerator[Finding]:
    """Every finding, as it is found, without a secret.

    `unread`: the reason why the settings are not the user's own, but as if the variables of the ledger's place were not
    set; the ledger is then left alone. `blank`: the names of variables that are there and hold nothing.
    """
    redact = Redactor(settings.secrets)
    with unwrapped():
        async for finding in _findings(settings, unread, blank):
            yield discreet(finding, redact)


async def _findings(settings: Settings, unread: NotConfigured | None, blank: Collection[str]) -> AsyncIterator[Finding]:
    for each in variables(settings, blank):
        yield each
    async with AsyncExitStack() as stack:
        store: Store | None = None
        if unread is not None:
            yield of_error("ledger", unread)
        else:
            try:
                store = await stack.enter_async_context(open_store(settings.home, settings.database, time.time))
            except DarkroomError as error:
                yield of_error("ledger", error)
        if store is not None:
            async for each in ledgers.ledger(settings, store):
                yield each
        async for each in disk(settings):
            yield each
        async for each in services(settings, store):
            yield each
        if store is not None:
            others = await ledgers.neighbours(store)
            async for each in ledgers.generations(store, None if others is None else len(others)):
                yield each
            for each in ledgers.processes(others):
                yield each
    for each in await to_thread.run_sync(lambda: list(hosts(settings))):
        yield each
