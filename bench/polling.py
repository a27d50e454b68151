"""Looks per generation and the mean delay of its result, by the real Pace, beside the documented loop and the optimum.

    python3 dev.py bench polling

Time is simulated: durations are drawn, looks follow the pauses, and each generation is remembered as in the ledger.
The optimum knows the distribution itself; it is found by dynamic programming for the mean delay of the documented loop.
Writes .artifacts/polling.json.
"""

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from statistics import NormalDist

from bench.common import write_json
from darkroom.generations.driving.pace import Pace, Situation
from darkroom.providers.fatthumb import TRAITS
from darkroom.store.durations import KEPT
from darkroom.store.turns import Took

WARM_UP = 100
STEP_S = 0.25
HORIZON_S = 240.0
GOAL, GOAL_NARROW, DELAY_S = 7.0, 4.0, 1.5


@dataclass(frozen=True)
class Figures:
    """Looks for each generation, and the mean delay of a result in seconds."""

    looks: float
    delay_s: float


@dataclass(frozen=True)
class Case:
    """Durations in seconds: their logarithms are normal, and one in twenty lies beyond each of these."""

    name: str
    low_s: float
    high_s: float

    def law(self) -> NormalDist:
        """The distribution of a duration's logarithm."""
        low, high = math.log(self.low_s), math.log(self.high_s)
        return NormalDist((low + high) / 2, (high - low) / 2 / NormalDist().inv_cdf(0.95))

    def durations(self, count: int, rng: random.Random) -> list[float]:
        """So many, one of each quantile, in random order."""
        drawn = [math.exp(self.law().inv_cdf((index + 0.5) / count)) for index in range(count)]
        rng.shuffle(drawn)
        return drawn

    def done_by(self, age_s: float) -> float:
        """The share that is done by that age."""
        return self.law().cdf(math.log(age_s)) if age_s > 0 else 0.0


CASES = (
    Case("20 to 60 s", 20.0, 60.0),
    Case("known to 5 %, about 35 s", 33.3, 36.8),
    Case("known to 5 %, about 50 s", 47.6, 52.5),
    Case("quick: 4 to 12 s", 4.0, 12.0),
)


def main() -> int:
    """Prints a table; fails where a goal is missed."""
    parser = argparse.ArgumentParser(description="looks per generation, in simulated time")
    parser.add_argument("--generations", type=int, default=2000)
    count = parser.parse_args().generations
    print(f"{'durations':26}{'looks':>22}{'mean delay':>24}")
    print(f"{'':26}{'loop':>6}{'Pace':>8}{'best':>8}{'loop':>12}{'Pace':>8}{'best':>8}")
    results = {case.name: measure(case, count) for case in CASES}
    for name, (loop, paced, best) in results.items():
        looks = f"{loop.looks:6.1f}{paced.looks:8.2f}{best.looks:8.2f}"
        print(f"{name:26}{looks}{loop.delay_s:10.2f} s{paced.delay_s:6.2f} s{best.delay_s:6.2f} s")
    named = ("loop", "pace", "best")
    told = {case: dict(zip(named, map(asdict, figures), strict=True)) for case, figures in results.items()}
    write_json("polling", told)
    (_, first, _), *narrow = results.values()
    # Twice the looks halve the delay: at another delay as many looks more or less would do.
    met = first.looks * first.delay_s <= GOAL * DELAY_S
    return 0 if met and all(each.looks <= GOAL_NARROW for _, each, _ in narrow[:2]) else 1


def measure(case: Case, count: int) -> tuple[Figures, Figures, Figures]:
    """The documented loop, the real Pace and the optimum, over the same durations."""
    durations = case.durations(count, random.Random(1))
    loop = [look(each, lambda _: TRAITS.poll_interval_s) for each in durations]
    return summary(loop), summary(list(paced(case, durations))), optimum(case)


def paced(case: Case, durations: Sequence[float]) -> Iterator[tuple[int, float]]:
    """The looks and the delay of each, as somebody waits who comes after others."""
    known: list[Took] = []
    for taken, duration in enumerate([*case.durations(WARM_UP, random.Random(2)), *durations]):
        pace = Pace(TRAITS, known[-KEPT:])

        def pause(age_s: float, pace: Pace = pace) -> float:
            return pace.pause(Situation(age_s, looked=age_s > 0.0, watched=True))

        looks, delay_s, not_yet_s = look_at(duration, pause)
        known.append(Took(duration, (not_yet_s, duration + delay_s)))
        if taken >= WARM_UP:
            yield looks, delay_s


def look(duration: float, pause: Callable[[float], float]) -> tuple[int, float]:
    """The number of looks that one takes, and the delay."""
    return look_at(duration, pause)[:2]


def look_at(duration: float, pause: Callable[[float], float]) -> tuple[int, float, float]:
    """The same, and its age at the last look that found it at work."""
    age_s = not_yet_s = 0.0
    looks = 0
    while True:
        looks, not_yet_s, age_s = looks + 1, age_s, age_s + pause(age_s)
        if age_s >= duration:
            return looks, age_s - duration, not_yet_s


def summary(looked: Sequence[tuple[int, float]]) -> Figures:
    """The means."""
    return Figures(sum(n for n, _ in looked) / len(looked), sum(delay for _, delay in looked) / len(looked))


def optimum(case: Case) -> Figures:
    """The fewest looks that any plan takes with that mean delay, by bisection of what a look is worth."""
    cheap, dear = 1e-4, 100.0
    for _ in range(22):
        worth_s = math.sqrt(cheap * dear)
        cheap, dear = (worth_s, dear) if best(case, worth_s).delay_s < DELAY_S else (cheap, worth_s)
    return best(case, cheap)


def best(case: Case, worth_s: float) -> Figures:
    """The plan with the least of delay and looks, one of which is worth so many seconds of delay."""
    steps = int(HORIZON_S / STEP_S)
    done = [case.done_by(index * STEP_S) for index in range(steps + 1)]
    delays = [0.0, *accumulate((before + after) / 2 * STEP_S for before, after in pairwise(done))]
    cost, then = [0.0] * (steps + 1), [steps] * (steps + 1)
    cost[steps] = 0.0
    shortest = int(TRAITS.shortest_interval_s / STEP_S)

    def delay(start: int, end: int) -> float:
        return delays[end] - delays[start] - done[start] * (end - start) * STEP_S

    for start in range(steps - 1, -1, -1):
        if 1 - done[start] < 1e-5:
            continue
        ends = range(min(start + shortest, steps), min(start + 260, steps) + 1)
        cost[start], then[start] = min(
            (worth_s * (1 - done[start]) + delay(start, end) + cost[end], end) for end in ends
        )
    looks, late, at = 0.0, 0.0, 0
    while at < steps and 1 - done[at] >= 1e-5:
        looks, late, at = looks + 1 - done[at], late + delay(at, then[at]), then[at]
    return Figures(looks, late)


if __name__ == "__main__":
    sys.exit(main())
