"""Standard output is JSON-RPC from the first byte to the last, whoever else prints."""

import json
import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import PATIENCE_S, Home, RawServer
from tests.services.fatthumb import FatThumb

NOISE = """
import atexit, os, subprocess, sys, threading, time, warnings

warnings.simplefilter("always")
first = sys.stdout

def noise(where):
    print("noise", where)
    print("flushed noise", where, flush=True)
    print("noise through a stream of old", where, file=first, flush=True)
    os.write(1, f"noise on the descriptor {where}\\n".encode())
    subprocess.run([sys.executable, "-c", f"print('noise of a child {where}')"])
    warnings.warn(f"a warning {where}")

class Loud:
    # Not a finder that finds: it prints when one of its packages is imported, as the package itself might.
    def __init__(self, *names):
        self.names = set(names)

    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            self.names.discard(name)
            noise(f"at the import of {name}")

def loud(function, where):
    def louder(*args, **kwargs):
        noise(where)
        return function(*args, **kwargs)
    return louder
"""

WHILE_IT_SERVES = """
import httpx2, secrets
secrets.token_bytes = loud(secrets.token_bytes, "in a tool call")
os.link = loud(os.link, "on a worker thread")
httpx2.AsyncClient.send = loud(httpx2.AsyncClient.send, "in a request")
sys.meta_path.insert(0, Loud("mcp", "PIL"))
"""
AT_IMPORT = """
sys.meta_path.insert(0, Loud("anyio", "httpx2", "pydantic", "filelock", "mcp"))
"""
AT_THE_END = """
import httpx2
from darkroom.cli import serve
serve.END_WITHIN_S = 100.0  # a slow machine, too, comes to its end by itself
httpx2.AsyncClient.aclose = loud(httpx2.AsyncClient.aclose, "while it closes")
atexit.register(noise, "at exit")
"""
WITHOUT_A_BREAK = """
at_first = os.fstat(1).st_ino

def chatter():
    while os.fstat(1).st_ino == at_first:
        time.sleep(0.0005)
    while True:
        os.write(1, b"noise without a break\\n")
        time.sleep(0.0005)

threading.Thread(target=chatter, daemon=True).start()
"""
MAIN = """
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""


class Talk:
    """One conversation over a server's pipes: what it said on both, and how it ended."""

    def __init__(self, home: Home, code: str, errors: Path) -> None:
        # The ledger's hooks print too, and warnings are not errors here: dependencies warn as they like.
        environ = {**home.environ, "PYTHONWARNINGS": "default", "DARKROOM_LOG": "debug"}
        self.errors = errors
        with errors.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, "serve"],
                env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, bufsize=1,
            )  # fmt: skip
        self.server = RawServer(self.process)

    def ended(self) -> tuple[list[str], str, int]:
        """Closes its stdin; answers the lines it still said, its stderr, and its exit status."""
        rest, _ = self.process.communicate(timeout=3 * PATIENCE_S)
        return rest.splitlines(), self.errors.read_text(), self.process.returncode


def generated(server: RawServer) -> dict[str, Any]:
    """The main job: a picture."""
    server.initialize()
    server.request("tools/list", {})
    started = server.call("generate", prompt="a fox\nprints")["structuredContent"]["id"]
    waited = {"generation_ids": [started]}
    answer = server.request("tools/call", {"name": "wait", "arguments": waited, "_meta": {"progressToken": 1}})
    return answer["result"]["structuredContent"]["generations"][0]


@pytest.mark.parametrize(
    ("code", "where"),
    [
        ("", []),
        (WHILE_IT_SERVES, ["at the import of mcp", "in a tool call", "in a request", "on a worker thread"]),
        (AT_IMPORT, ["at the import of anyio", "at the import of pydantic", "at the import of mcp"]),
        (AT_THE_END, ["while it closes", "at exit"]),
        (WITHOUT_A_BREAK, ["without a break"]),
    ],
    ids=["never", "while it serves", "at import", "at the end", "without a break"],
)
def test_every_line_on_stdout_is_json_rpc_even_if_a_dependency_prints(
    home: Home, fatthumb: FatThumb, tmp_path: Path, code: str, where: list[str]
) -> None:
    talk = Talk(home.with_(fatthumb), NOISE + code + MAIN, tmp_path / "stderr.txt")
    # RawServer reads each line as JSON, so noise on the way fails right there.
    assert generated(talk.server)["status"] == "succeeded"
    rest, errors, status = talk.ended()
    assert [line for line in rest if not is_json_rpc(line)] == []
    assert status == 0
    assert [words for words in where if words not in errors] == []


def is_json_rpc(line: str) -> bool:
    try:
        return json.loads(line)["jsonrpc"] == "2.0"
    except (ValueError, KeyError, TypeError):
        return False


def test_a_line_that_is_no_json_is_answered_or_passed_over_but_the_server_goes_on(home: Home, tmp_path: Path) -> None:
    talk = Talk(home, MAIN, tmp_path / "stderr.txt")
    talk.server.initialize()
    assert talk.process.stdin is not None
    talk.process.stdin.write("this is no JSON\n{}\n[1,2]\n\n")
    talk.process.stdin.flush()
    assert talk.server.call("list_generations")["structuredContent"] == {"generations": []}
    rest, _, status = talk.ended()
    assert (rest, status) == ([], 0)


HELLO: dict[str, Any] = {
    "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "late", "version": "0"},
}  # fmt: skip
OPENING: list[dict[str, Any]] = [
    {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO},
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
]


def asked_for_tools(times: int) -> bytes:
    asked: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": number, "method": "tools/list", "params": {}} for number in range(1, times + 1)
    ]
    return "".join(json.dumps(message) + "\n" for message in (*OPENING, *asked)).encode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_over_pipes_that_do_not_block_every_response_comes_though_they_are_read_late(home: Home) -> None:
    (theirs_in, ours_in), (ours_out, theirs_out) = os.pipe(), os.pipe()
    os.set_blocking(theirs_in, False)
    os.set_blocking(theirs_out, False)
    command = [sys.executable, "-m", "darkroom", "serve"]
    server = subprocess.Popen(command, stdin=theirs_in, stdout=theirs_out, env=home.environ)
    os.close(theirs_in)
    os.close(theirs_out)
    with os.fdopen(ours_in, "wb") as asks, os.fdopen(ours_out, "rb") as lines:
        asks.write(asked_for_tools(100))
        asks.flush()
        assert select.select([lines], [], [], PATIENCE_S)[0]
        answers = [json.loads(next(lines)) for _ in range(101)]
        assert sorted(answer["id"] for answer in answers) == list(range(101))
    assert server.wait(PATIENCE_S) == 0


def test_what_it_says_into_a_file_is_json_rpc_and_it_ends_well(home: Home, tmp_path: Path) -> None:
    (tmp_path / "asked").write_bytes(asked_for_tools(0))
    with (tmp_path / "asked").open("rb") as asked, (tmp_path / "said").open("wb") as said:
        done = subprocess.run(
            [sys.executable, "-m", "darkroom", "serve"],
            stdin=asked, stdout=said, stderr=subprocess.PIPE, env=home.environ, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert [json.loads(line)["id"] for line in (tmp_path / "said").read_text("utf-8").splitlines()] == [0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pairs")
def test_over_sockets_as_node_gives_them_every_response_comes_though_they_are_read_late(home: Home) -> None:
    (ours_in, theirs_in), (ours_out, theirs_out) = socket.socketpair(), socket.socketpair()
    with ours_in, ours_out:
        with theirs_in, theirs_out:
            server = subprocess.Popen(
                [sys.executable, "-m", "darkroom", "serve"],
                stdin=theirs_in.fileno(),
                stdout=theirs_out.fileno(),
                env=home.environ,
            )
        ours_in.sendall(asked_for_tools(100))
        assert select.select([ours_out.fileno()], [], [], PATIENCE_S)[0]
        ours_out.settimeout(PATIENCE_S)
        with ours_out.makefile("rb") as lines:
            answers = [json.loads(next(lines)) for _ in range(101)]
            assert sorted(answer["id"] for answer in answers) == list(range(101))
            assert all(len(answer["result"]["tools"]) > 1 for answer in answers if answer["id"])
            ours_in.shutdown(socket.SHUT_RDWR)
            assert not lines.read()
    assert server.wait(PATIENCE_S) == 0
