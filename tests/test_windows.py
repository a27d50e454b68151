"""What only Windows does, with its system calls simulated: nothing here shows that Darkroom runs there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.store.presence import present
from tests.hosts import PATIENCE_S

TAKES = """
import ctypes, json, os, subprocess, sys, types
bound = []
def bind(kind, handle): bound.append([kind, handle.value])
ctypes.windll = types.SimpleNamespace(kernel32=types.SimpleNamespace(SetStdHandle=bind))
sys.modules["msvcrt"] = types.SimpleNamespace(get_osfhandle=lambda descriptor: 1000 + descriptor)
import darkroom.__main__ as main
from darkroom.cli import main as command_line
def served(words, wire):
    os.system("cat; echo a child")
    wire.write(json.dumps([bound, wire.read().decode()]).encode())
command_line.main = served
sys.platform, sys.argv = "win32", ["darkroom", "serve", "without a doorman"]
main.main()
"""


@pytest.mark.skipif(os.name == "nt", reason="it is simulated elsewhere")
def test_children_are_given_neither_end_of_the_wire_through_the_standard_handles() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKES], input="a message", capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert json.loads(done.stdout) == [[[-10, 1000], [-11, 1001]], "a message"]
    assert done.stderr == "a child\n"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what is open is read from /proc")
def test_a_start_after_a_crash_removes_no_file_that_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows lets nobody remove, or write over, a file that is open: a lock that is held is."""
    really_removes = Path.unlink

    def removes(path: Path, missing_ok: bool = False) -> None:
        if any(str(path) == str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()):
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        really_removes(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", removes)
    folder = tmp_path / "processes"
    folder.mkdir()
    (folder / "killed.lock").touch()
    with present(tmp_path) as first:
        first.forget_the_dead()
        with present(tmp_path) as second:
            second.forget_the_dead()
            assert {path.stem for path in folder.iterdir()} == {first.id, second.id, "unchecked"}
    with present(tmp_path) as last:
        last.forget_the_dead()
        assert {path.stem for path in folder.iterdir()} == {last.id, "unchecked"}
