"""Darkroom's entry put into a host's settings, or taken out of them, and nothing else of them changed."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.errors import InvalidRequest
from darkroom.hosts import files
from darkroom.hosts.entries import NAME, Entry, value_of
from darkroom.hosts.known import Host
from darkroom.hosts.layout import Unreadable
from darkroom.hosts.machine import Machine
from darkroom.hosts.settings_file import Text, darkroom_in, find, opened, servers_in, settings_besides


@dataclass(frozen=True)
class Edit:
    """A change of one file that was not made yet. `before`, `after`: its bytes; None: no file."""

    file: Path
    before: bytes | None
    after: bytes | None

    @property
    def changes(self) -> bool:
        """False where the file is as it should be already."""
        return self.before != self.after

    def make(self) -> Path | None:
        """Writes it, atomically; returns the backup of what was there. Raises StorageError: the file is as it was."""
        return files.replace(self.file, self.before, self.after) if self.changes else None


def adding(host: Host, machine: Machine, entry: Entry) -> Edit:
    """The edit after which this host starts Darkroom so. What else an entry of Darkroom says there stays.

    Raises:
        InvalidRequest: the file cannot be read or edited, or another server has the name there.
    """
    file = find(host, machine)
    try:
        _displaces_nothing(host, file)
        text = opened(host, file)
        content = text.text
        after = _with(text, content, entry)
        unchanged = after == content and text.data is not None
        return Edit(text.file, text.data, text.data if unchanged else text.bytes_of(after))
    except Unreadable as error:
        raise _left_alone(host, file, error) from error


def removing(host: Host, machine: Machine) -> Edit:
    """The edit after which this host does not start Darkroom: the file is as it was before, if nothing else changed.

    Raises:
        InvalidRequest: the file cannot be read or edited.
    """
    file = find(host, machine)
    try:
        text = opened(host, file)
        if text.data is None:
            return Edit(text.file, None, None)
        content = text.text
        servers = servers_in(text, content)
        name, entry = darkroom_in(host, servers)
        if name is None or entry is None:
            return Edit(text.file, text.data, text.data)
        for former in _formers(text, servers.named[name]):
            return Edit(text.file, text.data, former)
        after = text.layout.take(content, servers, name)
        _check(text, content, after, name, None)
        return Edit(text.file, text.data, text.bytes_of(after))
    except Unreadable as error:
        raise _left_alone(host, file, error) from error


def _with(text: Text, content: str, entry: Entry) -> str:
    host, servers = text.host, servers_in(text, content)
    name, _ = darkroom_in(host, servers)
    before = servers.named.get(name) if name else None
    if name is None and NAME in servers.named:
        raise Unreadable(f"another server is called {NAME} there")
    value = value_of(host, entry, before)
    if host.listed and name is not None:
        value["name"] = name
    if value == before:
        return content
    after = text.layout.put(content, servers, name or NAME, value)
    _check(text, content, after, name or NAME, value)
    return after


def _check(text: Text, before: str, after: str, name: str, value: Mapping[str, Any] | None) -> None:
    """Raises Unreadable: the edit would change something else."""
    try:
        found = servers_in(text, after).named
        others = [settings_besides(text, content, name) for content in (before, after)]
    except Unreadable as error:
        raise Unreadable("it is written in a way that cannot be edited safely") from error
    if others[0] != others[1] or found.get(name) != value:
        raise Unreadable("it is written in a way that cannot be edited safely")


def _formers(text: Text, value: Mapping[str, Any]) -> Iterator[bytes | None]:
    """The bytes from which adding this entry makes those of the file, where they are known; None: there was no file."""
    kept = [each for each in files.backups(text.file) if len(each) < len(text.data or b"")]
    for data in (*kept, None):
        try:
            former = Text(text.host, text.file, data)
            servers = servers_in(former, former.text)
            made = former.layout.put(former.text, servers, NAME, value) if NAME not in servers.named else ""
            if former.bytes_of(made) == text.data:
                yield data
        except Unreadable:
            continue


def _displaces_nothing(host: Host, file: Path) -> None:
    if host.older and not os.path.exists(file) and os.path.exists(file.with_name(host.older)):  # noqa: PTH110 - see `find`
        raise Unreadable(f"{host.title} would pass over {host.older} beside it once it is there")


def _left_alone(host: Host, file: Path, error: Unreadable) -> InvalidRequest:
    return InvalidRequest(
        f"{file} of {host.title} was left as it is: {error}.",
        next_step="Correct it and try again, or edit it by hand (docs/setup.md shows the entry).",
    )
