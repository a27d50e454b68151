"""Too much of everything: memory stays bounded, what is over a bound is told so, and the next request is served.

The bounds: a parsed line of a megabyte takes up to 30 MB for a moment, 2,000 open requests some 30 KB each or 4 MiB of
them thirty times as much, and 4 MiB of answers may wait to be read. Without these limits it is hundreds of megabytes.
"""

import os
import select
import signal
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from darkroom.stdio.outbox import MAX_OPEN
from tests.attacks.wire import INITIALIZE, Wire, encoded, wire
from tests.hosts import ERAS, PATIENCE_S, Era, Home
from tests.services.fatthumb import FatThumb

MEGABYTE = 1_000_000
INVALID_REQUEST, BUSY = -32600, -32000
MANY_CALLS = 5 * MAX_OPEN
PADDING = "x" * 10_000


@pytest.fixture(scope="module", params=ERAS)
def connection(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Wire]:
    """One server per era, which has served already."""
    with wire(Home(tmp_path_factory.mktemp("home")), request.param) as opened:
        opened.open()
        opened.serves()
        yield opened


@pytest.mark.parametrize("megabytes", [2, 20, 200])
def test_a_line_that_is_too_long_is_refused_and_never_held(connection: Wire, megabytes: int) -> None:
    with connection.grows_by_at_most(20):
        connection.say(*[b'"' + b"x" * (MEGABYTE - 1)] * megabytes)
        connection.say(b"\n")
        (refused,) = connection.serves()
    assert (refused["id"], refused["error"]["code"]) == (None, INVALID_REQUEST)


@pytest.mark.parametrize("part", [b"{}", b"[]", b"1.5", b'"\\u00e9"', b'{"a":{}}'])
def test_lines_that_grow_when_they_are_parsed_stay_within_a_bound(connection: Wire, part: bytes) -> None:
    many = b",".join([part] * ((MEGABYTE - 1_000) // (len(part) + 1)))
    line = connection.tool("large", "list_generations", cursor="@").replace(b'"@"', b"[" + many + b"]")
    with connection.grows_by_at_most(150):
        for _ in range(3):
            connection.say(line)
            assert connection.until("large")[-1]["result"]["isError"]
    connection.serves()


def test_thousands_of_lines_that_are_no_messages_are_all_told_so(connection: Wire) -> None:
    with connection.grows_by_at_most(30):
        connection.say(b"no\n" * 20_000)
        assert len(connection.serves()) == 20_000


def test_ten_thousand_calls_at_once_are_all_answered(home: Home) -> None:
    with wire(home, "legacy") as connection:
        connection.open()
        connection.serves()
        with connection.grows_by_at_most(150):
            connection.say(*[connection.tool(number, "list_generations") for number in range(MANY_CALLS)])
            answered: set[int] = set()
            for answer in connection.heard():
                assert "result" in answer
                answered.add(answer["id"])
                if len(answered) == MANY_CALLS:
                    break
        connection.serves()


LARGE: dict[str, tuple[str, dict[str, Any]]] = {
    "a prompt": ("generate", {"prompt": "nsk_0123456789 " * 60_000}),
    "an escaped prompt": ("generate", {"prompt": "\\u0041" * 120_000}),
    "unknown names": ("generate", {"prompt": "x", **{f"n{number}": 1 for number in range(60_000)}}),
    "options": ("generate", {"prompt": "x", "options": {f"n{number}": "nsk_0123456789" for number in range(30_000)}}),
    "an option many times": ("generate", {"prompt": "x", "options": ["a=1"] * 100_000}),
    "an unknown option": ("generate", {"prompt": "x", "options": {"o": ["nsk_0123456789"] * 50_000}}),
    "a known option": (
        "generate",
        {"prompt": "x", "provider": "fatthumb", "options": {"person_ids": ["bw_1"] * 100_000}},
    ),
    "an option in parts": ("generate", {"prompt": "x", "options": {"o": [{"p": {"q": [1]}}] * 30_000}}),
    "ids": ("wait", {"generation_ids": [1] * 200_000}),
    "ids in a text": ("wait", {"generation_ids": "a, " * 300_000}),
    "figures": ("generate", {"prompt": "x", "seed": "9" * 900_000}),
    "a host's own": ("list_generations", {"toolCallId": [{}] * 200_000}),
}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the time of a process is read from /proc")
def test_no_request_of_a_megabyte_holds_everybody_up(home: Home, subtests: pytest.Subtests) -> None:
    """In time of its processor, held against what plain work takes on this machine right now; the best of three."""
    key = {"FATTHUMB_API_KEY": "nsk_live_" + "k3Y-" * 100, "BETTERWAIFU_API_KEY": "bw_0123456789abcdef"}
    with wire(home.with_(**key, DARKROOM_PROVIDER="sketch"), "legacy") as connection:
        connection.open()
        connection.serves()
        for name, (tool, arguments) in LARGE.items():
            with subtests.test(name):
                line = connection.tool(name, tool, **arguments)
                assert MEGABYTE // 2 < len(line) < MEGABYTE
                costs = (processor_s_of(connection, line, name) / plain_work_s() for _ in range(3))
                assert any(cost < 10 for cost in costs)


def processor_s_of(connection: Wire, line: bytes, name: str) -> float:
    """How long the server's processor works for this request."""
    before = connection.processor_s()
    connection.say(line)
    connection.until(name)
    return connection.processor_s() - before


def plain_work_s() -> float:
    """How long a processor takes for 300,000 small steps: some 0.05 s where nothing else runs."""
    before = time.process_time()
    for number in range(300_000):
        str(number).partition("=")
    return time.process_time() - before


def test_a_line_without_an_end_is_not_held_either(home: Home) -> None:
    with wire(home, "legacy") as connection:
        connection.open()
        connection.serves()
        with connection.grows_by_at_most(20):
            connection.say(*[b"[" * MEGABYTE] * 200)
        assert connection.ends() == 0


def test_more_requests_than_may_be_open_are_refused_and_the_others_go_on(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=600.0)
    with wire(home.with_(fatthumb), "legacy") as connection:
        connection.open()
        connection.say(connection.tool("made", "generate", prompt="a fox"))
        made = connection.until("made")[-1]["result"]["structuredContent"]["id"]
        waits = [connection.tool(number, "wait", generation_ids=[made], timeout_s=600) for number in range(MAX_OPEN)]
        with connection.grows_by_at_most(300):
            over = [connection.tool(name, "list_generations") for name in ("over", "withdrawn")]
            connection.say(*waits, *over, connection.request("ping", "ping"))
            assert [message["id"] for message in connection.until("ping")] == ["ping"], "what is urgent goes past them"
            withdrawn = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "withdrawn"}}
            connection.say(encoded(withdrawn))
            refused = connection.until("over")
        assert [message["error"]["code"] for message in refused] == [BUSY]
        for number in range(10):
            cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}}
            connection.say(encoded(cancelled))
        connection.say(connection.tool("later", "list_generations"))
        assert ["result" in message for message in connection.until("later")] == [True]
        connection.say(*waits[:10], connection.tool("over", "list_generations"))
        assert connection.ends() == 0, "its end goes past them too"


def test_long_requests_are_held_up_to_a_bound_and_the_others_go_on(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=600.0)
    long: dict[str, Any] = {"padding": [{}] * (MEGABYTE // 4)}
    with wire(home.with_(fatthumb), "legacy") as connection:
        connection.open()
        connection.say(connection.tool("made", "generate", prompt="a fox"))
        made = connection.until("made")[-1]["result"]["structuredContent"]["id"]
        wait = {"name": "wait", "arguments": {"generation_ids": [made], "timeout_s": 600}, "_meta": long}
        with connection.grows_by_at_most(300):
            # An id that is used twice counts twice.
            connection.say(*[connection.request(each, "tools/call", wait) for each in (1, 2, 3, 3, "over")])
            refused = connection.until("over")
        assert [message["error"]["code"] for message in refused] == [BUSY]
        connection.say(connection.tool("short", "list_generations"))
        assert "result" in connection.until("short")[-1]
        connection.say(encoded({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}))
        for number in range(10, 16):  # each is over before the next
            connection.say(connection.request(number, "tools/list", {"_meta": long}))
            assert "result" in connection.until(number)[-1]


def unread(connection: Wire, padding: str = "") -> None:
    """Asks for long answers and reads but the first, until the server has taken no more for a while.

    Longer requests, and fewer of them, fill it as well.
    """
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": INITIALIZE}
    connection.say(encoded(hello) if connection.era == "legacy" else connection.request(0, "server/discover"))
    stdin, stdout = connection.process.stdin, connection.process.stdout
    assert stdin is not None
    assert stdout is not None
    assert select.select([stdout], [], [], PATIENCE_S)[0]
    stdout.readline()
    asks = connection.request("long", "tools/list", {"_meta": {"padding": padding}} if padding else None) * 50
    os.set_blocking(stdin.fileno(), False)
    deadline, taken = time.monotonic() + PATIENCE_S, time.monotonic()
    while time.monotonic() - taken < 2:
        assert time.monotonic() < deadline, "it takes everything"
        try:
            os.write(stdin.fileno(), asks)
            taken = time.monotonic()
        except BlockingIOError:
            time.sleep(0.05)
    os.set_blocking(stdin.fileno(), True)


@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_never_reads_fills_no_memory_and_the_server_ends_with_it(home: Home, era: Era) -> None:
    with wire(home, era) as connection:
        with connection.grows_by_at_most(150):
            unread(connection)
        assert connection.ends() == 0


def test_a_client_that_never_reads_does_not_keep_the_server_from_a_signal(home: Home) -> None:
    with wire(home, "legacy") as connection:
        unread(connection)
        connection.process.send_signal(signal.SIGTERM)
        assert connection.process.wait(PATIENCE_S) == 0


def test_a_client_that_reads_late_gets_every_answer(home: Home) -> None:
    with wire(home, "legacy") as connection:
        unread(connection, PADDING)
        connection.listen()
        connection.say(b"\n")  # the last of them may have been cut
        before = connection.serves()
        assert {answer["id"] for answer in before} <= {"long", None}
        assert all("tools" in answer["result"] for answer in before if answer["id"] == "long")
