"""The part of `setup` about hosts: Darkroom added to their settings, or taken out of them."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from darkroom.errors import DarkroomError
from darkroom.hosts.editing import Edit, adding, removing
from darkroom.hosts.entries import Entry
from darkroom.hosts.known import HOSTS, Host
from darkroom.hosts.machine import Machine
from darkroom.hosts.settings_file import Seen, find, look
from darkroom.models import Sparse

SCRIPT = "darkroom-mcp"
NAMED: Mapping[str, Host] = {host.name: host for host in HOSTS}
Change = Literal["added", "updated", "removed"]


class HostDone(Sparse):
    """One host's settings, and the change that was made to them. `backup`: the file as it was before."""

    name: str
    title: str
    file: str
    done: Change | Literal["unchanged", "failed"]
    dry_run: bool | None = None
    """True where it was not done, but would be."""
    backup: str | None = None
    error: str | None = None

    @property
    def line(self) -> str:
        """The same for a person."""
        before = f"\n  as it was before: {self.backup}" if self.backup else ""
        would = "would be " if self.dry_run and self.done != "unchanged" else ""
        return f"{self.title}: {self.error or f'{would}{self.done}, {self.file}{before}'}"


def found_here(machine: Machine) -> Sequence[Seen]:
    """The hosts that there are on this machine."""
    return [seen for seen in (look(host, machine) for host in HOSTS) if seen.here]


def add(host: Host, machine: Machine, entry: Entry, *, dry: bool) -> HostDone:
    """Adds Darkroom to the host, or brings its entry up to date."""
    seen = look(host, machine)
    done: Change = "added" if seen.entry is None else "updated"
    try:
        return _made(host, adding(host, machine, entry), done, dry=dry)
    except DarkroomError as error:
        return _failed(host, machine, error)


def remove(host: Host, machine: Machine, *, dry: bool) -> HostDone:
    """Takes Darkroom out of the host."""
    try:
        return _made(host, removing(host, machine), "removed", dry=dry)
    except DarkroomError as error:
        return _failed(host, machine, error)


def _made(host: Host, edit: Edit, done: Change, *, dry: bool) -> HostDone:
    made = HostDone(name=host.name, title=host.title, file=str(edit.file), done=done if edit.changes else "unchanged")
    if dry:
        return made.model_copy(update={"dry_run": True})
    backup = edit.make()
    return made.model_copy(update={"backup": str(backup) if backup else None})


def _failed(host: Host, machine: Machine, error: DarkroomError) -> HostDone:
    said = f"{error.message} {error.next_step}"
    return HostDone(name=host.name, title=host.title, file=str(find(host, machine)), done="failed", error=said)


def entry_here(home: str | None) -> Entry:
    """The server as hosts are to start it: by a whole path, since a desktop's programs have another PATH.

    `home`: what DARKROOM_HOME is here; hosts do not know it.
    """
    command, *args = _command()
    return Entry(command, (*args, "serve"), {"DARKROOM_HOME": home} if home else {})


def _command() -> list[str]:
    """The words before `serve`."""
    uvx = shutil.which("uvx")
    if uvx is not None and "archive-v0" in Path(sys.prefix).parts:  # of uv's cache, which comes and goes
        return [uvx, SCRIPT]
    running = Path(sys.argv[0])
    if running.stem == SCRIPT and running.exists():
        return [str(running.absolute())]
    for beside in (Path(sys.executable).with_name(name) for name in (SCRIPT, f"{SCRIPT}.exe")):
        if beside.exists():
            return [str(beside)]
    return [sys.executable, "-m", "darkroom"]
