"""Standard output belongs to the protocol, whatever a dependency does to it, before, during and after."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.forks import Closes
from tests.hosts import PATIENCE_S, Home, RawServer, darkroom, eventually
from tests.test_stdout import Talk, generated, is_json_rpc

START = """
import atexit, ctypes, logging, os, pathlib, secrets, subprocess, sys, threading, warnings

first = sys.stdout
libc = ctypes.CDLL(None)
timer = threading.Timer
threading.Timer = lambda s, *rest: timer(100.0 * s, *rest)  # a slow machine, too, comes to its end by itself

class AtImport:
    # Not a finder that finds: it runs the attack when the package is imported, as the package itself might.
    def __init__(self, name, attack):
        self.name, self.attack = name, attack

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            self.name = None
            self.attack()

def at_import(name, attack):
    sys.meta_path.insert(0, AtImport(name, attack))
"""
IN_CALLS = """
import base64

encoded = base64.b32encode  # how a new generation gets its id, and used for nothing else
attack = pathlib.Path(os.environ["HOME"], "attack.py")

def louder(*args):
    if attack.exists():
        exec(attack.read_text(), globals())
        attack.unlink()
    return encoded(*args)

base64.b32encode = louder
"""
MAIN = """
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Attack:
    """What the code of a dependency does, and what must be found of it on stderr."""

    name: str
    code: str
    heard: str = "NOISE"


IN_A_CALL = (
    Attack("a stream kept from before", "first.write('NOISE\\n'); first.flush()"),
    Attack("Python's own stream", "sys.__stdout__.write('NOISE\\n'); sys.__stdout__.flush()"),
    Attack("bytes on the descriptor", "os.write(1, b'NOISE\\n')"),
    Attack("a fake answer on the descriptor", """os.write(1, b'{"id": 2, "NOISE": 1}\\n')"""),
    Attack("the device", "with open('/dev/stdout', 'a') as device: device.write('NOISE\\n')"),
    Attack("C's printf", "libc.puts(b'NOISE'); libc.fflush(None)"),
    Attack("C's write", "libc.write(1, b'NOISE\\n', 6)"),
    Attack("a child process", "subprocess.run(['echo', 'NOISE'])"),
    Attack("a child of a shell", "os.system('echo NOISE; echo NOISE >&2')"),
    Attack("a child that outlives the call", "subprocess.Popen('sleep 0.2; echo NOISE', shell=True)"),
    Attack("a fork that ends at once", "os.fork() or (print('NOISE', flush=True), libc._exit(0))"),
    Attack("a child that reads", "print('NOISE', subprocess.check_output(['cat']), flush=True)", "NOISE b''"),
    Attack("a question to the user", "print('NOISE', sys.stdin.readline().encode(), flush=True)", "NOISE b''"),
    Attack("a warning", "warnings.warn('NOISE')"),
    Attack("a log to stdout", "logging.getLogger().addHandler(logging.StreamHandler(first)); logging.warning('NOISE')"),
    Attack("an exception in a thread", "threading.Thread(target=lambda: {}['NOISE']).start()"),
    Attack("stdout in other hands", "sys.stdout = os.fdopen(os.dup(1), 'w', 1); print('NOISE')"),
)
OVERALL = (
    (
        Attack("a log set up for stdout before", "logging.basicConfig(stream=sys.stdout, level=0)", "DEBUG"),
        Attack(
            "a print at import", "at_import('anyio', lambda: print('NOISE at import', flush=True))", "NOISE at import"
        ),
        Attack(
            "a child at import", "at_import('mcp', lambda: subprocess.run(['echo', 'NOISE in a child']))", "in a child"
        ),
        Attack(
            "a child at import that reads",
            "at_import('anyio', lambda: print('NOISE', subprocess.run(['cat'], capture_output=True).stdout))",
            "NOISE b''",
        ),
        Attack(
            "a print at exit",
            "at_import('mcp', lambda: atexit.register(print, 'NOISE at exit', flush=True))",
            "at exit",
        ),
        Attack(
            "bytes at exit", "at_import('mcp', lambda: atexit.register(os.write, 1, b'NOISE in bytes\\n'))", "in bytes"
        ),
    ),
    (
        Attack("a print before, into a stream that is flushed later", "print('NOISE of Python', end='')", "of Python"),
        Attack("C's printf, flushed at exit", "libc.printf(b'NOISE of C\\n')", "of C"),
    ),
    (Attack("stdout closed", "at_import('mcp', lambda: print('NOISE', sys.stdout.close(), file=sys.stderr))"),),
)
"""One server each; those that go together do not flush, nor close, what another has left to be flushed."""


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Talk]:
    """A server that runs what lies in attack.py in every call of generate."""
    path = tmp_path_factory.mktemp("talk")
    talk = Talk(Home(path), START + IN_CALLS + MAIN, path / "stderr.txt")
    talk.server.initialize()
    yield talk
    rest, _, status = talk.ended()
    assert ([line for line in rest if not is_json_rpc(line)], status) == ([], 0)


@pytest.mark.parametrize("attack", IN_A_CALL, ids=lambda attack: attack.name)
def test_nothing_that_happens_in_a_call_reaches_the_wire(talk: Talk, attack: Attack) -> None:
    before = len(talk.errors.read_text())
    (talk.errors.parent / "attack.py").write_text(attack.code)
    # RawServer reads each line as JSON, so noise on the way fails right there.
    started = talk.server.call("generate", prompt=attack.name)
    assert "isError" not in started or not started["isError"], started
    eventually(lambda: attack.heard in talk.errors.read_text()[before:])
    assert is_json_rpc(json.dumps(talk.server.request("tools/list", {})))


@pytest.mark.parametrize("attacks", OVERALL, ids=lambda attacks: attacks[0].name)
def test_nothing_before_or_after_reaches_the_wire(
    home: Home, tmp_path: Path, subtests: pytest.Subtests, attacks: Sequence[Attack]
) -> None:
    talk = Talk(home, "\n".join([START, *(attack.code for attack in attacks), MAIN]), tmp_path / "stderr.txt")
    talk.server.initialize()
    assert not talk.server.call("list_generations").get("isError")
    rest, errors, status = talk.ended()
    assert [line for line in rest if not is_json_rpc(line)] == []
    assert status == 0
    for attack in attacks:
        with subtests.test(attack.name):
            assert attack.heard in errors


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "full"])
def test_a_host_that_takes_no_stderr_is_served_all_the_same(home: Home, closes: bool) -> None:
    with (
        Path("/dev/full").open("w") as full,
        subprocess.Popen(
            [sys.executable, "-m", "darkroom", "serve"], env={**home.environ, "DARKROOM_LOG": "debug"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=full, text=True, bufsize=1,
            preexec_fn=Closes(2) if closes else None,  # noqa: PLW1509 - it only closes
        ) as process,
    ):  # fmt: skip
        try:
            assert generated(RawServer(process))["status"] == "succeeded"
            out, _ = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert [line for line in out.splitlines() if not is_json_rpc(line)] == []
    assert process.returncode in {0, 120}, "Python ends with 120 where it cannot flush stderr"
    assert darkroom(home, "list").status == 0


def test_a_host_that_never_reads_stderr_is_served_and_finds_there_that_lines_are_missing(home: Home) -> None:
    ours, stderr = os.pipe()
    os.set_blocking(ours, False)
    os.set_blocking(stderr, False)
    with suppress(BlockingIOError):
        while True:
            os.write(stderr, bytes(1024))
    os.set_blocking(stderr, True)
    with (
        os.fdopen(ours, "rb", buffering=0) as unread,
        subprocess.Popen(
            [sys.executable, "-m", "darkroom", "serve"], env={**home.environ, "DARKROOM_LOG": "info"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, bufsize=1,
        ) as process,
    ):  # fmt: skip
        os.close(stderr)
        try:
            server = RawServer(process)
            assert generated(server)["status"] == "succeeded"
            while unread.read(1024):
                """It has room again."""
            server.call("generate", prompt="another fox")
            process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
        assert b"Lines are missing here" in unread.read()
    assert process.returncode == 0


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=["stdin", "stdout", "stderr", "all three"])
def test_a_command_takes_no_file_of_its_own_for_what_its_caller_closed(home: Home, closed: Sequence[int]) -> None:
    for words in (["generate", "fox"], ["list"]):
        done = subprocess.run(
            [sys.executable, "-m", "darkroom", *words], preexec_fn=Closes(*closed),
            env=home.environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    (generation,) = darkroom(home, "list", "--json").json["generations"]
    assert generation["status"] == "succeeded"
