"""What only Windows does, with its system calls simulated: nothing here shows that Darkroom runs there."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from darkroom.store.presence import present
from tests.hosts import PATIENCE_S, Home, call, connected, over, running
from tests.windows import SIMULATE, START, on_windows

LIVES = f"""
{SIMULATE}
from pathlib import Path
from darkroom.store.presence import present
with present(Path(sys.argv[1])) as process:
    print(process.id, flush=True)
    sys.stdin.read()
"""
LOOKS = f"""
{SIMULATE}
from pathlib import Path
from darkroom.store.presence import present
with present(Path(sys.argv[1])) as looker:
    print([[looker.is_dead(process) for process in sys.argv[2:]] for _ in range(2)])
"""
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="it is simulated there")

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


@on_linux
def test_children_are_given_neither_end_of_the_wire_through_the_standard_handles() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKES], input="a message", capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert json.loads(done.stdout) == [[[-10, 1000], [-11, 1001]], "a message"]
    assert done.stderr == "a child\n"


@on_linux
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
        first.remove_dead()
        with present(tmp_path) as second:
            second.remove_dead()
            assert {path.stem for path in folder.iterdir()} == {first.id, second.id, "unchecked"}
    with present(tmp_path) as last:
        last.remove_dead()
        assert {path.stem for path in folder.iterdir()} == {last.id, "unchecked"}


@on_linux
async def test_the_main_job_is_done_with_nothing_but_what_windows_has(home: Home) -> None:
    prompt = 'CON: is "this" a <fox>?'
    async with connected(on_windows(home), python=("-c", START, "serve")) as client:
        made = await call(client, "generate", prompt=prompt, provider="sketch", count=2)
        (generation,) = await over(client, made["id"])
    assert generation["status"] == "succeeded"
    assert sorted(image["path"] for image in generation["images"]) == [str(path) for path in home.saved()]
    async with connected(on_windows(home), python=("-c", START, "serve")) as client:
        (listed,) = (await call(client, "list_generations"))["generations"]
    assert (listed["id"], listed["prompt"]) == (made["id"], prompt)


@on_linux
def test_a_console_of_windows_shows_what_it_can_and_escapes_the_rest(home: Home) -> None:
    made = in_a_console(on_windows(home), "generate", "Füchslein 狐", "--provider", "sketch")
    assert made.returncode == 0, made.stderr
    listed = in_a_console(on_windows(home), "list")
    assert b"F\xfcchslein \\u72d0" in listed.stdout
    assert listed.stderr == b""


@on_linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "Ctrl-Break"])
def test_a_server_ends_as_it_should_when_its_console_asks_it_to(home: Home, number: signal.Signals) -> None:
    with running(on_windows(home), "serve", "--http", "--port", "0", python=("-c", START)) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("http://")
        server.send_signal(number)
        out, err = server.communicate(timeout=PATIENCE_S)
        assert (server.returncode, out, "Traceback" in err) == (0, "", False)


@on_linux
def test_no_byte_of_a_ledger_is_taken_for_the_end_of_a_text(home: Home) -> None:
    """A file that is not opened as binary ends at this byte there."""
    assert in_a_console(on_windows(home), "generate", "a fox", "--provider", "sketch").returncode == 0
    with home.ledger.open("r+b") as file:
        file.seek(24)  # where SQLite counts the changes
        file.write(b"\0\0\0\x1a")
    done = in_a_console(on_windows(home), "list")
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 1), done.stderr


@on_linux
def test_processes_that_ended_or_were_killed_are_known_at_once_and_those_that_live_are_left_alone(home: Home) -> None:
    with living(home) as lives, living(home) as killed, living(home) as ended:
        processes = [each.stdout.readline().strip() for each in (lives, killed, ended) if each.stdout]
        killed.kill()
        killed.wait(PATIENCE_S)
        ended.communicate(timeout=PATIENCE_S)
        looked = subprocess.run(
            [sys.executable, "-c", LOOKS, str(home.path), *processes],
            env=on_windows(home).environ, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
        )  # fmt: skip
        assert json.loads(looked.stdout.lower()) == [[False, True, True]] * 2


def living(home: Home) -> subprocess.Popen[str]:
    """A process that lives until its input ends, and says its name first."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", LIVES, str(home.path)], env=on_windows(home).environ, stdin=pipe, stdout=pipe, text=True
    )


def in_a_console(home: Home, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Runs the command line to its end."""
    command = [sys.executable, "-c", START, *words]
    return subprocess.run(command, env=home.environ, capture_output=True, timeout=PATIENCE_S, check=False)
