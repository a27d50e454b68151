"""The modules of the house, each by itself."""

import os
import pkgutil
import subprocess
import sys
from importlib import import_module

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


def _run(*words: str, **environ: str) -> str:
    command = [sys.executable, *words]
    environ = {**os.environ, **environ}
    nothing = subprocess.DEVNULL
    ended = subprocess.run(
        command, env=environ, stdin=nothing, capture_output=True, timeout=PATIENCE_S, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
