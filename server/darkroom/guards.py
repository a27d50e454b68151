"""Guards against paying for more than the user wants: a variable that cannot be read stops what costs money."""

import re
from collections.abc import Iterator, Mapping

from darkroom.environment import Environment, misset
from darkroom.errors import NotConfigured

_GUARDS = {"DARKROOM_CONFIRM", "DARKROOM_BUDGET"}
_COSTLY = " Until then nothing that costs money is started."


def confirm_over_of(env: Environment) -> int | NotConfigured | None:
    """Over how many pictures the user is asked first; None: never."""
    text = env.guard("DARKROOM_CONFIRM")
    match = re.fullmatch(r"always|over:([0-9]{1,9})", text)
    if text and match is None:
        return misset("DARKROOM_CONFIRM", "it is always, or over:N, as in over:2", stops=_COSTLY)
    return int(match[1] or 0) if match else None


def budget_of(env: Environment) -> int | NotConfigured | None:
    """How many generations a day may be started; None: any number."""
    text = env.guard("DARKROOM_BUDGET")
    if text and not re.fullmatch(r"0*[1-9][0-9]{0,8}", text):
        return misset("DARKROOM_BUDGET", "it is a number of generations a day, 1 or more", stops=_COSTLY)
    return int(text) if text else None


def misspelt_guards(environ: Mapping[str, str], misspelt: Mapping[str, str]) -> Iterator[NotConfigured]:
    """The errors of variables that were meant to protect and are misspelt: `misspelt` has the right name of each."""
    for name, meant in misspelt.items():
        if meant in _GUARDS and environ[name].strip() and not environ.get(meant, "").strip():
            yield misset(name, f"{meant} may have been meant", stops=_COSTLY)
