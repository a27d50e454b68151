"""Costs in a declaration: the service's price list, and where its responses name what a job costs."""

from typing import Annotated, Any, Literal

from pydantic import Field

from darkroom.models import Charged
from darkroom.money import MOST, PLACES, Cost, Money, micros_of
from darkroom.prices import Price, Prices
from darkroom.providers.language.parts import Pointer, Scalars, Table
from darkroom.providers.language.pointers import first

Unit = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z ]{0,18}[A-Za-z]$")]


class _Line(Table):
    """One price: of a picture, or of a call, of this model where one is named, that is asked for with what is `given`.

    `given`: by `aspect_ratio` or `options.NAME`, the values that have this price; a name without a value in the
    request is met by a line that does not name it.
    """

    amount: Annotated[float, Field(ge=0, le=MOST)]
    model: str | None = None
    given: dict[Annotated[str, Field(pattern=r"^(aspect_ratio|options\.[a-z][a-z0-9_]{0,39})$")], Scalars] = {}


class PriceList(Table):
    """The service's page of prices: its address, and the day on which it said so. The first line that fits holds."""

    unit: Unit
    per: Literal["picture", "call"] = "picture"
    source: Annotated[str, Field(min_length=1, max_length=300)]
    date: Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
    lines: Annotated[list[_Line], Field(min_length=1, max_length=100)]


class OwnFigure(Table):
    """The place of a job's cost in a response: `times` so much in `unit`; `estimate`: it may still change."""

    at: Pointer
    unit: Unit
    times: Annotated[float, Field(gt=0, le=MOST)] = 1.0
    estimate: bool = False


def prices_of(listed: PriceList | None) -> Prices | None:
    """The list as every provider's is."""
    if listed is None:
        return None
    lines = tuple(
        Price(Money(micros_of(line.amount) or 0, listed.unit), line.model, {n: tuple(v) for n, v in line.given.items()})
        for line in listed.lines
    )
    return Prices(lines, listed.per == "picture", listed.source, listed.date)


def cost_in(value: Any, figure: str | OwnFigure | None) -> Cost | None:
    """The cost that the response names there; None where it names none, or no amount that anybody would charge."""
    if not isinstance(figure, OwnFigure):
        return None
    found = first(value, figure.at)
    micros = micros_of(found, figure.times) if isinstance(found, int | float | str) else None
    return None if micros is None else Cost(amount=micros / 10**PLACES, unit=figure.unit, estimated=figure.estimate)


def charged_in(value: Any, figure: str | OwnFigure | None) -> Charged | None:
    """True where the response says that it was charged; None: it does not say."""
    if figure is None:
        return None
    found = first(value, figure.at if isinstance(figure, OwnFigure) else figure)
    micros = micros_of(found) if isinstance(found, int | float | str) else None
    return None if micros is None else Charged.YES if micros else Charged.NO
