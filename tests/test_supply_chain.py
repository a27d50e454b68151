"""What Darkroom is built from: locked by hash, listed in full, and asked about."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from darkroom import __version__

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = tomllib.loads((ROOT / "uv.lock").read_text())
PACKAGES: dict[str, dict[str, Any]] = {package["name"]: package for package in LOCK["package"]}
OURS = PACKAGES["darkroom-mcp"]


def dev(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs one of a contributor's commands, with the locked uv on the PATH where the machine has none."""
    path = os.pathsep.join((os.environ["PATH"], str(Path(sys.executable).parent)))
    return subprocess.run(
        [sys.executable, str(folder / "dev.py"), *words],
        capture_output=True, text=True, check=False, timeout=300, env=os.environ | {"PATH": path},
    )  # fmt: skip


def files_of(name: str) -> list[dict[str, Any]]:
    """Every file that this locked package may be installed from."""
    package = PACKAGES[name]
    return [*([package["sdist"]] if "sdist" in package else []), *package.get("wheels", [])]


def hashes_of(name: str) -> set[str]:
    return {file["hash"].removeprefix("sha256:") for file in files_of(name)}


def needed_by(roots: list[dict[str, Any]]) -> set[str]:
    """The names of these dependencies and of all that they need, extras included."""
    found: set[str] = set()
    followed: set[tuple[str, str]] = set()
    waiting = list(roots)
    while waiting:
        dependency = waiting.pop()
        package = PACKAGES[dependency["name"]]
        found.add(package["name"])
        for extra in ("", *dependency.get("extra", ())):
            if (package["name"], extra) not in followed:
                followed.add((package["name"], extra))
                extras = package.get("optional-dependencies", {})
                waiting += extras.get(extra, []) if extra else package.get("dependencies", [])
    return found


@pytest.mark.parametrize("name", sorted(PACKAGES.keys() - {OURS["name"]}))
def test_every_locked_package_comes_from_one_registry_and_every_file_of_it_has_a_hash(name: str) -> None:
    assert PACKAGES[name]["source"].keys() == {"registry"}
    assert PACKAGES[name]["source"] == PACKAGES["mcp"]["source"]
    assert files_of(name)
    assert [file["url"] for file in files_of(name) if not re.fullmatch("sha256:[0-9a-f]{64}", file["hash"])] == []


def test_nothing_is_installed_that_the_lock_does_not_say(tmp_path: Path) -> None:
    for name in ("dev.py", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    text = (ROOT / "pyproject.toml").read_text().replace('"pillow>=12"', '"pillow>=12.0.1"')
    (tmp_path / "pyproject.toml").write_text(text)
    done = dev("demo", folder=tmp_path)
    assert done.returncode != 0
    assert "The lockfile at `uv.lock` needs to be updated" in done.stderr
    assert (tmp_path / "uv.lock").read_bytes() == (ROOT / "uv.lock").read_bytes()
    assert not (tmp_path / ".venv" / "lib").exists() or not list((tmp_path / ".venv").rglob("pillow*"))


def test_the_uv_that_is_fetched_where_there_is_none_is_the_locked_one_by_its_hashes() -> None:
    text = (ROOT / "uv-requirements.txt").read_text()
    assert re.findall(r"^\S+", text, re.MULTILINE) == [f"uv=={PACKAGES['uv']['version']}"]
    assert set(re.findall("sha256:([0-9a-f]{64})", text)) == hashes_of("uv")


@pytest.mark.parametrize("kind", ["editable", "wheel", "sdist"])
def test_a_build_fetches_nothing_beside_what_is_locked(kind: str) -> None:
    asks = f"import hatchling.build; print(*hatchling.build.get_requires_for_build_{kind}())"
    uv = shutil.which("uv", path=Path(sys.executable).parent)
    assert uv is not None
    done = subprocess.run(
        [uv, "run", "--locked", "--isolated", "--only-group=build", "python", "-c", asks],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wanted = re.findall(r"(?:^| )([a-z0-9-]+)", done.stdout)
    assert set(wanted) <= needed_by(OURS["dev-dependencies"]["build"])


def test_what_builds_an_installation_is_held_to_the_lock_s_hashes(tmp_path: Path) -> None:
    for name in ("dev.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "server", tmp_path / "server")
    text = (ROOT / "uv.lock").read_text()
    for digest in hashes_of("hatchling"):
        text = text.replace(digest, "0" * 64)
    (tmp_path / "uv.lock").write_text(text)
    done = dev("demo", folder=tmp_path)
    assert done.returncode != 0
    assert "Hash mismatch for `hatchling" in done.stderr


def tells_its_environment(program: Path, told: Path) -> None:
    """Puts a program there that does nothing else."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\nenv > "{told}"\n')
    program.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="its programs are shell scripts")
def test_what_installs_and_builds_is_told_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "dev.py", tmp_path)
    lock = tmp_path / "tests" / "node" / "package-lock.json"
    lock.parent.mkdir(parents=True)
    lock.touch()
    tells_its_environment(tmp_path / "path" / "uv", tmp_path / "uv.txt")
    tells_its_environment(tmp_path / "path" / "chromium", tmp_path / "never")
    tells_its_environment(tmp_path / ".venv" / "bin" / "npm", tmp_path / "npm.txt")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("HTTPS_PROXY", "http://kept.example:3128")
    for name in ("FATTHUMB_API_KEY", "BETTERWAIFU_API_KEY", "SOMEBODY_ELSES_API_KEY"):
        monkeypatch.setenv(name, "a-canary-of-a-key")
    monkeypatch.setenv("FATTHUMB_BASE_URL", "https://me:a-canary-of-a-key@gateway.example/api/v1")
    done = dev("install", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for told in ("uv.txt", "npm.txt"):
        environ = (tmp_path / told).read_text()
        assert "kept.example" in environ
        assert "canary" not in environ


@pytest.mark.skipif(sys.platform == "win32", reason="its programs are shell scripts")
def test_a_clone_that_is_served_again_is_installed_again_only_where_something_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dev.py", "uv.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    asked = tmp_path / "asked"
    programs = {
        tmp_path / "path" / "uv": f'echo "$@" >> "{asked}"',
        tmp_path / ".venv" / "bin" / "python": 'echo "$@"',
    }
    for program, does in programs.items():
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    for times, changed in enumerate(("uv.lock", "pyproject.toml"), start=1):
        for _ in range(2):
            assert dev("serve", folder=tmp_path).stdout == "-m darkroom serve\n"
            assert len(asked.read_text().splitlines()) == times
        os.utime(tmp_path / changed, (times, times))


def test_what_builds_an_installation_has_the_locked_versions() -> None:
    backend = needed_by(OURS["dev-dependencies"]["build"])
    versions = {f"{name}=={PACKAGES[name]['version']}" for name in backend}
    assert versions == set(PROJECT["tool"]["uv"]["build-constraint-dependencies"])


def test_the_bill_of_materials_is_valid_and_lists_exactly_what_a_user_installs_with_every_hash() -> None:
    done = dev("sbom")
    assert done.returncode == 0, done.stderr
    text = (ROOT / done.stdout.strip()).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == OURS["name"]
    listed = {
        component["name"]: {
            digest["content"] for file in component["externalReferences"] for digest in file["hashes"]
        }
        for component in bill["components"]
    }  # fmt: skip
    assert listed == {name: hashes_of(name) for name in needed_by(OURS["dependencies"])}
    assert "pytest" not in listed


class Advisories(BaseHTTPRequestHandler):
    """A vulnerability service that has one advisory, and has heard of every package."""

    against: ClassVar[str] = ""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        advisory = {"id": "TEST-1", "aliases": ["CVE-0000-0001"], "summary": "bad", "affected": []}
        vulnerable = asked["package"]["name"] == self.against
        body = json.dumps({"vulns": [advisory]} if vulnerable else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
        """Keeps quiet."""


@pytest.fixture
def advisories() -> Generator[str]:
    """Its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as service:
        Thread(target=service.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{service.server_port}"
        service.shutdown()


@pytest.mark.parametrize(
    ("against", "status", "said"),
    [("", 0, "known vulnerabilities: 0\n"), ("pillow", 1, f"pillow {PACKAGES['pillow']['version']}: CVE-0000-0001, ")],
    ids=["clean", "one advisory"],
)  # fmt: skip
def test_an_audit_asks_about_every_locked_package(
    advisories: str, monkeypatch: pytest.MonkeyPatch, against: str, status: int, said: str
) -> None:
    monkeypatch.setattr(Advisories, "against", against)
    done = dev("audit", "-s", "osv", "--osv-url", advisories)
    assert said in done.stdout
    assert done.returncode == status
    audited = int(done.stdout.split()[0])
    assert audited > len(needed_by(OURS["dependencies"]))


def test_an_audit_that_can_ask_nobody_says_so_and_is_no_success() -> None:
    done = dev("audit", "-s", "osv", "--osv-url", "http://127.0.0.1:9")
    assert done.stdout.startswith("NOT AUDITED")
    assert done.returncode == 3


def test_the_version_that_is_told_is_the_one_that_is_released() -> None:
    assert __version__ == PROJECT["project"]["version"]
