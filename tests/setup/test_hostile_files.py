"""Settings of hosts that `darkroom-mcp setup` leaves alone, or changes in one place only, as they are on real disks."""

import os
import re
import tomllib
from pathlib import Path

import pytest

from darkroom.hosts.known import HOSTS
from darkroom.hosts.machine import Machine
from tests.hosts import Home, darkroom
from tests.setup.test_setup import keychain

DONE, FAILED = 0, 1
ENTRY = '[mcp_servers.darkroom]\ncommand = "darkroom-mcp"\ncwd = """\n[x]\n"""\n'


@pytest.fixture
def user(home: Home) -> Home:
    keychain(home, "keyring.backends.null.Keyring")
    return home


def settings(user: Home, name: str, text: str | None = None) -> Path:
    """The settings file of this host, with this text in it."""
    host = next(host for host in HOSTS if host.name == name)
    file = host.files(Machine("linux", user.path, {}))[0]
    file.parent.mkdir(parents=True, exist_ok=True)
    if text is not None:
        file.write_text(text)
    return file


def test_what_cannot_be_meant_to_be_changed_is_left_with_a_reason_and_the_others_are_done(user: Home) -> None:
    read_only, dangling = settings(user, "cursor", "{}"), settings(user, "gemini")
    read_only.chmod(0o444)
    elsewhere = user.path / "disk" / "dotfiles" / "settings.json"
    dangling.symlink_to(elsewhere)
    nothing, owned = settings(user, "goose", "~\n"), settings(user, "windsurf", "{}")
    if os.geteuid() == 0:
        os.chown(owned, 4321, 4322)
    before = owned.stat()
    done = darkroom(user, "setup", "--yes", "--json")
    assert (done.status, "Traceback" in done.err) == (FAILED, False)
    hosts = {each["name"]: each for each in done.json["hosts"]}
    assert "it is read-only" in hosts["cursor"]["error"]
    assert "its link leads nowhere" in hosts["gemini"]["error"]
    assert "cannot be edited safely" in hosts["goose"]["error"]
    assert hosts["windsurf"]["done"] == "added"
    assert (read_only.read_text(), nothing.read_text()) == ("{}", "~\n")
    assert not (user.path / "disk").exists()
    after = [owned.stat(), Path(hosts["windsurf"]["backup"]).stat()]
    assert [(each.st_uid, each.st_gid) for each in after] == [(before.st_uid, before.st_gid)] * 2
    elsewhere.parent.mkdir(parents=True)
    assert darkroom(user, "setup", "--host", "gemini").status == DONE
    assert dangling.is_symlink()
    assert "darkroom" in elsewhere.read_text()


def test_a_header_in_a_text_of_several_lines_is_none(user: Home) -> None:
    notes = 'notes = """\n[mcp_servers.darkroom]\n"""\nlist = [\n  ["x"]\n]\n'
    file = settings(user, "codex", notes)
    added = darkroom(user, "setup", "--host", "codex", "--json").json["hosts"][0]
    Path(added["backup"]).unlink()
    assert darkroom(user, "setup", "--remove", "--host", "codex").status == DONE
    assert file.read_text() == notes
    file.write_text(f"{notes}{ENTRY}[profiles]\nb = 1\n")
    assert darkroom(user, "setup", "--host", "codex").status == DONE
    found = tomllib.loads(file.read_text())
    assert found["profiles"] == {"b": 1}
    assert (found["mcp_servers"]["darkroom"]["cwd"], found["mcp_servers"]["darkroom"]["required"]) == ("[x]\n", True)
    assert darkroom(user, "setup", "--remove", "--host", "codex").status == DONE
    assert file.read_text() == f"{notes}[profiles]\nb = 1\n"


def test_no_other_setting_changes_with_the_entry_that_it_refers_to(user: Home) -> None:
    text = "x: &d one\nextensions:\n  darkroom: {cmd: &d darkroom-mcp, type: stdio}\ny: *d\n"
    file = settings(user, "goose", text)
    for words in (("--host", "goose"), ("--remove", "--host", "goose")):
        done = darkroom(user, "setup", *words)
        assert done.status == FAILED
        assert "cannot be edited safely" in done.out
        assert file.read_text() == text


COMMENTED = {
    "gemini": (
        '{\n  "mcpServers": {\n    "darkroom": {\n      // mine\n      "command": "uvx", // from the cache\n'
        '      "args": ["darkroom-mcp", "serve"],\n      "env": { /* none */ "FATTHUMB_LIMITS": "active=1" },\n'
        '      "trust": true, // all of it\n    }\n  }\n}\n',
        ("// mine", "// from the cache", "/* none */", "// all of it", '"trust": true', '"FATTHUMB_LIMITS"'),
    ),
    "codex": (
        '[mcp_servers.darkroom] # mine\r\ncommand = "uvx" # from the cache\r\nargs = [\r\n'
        '  "darkroom-mcp", # the name\r\n'
        "]\r\n# slow\r\ntool_timeout_sec = 90\r\n"
        '[mcp_servers.darkroom.env]\r\nFATTHUMB_LIMITS = "active=1" # the plan\r\n\r\n[profiles] # the end\r\n',
        (
            '"active=1" # the plan\r\n',
            "] # mine\r\n",
            "# slow\r\ntool_timeout_sec = 90\r\n",
            "\r\n[profiles] # the end\r\n",
        ),
    ),
    "cursor": (
        '{"mcpServers": {\n "darkroom": {"args": ["darkroom-mcp", "serve"],   "command": "uvx",\n'
        '\t"env": {\n\t\t\t"A": "1", }, "disabled": false,},\n }}',
        ('": ["serve"],   "command": "', '",\n\t"env": {\n\t\t\t"', '"A": "1", }, "disabled": false,},\n }}'),
    ),
    "goose": (
        "extensions:\n  darkroom: # ours\n    # mine\n    cmd: uvx # from the cache\n    args: # all of them\n"
        "    - darkroom-mcp\n    - serve\n\n    envs:\n      A: '1' # the plan\n    enabled: false # not now\n"
        "    timeout: 60\n    since: 2026-01-02\n# the end\nother: 1\n",
        (
            "  darkroom: # ours\n    # mine\n    cmd: ",
            " # from the cache\n    args: # all of them\n    - ",
            "\n\n    envs:\n      A: '1' # the plan\n      DARKROOM_HOME: ",
            "    enabled: false # not now\n    timeout: 60\n    since: 2026-01-02\n",
            "# the end\nother: 1\n",
        ),
    ),
    "continue": (
        "mcpServers:\r\n- name: pictures # its name\r\n  # as a module\r\n  command: uvx\r\n"
        "  args: [darkroom-mcp, serve] # both\r\n  env: # none\r\n  connectionTimeout: 9",
        ("- name: pictures # its name\r\n  # as a module\r\n", " # both\r\n", " # none\r\n  connectionTimeout: 9"),
    ),
}


@pytest.mark.parametrize("name", COMMENTED)
def test_an_entry_is_brought_up_to_date_between_its_comments(user: Home, name: str) -> None:
    text, parts = COMMENTED[name]
    file = settings(user, name)
    file.write_bytes(text.encode())
    updated = darkroom(user, "setup", "--host", name, "--json").json["hosts"][0]
    assert updated["done"] == "updated", updated
    after = file.read_bytes().decode()
    assert all(part in after for part in parts), after
    assert "uvx" not in after
    assert str(user.path / "home") in after
    endings = [set(re.findall(r"\r?\n", each)) for each in (text, after)]
    assert endings[0] == endings[1]
    assert darkroom(user, "setup", "--host", name, "--json").json["hosts"][0]["done"] == "unchanged"
    assert darkroom(user, "setup", "--remove", "--host", name).status == DONE
    assert "darkroom-mcp" not in file.read_text()
