"""The modules of the house, each by itself."""

import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import darkroom
from tests.hosts import PATIENCE_S

BUILT = """
import darkroom.cli.serve
from darkroom.declaration import Options
from darkroom.models import Frozen
from darkroom.money import Cost
from darkroom.providers.wire import Wire

def below(model):
    return {model}.union(*map(below, model.__subclasses__()))

found = set().union(*map(below, (Cost, Frozen, Options, Wire)))
print(len(found), *(model.__name__ for model in found if model.__pydantic_complete__))
"""
USES_PYDANTIC = "from pydantic import create_model; create_model('Some', field=(int, 0))"


def test_no_module_says_anything_when_it_is_imported(capfd: pytest.CaptureFixture[str]) -> None:
    names = [found.name for found in pkgutil.walk_packages(darkroom.__path__, "darkroom.")]
    assert len(names) > 100
    for name in names:
        if not name.endswith("__main__"):
            import_module(name)
    assert capfd.readouterr() == ("", "")


def test_no_model_is_built_before_it_is_used() -> None:
    found, *built = _run("-c", BUILT).split()
    assert int(found) > 25
    assert built == []


def test_a_plugin_for_pydantic_that_is_installed_beside_us_is_not_loaded(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    (tmp_path / "plugin.py").write_text(f"open({str(loaded)!r}, 'w').close()\n")
    info = tmp_path / "plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pydantic]\nplugin = plugin\n")
    here = {"PYTHONPATH": str(tmp_path), "DARKROOM_HOME": str(tmp_path / "home"), "DARKROOM_PICTURES": str(tmp_path)}
    _run("-m", "darkroom", "serve", **here)
    assert not loaded.exists()
    subprocess.run([sys.executable, "-c", USES_PYDANTIC], env={**os.environ, **here}, timeout=PATIENCE_S, check=False)
    assert loaded.exists(), "it would have been"


def _run(*words: str, **environ: str) -> str:
    command = [sys.executable, *words]
    environ = {**os.environ, **environ}
    nothing = subprocess.DEVNULL
    ended = subprocess.run(
        command, env=environ, stdin=nothing, capture_output=True, timeout=PATIENCE_S, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
