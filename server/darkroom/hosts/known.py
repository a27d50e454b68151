"""Every host that is known: where its settings are on each platform, their format, and the shape of an entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from darkroom.hosts.machine import Machine


@dataclass(frozen=True)
class Host:
    """One host. `files`: where its settings may be, the usual place first.

    `servers`: the keys that lead to its servers; where `listed`, these are a list and each says its name. Their
    alternative `newer` counts where the file has it. `fixed`: what stands in an entry besides the command; `fields`:
    its keys for command, arguments and environment, where without a key for arguments the command is the list of both.
    """

    name: str
    title: str
    files: Callable[[Machine], tuple[Path, ...]]
    format: Literal["json", "toml", "yaml"] = "json"
    servers: tuple[str, ...] = ("mcpServers",)
    newer: tuple[str, ...] = ()
    listed: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fields: tuple[str, str, str] = ("command", "args", "env")
    traces: Callable[[Machine], tuple[Path, ...]] = lambda _: ()
    """Files and folders that show that it is here, besides the folders of its files."""
    fresh: str = ""
    """The text that a file begins with which is not there yet."""
    older: str = ""
    """The name of a file beside it that a new file would displace."""


def _claude_code(machine: Machine) -> tuple[Path, ...]:
    return (machine.named("CLAUDE_CONFIG_DIR", machine.home) / ".claude.json",)


def _claude_desktop(machine: Machine) -> tuple[Path, ...]:
    name = "claude_desktop_config.json"
    packaged = machine.local / "Packages" / "Claude_pzs8sxrjxfjjc" / "LocalCache" / "Roaming" / "Claude" / name
    return (machine.support / "Claude" / name, *((packaged,) if machine.windows else ()))


def _cline(machine: Machine) -> tuple[Path, ...]:
    own = machine.named("CLINE_DATA_DIR", machine.named("CLINE_DIR", machine.home / ".cline") / "data")
    before = _vs_code_user(machine) / "globalStorage" / "saoudrizwan.claude-dev"
    return tuple(each / "settings" / "cline_mcp_settings.json" for each in (own, before))


def _cline_traces(machine: Machine) -> tuple[Path, ...]:
    return (machine.home / ".cline", _vs_code_user(machine) / "globalStorage" / "saoudrizwan.claude-dev")


def _opencode(machine: Machine) -> tuple[Path, ...]:
    return tuple(machine.config / "opencode" / name for name in ("opencode.json", "opencode.jsonc"))


def _vs_code_user(machine: Machine) -> Path:
    return machine.support / "Code" / "User"


def _zed(machine: Machine) -> tuple[Path, ...]:
    folder = machine.roaming / "Zed" if machine.windows else machine.config / "zed"
    return (folder / "settings.json",)


def _goose(machine: Machine) -> tuple[Path, ...]:
    folder = machine.roaming / "Block" / "goose" / "config" if machine.windows else machine.config / "goose"
    return (folder / "config.yaml",)


_STDIO = {"type": "stdio"}

HOSTS = (
    Host("claude-desktop", "Claude Desktop", _claude_desktop),
    Host("claude-code", "Claude Code", _claude_code, fixed=_STDIO, traces=lambda m: (m.home / ".claude",)),
    Host("cursor", "Cursor", lambda m: (m.home / ".cursor" / "mcp.json",)),
    Host("vscode", "VS Code", lambda m: (_vs_code_user(m) / "mcp.json",), servers=("servers",), fixed=_STDIO),
    Host("windsurf", "Windsurf", lambda m: (m.home / ".codeium" / "windsurf" / "mcp_config.json",)),
    Host("zed", "Zed", _zed, servers=("context_servers",)),
    Host(
        "codex",
        "Codex",
        lambda m: (m.named("CODEX_HOME", m.home / ".codex") / "config.toml",),
        format="toml",
        servers=("mcp_servers",),
        # Without it Codex goes on without the server's tools, in silence, where other servers start at the same time.
        fixed={"required": True},
    ),
    Host("gemini", "Gemini CLI", lambda m: (m.home / ".gemini" / "settings.json",)),
    Host(
        "copilot",
        "Copilot CLI",
        lambda m: (m.named("COPILOT_HOME", m.home / ".copilot") / "mcp-config.json",),
        fixed={"type": "local", "tools": ["*"]},
    ),
    Host(
        "opencode",
        "opencode",
        _opencode,
        servers=("mcp",),
        newer=("mcp", "servers"),
        fixed={"type": "local", "enabled": True},
        fields=("command", "", "environment"),
    ),
    Host(
        "goose",
        "Goose",
        _goose,
        format="yaml",
        servers=("extensions",),
        fixed={"name": "Darkroom", "type": "stdio", "enabled": True, "timeout": 300},
        fields=("cmd", "args", "envs"),
    ),
    Host("cline", "Cline", _cline, traces=_cline_traces),
    Host(
        "continue",
        "Continue",
        lambda m: (m.home / ".continue" / "config.yaml",),
        format="yaml",
        listed=True,
        fresh="name: Local Config\nversion: 1.0.0\nschema: v1\n",
        older="config.json",
    ),
)
"""In the order in which they are shown."""
