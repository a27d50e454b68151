"""Amounts of money, exactly: no sum of them is ever rounded."""

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from pydantic import BaseModel, ConfigDict

CURRENCY = r"[A-Z]{3}"
"""The form of a unit that is money everywhere; any other is a service's own, such as credits."""
PLACES = 6
MOST = 1_000_000
"""The largest amount that one generation is believed to cost."""


@dataclass(frozen=True)
class Money:
    """So many millionths of a unit: a currency's code, or a service's own unit."""

    micros: int
    unit: str

    def __str__(self) -> str:
        """As people write it: `5 USD`, `0.50 USD`, `2.5 credits`."""
        text = f"{Decimal(self.micros).scaleb(-PLACES):f}".rstrip("0").rstrip(".")
        cents = re.fullmatch(CURRENCY, self.unit) and re.search(r"\.\d$", text)
        return f"{text}{'0' if cents else ''} {self.unit}"


class Cost(BaseModel):
    """The cost of a generation, in a currency or in its service's own unit; `estimated`: until the service has said."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    amount: float
    unit: str
    estimated: bool

    @property
    def money(self) -> Money:
        """The exact amount."""
        return Money(round(self.amount * 10**PLACES), self.unit)

    def __str__(self) -> str:
        """As people write it."""
        return f"{'about ' if self.estimated else ''}{self.money}"


def micros_of(amount: float | str, times: float = 1.0) -> int | None:
    """The millionths in so many times the amount, rounded up; None where it is no amount of 0 to 1,000,000."""
    if isinstance(amount, str) and not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,18})?", amount):
        return None
    if isinstance(amount, bool) or not (isinstance(amount, str) or 0 <= amount <= 10**12):
        return None
    micros = (Decimal(str(amount)) * Decimal(str(times))).scaleb(PLACES).to_integral_value(ROUND_CEILING)
    return int(micros) if micros <= MOST * 10**PLACES else None
