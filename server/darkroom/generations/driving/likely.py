"""Offers for a generation whose outcome is unknown: jobs in the account that may be it. Nothing is settled by them."""

import logging
from collections.abc import Sequence

import anyio

from darkroom.errors import DarkroomError, OutcomeUnknown
from darkroom.models import Record, moment
from darkroom.providers.likeness import Alike, Lister
from darkroom.providers.owners import Owners
from darkroom.redact.text import quote
from darkroom.store.ledger import Ledger

log = logging.getLogger(__name__)

ASKED_WITHIN_S = 10.0
EARLIER_S = 60.0
"""Seconds that the service's clock may be behind ours."""
MOST_SHOWN = 3
MOST_KNOWN = 50
"""So many of the newest generations are known by their jobs, which are then no likeness of another."""


class Likely:
    """One per process."""

    def __init__(self, owners: Owners, ledger: Ledger) -> None:
        self._owners = owners
        self._ledger = ledger

    async def advised(self, record: Record) -> Record:
        """The row, whose advice names such jobs, where its service lists any. Nothing is written.

        Raises:
            StorageError: the ledger cannot be read.
        """
        provider, failure = self._owners.provider(record), record.failure
        if failure is None or failure.code != OutcomeUnknown.code:
            return record
        if not isinstance(provider, Lister) or provider.access.account != record.account:
            return record
        if not (alike := await self._asked(provider, record)):
            return record
        known = await self._ledger.page(
            record.owner, status=None, provider=provider.name, limit=MOST_KNOWN, before=None
        )
        ours = {each.job_id for each in known.records}
        offer = _offer(provider.traits.title, [each for each in alike if each.job not in ours])
        step = f"{offer}{failure.next_step}"
        return record.model_copy(update={"failure": failure.model_copy(update={"next_step": step})})

    async def _asked(self, provider: Lister, record: Record) -> list[Alike]:
        try:
            with anyio.move_on_after(ASKED_WITHIN_S):
                return await provider.alike(record.request, record.created_at - EARLIER_S)
        except DarkroomError as error:
            log.info("%s: %s was not asked for jobs like it: %s", record.id, provider.name, error.message)
        except Exception:  # it may be anybody's code
            log.exception("%s: asking for jobs like it broke", record.id)
        return []


def _offer(title: str, alike: Sequence[Alike]) -> str:
    if not alike:
        return ""
    shown = [
        f"{quote(each.job, 100)}, made at {moment(each.made_at):%Y-%m-%dT%H:%M:%SZ}" for each in alike[:MOST_SHOWN]
    ]
    jobs = "a job" if len(alike) == 1 else f"{len(alike)} jobs"
    return (
        f"The {title} account has {jobs} with this prompt that none of the newest generations here is: "
        f"{'; '.join(shown)}. Only the user can tell whether that is this one. "
    )
