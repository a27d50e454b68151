"""`provider add FILE`: makes a checked declaration a provider here, once a person has seen who is sent the key."""

import argparse
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from darkroom.accounts import parse_limits
from darkroom.cli.commands.command import DONE, FAILED, Command
from darkroom.cli.commands.provider.asking import agreed
from darkroom.cli.commands.provider.check import reviewed, said
from darkroom.cli.commands.results import print_result, tell
from darkroom.errors import InvalidRequest, StorageError
from darkroom.models import Sparse
from darkroom.providers.declared import DECLARED
from darkroom.providers.offered import NAMES
from darkroom.redact.text import clean
from darkroom.settings import Settings
from darkroom.store.private import FILE, make_folder, restore

if TYPE_CHECKING:
    from darkroom.providers.language.schema import Service


class _Added(Sparse):
    """A provider that was added. `variable`: the one that it can be used with once it is set."""

    name: str
    file: str
    variable: str


def described(service: "Service") -> Iterator[str]:
    """A line for each thing to know before the service is trusted with a key."""
    from darkroom.providers.language.offers import limits_of  # noqa: PLC0415 - the language takes long to import

    limits = limits_of(service)
    hosts = [urlsplit(service.base_url).netloc, *service.hosts]
    yield f"{clean(service.title, 40)} ({service.name})"
    yield f"  requests go to: {clean(service.base_url, 200)}"
    yield f"  its key is read from: {variable_of(service)}"
    yield f"  its key is sent to: {', '.join(dict.fromkeys(hosts))}"
    yield f"  limits: {', '.join(parse_limits(limits).described()) if limits else 'none are named'}"


def variable_of(service: "Service") -> str:
    """The variable that the service can be used with once it is set."""
    needs_key = service.auth.kind != "none" and not service.auth.optional
    return f"{service.prefix}{'KEY' if needs_key else 'BASE_URL'}"


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", type=Path)
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument("--replace", action="store_true", help="take the place of the file of that name")


async def _run(settings: Settings, arguments: argparse.Namespace) -> int:
    from darkroom.providers.language.loading import parse  # noqa: PLC0415

    review = reviewed(arguments.file)
    if review.faults:
        for line in said(review):
            tell(line)
        tell("It was not added.")
        return FAILED
    data = review.data
    service = parse(data)
    place = settings.home / "providers" / f"{service.name}.toml"
    _may_be_called(service, place, replace=arguments.replace)
    for line in described(service):
        tell(line)
    if not (arguments.yes or await agreed("Add it?", otherwise="--yes")):
        tell("It was not added.")
        return FAILED
    _put(place, data)
    variable = variable_of(service)
    lines = [f"Added: {place}", f"Now set {variable} in the server's configuration and restart it."]
    print_result(_Added(name=service.name, file=str(place), variable=variable), lines, as_json=arguments.json)
    return DONE


def _may_be_called(service: "Service", place: Path, *, replace: bool) -> None:
    """Raises InvalidRequest: the name is taken, or the file reads a variable that is not its own."""
    if service.key is not None:
        raise InvalidRequest(
            f"The file names the variable {service.key}, and only a shipped one may.",
            next_step=f"Leave out its line key = …: the key is read from {service.prefix}KEY.",
        )
    if service.name in {*DECLARED, *NAMES}:
        raise InvalidRequest(
            f"{service.name} is a provider that comes with Darkroom.", next_step="Give the file's service another name."
        )
    if place.exists() and not replace:
        raise InvalidRequest(
            f"A provider called {service.name} was added before.",
            next_step="Give the file's service another name, or add --replace; what was submitted with the former file "
            "is still read by it.",
        )


def _put(place: Path, data: bytes) -> None:
    """Writes the file whole or not at all, for its owner alone. Raises StorageError."""
    part: Path | None = None
    try:
        make_folder(place.parent)
        with NamedTemporaryFile(dir=place.parent, suffix=".part", delete=False) as file:
            part = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        restore(part, FILE)
        part.replace(place)
    except OSError as error:
        with suppress(OSError):
            if part is not None:
                part.unlink()
        raise StorageError(
            f"{place} cannot be written ({error.strerror or type(error).__name__}).", next_step="Nothing was added."
        ) from error


ADD = Command("add", "make a declaration a provider here, after it was checked", _take, _run)
