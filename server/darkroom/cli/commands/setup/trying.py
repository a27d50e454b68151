"""A key tried before it is kept, by what can be read with it and costs nothing."""

import os
from dataclasses import replace
from typing import Literal, NamedTuple

from darkroom.app.context import Part, open_app
from darkroom.cli.log import configure_logging
from darkroom.errors import DarkroomError, InvalidRequest, Unauthorized
from darkroom.keys.reading import variables_of
from darkroom.providers.declared import read_settings
from darkroom.settings import Settings


class Tried(NamedTuple):
    """The outcome. `why`: a sentence for a person."""

    outcome: Literal["works", "refused", "no key", "not tried"]
    why: str


async def tried(settings: Settings, name: str, key: str) -> Tried:
    """The service's word on the key, where it has something harmless to ask."""
    try:
        account = _with_key(settings, name, key)
    except InvalidRequest as error:
        return Tried("no key", f"{error.message} {error.next_step}")
    configure_logging(settings.log_level, [*account.secrets, *settings.secrets], as_json=settings.log_json)
    try:
        async with open_app(account, Part.NONE) as app:
            state = (await app.catalogue(name)).providers[0]
    except DarkroomError as error:
        return Tried("not tried", error.message)
    error = state.error
    if error is not None and error.code == Unauthorized.code:
        return Tried("refused", error.message)
    if state.status == "ready":
        return Tried("works", "The service takes it.")
    if error is not None:
        return Tried("not tried", error.message)
    return Tried("not tried", "The service has nothing that could be read with it at no cost.")


def _with_key(settings: Settings, name: str, key: str) -> Settings:
    """The settings of this process with no account but this service's, and with this key."""
    former = settings.accounts.get(name)
    environ = {**os.environ, "DARKROOM_HOME": str(settings.home), variables_of(name)[0]: key}
    if former is not None and former.own_origin:
        environ[former.declaration.variables("BASE_URL")[0]] = former.own_origin
    read = read_settings(environ)
    account = read.accounts.get(name)
    if account is None or account.key != key:
        why = account.misset.message if account and account.misset else "it is an example, or no single word."
        raise InvalidRequest(f"That is no key of {name}: {why}", next_step="Copy it again. Nothing was kept.")
    return replace(settings, accounts={name: account}, default_provider=name, unguarded=None, no_place=None)
