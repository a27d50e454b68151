"""`darkroom-mcp setup`: keys kept for every host, and Darkroom added to the hosts that are found."""

import json
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from darkroom.hosts.known import HOSTS
from darkroom.hosts.machine import Machine
from darkroom.keys import record
from darkroom.keys.reading import Given, with_kept_keys
from darkroom.keys.record import Kept
from tests.cli.test_terminal import on_a_terminal
from tests.hosts import Home, call, connected, darkroom
from tests.services.betterwaifu import BetterWaifu
from tests.setup.test_settings_files import SETTINGS

DONE, FAILED, WRONG_USE = 0, 1, 2
PATIENT = """
from darkroom.keys import reading
import runpy
reading.READ_WITHIN_S = 100.0
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""A server that gives its keychain all the time that a slow machine needs."""
VAULT = """
import json, pathlib, time
from keyring.backend import KeyringBackend
class Vault(KeyringBackend):
    priority = 9
    def _all(self):
        while pathlib.Path({stuck!r}).exists():
            time.sleep(0.1)
        return json.loads(pathlib.Path({file!r}).read_text())
    def get_password(self, service, name):
        return self._all().get(service + " " + name)
    def set_password(self, service, name, key):
        pathlib.Path({file!r}).write_text(json.dumps({{**self._all(), service + " " + name: key}}))
    def delete_password(self, service, name):
        kept = self._all()
        del kept[service + " " + name]
        pathlib.Path({file!r}).write_text(json.dumps(kept))
"""


def keychain(home: Home, name: str) -> Path:
    """Gives this user a keychain: `vault.Vault` keeps keys in the file that is returned; another one keeps none."""
    file, stuck = home.path / "vault.json", home.path / "stuck"
    file.write_text("{}")
    (home.path / "vault.py").write_text(VAULT.format(file=str(file), stuck=str(stuck)))
    config = home.path / ".config" / "python_keyring" / "keyringrc.cfg"
    config.parent.mkdir(parents=True)
    config.write_text(f"[backend]\ndefault-keyring={name}\nkeyring-path={home.path}\n")
    return file


async def test_a_person_keeps_a_key_in_the_keychain_and_every_server_uses_it(
    home: Home, betterwaifu: BetterWaifu
) -> None:
    vault = keychain(home, "vault.Vault")
    (home.path / ".cursor").mkdir()
    (home.path / ".gemini").mkdir()
    home = home.with_(BETTERWAIFU_BASE_URL=betterwaifu.url)
    with on_a_terminal(home, "setup") as terminal:
        assert "betterwaifu" in terminal.until("Whose keys do you have.*: ")
        terminal.type("betterwaifu\n")
        assert "https://" in terminal.until("not shown.*: ")
        terminal.type("bw_wrong_0123456789abcdef\n")
        terminal.until(r"(?s)refuses this key.*not shown[^\n]*: ")
        terminal.type(f"{betterwaifu.key}\n")
        terminal.until(r"Add Darkroom to Cursor\? \[Y/n\] ")
        terminal.type("\n")
        terminal.until(r"Add Darkroom to Gemini CLI\? \[Y/n\] ")
        terminal.type("n\n")
        status, seen = terminal.end()
    assert status == DONE
    assert "betterwaifu: kept" in seen
    assert betterwaifu.key not in seen
    assert "bw_wrong" not in seen
    assert json.loads(vault.read_text()) == {"darkroom-mcp betterwaifu": betterwaifu.key}
    entry = json.loads((home.path / ".cursor" / "mcp.json").read_text())["mcpServers"]["darkroom"]
    assert entry["env"] == {"DARKROOM_HOME": str(home.path / "home")}
    assert entry["args"][-1] == "serve"
    assert Path(entry["command"]).is_absolute()
    assert not list((home.path / ".gemini").iterdir())
    holding = [
        file for file in home.path.rglob("*") if file.is_file() and betterwaifu.key.encode() in file.read_bytes()
    ]
    assert holding == [vault]

    async with connected(home, python=("-c", PATIENT)) as client:
        listed = (await call(client, "list_models", provider="betterwaifu"))["providers"][0]
    assert listed["status"] == "ready"
    assert listed["default"] is True

    (home.path / "stuck").touch()
    record.write(home.path / "home", [*record.read(home.path / "home"), Kept("krea", "keychain")])
    began = time.monotonic()
    async with connected(home) as client:
        assert await client.list_tools()
        catalogue = await call(client, "list_models")
    assert time.monotonic() - began >= 2
    assert "betterwaifu, krea within 2 s" in catalogue["warnings"][0]
    assert [each["status"] for each in catalogue["providers"] if each["name"] == "krea"] == ["no key"]
    (home.path / "stuck").unlink()
    forgotten = darkroom(home, "setup", "--remove", "--service", "betterwaifu")
    assert (forgotten.status, json.loads(vault.read_text())) == (DONE, {})
    assert [each.name for each in record.read(home.path / "home")] == ["krea"]


async def test_without_a_keychain_a_key_is_kept_in_a_file_of_its_own(home: Home) -> None:
    keychain(home, "keyring.backends.null.Keyring")
    nobody = darkroom(home, "setup")
    assert nobody.status == WRONG_USE
    assert "--service NAME, --host NAME, or --yes" in nobody.err
    dry = darkroom(home, "setup", "--service", "bfl", "--dry-run", stdin="key-0123456789abcdef\n")
    assert dry.out.startswith("bfl: would be kept")
    assert not (home.path / "home").exists()
    kept = darkroom(
        home, "setup", "--service", "fatthumb", "--service", "krea", stdin="nsk_0123456789abcdef\nyour-key\n"
    )
    assert kept.status == FAILED
    assert "fatthumb: kept" in kept.out
    assert "Not tried" in kept.out
    assert "krea: not kept. That is no key" in kept.out
    file = home.path / "home" / record.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    record.write(file.parent, [*record.read(file.parent), Kept("krea", "file", "key-0123456789abcdef")])
    async with connected(home.with_(DARKROOM_KREA_KEY="key-0123456789abcdef")) as client:
        by_the_server = await client.list_tools()
    async with connected(home) as client:
        assert await client.list_tools() == by_the_server
        assert "enum" not in by_the_server.tools[0].input_schema["properties"]["provider"]
        providers = {each["name"]: each for each in (await call(client, "list_models"))["providers"]}
    assert providers["fatthumb"]["status"] == providers["krea"]["status"] == "set, not tried yet"
    assert darkroom(home, "models", "--provider", "krea").status == DONE


def test_a_set_variable_counts_before_a_kept_key_and_a_spoilt_record_is_passed_over(tmp_path: Path) -> None:
    environ = {"DARKROOM_HOME": str(tmp_path), "FATTHUMB_API_KEY": "nsk_set"}
    record.write(tmp_path, [Kept("fatthumb", "file", "nsk_kept"), Kept("bfl", "file", "kept")])
    assert with_kept_keys(environ) == Given({**environ, "DARKROOM_BFL_KEY": "kept"}, ("fatthumb", "bfl"))
    assert "DARKROOM_BFL_KEY" not in with_kept_keys({**environ, "BFL_API_KEY": "set"}).environ
    unexpanded = {**environ, "FATTHUMB_API_KEY": "${FATTHUMB_API_KEY}"}
    assert with_kept_keys(unexpanded).environ["FATTHUMB_API_KEY"] == "nsk_kept"
    for spoilt in ("[fatthumb", "fatthumb = 1", "[fatthumb]\nplace = 'elsewhere'", "['../x']\nplace = 'file'", "\0"):
        (tmp_path / record.FILE).write_text(spoilt)
        found = with_kept_keys(environ)
        assert found.environ == environ
        assert "no kept key is used" in found.warnings[0]


def test_every_host_is_added_repeated_and_removed_without_another_byte_changed(home: Home) -> None:
    keychain(home, "keyring.backends.null.Keyring")
    machine = Machine("linux", home.path, {})
    written = {host.files(machine)[0]: SETTINGS[host.name][0].encode() for host in HOSTS}
    for file, data in written.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    windsurf = next(host for host in HOSTS if host.name == "windsurf").files(machine)[0]
    windsurf.write_bytes(b'{"mcpServers": [')
    written[windsurf] = b'{"mcpServers": ['

    dry = darkroom(home, "setup", "--yes", "--dry-run")
    assert dry.out.count("would be added") == len(HOSTS) - 1
    assert bytes_of(written) == written
    first = darkroom(home, "setup", "--yes", "--json")
    assert first.status == FAILED
    outcomes = {each["name"]: each["done"] for each in first.json["hosts"]}
    assert outcomes == {**{host.name: "added" for host in HOSTS}, "windsurf": "failed"}
    added = bytes_of(written)
    again = darkroom(home, "setup", "--yes")
    assert again.out.count("unchanged") == len(HOSTS) - 1
    assert "was left as it is: it is no JSON" in again.out
    assert bytes_of(written) == added
    removed = darkroom(home, "setup", "--remove", "--yes")
    assert removed.status == DONE
    assert removed.out.count("removed") == len(HOSTS) - 1
    assert bytes_of(written) == written
    assert darkroom(home, "setup", "--host", "cursr").status == WRONG_USE


def bytes_of(files: Mapping[Path, bytes]) -> Mapping[Path, bytes]:
    """What the files hold now."""
    return {file: file.read_bytes() for file in files}
