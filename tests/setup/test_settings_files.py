"""Darkroom's entry in settings files of every host, in their real formats: put there and taken out to the byte."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from darkroom.errors import InvalidRequest, StorageError
from darkroom.hosts.editing import adding, removing
from darkroom.hosts.entries import Entry
from darkroom.hosts.known import HOSTS, Host
from darkroom.hosts.machine import Machine
from darkroom.hosts.settings_file import find, is_here, look

ENTRY = Entry("/opt/darkroom/bin/darkroom-mcp", ("serve",), {"DARKROOM_HOME": "/srv/darkroom"})
NAMED: Mapping[str, Host] = {host.name: host for host in HOSTS}

SETTINGS: Mapping[str, tuple[str, ...]] = {
    "claude-desktop": (
        '{\n  "mcpServers": {\n    "files": {\n      "command": "npx",\n      "args": ["-y", "files"]\n    }\n  },\n'
        '  "scale": 0\n}\n',
        '{\r\n\t"scale": 0,\r\n\t"mcpServers": {}\r\n}',
        '\ufeff{"mcpServers":{"files":{"command":"npx"}}}',
        "{}",
        "",
    ),
    "claude-code": (
        '{\n  "numStartups": 12,\n  "projects": {"/a": {"mcpServers": {"darkroom": {"command": "other"}}}},\n'
        '  "mcpServers": {\n  }\n}\n',
        '{"numStartups":12,"tips":{"a":"\\u00e9 // no comment"}}',
    ),
    "cursor": ('{\n    "mcpServers": {\n        "a": {"url": "https://a.example"}, "b": {"command": "b"}\n    }\n}',),
    "vscode": (
        '// mine\n{\n\t"servers": { // all\n\t\t// the first\n\t\t"a": {"type": "stdio", "command": "a"}, // one\n'
        '\t\t/* the\n\t\tlast */ "b": {"type": "http", "url": "https://b.example"},\n\t},\n\t"inputs": [],\n}\n',
        '{\n\t"inputs": [{"id": "key", "password": true},],\n}\n',
    ),
    "windsurf": ('{"mcpServers": { /* none\n   yet */ }}\n',),
    "zed": (
        '// Zed settings\n//\n{\n  "theme": "One Dark",\n  // servers\n  "context_servers": {\n    "a": {\n'
        '      "source": "custom", "command": {"path": "a", "args": []},\n    },\n  },\n}\n',
        '{ /* a comment\n that goes on */ "theme": "One Dark",\n  "vim_mode": true }\n',
    ),
    "codex": (
        '# mine\nmodel = "o"\n\n[mcp_servers.a] # the first\ncommand = "a"\nargs = [\n  "[x]", # no header\n]\n\n'
        '# profiles\n[profiles.b]\nmodel = """\n[mcp_servers.b]\n"""\n',
        'model = "o"',
        "[mcp_servers]\r\n\r\n[mcp_servers.a]\r\ncommand = 'a'\r\n\r\n\r\n",
        "",
    ),
    "gemini": (
        '{\n  "theme": "x", // dark\n  "mcpServers": {\n    "a": {"command": "a", "trust": true}\n    // the end\n'
        "  }\n}\n",
    ),
    "copilot": (
        '{\n  "mcpServers": {\n    "a": {\n      "type": "local",\n      "command": "a",\n      "tools": ["*"]\n    }\n'
        "  }\n}\n",
    ),
    "opencode": (
        '{\n  "$schema": "https://opencode.ai/config.json",\n  "mcp": {\n    "a": {"type": "local"},\n  },\n}\n',
        '{\n  "mcp": {\n    "servers": {"a": {"type": "local", "command": ["a"]}}\n  }\n}\n',
    ),
    "goose": (
        "GOOSE_MODEL: x\nextensions:   # all\n  # the first\n  developer:\n    bundled: true\n    name: developer\n"
        "    description: |\n      a text\n      extensions:\n\n    type: builtin\n\n  long: {enabled: true, name: 'a\n"
        "    b'}\n# the end\nother: [1,\n  2]\n",
        "extensions: {}\nGOOSE_MODEL: x\n",
        "extensions: {a: {type: builtin, name: a}}\n",
        "GOOSE_MODEL: x",
        "GOOSE_MODEL: x\r\nextensions:\r\n",
    ),
    "cline": ('{\n  "mcpServers": {\n    "a": {\n      "command": "a",\n      "autoApprove": []\n    }\n  }\n}',),
    "continue": (
        "name: mine\nversion: 1.0.0\nschema: v1\nmodels:\n  - name: x\n    apiKey: y\nmcpServers:\n- name: a\n"
        "  command: a # first\n  args:\n    - b\n\n# the end\nrules: []\n",
        "name: mine\nmcpServers: []\n",
        "name: mine\n",
    ),
}


def _machine(path: Path) -> Machine:
    return Machine("linux", path, {})


def _written(machine: Machine, name: str, text: str | bytes) -> Path:
    file = NAMED[name].files(machine)[0]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_every_host_is_tried() -> None:
    assert set(SETTINGS) == {host.name for host in HOSTS}
    assert len(HOSTS) == 13


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("with_backup", [True, False])
def test_what_is_added_and_removed_leaves_every_other_byte(name: str, with_backup: bool, tmp_path: Path) -> None:
    for number, text in enumerate(SETTINGS[name]):
        _add_repeat_and_remove(NAMED[name], _machine(tmp_path / str(number)), text, with_backup=with_backup)


def _add_repeat_and_remove(host: Host, machine: Machine, text: str, *, with_backup: bool) -> None:
    file = _written(machine, host.name, text)
    file.chmod(0o640)
    assert is_here(host, machine)
    assert look(host, machine).entry is None
    backup = adding(host, machine, ENTRY).make()
    assert backup is not None
    assert backup.read_bytes() == text.encode()
    assert look(host, machine).entry == ENTRY
    assert file.stat().st_mode & 0o777 == backup.stat().st_mode & 0o777 == 0o640
    added = file.read_bytes()
    assert _without_the_new(added, text.encode()) or not text, added
    assert adding(host, machine, ENTRY).make() is None
    assert file.read_bytes() == added
    if not with_backup:
        backup.unlink()
    removing(host, machine).make()
    assert look(host, machine).entry is None
    if with_backup:
        assert file.read_bytes() == text.encode()
    elif text:
        assert _same(host, file.read_text("utf-8-sig"), text.removeprefix("\ufeff"))


def _without_the_new(added: bytes, before: bytes) -> bool:
    """True where `added` is `before` with one stretch put in."""
    return any(added.startswith(before[:at]) and added.endswith(before[at:]) for at in range(len(before) + 1))


def _same(host: Host, now: str, before: str) -> bool:
    """True where nothing but space, and an empty place for servers, may be different."""
    key = "".join(f'"{each}":' for each in host.servers[:1])
    empty = f"{key}{{}},", f"{key}{{}}", "{}", "[]", f"{host.servers[0]}:"
    bare = ["".join(text.split()) for text in (now, before)]
    for each in empty:
        bare = [text.replace(each, "") for text in bare]
    return bare[0] == bare[1]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_file_that_was_made_for_it_goes_with_it(name: str, tmp_path: Path) -> None:
    host, machine = NAMED[name], _machine(tmp_path)
    assert adding(host, machine, ENTRY).make() is None
    assert look(host, machine).entry == ENTRY
    file = find(host, machine)
    assert file.stat().st_mode & 0o777 == 0o600
    removing(host, machine).make()
    assert not file.exists()


@pytest.mark.parametrize("name", SETTINGS)
def test_an_entry_is_changed_in_its_place_and_keeps_what_a_person_added(name: str, tmp_path: Path) -> None:
    host, machine = NAMED[name], _machine(tmp_path)
    file = _written(machine, name, SETTINGS[name][0])
    by_hand = Entry("uvx", ("darkroom-mcp", "serve"), {"FATTHUMB_API_KEY": "k"})
    adding(host, machine, by_hand).make()
    adding(host, machine, ENTRY).make()
    seen = look(host, machine)
    assert seen.entry == Entry(ENTRY.command, ENTRY.args, {**by_hand.env, **ENTRY.env})
    removing(host, machine).make()
    assert file.read_text() == SETTINGS[name][0]


REFUSED: Mapping[str, Mapping[str, str | bytes]] = {
    "claude-desktop": {
        "no JSON": '{"mcpServers": {',
        "mcpServers twice": '{"mcpServers": {}, "mcpServers": {}}',
        "darkroom twice": '{"mcpServers": {"darkroom": {"command": "b"}, "darkroom": {"command": "darkroom-mcp"}}}',
        "does not hold servers": '{"mcpServers": ["darkroom-mcp"]}',
        "mcpServers in it does not": '{"mcpServers": null}',
        "does not hold settings": "[]",
        "no text in UTF-8": b"\xff\xfe{\x00}\x00",
        "it is no text": b'{"a": "\x00"}',
        "no JSON (": "[" * 100_000,
        "another server is called darkroom": '{"mcpServers": {"darkroom": {"url": "https://x.example"}}}',
        "NaN is no JSON": '{"a": NaN}',
        "larger than 16 MB": b" " * 16_000_001,
    },
    "codex": {
        "no TOML": "a = \n",
        "edited safely": 'mcp_servers = { a = { command = "a" } }\n',
        "does not hold servers": "mcp_servers = 1\n",
        "no header of its own": '[mcp_servers]\ndarkroom.command = "darkroom-mcp"\n',
        "apart from one another": '[mcp_servers.darkroom]\ncommand = "darkroom-mcp"\n[a]\n[mcp_servers.darkroom.env]\n',
    },
    "goose": {
        "no YAML": "extensions: [\n",
        "no YAML (line": "extensions: {}\nextensions: {}\n",
        "does not hold servers": "extensions: 1\n",
        "edited safely": "extensions: ~\n",
        "characters": "# " + "x" * 500_001,
        "another server is called darkroom": "extensions:\n  darkroom:\n    type: builtin\n",
    },
    "continue": {"has no name": "mcpServers:\n- command: a\n", "does not hold": "mcpServers: {}\n"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_edited_is_left_as_it_is_with_a_reason(name: str, tmp_path: Path) -> None:
    host = NAMED[name]
    for number, (reason, content) in enumerate(REFUSED[name].items()):
        machine = _machine(tmp_path / str(number))
        file = _written(machine, name, content)
        before = file.read_bytes()
        with pytest.raises(InvalidRequest, match=re.escape(reason)):
            adding(host, machine, ENTRY)
        assert file.read_bytes() == before
        assert [each.name for each in file.parent.iterdir() if each.is_file()] == [file.name]
        assert look(host, machine).entry is None or look(host, machine).problem is None


def test_a_link_stays_one_and_a_change_by_another_program_is_noticed(tmp_path: Path) -> None:
    host, machine = NAMED["cursor"], _machine(tmp_path)
    kept = tmp_path / "dotfiles" / "mcp.json"
    kept.parent.mkdir()
    kept.write_text("{}")
    link = host.files(machine)[0]
    link.parent.mkdir()
    link.symlink_to(kept)
    adding(host, machine, ENTRY).make()
    assert link.is_symlink()
    assert json.loads(kept.read_text())["mcpServers"]["darkroom"]["command"] == ENTRY.command
    edit = removing(host, machine)
    kept.write_text('{"mcpServers": {"new": {"command": "new"}}}')
    with pytest.raises(StorageError, match="another program"):
        edit.make()
    assert "new" in kept.read_text()
    link.unlink()
    link.symlink_to(link)
    assert look(host, machine).problem == "its link leads nowhere"


def test_a_new_file_never_displaces_one_that_a_host_would_then_pass_over(tmp_path: Path) -> None:
    host, machine = NAMED["continue"], _machine(tmp_path)
    file = host.files(machine)[0]
    file.parent.mkdir()
    file.with_name("config.json").write_text("{}")
    with pytest.raises(InvalidRequest, match=r"config\.json"):
        adding(host, machine, ENTRY)


def test_codex_waits_for_the_tools_of_a_server_that_is_required(tmp_path: Path) -> None:
    machine = _machine(tmp_path)
    adding(NAMED["codex"], machine, ENTRY).make()
    found = tomllib.loads((tmp_path / ".codex" / "config.toml").read_text())
    assert found["mcp_servers"]["darkroom"]["required"] is True


def test_every_platform_has_its_own_places() -> None:
    home = Path("/home/a")
    appdata = Path("/appdata")
    machines = {
        "linux": Machine("linux", home, {"XDG_CONFIG_HOME": "/xdg", "CODEX_HOME": "/codex"}),
        "darwin": Machine("darwin", home, {}),
        "win32": Machine("win32", home, {"APPDATA": str(appdata)}),
    }
    wanted = {
        ("linux", "vscode"): Path("/xdg/Code/User/mcp.json"),
        ("linux", "codex"): Path("/codex/config.toml"),
        ("darwin", "claude-desktop"): home / "Library/Application Support/Claude/claude_desktop_config.json",
        ("darwin", "zed"): home / ".config/zed/settings.json",
        ("win32", "claude-desktop"): appdata / "Claude/claude_desktop_config.json",
        ("win32", "goose"): appdata / "Block/goose/config/config.yaml",
        ("win32", "zed"): appdata / "Zed/settings.json",
        ("win32", "gemini"): home / ".gemini/settings.json",
    }
    found = {(platform, name): NAMED[name].files(machines[platform])[0] for platform, name in wanted}
    assert found == wanted
