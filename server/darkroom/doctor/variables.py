"""Darkroom itself and its variables: versions, extras, and whatever was not taken as it is written."""

import platform
import sqlite3
from collections.abc import Collection, Iterator
from importlib.util import find_spec

from darkroom import __version__
from darkroom.doctor.findings import Finding, failure, of_error, ok, warning
from darkroom.errors import NotConfigured
from darkroom.providers.offered import OFFERED
from darkroom.settings import Settings

_EXTRAS = {"postgres": "psycopg", "s3": "obstore", "telemetry": "opentelemetry.sdk"}


def variables(settings: Settings, blank: Collection[str]) -> Iterator[Finding]:
    """The findings about versions and variables. `blank`: the names of variables that are there and hold nothing."""
    yield ok("Darkroom", f"Darkroom {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    extras = [name for name, module in _EXTRAS.items() if _is_installed(module)]
    yield ok("Darkroom", f"Extras: {', '.join(extras) or 'none'}")
    errors = list(_errors(settings))
    yield from (of_error("Darkroom", error) for error in errors)
    said = {error.message for error in errors} | {
        account.misset.message for account in settings.accounts.values() if account.misset
    }
    yield from _passed_over(settings, said)
    in_use = (account.declaration.key_variables for account in settings.accounts.values() if account.ready)
    for name in sorted((_key_variables(settings) & set(blank)).difference(*in_use)):
        yield warning(
            "Darkroom", f"{name} is there and blank, so its service is not used.",
            f"Put the key into {name}, or take the variable out.",
        )  # fmt: skip


def _errors(settings: Settings) -> Iterator[NotConfigured]:
    if isinstance(settings.default_provider, NotConfigured):
        yield settings.default_provider
    if settings.unguarded is not None:
        yield settings.unguarded


def _passed_over(settings: Settings, said: Collection[str]) -> Iterator[Finding]:
    """The warnings of the settings that nothing else reports; of a key it is a failure, since it was to be used."""
    elsewhere = {*said, settings.no_place.message if settings.no_place else ""}
    keys = _key_variables(settings)
    for each in (each for each in settings.warnings if each not in elsewhere):
        name = each.split()[0]
        if name.isupper():
            cure = (
                f"Correct {name} where Darkroom is started (its host's configuration, or your shell), or take it out."
            )
            yield failure("Darkroom", each, cure) if name in keys else warning("Darkroom", each, cure)
        elif each.startswith("The provider "):
            yield failure("Darkroom", each, "Run darkroom-mcp provider check with that file.")
        else:
            yield failure("Darkroom", each, "Do as it says, and run this again.")


def _key_variables(settings: Settings) -> set[str]:
    declared = (account.declaration.key_variables for account in settings.accounts.values())
    return {*filter(None, OFFERED.values()), *(name for names in declared for name in names)}


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
