"""A provider's service on loopback: routes, and what each of them returns, in order."""

import hashlib
import io
import json
import re
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from darkroom.declaration import own_prefix

KEY = "dk_0123456789abcdefABCDEF"
STARTS = ("submit", "edit")
PATIENCE_S = 60.0
"""Seconds for which a response may be held back."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing the connection resets it."""


@dataclass(frozen=True)
class Asked:
    """One request as it arrived. `table`: the name of its route, `other` where it has none."""

    table: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def shows(self, key: str) -> bool:
        """True where the key came along, anywhere."""
        return key in f"{self.path}?{self.query}{dict(self.headers)}{self.body!r}"


@dataclass(frozen=True)
class Answer:
    """A response that is not just a status and JSON: raw bytes, headers, and the connection's end in the middle of it.

    `cut`: the connection ends behind the body, which says that it is longer. `reset`: it ends without any response.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] | None = None
    cut: bool = False
    reset: bool = False


Said = Answer | tuple[int, Any]
"""A status, and JSON, bytes or None, or a function that returns one of these."""


class Service:
    """A service that a provider talks to in a test. `routes`: by name, a method and the pattern of a path.

    `submit` is the name of the one that starts a job, and `edit` of another that does, with the same responses.
    `working`, among the responses, is that to `read` while a job is under way, for one that `cancel` stops.
    `says`: by name, the responses in order; the last one stays. In a text of theirs `{origin}`
    is this service's own; `{origin}/files/1.png` is a picture. `meets`: responses to submissions whose body holds this
    text, in order, before those of `says`.
    """

    def __init__(
        self,
        name: str,
        routes: Mapping[str, tuple[str, str]],
        says: Mapping[str, list[Said]] | None = None,
        *,
        key: str = KEY,
    ) -> None:
        self.name = name
        self.key = key
        self.routes = {table: (method, re.compile(path)) for table, (method, path) in routes.items()}
        self.says: dict[str, list[Said]] = {table: [*answers] for table, answers in (says or {}).items()}
        self.meets: dict[str, list[Said]] = {}
        self.asked: list[Asked] = []
        self.changed = threading.Condition()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._thread.join(PATIENCE_S)
        self._server.server_close()

    @property
    def origin(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        """The base URL of its provider."""
        return self.origin

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which its provider is used."""
        return {f"{own_prefix(self.name)}KEY": self.key, f"{own_prefix(self.name)}BASE_URL": self.base_url}

    @property
    def needs(self) -> dict[str, Any]:
        """The arguments of `generate` that it makes nothing without, besides a prompt."""
        return {}

    @property
    def posts(self) -> list[Asked]:
        """Every submission."""
        with self.changed:
            return [each for each in self.asked if each.table in STARTS]

    def of(self, table: str) -> list[Asked]:
        """Every request of this route."""
        with self.changed:
            return [each for each in self.asked if each.table == table]

    def picture(self, number: int = 1) -> bytes:
        """The bytes of the picture with this number."""
        return _picture(self.name, number)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Its response to a request, which it keeps."""
        parts = urlsplit(target)
        asked = Asked(self._table(method, parts.path), method, parts.path, parts.query, headers, body)
        with self.changed:
            self.asked.append(asked)
            self.changed.notify_all()
        if asked.table in STARTS:
            self.may_answer.wait(PATIENCE_S)
        if asked.table == "file":
            picture = self.picture(int(re.findall(r"\d+", asked.path)[-1]))
            return Answer(body=picture, headers={"Content-Type": "image/png"})
        with self.changed:
            said = self._next(asked)
        return said if isinstance(said, Answer) else self._spelled(*said)

    def here(self, text: str) -> str:
        """A response's JSON with this service in it."""
        return text.replace("{origin}", self.origin)

    def _table(self, method: str, path: str) -> str:
        if path.startswith("/files/"):
            return "file"
        fits = (name for name, (verb, form) in self.routes.items() if verb == method and form.fullmatch(path))
        return next(fits, "other")

    def _next(self, asked: Asked) -> Said:
        met = [left for text, left in self.meets.items() if left and text.encode() in asked.body]
        if asked.table in STARTS and met:
            return met[0].pop(0)
        said = self.says.get("submit" if asked.table in STARTS else asked.table) or [
            (404, {"error": "nobody asked for this"})
        ]
        return said.pop(0) if len(said) > 1 else said[0]

    def _spelled(self, status: int, value: Any) -> Answer:
        value = value() if callable(value) else value
        if value is None or isinstance(value, bytes):
            return Answer(status, value or b"")
        text = self.here(json.dumps(value))
        return Answer(status, text.encode(), {"Content-Type": "application/json"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none."""


def _handler_of(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = (
                _unchunked(self.rfile) if "chunked" in headers.get("transfer-encoding", "") else self.rfile.read(length)
            )
            self._send(service.answer(self.command, self.path, headers, body))

        do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815

        def _send(self, answer: Answer) -> None:
            if answer.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self.connection.close()
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in (answer.headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) + 1000 * answer.cut))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else answer.body)
            self.wfile.flush()
            self.close_connection = self.close_connection or answer.cut

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's own name
            """Its tests say what came."""

    return Handler


def _unchunked(stream: Any) -> bytes:
    body = b""
    while size := int(stream.readline().partition(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


@lru_cache(maxsize=256)
def _picture(name: str, number: int) -> bytes:
    from PIL import Image  # noqa: PLC0415 - takes a while

    file, colour = io.BytesIO(), hashlib.sha256(f"{name} {number}".encode()).digest()[:3]
    Image.new("RGB", (64, 48), tuple(colour)).save(file, "PNG")
    return file.getvalue()
