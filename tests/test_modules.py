"""The modules of the house, each by itself."""

import pkgutil
from importlib import import_module

import pytest

import darkroom


def test_no_module_says_anything_when_it_is_imported(capfd: pytest.CaptureFixture[str]) -> None:
    names = [found.name for found in pkgutil.walk_packages(darkroom.__path__, "darkroom.")]
    assert len(names) > 100
    for name in names:
        if not name.endswith("__main__"):
            import_module(name)
    assert capfd.readouterr() == ("", "")
