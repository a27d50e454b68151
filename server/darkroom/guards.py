"""Guards against paying for more than the user wants: a variable that cannot be read stops what costs money."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from darkroom.environment import Environment, misset
from darkroom.errors import NotConfigured
from darkroom.money import Money, micros_of

_GUARDS = {"DARKROOM_CONFIRM", "DARKROOM_BUDGET"}
_COSTLY = " Until then nothing that costs money is started."

_PER_DAY = re.compile(r"0*([1-9][0-9]{0,8})")
_MONEY = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?([A-Za-z]{3})")


class Budget(NamedTuple):
    """The most that the user wants to pay for in a day: so many generations, so much money, or both."""

    generations: int | None = None
    money: Money | None = None


def confirm_over_of(env: Environment) -> int | NotConfigured | None:
    """Over how many pictures the user is asked first; None: never."""
    text = env.given("DARKROOM_CONFIRM")
    match = re.fullmatch(r"always|over:([0-9]{1,9})", text)
    if text and match is None:
        return misset("DARKROOM_CONFIRM", "it is always, or over:N, as in over:2", stops=_COSTLY)
    return int(match[1] or 0) if match else None


def budget_of(env: Environment) -> Budget | NotConfigured | None:
    """The budget of a day; None: there is none."""
    text = env.given("DARKROOM_BUDGET")
    if not text:
        return None
    if count := _PER_DAY.fullmatch(text):
        return Budget(generations=int(count[1]))
    # The money stands first: 5,20 USD is no five generations.
    amount, comma, number = (part.strip() for part in text.partition(","))
    money, count = money_of(amount), _PER_DAY.fullmatch(number)
    if money is None or bool(comma) is not bool(count):
        rule = "it is a number of generations a day (20), an amount of money a day (5 USD), or both (5 USD, 20)"
        return misset("DARKROOM_BUDGET", rule, stops=_COSTLY)
    return Budget(int(count[1]) if count else None, money)


def money_of(text: str) -> Money | None:
    """The amount of money that a budget is written as, such as `20 USD`; None where it is none, or nothing."""
    found = _MONEY.fullmatch(text)
    micros = micros_of(found[1]) if found else None
    return Money(micros, found[2].upper()) if found and micros else None


def misspelt_guards(environ: Mapping[str, str], misspelt: Mapping[str, str]) -> Iterator[NotConfigured]:
    """The errors of variables that were meant to protect and are misspelt: `misspelt` has the right name of each."""
    for name, meant in misspelt.items():
        if meant in _GUARDS and environ[name].strip() and not environ.get(meant, "").strip():
            yield misset(name, f"{meant} may have been meant", stops=_COSTLY)
