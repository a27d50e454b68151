"""Reads jobs at their providers: few at a time while one fails."""

import logging
from collections import defaultdict
from collections.abc import Callable

import anyio

from darkroom.errors import (
    LOOK_AGAIN,
    DarkroomError,
    Expired,
    InvalidRequest,
    Moderated,
    NotFound,
    PaymentRequired,
    PlanRequired,
    ProviderError,
    TimedOut,
)
from darkroom.generations.driving.polling import RetryAllowance
from darkroom.models import Charged, Record
from darkroom.providers.base import Provider, Reading

log = logging.getLogger(__name__)

AT_ONCE = 20
"""Looks at jobs of one account at the same time: so many connections are kept, and a wait for one ends in an error."""
A_STREAK = 2
"""So many failures in a row without a success between them are the provider's, not one job's."""


class Reader:
    """One per process. `recovered` is notified of each provider that responds again after a streak of failures."""

    def __init__(self, recovered: Callable[[Provider], None]) -> None:
        self._recovered = recovered
        self._retries: dict[str, RetryAllowance] = defaultdict(RetryAllowance)
        self._streaks: dict[str, int] = defaultdict(int)
        self._free: dict[str, anyio.Semaphore] = defaultdict(lambda: anyio.Semaphore(AT_ONCE, fast_acquire=True))

    async def retry(self, provider: Provider) -> None:
        """Waits until one more look after a failed one may be made."""
        await self._retries[provider.access.account].draw()

    async def read(self, provider: Provider, record: Record, *, young: bool = False) -> Reading:
        """The provider's report on the job. `young`: it may not know a job yet that it has only just accepted.

        Raises:
            Expired: it no longer has the job.
            DarkroomError: what kept it from saying.
        """
        try:
            async with self._free[provider.access.account]:
                reading = await self._asked(provider, record, young=young)
        except DarkroomError:
            self._streaks[provider.access.account] += 1
            raise
        streak, self._streaks[provider.access.account] = self._streaks[provider.access.account], 0
        self._retries[provider.access.account].succeeded()
        if streak >= A_STREAK:
            self._recovered(provider)
        return reading

    async def _asked(self, provider: Provider, record: Record, *, young: bool) -> Reading:
        title = provider.traits.title
        try:
            return await provider.read(record.receipt, record.request)
        except NotFound as error:
            if young:
                raise ProviderError(f"{title} does not know the job yet", next_step=error.next_step) from error
            raise Expired(
                f"{title} no longer has this job ({error.message}).",
                charged=Charged.MAYBE,
                next_step=f"Look in the {title} account's own gallery; check that the key is of the same account.",
            ) from error
        except DarkroomError:
            raise
        except Exception as error:  # whatever a response broke in our own code, the job goes on
            log.exception("%s: reading it broke", record.id)
            raise ProviderError(f"{title}'s response could not be used", next_step="Wait.") from error


REFUSED = (PaymentRequired, PlanRequired, InvalidRequest, Moderated)
"""Errors of a look that another look would not change."""


def refused(provider: Provider, error: DarkroomError) -> DarkroomError:
    """The error for a job whose provider refuses to say anything of it."""
    later = "Once that is mended, call get_status: Darkroom looks again, at no cost. The provider's own gallery may "
    return type(error)(
        f"{provider.traits.title} refuses to say what became of the job: {error.message}",
        charged=Charged.MAYBE,
        next_step=error.next_step if isinstance(error, Moderated) else f"{later}have it too.",
    )


def timed_out(provider: Provider) -> TimedOut:
    """The error for a job that was seen at work for the whole deadline."""
    minutes = provider.traits.deadline_s / 60
    return TimedOut(
        f"Not done after {minutes:.0f} minutes: {provider.traits.title} still says that it is working on it.",
        charged=Charged.MAYBE,
        next_step=LOOK_AGAIN,
    )
