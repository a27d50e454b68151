"""The pace of looks at a job: pure, seconds in and seconds out."""

import math
import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from darkroom.declaration import Traits
from darkroom.errors import DarkroomError, RateLimited, ResultUnavailable
from darkroom.generations.driving.odds import Odds
from darkroom.store.turns import Supply, Took

SLOWEST_S = 30.0
SLOWEST_WATCHED_S = 10.0
"""The longest pause of our own making while somebody waits."""
LONGEST_SHARE = 0.5
"""While nobody waits, a pause may also be so much of a job's age."""
QUICK_FAILURES = 3
"""So many failures in a row cost no more than an ordinary pause each: most troubles are short."""
UNNAMED_WAIT_S = 10.0
RESUMED_PACE = 2 / 3
"""A job whose callers a dead process kept waiting is looked at in shorter pauses."""
UNWATCHED_PACE = 4.0
"""And one for which nobody waits in longer ones."""
PROMPT = 0.1
"""The mean delay of a result is no more than this share of the job's time, however slow the documented interval."""
FIRST_S = 1.0
"""The first look at a job of which nothing is known comes so soon."""
LEAST_LOOKS = 1.2
"""Hardly more than one look for each job, where a request window allows no more."""


class Situation(NamedTuple):
    """A job at the end of a look, or at its submission (`looked` False).

    `age_s`: seconds since its submission. `watched`: somebody waits for it. `resumed`: a process that died began it.
    `heard`: its service has reported, unasked, that something happened. `failures`: looks in a row that failed, the
    last of them with `error`. `supply`: the requests that are left.
    """

    age_s: float = 0.0
    looked: bool = True
    watched: bool = False
    resumed: bool = False
    heard: bool = False
    failures: int = 0
    error: DarkroomError | None = None
    supply: Supply | None = None


class Pace:
    """Decides when a job is looked at next, by the durations of those before it of the same kind."""

    def __init__(self, traits: Traits, took: Sequence[Took] = ()) -> None:
        self._traits = traits
        known = [each.between for each in took if each.between is not None]
        usual = traits.usual_s or (traits.poll_interval_s, max(traits.deadline_s, 2 * traits.poll_interval_s))
        longest_s = max(traits.deadline_s, usual[1])
        self._learned = bool(known)
        self._odds = Odds(usual, known, shortest_s=traits.shortest_interval_s, longest_s=longest_s)

    def pause(self, job: Situation) -> float:
        """Seconds until the next look. A named wait is kept, and nothing is asked more often than is allowed."""
        interval_s, shortest_s = self._traits.poll_interval_s, self._traits.shortest_interval_s
        named = named_wait(job.error)
        if named is not None:
            return max(named, interval_s)
        if job.error is not None:
            return self._after_failure(job)
        if not job.looked and job.resumed:
            return 0.0
        if job.heard and not (job.supply is not None and job.supply.nearly_used_up):
            return shortest_s
        if not job.looked and self._traits.lasting:  # its response is the result
            return min(interval_s, FIRST_S)
        scarce = self._looks_left(job.supply)
        if not self._learned and scarce > self._looks(self._worth(job)):
            if not job.looked:
                return min(interval_s, FIRST_S)
            return max(interval_s * RESUMED_PACE, shortest_s) if job.resumed else interval_s
        return max(shortest_s, self._within_bounds(job, scarce))

    def _after_failure(self, job: Situation) -> float:
        interval_s, shortest_s = self._traits.poll_interval_s, self._traits.shortest_interval_s
        if job.failures <= QUICK_FAILURES:
            return random.uniform(shortest_s, interval_s)  # noqa: S311 - spreads load
        pause = max(backoff(job.failures - QUICK_FAILURES, base_s=interval_s), shortest_s)
        return min(pause, max(SLOWEST_WATCHED_S, shortest_s)) if job.watched else pause

    def _within_bounds(self, job: Situation, scarce: float) -> float:
        """The best pause, which is bounded once it was looked at: what is known may be wrong."""
        worth_s = max(self._worth(job), self._worth_of(scarce))
        used_up = job.supply is not None and job.supply.nearly_used_up
        if job.watched and not used_up:
            worth_s = min(worth_s, max(self._worth(job), self._delaying(SLOWEST_WATCHED_S / 2)))
        gap = self._odds.gap(job.age_s, worth_s)
        longest = max(SLOWEST_S, LONGEST_SHARE * job.age_s if math.isfinite(job.age_s) else 0.0)
        if job.watched and not used_up:
            longest = SLOWEST_WATCHED_S
        return min(gap, longest if job.looked else self._traits.deadline_s)

    def _worth(self, job: Situation) -> float:
        """The seconds of delay that a look is worth where requests are plenty.

        Then the mean delay is that of the documented interval, for as few looks as that takes.
        """
        mean_s = min(self._traits.poll_interval_s / 2, PROMPT * self._odds.mean_s)
        pace = RESUMED_PACE if job.resumed else 1.0
        return self._delaying(mean_s * pace * (1.0 if job.watched else UNWATCHED_PACE))

    def _delaying(self, mean_s: float) -> float:
        """The worth of a look with which the mean delay is that long."""
        return 2 * (mean_s / self._odds.spread) ** 2

    def _looks(self, worth_s: float) -> float:
        """The number of looks, about, that a job takes where one is worth that much."""
        return math.sqrt(1 + self._odds.spread**2 / (2 * worth_s))

    def _worth_of(self, looks: float) -> float:
        """The reverse: what a look is worth where there are so many for a job."""
        if math.isinf(looks):
            return 0.0
        looks = max(looks, LEAST_LOOKS)
        return self._odds.spread**2 / (2 * (looks**2 - 1 / looks))  # 1 / looks: nearer than 1 where there are several

    def _looks_left(self, supply: Supply | None) -> float:
        """The number of looks for each job, if all that are to come get as many, after their submissions."""
        if supply is None:
            return math.inf
        per_s = max(supply.lately_per_s, supply.jobs / max(supply.for_s, self._odds.mean_s))
        return supply.per_s / per_s - 1 if per_s else math.inf


def named_wait(error: DarkroomError | None) -> float | None:
    """Seconds that the other side asked us to wait, which nobody may cut short; None: it asked for nothing."""
    if isinstance(error, RateLimited):
        return UNNAMED_WAIT_S if error.retry_after is None else error.retry_after
    return error.retry_after if isinstance(error, ResultUnavailable) else None


def longest_wait(lacking: Iterable[DarkroomError]) -> float | None:
    """Seconds that a host asked us to wait, the longest of them; None: none did."""
    return max((wait for wait in map(named_wait, lacking) if wait is not None), default=None)


def backoff(failures: int, *, base_s: float) -> float:
    """Seconds to wait after that many failures in a row: anything up to a doubling limit, so that no two retries of
    a crowd fall together ("full jitter").
    """
    return random.uniform(0.0, min(base_s * 2.0 ** min(failures, 10), SLOWEST_S))  # noqa: S311 - spreads load
