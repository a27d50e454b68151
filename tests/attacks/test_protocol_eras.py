"""Conversations out of order: no handshake, two of them, two eras on one connection, hostile _meta, an id twice."""

from collections.abc import Generator
from typing import Any

import pytest

from tests.attacks.wire import ENVELOPE, INITIALIZE, PREFIX, Wire, encoded, wire
from tests.hosts import ERAS, Era, Home
from tests.services.fatthumb import FatThumb

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, METHOD_NOT_FOUND = -32700, -32600, -32602, -32601
UNSUPPORTED_VERSION = -32022


def rpc(id: Any, method: str, **params: Any) -> bytes:  # noqa: A002 - as on the wire
    """A request of no era."""
    return encoded({"jsonrpc": "2.0", "id": id, "method": method, "params": params})


def call(id: Any, **params: Any) -> bytes:  # noqa: A002 - as on the wire
    """An ordinary call with whatever params besides."""
    return rpc(id, "tools/call", name="list_generations", arguments={}, **params)


HANDSHAKE = rpc("shake", "initialize", **INITIALIZE)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (call(1), INVALID_PARAMS),
        (rpc(1, "tools/list"), INVALID_PARAMS),
        (rpc(1, "no/such"), METHOD_NOT_FOUND),
        (rpc(1, "initialize"), INVALID_PARAMS),
        (rpc(1, "initialize", protocolVersion=7), INVALID_PARAMS),
    ],
    ids=["a tool call", "a list", "an unknown method", "a handshake without params", "a handshake of version 7"],
)  # fmt: skip
def test_what_comes_before_the_handshake_is_refused_and_the_handshake_still_made(
    home: Home, line: bytes, code: int
) -> None:
    with wire(home, "legacy") as connection:
        connection.listen()
        connection.say(line)
        assert connection.until(1)[-1]["error"]["code"] == code
        connection.say(HANDSHAKE)
        assert "serverInfo" in connection.until("shake")[-1]["result"]
        connection.serves()


@pytest.fixture(scope="module", params=ERAS)
def connection(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Wire]:
    """One server per era."""
    with wire(Home(tmp_path_factory.mktemp("home")), request.param) as opened:
        opened.open()
        yield opened


@pytest.mark.parametrize("version", ["2025-11-25", "2024-11-05", "1999-01-01", "", "x" * 100_000])
def test_a_second_handshake_changes_nothing(connection: Wire, version: str) -> None:
    connection.say(rpc("again", "initialize", **{**INITIALIZE, "protocolVersion": version}))
    answer = connection.until("again")[-1]
    if connection.era == "legacy":
        assert answer["result"]["serverInfo"]["name"] == "darkroom"
    else:
        assert answer["error"]["code"] == UNSUPPORTED_VERSION
    assert connection.serves() == []


def enveloped(**members: Any) -> dict[str, Any]:
    """The envelope of the newer era, with some of it changed."""
    return {**ENVELOPE, **{f"{PREFIX}{name}": value for name, value in members.items()}}


HOSTILE_META: dict[str, tuple[Any, int | None, int | None]] = {
    # What _meta is, and the error that it brings in the older and the newer era; None: the call succeeds.
    "an array": ([1], INVALID_PARAMS, INVALID_PARAMS),
    "a string": ("x", INVALID_PARAMS, INVALID_PARAMS),
    "true": (True, INVALID_PARAMS, INVALID_PARAMS),
    "null": (None, None, INVALID_PARAMS),
    "half an envelope": ({f"{PREFIX}protocolVersion": "2026-07-28"}, INVALID_REQUEST, INVALID_PARAMS),
    "a version that is a number": (enveloped(protocolVersion=7), INVALID_REQUEST, INVALID_PARAMS),
    "a version that is an object": (enveloped(protocolVersion={"a": []}), INVALID_REQUEST, INVALID_PARAMS),
    "a version of the future": (enveloped(protocolVersion="2099-01-01"), INVALID_REQUEST, UNSUPPORTED_VERSION),
    "a version of the past": (enveloped(protocolVersion="2025-11-25"), INVALID_REQUEST, UNSUPPORTED_VERSION),
    "a client that is a number": (enveloped(clientInfo=7), INVALID_REQUEST, INVALID_PARAMS),
    "capabilities that are an array": (enveloped(clientCapabilities=[7]), INVALID_REQUEST, INVALID_PARAMS),
    "extensions that are 7": (enveloped(clientCapabilities={"extensions": 7}), INVALID_REQUEST, INVALID_PARAMS),
    "the other era's envelope": (ENVELOPE, INVALID_REQUEST, None),
    "a trace that is none": ({"traceparent": {"a": 1}, "tracestate": 7, "baggage": []}, None, None),
    "a trace of a megabyte": ({"traceparent": "0" * 400_000, "baggage": "a=b," * 100_000}, None, None),
    "a thousand unknown keys": ({f"k{number}": number for number in range(1_000)}, None, None),
    "keys of Python's": ({"__class__": {"__init__": {}}, "__dict__": 1}, None, None),
    "a progress token that is an object": ({"progressToken": {"a": 1}}, INVALID_PARAMS, INVALID_PARAMS),
    "a progress token that is an array": ({"progressToken": [1]}, INVALID_PARAMS, INVALID_PARAMS),
    "a progress token with a fraction": ({"progressToken": 1.5}, INVALID_PARAMS, INVALID_PARAMS),
    "a progress token that is empty": ({"progressToken": ""}, None, None),
    "a progress token of 401 digits": ({"progressToken": 10**400}, None, None),
    "a progress token of half a megabyte": ({"progressToken": "x" * 500_000}, None, None),
}  # fmt: skip


@pytest.mark.parametrize(("meta", "legacy", "modern"), HOSTILE_META.values(), ids=HOSTILE_META)
def test_hostile_meta_is_refused_or_ignored(
    connection: Wire, meta: Any, legacy: int | None, modern: int | None
) -> None:
    expected = legacy if connection.era == "legacy" else modern
    whole: Any = {**ENVELOPE, **meta} if expected is None and meta and connection.era != "legacy" else meta
    connection.say(call("meta", _meta=whole))
    answer = connection.until("meta")[-1]
    assert answer.get("error", {}).get("code") == expected
    assert connection.serves() == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (HANDSHAKE, ("legacy", None)),
        (rpc("shake", "initialize", **INITIALIZE, _meta=ENVELOPE), ("legacy", None)),
        (rpc("shake", "tools/list", _meta=ENVELOPE), ("2026-07-28", None)),
        (rpc("shake", "no/such", _meta=ENVELOPE), ("2026-07-28", METHOD_NOT_FOUND)),
    ],
    ids=["a handshake", "a handshake in an envelope", "a list in an envelope", "an unknown method in an envelope"],
)  # fmt: skip
def test_the_first_request_decides_the_era_and_the_other_one_is_refused(
    home: Home, line: bytes, expected: tuple[Era, int | None]
) -> None:
    era, code = expected
    with wire(home, era) as connection:
        connection.listen()
        connection.say(line)
        assert connection.until("shake")[-1].get("error", {}).get("code") == code
        connection.say(encoded({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        other = call("other", _meta=ENVELOPE) if era == "legacy" else HANDSHAKE.replace(b"shake", b"other")
        connection.say(other)
        refused = connection.until("other")[-1]["error"]["code"]
        assert refused == (INVALID_REQUEST if era == "legacy" else UNSUPPORTED_VERSION)
        assert connection.serves() == []


@pytest.mark.parametrize("era", ERAS)
def test_each_of_two_requests_of_one_id_is_answered(home: Home, fatthumb: FatThumb, era: Era) -> None:
    with wire(home.with_(fatthumb), era) as connection:
        connection.open()
        connection.say(connection.tool("made", "generate", prompt="a fox"))
        made = connection.until("made")[-1]["result"]["structuredContent"]["id"]
        twice = connection.tool("twice", "wait", generation_ids=[made])
        connection.say(twice, twice)
        answers = [connection.until("twice")[-1] for _ in range(2)]
        ends = [answer["result"]["structuredContent"]["generations"][0]["status"] for answer in answers]
        assert ends == ["succeeded", "succeeded"]
        connection.say(connection.tool("listed", "list_generations"))
        listed = connection.until("listed")[-1]["result"]["structuredContent"]["generations"]
        assert [generation["id"] for generation in listed] == [made]


@pytest.mark.parametrize("era", ERAS)
def test_a_client_may_hang_up_in_the_middle_of_a_message(home: Home, era: Era) -> None:
    with wire(home, era) as connection:
        connection.open()
        whole = connection.tool(1, "generate", prompt="a fox that was never asked for")
        connection.say(whole[:-1])  # all of it but its end
        assert connection.ends() == 0
    with wire(home, era) as connection:
        connection.open()
        connection.serves()  # there are no generations


@pytest.mark.parametrize("discoveries", [1, 3])
@pytest.mark.parametrize("then", ERAS)
def test_a_discovery_alone_decides_no_era(home: Home, discoveries: int, then: Era) -> None:
    with wire(home, then) as connection:
        connection.listen()
        asked = [f"ask {number}" for number in range(discoveries)]
        connection.say(*[rpc(each, "server/discover", _meta=ENVELOPE) for each in asked])
        if then == "legacy":
            connection.say(HANDSHAKE)
            assert connection.until("shake")[-1]["result"]["protocolVersion"] == "2025-11-25"
            connection.say(encoded({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        else:
            assert "result" in connection.until(asked[-1])[-1]
        assert connection.serves() == []
        assert connection.ends() == 0


def test_a_byte_order_mark_may_come_before_the_first_message_and_before_no_other(home: Home) -> None:
    with wire(home, "legacy") as connection:
        connection.listen()
        connection.say(b"\n\xef\xbb", b"\xbf" + HANDSHAKE)
        assert "result" in connection.until("shake")[-1]
        assert connection.serves() == []
        connection.say(b"\xef\xbb\xbf" + call("marked"))
        assert [message["error"]["code"] for message in connection.serves()] == [PARSE_ERROR]


def part(request_id: Any, method: str, **params: Any) -> dict[str, Any]:
    named = {} if request_id is None else {"id": request_id}
    return {"jsonrpc": "2.0", **named, "method": method, "params": params}


def test_a_batch_is_answered_as_one_where_the_version_knows_batches(home: Home) -> None:
    with wire(home, "legacy") as connection:
        connection.listen()
        connection.say(HANDSHAKE.replace(b"2025-11-25", b"2025-03-26"))
        assert connection.until("shake")[-1]["result"]["protocolVersion"] == "2025-03-26"
        note = part(None, "notifications/initialized")
        connection.say(
            encoded([note, part(1, "ping"), part("two", "tools/list"), 7, part(4, "initialize", **INITIALIZE)])
        )
        (answers,) = connection.heard_lines(1)
        told = {answer["id"]: answer for answer in answers}
        assert len(answers) == 4
        assert told[1]["result"] == {}
        assert len(told["two"]["result"]["tools"]) > 5
        assert told[None]["error"]["code"] == told[4]["error"]["code"] == INVALID_REQUEST
        connection.say(encoded([note]), b"[]\n", encoded([part("last", "ping")]))
        nothing, (last,) = connection.heard_lines(2)
        assert nothing["error"]["code"] == INVALID_REQUEST
        assert last == {"jsonrpc": "2.0", "id": "last", "result": {}}
        assert connection.serves() == []
