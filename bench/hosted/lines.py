"""One line of the table of figures: what was to be reached, and what was."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Line:
    """`reached`: None where there is no goal, or where it could not be measured."""

    what: str
    goal: str
    found: str
    reached: bool | None = None

    @property
    def row(self) -> str:
        """Its row in Markdown."""
        mark = {True: "yes", False: "**no**", None: ""}[self.reached]
        return f"| {self.what} | {self.goal} | {self.found} | {mark} |"


def at_most(what: str, figure: float, goal: float, unit: str, digits: int = 2, beside: str = "") -> Line:
    """A figure that must not be larger than its goal."""
    found = f"{figure:.{digits}f} {unit}{beside}"
    return Line(what, f"≤ {goal:g} {unit}", found, figure <= goal)


def at_least(what: str, figure: float, goal: float, unit: str, beside: str = "") -> Line:
    """A figure that must not be smaller than its goal."""
    return Line(what, f"≥ {goal:g} {unit}", f"{figure:,.0f} {unit}{beside}", figure >= goal)


def none(what: str, number: int, beside: str = "") -> Line:
    """What must never happen."""
    return Line(what, "0", f"{number}{beside}", number == 0)


def unmeasured(what: str, why: str) -> Line:
    """A line that this run has no figure for."""
    return Line(what, "", f"not measured: {why}")


def halves(what: str, seconds: Sequence[float], p50: float, most: float | None, digits: int = 2) -> list[Line]:
    """The median and the maximum of durations, each with its goal."""
    if not seconds:
        return [unmeasured(what, "nothing came of it")]
    number = f" of {len(seconds)}"
    found = [at_most(f"{what}, p50", median(seconds), p50, "s", digits, number)]
    return found if most is None else [*found, at_most(f"{what}, longest", max(seconds), most, "s", digits, number)]
