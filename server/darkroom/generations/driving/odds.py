"""The odds that a job is done by an age, from the durations of those before it: pure, in seconds.

What is known of a duration are two looks: it lies between the last that said not yet and the first that said done.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

USUAL_WEIGHT = 2.0
"""The number of generations that the usual time counts as."""
UNUSUAL = 0.005
"""The share of that which is left to any duration at all, so that none is ever ruled out."""
BINS = 128
TAIL = 1.6449
"""Standard deviations within which nine of ten are."""

Between = tuple[float, float]


class Odds:
    """A histogram over bins that grow with the age, and the expected delay of a result that nobody looks for."""

    def __init__(self, usual: Between, known: Sequence[Between], *, shortest_s: float, longest_s: float) -> None:
        """`usual`: nine of ten take that long. `known`: the bounds of durations. Nothing below `shortest_s` differs."""
        first = max(shortest_s, 0.02) / 2
        ratio = max(longest_s / first, 2.0) ** (1 / (BINS - 1))
        self._edges = [0.0, *(first * ratio**power for power in range(BINS))]
        before = self._guess(usual)
        # Where within its bounds a duration lies the others tell: a second round knows them.
        self._shares = self._learned(before, self._learned(before, before, known), known)
        self._done = [0.0, *accumulate(self._shares)]
        widths = [high - low for low, high in pairwise(self._edges)]
        middles = [min((low + high) / 2, 1.0) for low, high in pairwise(self._done)]
        self.spread = sum(
            math.sqrt(share * width * (1 - middle))
            for share, width, middle in zip(self._shares, widths, middles, strict=True)
        )
        """The polls of a job times their mean delay in seconds, both small, are half of its square at the best."""
        self.mean_s = sum(
            share * (low + high) / 2
            for share, (low, high) in zip(self._shares, pairwise(self._edges), strict=True)
        )  # fmt: skip

    def gap(self, age_s: float, worth_s: float) -> float:
        """The seconds from this age, at which it is not done, until the expected delay of the result is `worth_s`.

        While little happens in between, that is sqrt(2 · worth_s / h), where h is the hazard rate; inf: nobody knows.
        """
        index = bisect_right(self._edges, age_s) - 1
        if index >= BINS:
            return math.inf
        low, high = self._edges[index], self._edges[index + 1]
        left = 1.0 - self._done[index] - self._shares[index] * (age_s - low) / (high - low)
        if left < 1e-9:
            return math.inf
        owed, at, done = worth_s * left, age_s, 0.0  # `done`: the share of results since this age
        for share, (low, high) in zip(self._shares[index:], pairwise(self._edges[index:]), strict=True):
            width, rate = high - at, share / (high - low)
            if (delay := width * (done + rate * width / 2)) >= owed:
                return at - age_s + 2 * owed / (done + math.sqrt(done * done + 2 * rate * owed))
            owed, at, done = owed - delay, high, done + rate * width
        return at - age_s + owed / done if done else math.inf

    def _guess(self, usual: Between) -> list[float]:
        """The share of each bin, before any duration is known."""
        low, high = math.log(usual[0]), math.log(max(usual[1], usual[0] * 1.01))
        middle, deviation = (low + high) / 2, (high - low) / 2 / TAIL
        by = [0.0, *(0.5 * math.erfc((middle - math.log(edge)) / deviation / math.sqrt(2)) for edge in self._edges[1:])]
        by[-1] = 1.0
        return [(1 - UNUSUAL) * (after - before) + UNUSUAL / BINS for before, after in pairwise(by)]

    def _learned(self, before: Sequence[float], guess: Sequence[float], known: Sequence[Between]) -> list[float]:
        """The share of each bin by what is known, each duration spread between its bounds as the guess is there."""
        shares = [USUAL_WEIGHT * share for share in before]
        for least_s, most_s in known:
            for index, share in self._within(guess, least_s, most_s):
                shares[index] += share
        return [share / (USUAL_WEIGHT + len(known)) for share in _smooth(_smooth(shares))]

    def _within(self, guess: Sequence[float], least_s: float, most_s: float) -> list[tuple[int, float]]:
        """One duration between these bounds, spread over the bins as the guess is there."""
        end = self._edges[-1]
        low, high = min(max(least_s, 0.0), end * 0.99), min(most_s, end)
        high = max(high, low + 1e-3 * self._edges[1])
        found: list[tuple[int, float]] = []
        for index in range(bisect_right(self._edges, low) - 1, BINS):
            left, right = self._edges[index], self._edges[index + 1]
            if left >= high:
                break
            found.append((index, guess[index] * (min(right, high) - max(left, low)) / (right - left)))
        total = sum(share for _, share in found)
        return [(index, share / total) for index, share in found]


def _smooth(shares: Sequence[float]) -> list[float]:
    """Each bin's share, a half of it divided between its neighbours: a hundred durations say no more than that."""
    padded = [shares[0], *shares, shares[-1]]
    return [
        (before + 2 * here + after) / 4 for before, here, after in zip(padded, padded[1:], padded[2:], strict=False)
    ]
