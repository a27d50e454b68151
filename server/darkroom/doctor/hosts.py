"""The hosts that are here: whether each starts Darkroom, and whether what it starts it with can be meant."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from darkroom.blanks import filled
from darkroom.doctor.findings import Finding, discreet, failure, of_error, ok, warning
from darkroom.doctor.variables import variables
from darkroom.environment import REFERENCE
from darkroom.errors import NotConfigured
from darkroom.hosts.entries import Entry
from darkroom.hosts.known import HOSTS, Host
from darkroom.hosts.layout import Unreadable
from darkroom.hosts.machine import Machine
from darkroom.hosts.settings_file import Seen, look, opened, servers_in
from darkroom.providers.declared import read_settings
from darkroom.redact.secrets import Redactor
from darkroom.settings import Settings

_EXPAND = {"claude-code", "continue", "copilot", "cursor", "gemini", "opencode", "vscode", "windsurf"}
"""Those that are taken to put a value in the place of a reference such as `${VAR}`; not each was seen to."""

_QUOTED = re.compile(r"(['\"]).{8,}?\1")
"""A part of a file in the words of its parser: it may be a key."""


@dataclass(frozen=True)
class _Started:
    """The entry of Darkroom in a host's settings, and where that is."""

    host: Host
    file: Path
    name: str
    entry: Entry

    def finding(self, kind: Any, message: str, cure: str) -> Finding:
        return kind("hosts", f"{self.host.title}: {message}", f"{cure} The file is {self.file}.")


def hosts(settings: Settings) -> Iterator[Finding]:
    """The findings about every known host on this machine. `settings`: of this terminal."""
    here: list[Seen] = []
    with suppress(NotConfigured):  # a user without a home folder has no host's settings
        machine = Machine.here()
        here = [seen for seen in (look(host, machine) for host in HOSTS) if seen.here]
    for seen in here:
        yield from _of(seen, settings)
    if not here:
        yield ok("hosts", "None of the hosts that Darkroom knows was found here")


def _of(seen: Seen, settings: Settings) -> Iterator[Finding]:
    title = seen.host.title
    if seen.problem is not None:
        said = f"{title}: {seen.file} cannot be used: {_QUOTED.sub('…', seen.problem)}"
        yield failure("hosts", said, f"Correct that file by hand, then restart {title}.")
    elif seen.name is None or seen.entry is None:
        yield ok("hosts", f"{title} is here, without Darkroom")
    else:
        yield from _of_entry(_Started(seen.host, seen.file, seen.name, seen.entry), settings)


def _of_entry(started: _Started, settings: Settings) -> Iterator[Finding]:
    names = ", ".join(sorted(started.entry.env)) or "none"
    yield ok("hosts", f"{started.host.title} starts Darkroom as {started.name}; variables: {names}")
    yield from _of_command(started)
    yield from _of_variables(started, settings)
    if started.host.name == "codex" and _written(started).get("required") is not True:
        yield started.finding(
            warning, "it goes on without Darkroom's tools, in silence, where Darkroom does not start at once",
            f"Write required = true below [mcp_servers.{started.name}].",
        )  # fmt: skip


def _of_command(started: _Started) -> Iterator[Finding]:
    command = started.entry.command
    if os.sep not in command and "/" not in command:
        if shutil.which(command) is None:
            said = "the command that it names is not found on the PATH"
            yield started.finding(failure, said, "Name darkroom-mcp by its whole path, or install what is named.")
        return
    # pathlib's own raise where there is no such home, or what is written there is no path.
    path = os.path.expanduser(command)  # noqa: PTH111
    if not os.path.isfile(path):  # noqa: PTH113
        said = "the command that it names does not exist"
    elif not os.access(path, os.X_OK):
        said = "the command that it names cannot be run: it is not executable"
    else:
        return
    yield started.finding(failure, said, "Name darkroom-mcp by its whole path as it is now, or install it again there.")


def _of_variables(started: _Started, settings: Settings) -> Iterator[Finding]:
    environ = {name: value for name, value in started.entry.env.items() if not _expands(started.host, value)}
    try:
        own = read_settings(environ, in_any_folder=True)
    except NotConfigured as error:
        found, redact = [of_error("hosts", error)], Redactor(())
    else:
        found, redact = list(_wrong(own, environ)), Redactor(own.secrets)
        if environ.get("DARKROOM_HOME") and own.home != settings.home:
            yield ok("hosts", f"{started.host.title}: its ledger is in {own.home}, and not in {settings.home}")
    for each in (discreet(each, redact) for each in found):
        kind = failure if each.level == "failure" else warning
        yield started.finding(kind, each.message, f"Correct it there, then restart {started.host.title}.")


def _wrong(own: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """The faults of these variables, in the words of the same checks of this terminal's."""
    blank = environ.keys() - filled(environ).keys()
    yield from (each for each in variables(own, blank) if each.level != "ok")
    missets = [account.misset for account in own.accounts.values()]
    yield from (of_error("hosts", error) for error in (*missets, own.no_place) if error is not None)


def _expands(host: Host, value: str) -> bool:
    return host.name in _EXPAND and bool(REFERENCE.search(value))


def _written(started: _Started) -> Mapping[str, Any]:
    """The entry as it is written."""
    try:
        text = opened(started.host, started.file)
        found = servers_in(text, text.text).named.get(started.name)
    except Unreadable:
        return {}
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
