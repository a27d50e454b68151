"""Price lists as data: what a request will cost before anybody is asked for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from darkroom.models import GenerationRequest
from darkroom.money import Money

Value = str | int | float | bool


@dataclass(frozen=True)
class Price:
    """One line of a list: the price of requests for this model (None: for any) that say what is `given`.

    `given` has the values that count, by `aspect_ratio` or `options.NAME`.
    """

    money: Money
    model: str | None = None
    given: Mapping[str, tuple[Value, ...]] = field(default_factory=dict[str, tuple[Value, ...]])


@dataclass(frozen=True)
class Prices:
    """A service's price list, as it was at `source` on that date (ISO). `per_picture`: else a call costs so much."""

    lines: tuple[Price, ...]
    per_picture: bool
    source: str
    date: str

    def of(self, request: GenerationRequest) -> Money | None:
        """The price of the whole request; None where no line is about it.

        What decides for its model must be in a line as it was asked for: an unlisted value has no price.
        """
        if request.images:  # whose price, where there is one, is another
            return None
        asked = {"aspect_ratio": request.aspect_ratio, **{f"options.{n}": v for n, v in request.options.items()}}
        lines = [line for line in self.lines if line.model in {None, request.model}]
        deciding = {name for line in lines for name in line.given}
        for line in lines:
            if all(_holds(asked.get(name), line.given.get(name)) for name in deciding):
                pictures = request.count if self.per_picture else 1
                return Money(line.money.micros * pictures, line.money.unit)
        return None

    def said_of(self, model: str) -> str | None:
        """Its prices in words; None where the list has none for it."""
        lines = [line for line in self.lines if line.model in {None, model}]
        per = "a picture" if self.per_picture else "a call"
        said = ", ".join(" ".join([str(line.money), per, *_in_words(line)]) for line in lines)
        return said or None


def _holds(asked: object, listed: tuple[Value, ...] | None) -> bool:
    return asked is None if listed is None else asked in listed


def _in_words(line: Price) -> Iterator[str]:
    for name, values in line.given.items():
        yield f"with {name.removeprefix('options.')} {' or '.join(map(str, values))}"
