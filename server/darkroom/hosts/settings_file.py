"""A host's settings file: where it is, what it says, and which of its servers is Darkroom."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from darkroom.hosts import files
from darkroom.hosts.entries import NAME, Entry, entry_of
from darkroom.hosts.json_layout import JsonLayout
from darkroom.hosts.known import Host
from darkroom.hosts.layout import Layout, Servers, Unreadable
from darkroom.hosts.machine import Machine
from darkroom.hosts.toml_layout import TomlLayout
from darkroom.hosts.yaml_layout import YamlLayout

_LAYOUTS: Mapping[str, Layout] = {"json": JsonLayout(), "toml": TomlLayout(), "yaml": YamlLayout()}
_MARK = "\ufeff"
MOST_YAML = 500_000
"""Characters of YAML, which is read slowly; such a file has some kilobytes."""


@dataclass(frozen=True)
class Seen:
    """A host on a machine, as far as it is there. `file`: the one with its settings, which may not be there yet."""

    host: Host
    file: Path
    here: bool
    """True where something of the host is on the machine."""
    name: str | None = None
    """The name that Darkroom's entry has there."""
    entry: Entry | None = None
    """The server that it starts; None: it has no entry of Darkroom."""
    problem: str | None = None
    """The reason why the file cannot be read, or must not be edited."""


@dataclass(frozen=True)
class Text:
    """A settings file as it is read. `data`: its bytes; None: there is none."""

    host: Host
    file: Path
    data: bytes | None

    @property
    def layout(self) -> Layout:
        """Its format."""
        return _LAYOUTS[self.host.format]

    @property
    def text(self) -> str:
        """Its text without the byte order mark. Raises Unreadable."""
        return text_of(self.host, self.data)

    def bytes_of(self, text: str) -> bytes:
        """This text with a byte order mark, if there is one now."""
        mark = _MARK if (self.data or b"").startswith(_MARK.encode()) else ""
        return (mark + text).encode()


def text_of(host: Host, data: bytes | None) -> str:
    """The text of a file of this host; None: of a new one. Raises Unreadable."""
    if data is None:
        return host.fresh
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("it is no text in UTF-8") from error
    if "\0" in text:
        raise Unreadable("it is no text")
    if host.format == "yaml" and len(text) > MOST_YAML:
        raise Unreadable(f"it has more than {MOST_YAML} characters")
    return text.removeprefix(_MARK)


def find(host: Host, machine: Machine) -> Path:
    """The file of this host's settings: the first that there is, else the one that there may be."""
    places = host.files(machine)
    # pathlib's own checks raise where a folder cannot be entered, or a name is too long for one.
    existing = [place for place in places if os.path.isfile(place) or os.path.islink(place)]  # noqa: PTH113, PTH114
    likely = [place for place in places if os.path.isdir(place.parent)]  # noqa: PTH112
    return (*existing, *likely, *places)[0]


def is_here(host: Host, machine: Machine) -> bool:
    """True where the host has left something on this machine."""
    places = host.files(machine)
    own = [place.parent for place in places if place.parent != machine.home]
    return any(os.path.exists(place) for place in (*places, *own, *host.traces(machine)))  # noqa: PTH110 - as above


def look(host: Host, machine: Machine) -> Seen:
    """This host on this machine; it raises nothing."""
    file, here = find(host, machine), is_here(host, machine)
    try:
        text = opened(host, file)
        name, entry = darkroom_in(host, servers_in(text, text.text))
    except Unreadable as error:
        return Seen(host, file, here, problem=str(error))
    return Seen(host, file, here, name, entry)


def opened(host: Host, file: Path) -> Text:
    """The file as it is now. Raises Unreadable."""
    found = files.real(file)
    return Text(host, found, files.read(found))


def servers_in(text: Text, content: str) -> Servers:
    """The servers in this content of the file. Raises Unreadable: something else is where they belong."""
    host, whole = text.host, text.layout.read(content)
    path = host.newer if host.newer and isinstance(_at(whole, host.newer), Mapping) else host.servers
    found: object = _at(whole, path)
    if found is None and not (host.format == "json" and _has(whole, path)):
        found = cast("list[Any]", []) if host.listed else cast("dict[str, Any]", {})
    if not isinstance(found, list if host.listed else Mapping):
        raise Unreadable(f"{'.'.join(path)} in it does not hold servers")
    if isinstance(found, list):
        return Servers(path, _by_name(cast("list[Any]", found)), listed=True)
    return Servers(path, cast("Mapping[str, Any]", found))


def settings_besides(text: Text, content: str, name: str) -> str:
    """All that this content of the file says besides the server of this name, for comparison. Raises Unreadable."""
    whole, path = text.layout.read(content), servers_in(text, content).path

    def besides(value: Any, keys: tuple[str, ...]) -> Any:
        if not keys and isinstance(value, list):
            return [each for each in cast("list[Any]", value) if each.get("name") != name] or None
        if not isinstance(value, Mapping):
            return value
        left = dict(cast("Mapping[Any, Any]", value))
        if not keys:
            left.pop(name, None)
        else:
            left[keys[0]] = besides(left.get(keys[0]), keys[1:])
        return {key: each for key, each in left.items() if each is not None} or None

    return repr(besides(whole, path))  # NaN is unequal to itself


def _by_name(elements: list[Any]) -> Mapping[str, Any]:
    tables = [cast("dict[str, Any]", each) for each in elements if isinstance(each, dict)]
    named = {each["name"]: each for each in tables if isinstance(each.get("name"), str)}
    if len(named) != len(elements):
        raise Unreadable("a server in it has no name, or the name of another one")
    return named


def darkroom_in(host: Host, servers: Servers) -> tuple[str | None, Entry | None]:
    """The entry of Darkroom, under whichever name; None: there is none."""
    entries = {name: entry_of(host, value) for name, value in servers.named.items()}
    ours = {name: entry for name, entry in entries.items() if entry is not None and entry.is_darkroom}
    name = NAME if NAME in ours else next(iter(ours), None)
    return name, None if name is None else ours[name]


def _at(whole: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if not isinstance(whole, Mapping):
            raise Unreadable("it does not hold settings")
        whole = cast("Mapping[str, Any]", whole).get(key, {} if key != path[-1] else None)
    return whole


def _has(whole: Any, path: tuple[str, ...]) -> bool:
    *above, last = path
    return last in (_at(whole, tuple(above)) if above else whole)
