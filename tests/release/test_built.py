"""What `dev.py build` built, installed and started as its users do, and read by hosts' own validators."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from email import message_from_bytes
from importlib import resources
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import Client, StdioServerParameters

from darkroom import __version__
from release.described import PLUGIN, ROOT
from tests.hosts import PATIENCE_S, Home, call, over
from tests.npm import NODE

pytestmark = pytest.mark.release
DIST = ROOT / "dist"
BUNDLE = DIST / f"darkroom-mcp-{__version__}.mcpb"
MODULES = ROOT / "release" / "node" / "node_modules"
BIN = Path(sys.executable).parent
VALIDATORS = {
    "claude, marketplace": [MODULES / ".bin" / "claude", "plugin", "validate", ROOT],
    "claude, plugin": [MODULES / ".bin" / "claude", "plugin", "validate", "--strict", PLUGIN],
    "gemini": [NODE, MODULES / "@google" / "gemini-cli" / "bundle" / "gemini.js", "extensions", "validate", ROOT],
    "mcpb": [NODE, MODULES / "@anthropic-ai" / "mcpb" / "dist" / "cli" / "cli.js", "validate", "BUNDLE"],
    "skillsaw": [BIN / "skillsaw", "lint", PLUGIN],
    "tdqs": [BIN / "tdqs", "lint", "--fail-on", "warning", "--command", f"{BIN / 'darkroom-mcp'} serve"],
}


def run(*command: str | Path, folder: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end."""
    done = subprocess.run(
        [*map(str, command)],
        env=os.environ | environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """The folder that a host unpacks the bundle into."""
    with zipfile.ZipFile(BUNDLE) as archive:
        archive.extractall(tmp_path / "bundle")
    return tmp_path / "bundle"


async def makes_a_picture(home: Home, command: Sequence[str], environ: dict[str, str]) -> None:
    """A client that starts this server gets a sketch of it, and is told of nothing that is wrong."""
    server = StdioServerParameters(command=command[0], args=[*command[1:]], env=environ)
    with anyio.fail_after(5 * PATIENCE_S):
        async with Client(server, mode="legacy", cache=None) as client:
            made = await call(client, "generate", prompt="A fox reading a map")
            (generation,) = await over(client, made["id"])
            assert generation["status"] == "succeeded"
            assert [str(path) for path in home.saved()] == [each["path"] for each in generation["images"]]
            models = await call(client, "list_models")
    assert models["warnings"] == []


async def test_the_wheel_brings_the_command_and_its_types(home: Home, tmp_path: Path) -> None:
    (wheel,) = DIST.glob("*.whl")
    house = [path for path in (ROOT / "server").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    with zipfile.ZipFile(wheel) as archive:
        assert {path.relative_to(ROOT / "server").as_posix() for path in house} <= set(archive.namelist())
    run(BIN / "uv", "venv", "--quiet", tmp_path / "venv")
    python = tmp_path / "venv" / BIN.name / "python"
    # The versions of the lock, as those of the index may be newer than what is tested.
    locked = ROOT / ".artifacts" / "wheel.txt"
    run(BIN / "uv", "export", "--locked", "--quiet", "--no-dev", "--no-emit-project", f"--output-file={locked}")
    run(BIN / "uv", "pip", "install", "--quiet", f"--python={python}", f"--constraints={locked}", wheel)
    command = tmp_path / "venv" / BIN.name / "darkroom-mcp"
    assert run(command, "--version").stdout == f"darkroom-mcp {__version__}\n"
    typed = run(
        python, "-c", "from importlib.resources import files; print((files('darkroom') / 'py.typed').is_file())"
    )
    assert typed.stdout == "True\n"
    await makes_a_picture(home, [str(command), "serve"], home.environ)


async def test_the_bundle_starts_by_its_own_command_with_every_field_left_blank(home: Home, unpacked: Path) -> None:
    server: dict[str, Any] = json.loads((unpacked / "manifest.json").read_text("utf-8"))["server"]
    config = server["mcp_config"]
    command = [word.replace("${__dirname}", str(unpacked)) for word in (config["command"], *config["args"])]
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("UV_", "XDG_", "SSL_", "HTTP"))}
    cache = run(BIN / "uv", "cache", "dir").stdout.strip()
    uv = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "UV_CACHE_DIR": cache, "UV_PYTHON": sys.executable, **kept}
    asked = {name: value for name, value in config["env"].items() if name != "DARKROOM_PICTURES"}
    await makes_a_picture(home, command, {**home.environ, **asked, **uv})
    python = unpacked / ".venv" / BIN.name / "python"
    assert run(python, unpacked / server["entry_point"], "--version").stdout == f"darkroom-mcp {__version__}\n"
    cached = list((unpacked / "server" / "darkroom" / "__pycache__").glob("*.pyc"))
    assert len(cached) == len(list((unpacked / "server" / "darkroom").glob("*.py")))
    assert not (unpacked / ".venv" / "bin" / "pytest").exists()


@pytest.mark.parametrize("validator", VALIDATORS)
def test_the_validators_of_hosts_find_nothing(validator: str, unpacked: Path, tmp_path: Path) -> None:
    command = [unpacked if word == "BUNDLE" else word for word in VALIDATORS[validator]]
    run(*command, HOME=str(tmp_path))


def test_what_is_built_for_a_repository_names_it_everywhere(tmp_path: Path) -> None:
    name, address = "io.github.example/darkroom-mcp", "https://github.com/example/darkroom"
    copy = tmp_path / "darkroom"
    tracked = run("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    for file in filter(None, tracked):
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, copy / file)
    here = {"PYTHONPATH": f"{copy}{os.pathsep}{copy / 'server'}"}
    for words in (["release.make", "--repository", "example/darkroom"], ["release.make", "--check"], ["release.build"]):
        run(sys.executable, "-m", *words, folder=copy, **here)
    (wheel,) = (copy / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA"))
        published = message_from_bytes(archive.read(metadata))
    assert f"Repository, {address}" in published.get_all("Project-URL", [])
    assert f"mcp-name: {name} " in str(published.get_payload())
    entry = json.loads((copy / "dist" / "server.json").read_text("utf-8"))
    schema = resources.files("skillsaw.schemas.mcp_registry") / "v2025_12_11" / "server.schema.json"
    jsonschema.validate(entry, json.loads(schema.read_text("utf-8")))
    assert (entry["name"], entry["repository"]["url"]) == (name, address)
    with zipfile.ZipFile(copy / "dist" / BUNDLE.name) as archive:
        assert json.loads(archive.read("manifest.json"))["repository"]["url"] == address
