"""A declaration's file, looked at as a whole: what is wrong with it, and what nothing shows to be right."""

import re
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from darkroom.models import Sparse
from darkroom.providers.authoring.advice import advised
from darkroom.providers.authoring.lines import line_of, lines_in
from darkroom.providers.authoring.sentences import sentences
from darkroom.providers.authoring.shown import unshown
from darkroom.providers.declared import DECLARED
from darkroom.providers.language.checks import faults, requests_of
from darkroom.providers.language.examples import misread
from darkroom.providers.language.fault import Fault
from darkroom.providers.language.files import SHIPPED
from darkroom.providers.language.schema import Service
from darkroom.providers.language.values import MAX_FILE, odd, text_of, values_of
from darkroom.providers.offered import NAMES, OFFERED


class Finding(Sparse):
    """A sentence about the file. `line`: counted from 1; absent where it is about the whole."""

    line: int | None = None
    message: str


class Review(Sparse):
    """The findings in one file. `faults` make it unusable; `notes` are worth a look."""

    file: str
    name: str | None = None
    examples: int = 0
    faults: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    data: bytes = Field(default=b"", exclude=True, repr=False)
    """The file as it was looked at: what is used later is this, whatever lies there by then."""


class Reviews(Sparse):
    """The findings in several files."""

    files: tuple[Review, ...]


def review(file: File) -> Review:
    """Looks for faults in the file, which is only read: nothing is sent.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        data = opened.read(MAX_FILE + 1)
    try:
        values = values_of(data)
    except ValueError as error:
        line = re.search(r"\(at line (\d+)", str(error))
        return Review(file=str(file), faults=(Finding(line=int(line[1]) if line else None, message=str(error)),))
    lines = lines_in(text_of(data))

    def findings(several: list[Fault]) -> tuple[Finding, ...]:
        found = [Finding(line=line_of(lines, each.where), message=each) for each in several]
        return tuple(sorted(found, key=lambda each: each.line or 0))

    service, wrong = _checked(values)
    notes = [] if service is None or wrong else [*unshown(service), *_worth_a_look(service)]
    if service is not None and service.name in {*DECLARED, *NAMES} and not _is_shipped(service.name, data):
        says = "a provider of that name comes with Darkroom, so this cannot be added: write another"
        notes.append(Fault(("name",), says))
    return Review(
        data=data,
        file=str(file),
        name=str(values["name"]) if isinstance(values.get("name"), str) else None,
        examples=0 if service is None else len(service.example),
        faults=findings(wrong),
        notes=findings(notes),
    )


def _of_models(service: Service) -> Iterator[Fault]:
    slashed = next((each.id for each in service.accepts.models if "/" in each.id), None)
    for table, (request, _) in requests_of(service).items():
        if slashed is not None and "{model}" in (request.path or ""):
            says = (
                f"{{model}} is one part of a path, so {slashed} is sent with %2F: write {{model+}} to keep its slashes"
            )
            yield Fault((*table.split("."), "path"), says)


def _is_shipped(name: str, data: bytes) -> bool:
    file = SHIPPED / f"{name}.toml"
    return file.is_file() and file.read_bytes() == data


def _checked(values: dict[str, Any]) -> tuple[Service | None, list[Fault]]:
    if found := [*odd(values)]:
        return None, found
    try:
        service = Service.model_validate(values)
    except ValidationError as error:
        return None, sentences(error, values)
    if found := faults(service):
        return service, found
    wrong = misread(service).items()
    return service, [advised(service, int(name.partition(".")[0]) - 1, reasons) for name, reasons in wrong]


def _worth_a_look(service: Service) -> Iterator[Fault]:
    yield from _of_models(service)
    if service.auth.body is None and service.auth.kind == "header" and service.auth.prefix[-1:].isalnum():
        prefix = service.auth.prefix
        yield Fault(
            ("auth", "prefix"), f'the key follows {prefix!r} at once: write "{prefix} " where a space is between'
        )
    base = urlsplit(service.base_url).hostname or ""
    for number, host in enumerate(service.hosts):
        if host.startswith("*.") and not f".{base}".endswith(host[1:]):
            yield Fault(
                ("hosts", number), f"every host below {host[2:]} may be sent the key, though base_url is elsewhere"
            )
    if service.key is not None and service.name not in OFFERED:
        yield Fault(
            ("key",),
            f"only a shipped file names a variable; leave it out of another, whose variable is {service.prefix}KEY",
        )
