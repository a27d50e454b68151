"""Kept keys, as if their variables were set: for those alone that `setup` recorded and whose variables are not set."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from darkroom.declaration import own_prefix
from darkroom.environment import Environment
from darkroom.errors import NotConfigured
from darkroom.keys import keychain, record
from darkroom.providers.declared import DECLARED
from darkroom.providers.offered import OFFERED
from darkroom.settings import home_of

READ_WITHIN_S = 2.0
"""Seconds that a keychain may take: a server starts without the keys of one that takes longer."""


def variables_of(name: str) -> tuple[str, ...]:
    """The variables that may hold the key of this provider: the first that does counts."""
    if name in DECLARED:
        return DECLARED[name].key_variables
    return tuple(filter(None, (f"{own_prefix(name)}KEY", OFFERED.get(name))))


class Given(NamedTuple):
    """Variables with kept keys among them, the services whose keys are kept, and a sentence for what is missing."""

    environ: Mapping[str, str]
    names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def kept_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The services whose keys are kept; no keychain is asked."""
    try:
        return tuple(each.name for each in record.read(home_of(environ)))
    except NotConfigured:
        return ()


def with_kept_keys(environ: Mapping[str, str], *, in_any_folder: bool = False) -> Given:
    """The variables as they count. It waits for the keychain, if that is where a key is, no longer than it may."""
    try:
        kept = record.read(home_of(environ, in_any_folder=in_any_folder))
    except NotConfigured as error:
        return Given(environ, warnings=(error.message,))
    given = Environment(environ)
    wanted = [each for each in kept if not any(map(given.key, variables_of(each.name)))]
    asked = [each.name for each in wanted if each.place == "keychain"]
    found = keychain.read(asked, READ_WITHIN_S) if asked else {}
    keys = {each.name: each.key or found.get(each.name) for each in wanted}
    more = {variables_of(name)[0]: key for name, key in keys.items() if key}
    return Given({**environ, **more}, tuple(each.name for each in kept), tuple(_missing(keys, found)))


def _missing(keys: Mapping[str, str | None], found: Mapping[str, str | None]) -> Iterator[str]:
    lacking = [name for name, key in keys.items() if not key]
    late = [name for name in lacking if name not in found]
    if late:
        variables = ", ".join(variables_of(name)[0] for name in late)
        yield (
            f"The system's keychain did not give the keys of {', '.join(late)} within {READ_WITHIN_S:g} s, so they "
            f"count as not set. Unlock it and start again, or set {variables}."
        )
    for name in (each for each in lacking if each in found):
        yield f"The key of {name} is not in the system's keychain: run darkroom-mcp setup --service {name}."
