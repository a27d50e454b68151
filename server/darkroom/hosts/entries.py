"""The entry of Darkroom in a host's settings: what it starts, in the shape that the host has for that."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from darkroom.hosts.known import Host

NAME = "darkroom"
"""The name that the entry is given."""
_OURS = re.compile(r"(?:^|[/\\])darkroom-mcp(?:\.exe|@\S*|[=<>~!\[]\S*)?$", re.I)


@dataclass(frozen=True)
class Entry:
    """A server that a host starts: an absolute path or a name on its PATH, the arguments, and further variables."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Values may be keys: show names only."""

    @property
    def is_darkroom(self) -> bool:
        """True where what it starts is Darkroom, by `darkroom-mcp` however that is started, or by `-m darkroom`."""
        pairs = zip(self.args, self.args[1:], strict=False)
        return any(map(_OURS.search, (self.command, *self.args))) or ("-m", "darkroom") in pairs


def entry_of(host: Host, value: object) -> Entry | None:
    """The server in this value of the host's settings; None: it is not one that is started by a command."""
    if not isinstance(value, Mapping):
        return None
    written = cast("Mapping[str, Any]", value)
    command_key, args_key, env_key = host.fields
    command, args, env = written.get(command_key), written.get(args_key or command_key), written.get(env_key)
    if isinstance(command, Mapping):  # the way of former versions of Zed
        older = cast("Mapping[str, Any]", command)
        command, args, env = older.get("path"), older.get("args"), older.get("env")
    words = [each for each in cast("list[Any]", args) if isinstance(each, str)] if isinstance(args, list) else []
    if not args_key:
        command, words = (words[0], words[1:]) if words else (None, [])
    if not isinstance(command, str):
        return None
    named = cast("Mapping[object, object]", env if isinstance(env, Mapping) else {})
    return Entry(command, tuple(words), {str(name): str(value) for name, value in named.items()})


def value_of(host: Host, entry: Entry, before: object = None) -> dict[str, Any]:
    """The entry as the host's settings have it; whatever else a former one says stays, its variables too."""
    command_key, args_key, env_key = host.fields
    former = entry_of(host, before)
    kept = dict(cast("Mapping[str, Any]", before)) if former else {}
    env = {**(former.env if former else {}), **entry.env}
    words = [*entry.args]
    value: dict[str, Any] = {"name": NAME} if host.listed else {}
    value |= {**host.fixed, command_key: entry.command if args_key else [entry.command, *words]}
    if args_key:
        value[args_key] = words
    if env:
        value[env_key] = env
    return {**kept, **value, **{key: kept[key] for key in host.fixed if key in kept}}
