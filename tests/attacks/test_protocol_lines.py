"""Lines that are no messages: each is told so, or passed over where JSON-RPC has silence; the next one is served."""

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.attacks.wire import ENVELOPE, Wire, encoded, wire
from tests.hosts import ERAS, Home

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS = -32700, -32600, -32602
METHOD_NOT_FOUND = -32601
DEEP = 10_000


@dataclass(frozen=True)
class Told:
    """The error that answers a line, and the id that it names."""

    code: int
    id: Any = None


SILENCE = None


def rpc(**members: Any) -> bytes:
    """One message, in an envelope that both eras can read."""
    params = members.get("params")
    if isinstance(params, dict):
        members["params"] = {**params, "_meta": ENVELOPE}
    return encoded({"jsonrpc": "2.0", **members})


NO_JSON = {
    "words": b"hello there\n",
    "half a message": b'{"jsonrpc": "2.0", "id": 1, \n',
    "two messages on a line": rpc(id=1, method="x")[:-1] + rpc(id=2, method="x"),
    "a comment": b"// nothing\n",
    "a header of another framing": b"Content-Length: 20\r\n",
    "HTTP": b"POST /mcp HTTP/1.1\r\n",
    "a byte order mark": b"\xef\xbb\xbf" + rpc(id=1, method="x"),
    "UTF-16": rpc(id=1, method="x").strip().decode().encode("utf-16-be") + b"\n",
    "bytes that are no UTF-8": b'{"jsonrpc": "2.0", "id": 1, "method": "\xff\xfe"}\n',
    "an overlong form of UTF-8": b'{"jsonrpc": "2.0", "id": 1, "method": "\xc0\xaf"}\n',
    "half a surrogate pair": b'{"jsonrpc": "2.0", "id": 1, "method": "\\ud800"}\n',
    "the other half": b'{"jsonrpc": "2.0", "id": 1, "method": "\\udc00 x"}\n',
    "a raw NUL": b'{"jsonrpc": "2.0", "id": 1, "method": "\x00"}\n',
    "nothing but NULs": b"\x00" * 1000 + b"\n",
    "a raw control character": b'{"jsonrpc": "2.0", "id": 1, "method": "\x1b[2J"}\n',
    "NaN": b'{"jsonrpc": "2.0", "id": NaN, "method": "x"}\n',
    "Infinity": b'{"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"a": -Infinity}}\n',
    "a number of 5,000 digits": b'{"jsonrpc": "2.0", "id": ' + b"9" * 5_000 + b', "method": "x"}\n',
    "arrays, 10,000 deep": b"[" * DEEP + b"]" * DEEP + b"\n",
    "arrays, never closed": b"[" * DEEP + b"\n",
    "objects, 10,000 deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"\n",
    "params, 10,000 deep": rpc(id=1, method="x", params=["@"]).replace(b'"@"', b"[" * DEEP + b"]" * DEEP),
}  # fmt: skip
NO_REQUEST = {
    "an empty object": (b"{}\n", Told(INVALID_REQUEST)),
    "an empty array": (b"[]\n", Told(INVALID_REQUEST)),
    "a batch": (b"[" + rpc(id=1, method="x").replace(b"\n", b"]\n"), Told(INVALID_REQUEST)),
    "null": (b"null\n", Told(INVALID_REQUEST)),
    "a number": (b"1e400\n", Told(INVALID_REQUEST)),
    "a string": (b'"initialize"\n', Told(INVALID_REQUEST)),
    "no version": (encoded({"id": 1, "method": "x"}), Told(INVALID_REQUEST, 1)),
    "version 1.0": (encoded({"jsonrpc": "1.0", "id": 1, "method": "x"}), Told(INVALID_REQUEST, 1)),
    "a version that is a number": (encoded({"jsonrpc": 2.0, "id": 1, "method": "x"}), Told(INVALID_REQUEST, 1)),
    "a notification of no version": (encoded({"method": "notifications/x"}), Told(INVALID_REQUEST)),
    "no method": (rpc(id=1), Told(INVALID_REQUEST, 1)),
    "a method that is a number": (rpc(id=1, method=7), Told(INVALID_REQUEST, 1)),
    "a method that is null": (rpc(id=1, method=None), Told(INVALID_REQUEST, 1)),
    "a method that is an object, without an id": (rpc(method={}), Told(INVALID_REQUEST)),
    "an id that is null": (rpc(id=None, method="x"), Told(INVALID_REQUEST)),
    "an id with a fraction": (rpc(id=1.5, method="x"), Told(INVALID_REQUEST)),
    "an id that is 1.0": (rpc(id=1.0, method="x"), Told(INVALID_REQUEST)),
    "an id that is 1e400": (b'{"jsonrpc": "2.0", "id": 1e400, "method": "x"}\n', Told(INVALID_REQUEST)),
    "an id that is true": (rpc(id=True, method="x"), Told(INVALID_REQUEST)),
    "an id that is an object": (rpc(id={"a": 1}, method="x"), Told(INVALID_REQUEST)),
    "an id that is an array": (rpc(id=[1], method="x"), Told(INVALID_REQUEST)),
    "params that are an array": (rpc(id=1, method="x", params=[1]), Told(INVALID_PARAMS, 1)),
    "params that are a string": (rpc(id=1, method="x", params="{}"), Told(INVALID_PARAMS, 1)),
    "params that are a number": (rpc(id=1, method="x", params=0), Told(INVALID_PARAMS, 1)),
    "params that are false": (rpc(id=1, method="x", params=False), Told(INVALID_PARAMS, 1)),
}  # fmt: skip
ODD_BUT_A_REQUEST = {
    "an unknown method": (rpc(id=1, method="no/such", params={}), 1),
    "a method of no name": (rpc(id=1, method="", params={}), 1),
    "a method with an escaped NUL": (rpc(id=1, method="a\x00b", params={}), 1),
    "a method of Python's": (rpc(id=1, method="__class__", params={}), 1),
    "a notification with an id": (rpc(id=1, method="notifications/cancelled", params={"requestId": 2}), 1),
    "a carriage return at the end": (rpc(id=1, method="no/such", params={}).strip() + b"\r\n", 1),
    "space around it": (b"  \t" + rpc(id=1, method="no/such", params={}).strip() + b"  \n", 1),
    "an empty id": (rpc(id="", method="no/such", params={}), ""),
    "a negative id": (rpc(id=-1, method="no/such", params={}), -1),
    "an id of 401 digits": (rpc(id=10**400, method="no/such", params={}), 10**400),
    "an id of a megabyte": (rpc(id="x" * 1_000_000, method="no/such", params={}), "x" * 1_000_000),
    "a method of a megabyte": (rpc(id=1, method="x" * 1_000_000, params={}), 1),
    "duplicated keys, of which the last counts": (
        rpc(id=1, method="no/such", params={}).replace(b'"id": 1', b'"id": 8, "id": 9'), 9,
    ),
    "a result beside its method": (rpc(id=1, method="no/such", params={}, result={}), 1),
}  # fmt: skip
PASSED_OVER = {
    "an empty line": b"\n",
    "blanks": b" \t \r\n",
    "an unknown notification": rpc(method="notifications/no-such", params={}),
    "a request without an id": rpc(method="tools/list", params={}),
    "a notification whose params are an array": rpc(method="notifications/cancelled", params=[]),
    "cancelling what was never asked": rpc(method="notifications/cancelled", params={"requestId": 424242}),
    "cancelling nothing": rpc(method="notifications/cancelled", params={}),
    "cancelling an object": rpc(method="notifications/cancelled", params={"requestId": {"a": [1]}}),
    "cancelling true": rpc(method="notifications/cancelled", params={"requestId": True}),
    "progress of nothing": rpc(method="notifications/progress", params={"progressToken": [], "progress": "x"}),
    "progress beyond every number": rpc(
        method="notifications/progress", params={"progressToken": 1, "progress": "@"},
    ).replace(b'"@"', b"1e999"),
    "initialized once more": rpc(method="notifications/initialized", params={}),
    "an answer to what was never asked": rpc(id=77, result={}),
    "an error for what was never asked": rpc(id=77, error={"code": 1, "message": "x"}),
    "an error for no request": rpc(id=None, error={"code": -32700, "message": "x"}),
    "an answer that is both": rpc(id=77, result={}, error={"code": 1, "message": "x"}),
    "an answer that is a number": rpc(id=77, result=7),
    "an answer of version 1.0": encoded({"jsonrpc": "1.0", "id": 77, "result": {}}),
}  # fmt: skip


@pytest.fixture(scope="module", params=ERAS)
def connection(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Wire]:
    """One server per era, that is told all of this."""
    with wire(Home(tmp_path_factory.mktemp("home")), request.param) as opened:
        opened.open()
        yield opened


@pytest.mark.parametrize("line", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_is_a_parse_error(connection: Wire, line: bytes) -> None:
    connection.say(line)
    assert told(connection) == [Told(PARSE_ERROR)]


@pytest.mark.parametrize(("line", "expected"), NO_REQUEST.values(), ids=NO_REQUEST)
def test_what_is_no_request_is_told_so(connection: Wire, line: bytes, expected: Told) -> None:
    connection.say(line)
    assert told(connection) == [expected]


@pytest.mark.parametrize(("line", "id"), ODD_BUT_A_REQUEST.values(), ids=ODD_BUT_A_REQUEST)
def test_an_odd_request_is_answered_under_its_id(connection: Wire, line: bytes, id: Any) -> None:  # noqa: A002
    connection.say(line if connection.era != "legacy" else line.replace(json.dumps(ENVELOPE).encode(), b"{}"))
    (answer,) = connection.until(id)
    assert answer["error"]["code"] == METHOD_NOT_FOUND
    assert connection.serves() == []


@pytest.mark.parametrize("line", PASSED_OVER.values(), ids=PASSED_OVER)
def test_silence_answers_what_asks_for_nothing(connection: Wire, line: bytes) -> None:
    connection.say(line)
    assert connection.serves() == []


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
def test_a_message_may_arrive_in_pieces(connection: Wire, size: int) -> None:
    line = connection.request("pieces", "no/such", {"é": "\U0001f98a" * 100})
    line = json.dumps(json.loads(line), ensure_ascii=False).encode() + b"\n"
    for start in range(0, len(line), size):
        connection.say(line[start : start + size])
    (answer,) = connection.until("pieces")
    assert answer["error"]["code"] == METHOD_NOT_FOUND


def told(connection: Wire) -> list[Told]:
    """What the server said to the last line, once it has served another request."""
    return [Told(message["error"]["code"], message["id"]) for message in connection.serves()]
