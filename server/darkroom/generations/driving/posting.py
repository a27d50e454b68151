"""The one POST of a claimed generation, and the row as the response leaves it."""

import logging
from pathlib import Path

import anyio
from anyio import to_thread

from darkroom.errors import DarkroomError, OutcomeUnknown, ProviderUnreachable, RateLimited
from darkroom.generations.outcome import costing
from darkroom.generations.telling.journal import Journal, RowLost
from darkroom.models import Charged, Receipt, Record, Stage
from darkroom.providers import inputs
from darkroom.providers.base import Finder, Provider, Submission

log = logging.getLogger(__name__)

UNREACHABLE_FOR_S = 600.0
"""Seconds for which a provider that cannot be reached is tried before the generation fails, not charged."""
LONGEST_BACKOFF_S = 60.0
LEAST_WAIT_S = 5.0
LONGEST_WAIT_S = 300.0
"""Seconds for which a 429 is obeyed at least, whatever time it names: from the first on, doubling up to the second."""
LIMITED_FOR_S = 24 * 3600.0
"""Seconds for which a provider that says nothing but 429 is tried before the generation fails, not charged."""
LOOKED_FOR_S = 60.0
"""Seconds for which a provider that cannot be asked for a lost job is asked again."""
NARROWED_FOR_S = 600.0
"""Seconds after a 429 for which the account is submitted to at half its pace: its limits are not what we believed."""


class Posting:
    """Sends and writes down; one for each process. `inputs`: the folder of the pictures that are to be sent."""

    def __init__(self, journal: Journal, inputs: Path) -> None:
        self._journal = journal
        self._inputs = inputs

    async def post(self, provider: Provider, record: Record) -> Record | None:
        """The row, if its provider has taken it; None: it waits again, or is over. Raises RowLost."""
        try:
            with self._journal.telemetry.step("submit", record):
                submitted = await provider.submit(record.request, record.id)
        except ProviderUnreachable as error:
            await self.not_sent(record, error)
        except RateLimited as error:
            await self._told_to_wait(provider, record, error)
        except DarkroomError as error:
            await self._fail(record, error)
        except Exception:
            log.exception("%s: the submission broke", record.id)
            await self._fail(record, lost_in_submission())
        else:
            return await self._sent(record, submitted)
        return None

    async def look_for(self, provider: Provider, record: Record) -> Record | None:
        """The row, if its provider shows a job of it; None: it is over, and nobody knows whether there is one.

        Nothing is posted: only the dead process knew whether it had sent anything. Raises RowLost.
        """
        lost = lost_in_submission()
        try:
            receipt = await _found(provider, record)
        except OutcomeUnknown as why:
            receipt, lost = None, why
        if receipt is not None:
            return await self._sent(record, Submission(receipt=receipt))
        await self._fail(record, lost)
        return None

    async def _sent(self, record: Record, submitted: Submission) -> Record:
        receipt = submitted.receipt
        try:
            running = await self._journal.write(
                record, stage=Stage.RUNNING, job_id=receipt.job_id, kept=receipt.kept, provider_queued=submitted.queued,
                cancel_wished=False, **costing(record, submitted.cost),
            )  # fmt: skip
        except RowLost:
            running = await self._journal.write_late(record, receipt)
        self._journal.telemetry.submitted(running)
        await self._forget_inputs(record)
        self._journal.struggling(record, None)
        return running

    async def _fail(self, record: Record, error: DarkroomError) -> None:
        await self._journal.fail(record, error.failure())
        await self._forget_inputs(record)

    async def _forget_inputs(self, record: Record) -> None:
        """Removes the pictures that it was made from, which are never sent again."""
        if record.request.images:
            await to_thread.run_sync(inputs.forget, self._inputs, record.id)

    async def not_sent(self, record: Record, error: ProviderUnreachable) -> None:
        """The row waits for another try, or has failed if there were enough of them. Raises RowLost."""
        now = self._journal.ledger.now()
        since = min(record.refused_since or now, now)  # a clock set back leaves times in the future
        if now - since > UNREACHABLE_FOR_S:
            await self._fail(record, error)
            return
        wait = min(1.0 + (now - since), LONGEST_BACKOFF_S)
        back = await self._journal.unsend(record, closed_s=wait, narrowed_s=None)
        self._journal.telemetry.retried(record, "submit", error)
        self._journal.struggling(back, f"{error.message}.")

    async def _told_to_wait(self, provider: Provider, record: Record, error: RateLimited) -> None:
        now = self._journal.ledger.now()
        so_far = now - (record.limited_since or now)
        if so_far > LIMITED_FOR_S:
            await self._fail(record, _never_let_in(provider, error))
            return
        wait = max(min(LEAST_WAIT_S * 2.0 ** min(record.refusals, 10), LONGEST_WAIT_S), error.retry_after or 0.0)
        back = await self._journal.unsend(record, closed_s=wait, narrowed_s=wait + NARROWED_FOR_S)
        self._journal.telemetry.retried(record, "submit", error)
        self._journal.struggling(back, f"{error.message}.")


async def _found(provider: Provider, record: Record) -> Receipt | None:
    """The job's receipt; None: none is found. Raises OutcomeUnknown: the same, for a reason that the provider gives."""
    with anyio.move_on_after(LOOKED_FOR_S):
        while isinstance(provider, Finder):
            try:
                return await provider.find(record.request, record.id)
            except OutcomeUnknown:
                raise
            except DarkroomError as error:
                log.info("%s cannot be asked for %s: %s", provider.name, record.id, error.message)
                await anyio.sleep(LEAST_WAIT_S)
            except Exception:  # it is as good as not there
                log.exception("%s: looking for its job broke", record.id)
                break
    return None


def _never_let_in(provider: Provider, error: RateLimited) -> RateLimited:
    return RateLimited(
        f"{error.message}, and has said so for {LIMITED_FOR_S / 3600:.0f} hours. It was never accepted",
        next_step=f"Look at the limits of the {provider.traits.title} account, then generate again.",
    )


def lost_in_submission() -> OutcomeUnknown:
    """The error for a row that was left in the middle of its submission."""
    return OutcomeUnknown(
        "Darkroom was interrupted while it was sending this. It may have started and been charged.",
        charged=Charged.MAYBE,
        next_step="Look in the provider account's own gallery and credits before generating this again; Darkroom "
        "will not send it a second time.",
    )
