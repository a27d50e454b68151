"""`provider list`: every provider that there is, and the variable that each can be used with."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from darkroom.cli.commands.command import DONE, Command
from darkroom.cli.commands.provider.add import variable_of
from darkroom.cli.commands.results import print_result
from darkroom.declaration import own_prefix
from darkroom.models import Sparse
from darkroom.providers.declared import DECLARED, added_files
from darkroom.providers.offered import IN_CODE, NAMES, OFFERED
from darkroom.providers.offered import variable_of as variable_for
from darkroom.redact.text import clean
from darkroom.settings import Settings


class _Entry(Sparse):
    """One provider. `variables`: any of them makes it usable; `is_set`: one of them has a value, which is not shown."""

    name: str
    title: str | None = None
    origin: Literal["built in", "shipped", "added", "installed"]
    variables: tuple[str, ...] = ()
    is_set: bool
    docs: str | None = None
    error: str | None = None


class _Entries(Sparse):
    """Every provider that there is."""

    providers: tuple[_Entry, ...]


def _take(command: argparse.ArgumentParser) -> None:
    del command  # it takes nothing but --json


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    entries = _Entries(providers=tuple(_entries(settings)))
    print_result(entries, [_line(entry) for entry in entries.providers], as_json=arguments.json)
    return DONE


def _entries(settings: Settings) -> Iterator[_Entry]:
    from darkroom.providers.language.files import SHIPPED  # noqa: PLC0415 - the language takes long to import
    from darkroom.providers.plugged import installed  # noqa: PLC0415

    for name, declaration in DECLARED.items():
        is_set = _is_set(settings, name)
        variables = declaration.key_variables if declaration.key_variable is not None else ()
        yield _Entry(name=name, title=declaration.traits.title, origin="built in", variables=variables, is_set=is_set)
    added = added_files(settings.home)
    for name in dict.fromkeys([*OFFERED, *added]):
        yield _entry(name, added.get(name) or SHIPPED / f"{name}.toml", settings, added=name in added)
    for name in IN_CODE:
        yield _Entry(name=name, origin="built in", variables=(variable_for(name),), is_set=_is_set(settings, name))
    for name in sorted(installed().keys() - {*DECLARED, *NAMES, *added}):
        variables = (f"{own_prefix(name)}KEY", f"{own_prefix(name)}BASE_URL")
        yield _Entry(name=name, origin="installed", variables=variables, is_set=_is_set(settings, name))


def _entry(name: str, file: Path, settings: Settings, *, added: bool) -> _Entry:
    from darkroom.providers.language.loading import BadDeclaration, parse  # noqa: PLC0415

    origin, is_set = "added" if added else "shipped", _is_set(settings, name)
    try:
        service = parse(file.read_bytes())
    except (OSError, BadDeclaration):
        error = f"it cannot be used: run darkroom-mcp provider check {file}"
        return _Entry(name=name, origin=origin, is_set=is_set, error=error)
    variables = tuple(filter(None, (variable_of(service), service.key)))
    return _Entry(
        name=name, title=service.title, origin=origin, variables=variables, is_set=is_set, docs=service.docs or None
    )


def _is_set(settings: Settings, name: str) -> bool:
    account = settings.accounts.get(name)
    return account is not None and bool(account.key or account.own_origin or account.misset)


def _line(entry: _Entry) -> str:
    state = f"{' or '.join(entry.variables)} is {'set' if entry.is_set else 'not set'}" if entry.variables else "no key"
    said = entry.error or (state if not entry.docs else f"{state}; {clean(entry.docs, 200)}")
    return f"{entry.name:<17} {clean(entry.title or '', 40):<21} {entry.origin:<9} {said}"


LIST = Command("list", "list every provider, and the variable that it can be used with", _take, _run)
