"""Clients that leave in the middle of a wait, again and again: nothing stays behind, and nothing is paid twice."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.hosts import Home, eventually, on_both_databases
from tests.http.hosting import VERSIONS, Hosted, answer_in, hosted, posted, written
from tests.services.fatthumb import FatThumb

TIMES, AT_ONCE = 500, 50
SPARE = 10
"""Files and threads that a server opens for reasons of its own: a fiftieth of what would have leaked."""
NARROW = """
from darkroom.http import bounds
bounds.MAX_OF_ONE = 400
import runpy
runpy.run_module("darkroom", run_name="__main__", alter_sys=True)
"""
"""Refuses the last of them, should requests go on whose clients have left."""


@pytest.fixture
def slow() -> Generator[FatThumb]:
    """A service whose jobs take longer than any test, until its clock is moved on."""
    with FatThumb(duration=1_000_000.0) as service:
        yield service


def open_files(server: Hosted) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def settled(server: Hosted) -> tuple[int, int]:
    """Its open files and its threads, once those of clients that have gone are closed."""
    eventually(lambda: open_files(server) < AT_ONCE)
    return open_files(server), threads(server)


def threads(server: Hosted) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


def leave(server: Hosted, generation_id: str, version: str) -> None:
    """So many clients at once begin to wait, hear of it, and are gone."""
    wait = {"name": "wait", "arguments": {"generation_ids": [generation_id], "timeout_s": 600}}
    request = written("tools/call", {**wait, "_meta": {"progressToken": 1}}, version=version)
    connections = [server.connection() for _ in range(AT_ONCE)]
    for connection in connections:
        connection.sendall(request)
    for connection in connections:
        heard = b""
        while b"notifications/progress" not in heard:
            part = connection.recv(65_536)
            assert part, heard
            heard += part
        connection.close()


@pytest.mark.parametrize("version", VERSIONS[:2])
@on_both_databases
def test_five_hundred_clients_that_leave_a_wait_leave_nothing_behind(home: Home, slow: FatThumb, version: str) -> None:
    with hosted(home.with_(slow), python=("-c", NARROW)) as server:
        wish = {"name": "generate", "arguments": {"prompt": "a slow fox", "provider": "fatthumb"}}
        made = answer_in(posted(server, "tools/call", wish, version=version))["result"]["structuredContent"]["id"]
        leave(server, made, version)  # whatever is opened once and kept
        files, workers = settled(server)
        for _ in range(TIMES // AT_ONCE - 1):
            leave(server, made, version)
        eventually(lambda: open_files(server) <= files + SPARE and threads(server) <= workers + SPARE)
        slow.advance(2_000_000)
        wait = {"name": "wait", "arguments": {"generation_ids": [made], "timeout_s": 60}}
        ended = answer_in(posted(server, "tools/call", wait, version=version))["result"]["structuredContent"]
        assert [each["status"] for each in ended["generations"]] == ["succeeded"]
        assert server.log.read_text().count("Traceback") == 0
    assert len(slow.posts) == 1
