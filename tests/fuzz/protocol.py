"""What a server answers to any message: once to each request with an id, in JSON-RPC, and nothing of its insides."""

import json
import re
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from hypothesis import strategies as st

from tests.attacks.wire import ENVELOPE, INITIALIZE, PREFIX, Message, Wire, encoded, wire
from tests.fuzz.json_values import changed, values
from tests.hosts import Era, Home

ID = "gen_" + "a" * 26
MAX_LINE = 1024 * 1024 + 1
"""Bytes, with the line's end."""
_TEMPLATE = {"type": "ref/resource", "uri": "darkroom://generations/{id}"}
CALLS: tuple[tuple[str, Message], ...] = (
    ("generate", {"prompt": "A fox", "count": 1, "aspect_ratio": "1:1", "seed": 7, "options": {}, "request_key": "k"}),
    ("get_status", {"generation_id": ID}),
    ("wait", {"generation_ids": [ID], "timeout_s": 1, "until": "any"}),
    ("cancel", {"generation_id": ID}),
    ("list_generations", {"status": "failed", "provider": "sketch", "limit": 5, "cursor": "3"}),
    ("list_models", {"provider": "sketch"}),
)
METHODS: tuple[tuple[str, Message], ...] = (
    *(("tools/call", {"name": name, "arguments": arguments}) for name, arguments in CALLS),
    ("initialize", INITIALIZE),
    ("server/discover", {}),
    ("ping", {}),
    ("tools/list", {"cursor": "x"}),
    ("prompts/list", {}),
    ("prompts/get", {"name": "youtube_thumbnail", "arguments": {"topic": "foxes", "mood": "calm"}}),
    ("resources/list", {}),
    ("resources/templates/list", {}),
    ("resources/read", {"uri": f"darkroom://generations/{ID}/images/1"}),
    ("resources/read", {"uri": "ui://darkroom/gallery.html"}),
    ("resources/subscribe", {"uri": f"darkroom://generations/{ID}"}),
    ("resources/unsubscribe", {"uri": f"darkroom://generations/{ID}"}),
    ("completion/complete", {"ref": _TEMPLATE, "argument": {"name": "id", "value": "gen"}}),
    ("logging/setLevel", {"level": "debug"}),
    ("tasks/get", {"taskId": ID}),
    ("tasks/update", {"taskId": ID, "inputResponses": {}}),
    ("tasks/cancel", {"taskId": ID}),
    ("no/such", {"a": [1]}),
)  # fmt: skip
NOTIFICATIONS: tuple[tuple[str, Message], ...] = (
    ("notifications/initialized", {}),
    ("notifications/cancelled", {"requestId": 1, "reason": "x"}),
    ("notifications/progress", {"progressToken": 1, "progress": 0.5, "total": 1, "message": "x"}),
    ("notifications/roots/list_changed", {}),
)
WITH_TASKS: Message = {**ENVELOPE, f"{PREFIX}clientCapabilities": {"extensions": {f"{PREFIX}tasks": {}}}}
LASTS = "subscriptions/listen"
INSIDES = re.compile(r"Traceback|\.py\b|darkroom\.\w+\.|object at 0x|Error executing|Internal server error|<class '")


@st.composite
def messages(draw: st.DrawFn, era: Era) -> list[Any]:
    """One to four messages of this era, most of them changed. An id that is still "?" is given when it is sent."""
    return [draw(_message(era)) for _ in range(draw(st.integers(1, 4)))]


def _message(era: Era) -> st.SearchStrategy[Any]:
    requests: list[Message] = [
        {"jsonrpc": "2.0", "id": "?", "method": method, "params": params} for method, params in METHODS
    ]
    others: list[Message] = [
        *({"jsonrpc": "2.0", "method": method, "params": params} for method, params in NOTIFICATIONS),
        {"jsonrpc": "2.0", "id": 1, "result": {"resultType": "complete"}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "x", "data": {}}},
    ]
    asked = changed(st.sampled_from(requests))
    if era != "legacy":
        envelopes = st.one_of(st.just(ENVELOPE), st.just(WITH_TASKS), changed(st.just(WITH_TASKS)))
        asked = st.builds(_enveloped, asked, envelopes)
    return st.one_of(asked, asked, asked, changed(st.sampled_from(others)), values)


def _enveloped(message: Any, envelope: Any) -> Any:
    params = _member(message, "params")
    return (
        {**message, "params": {**cast("Message", params), "_meta": envelope}} if isinstance(params, dict) else message
    )


class Server:
    """A server of one era, started again when it has ended; every message of a case is accounted for."""

    def __init__(self, era: Era, folder: Path) -> None:
        self._era: Era = era
        # No provider has a key, and sketch is asked for only by name: what is fuzzed is the way there.
        self._home = Home(folder, {"DARKROOM_PROVIDER": "betterwaifu"})
        self._open = ExitStack()
        self._wire: Wire | None = None
        self._ids = count(1)

    def check(self, case: list[Any]) -> None:
        """Raises AssertionError where an answer is missing, is one too many, or says what it should not."""
        try:
            self._converse(self._connection(), case)
        except BaseException:
            self.close()  # what it still says to this case is not held against the next one
            raise

    def _converse(self, connection: Wire, case: list[Any]) -> None:
        expected: Counter[str] = Counter()
        maybe: Counter[str] = Counter()
        cancels = any(_member(message, "method") == "notifications/cancelled" for message in case)
        for message in case:
            given = _member(message, "id") == "?"
            sent = {**message, "id": f"case-{next(self._ids)}"} if given else message
            line = encoded(sent)
            answer = _answer_to(sent) if len(line) <= MAX_LINE else "null"  # nobody reads what a longer one says
            if answer is not None:
                # What may have been cancelled, and what lasts, may have no answer.
                unsure = (cancels and not given) or _member(message, "method") == LASTS
                (maybe if unsure else expected)[answer] += 1
            connection.say(line)
        last = f"last-{next(self._ids)}"
        connection.say(connection.tool(last, "list_generations", limit=1))
        expected[json.dumps(last)] += 1
        for message in connection.heard():
            if "method" in message:
                _refuse(connection, message)
                continue
            _check(message)
            name = json.dumps(message["id"])
            assert expected[name] or maybe[name], f"an answer to nothing: {message}"
            (expected if expected[name] else maybe)[name] -= 1
            if not +expected:
                return

    def close(self) -> None:
        """Ends the server."""
        self._open.close()
        self._wire = None

    def _connection(self) -> Wire:
        if self._wire is None or self._wire.process.poll() is not None:
            self.close()
            self._wire = self._open.enter_context(wire(self._home, self._era))
            self._wire.open()
        return self._wire


@contextmanager
def server(era: Era) -> Generator[Server]:
    """A server with a home of its own."""
    with TemporaryDirectory() as folder:
        one = Server(era, Path(folder))
        try:
            yield one
        finally:
            one.close()


def _member(message: Any, name: str) -> Any:
    return cast("Message", message).get(name) if isinstance(message, dict) else None


def _answer_to(message: Any) -> str | None:
    """The id, as JSON, under which this message must be answered; None where it must not be."""
    if not isinstance(message, dict) or not _is_unicode(message):
        return "null"
    request_id, method = _member(message, "id"), _member(message, "method")
    echoed = json.dumps(request_id if isinstance(request_id, str | int) and not isinstance(request_id, bool) else None)
    if "method" not in message:
        return None if "result" in message or "error" in message else echoed
    version = _member(message, "jsonrpc")
    return None if "id" not in message and isinstance(method, str) and version == "2.0" else echoed


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(connection: Wire, request: Message) -> None:
    if "id" in request:
        error = {"code": -32601, "message": "no"}
        connection.say(encoded({"jsonrpc": "2.0", "id": request["id"], "error": error}))


def _check(message: Message) -> None:
    assert set(message) - {"jsonrpc", "id"} in ({"result"}, {"error"}), message
    if "error" in message:
        error = message["error"]
        assert -32768 <= error["code"] <= -32000, message
        assert isinstance(error["message"], str), message
        said = error["message"]
    else:
        result = message["result"]
        said = " ".join(block.get("text", "") for block in result.get("content", ())) if result.get("isError") else ""
    assert not INSIDES.search(said), message
