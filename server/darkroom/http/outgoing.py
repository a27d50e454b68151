"""Responses on their way out: without secrets that a caller said first, and without names of this machine's folders."""

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mcp.types import INTERNAL_ERROR
from starlette.types import Message, Send

from darkroom.http.refusals import BROKEN, UNFORESEEN
from darkroom.redact.secrets import LONGEST

log = logging.getLogger(__name__)

ELSEWHERE = "(the server's disk)"


class Outgoing:
    """Takes out of everything that is sent what `unechoed` does, and the names of these `folders`."""

    def __init__(self, unechoed: Callable[[str], str], folders: Iterable[Path]) -> None:
        self._unechoed = unechoed
        named = {str(folder) for folder in folders}
        # In JSON some characters of a path are escaped, in one form of it or another.
        forms = named | {
            json.dumps(name, ensure_ascii=ascii_only)[1:-1] for name in named for ascii_only in (True, False)
        }
        self._named = sorted((form.encode() for form in forms), key=len, reverse=True)

    def cleaned(self, body: bytes) -> bytes:
        """The same without them."""
        if len(body) <= LONGEST:  # a longer one holds pictures, or a list of what has been searched already
            body = self._unechoed(body.decode(errors="replace")).encode()
        for name in self._named:
            body = body.replace(name, ELSEWHERE.encode())
        return body

    def through(self, send: Send) -> Send:
        """Sends what it is given, cleaned: an event of a stream is always whole in one part, and so is a response.

        Of what cannot be cleaned nothing is sent, but an error in the place of a response.
        """
        start: list[Message] = []

        async def cleaning(message: Message) -> None:
            if message["type"] == "http.response.start":
                if any(name == b"content-length" for name, _ in message["headers"]):
                    start.append(message)  # until its new length is known
                else:
                    await send(message)
                return
            body: bytes = message.get("body", b"")
            status: Message = {}
            try:
                body = self.cleaned(body) if body else body
            except Exception:
                log.exception("A response could not be cleaned, and was not sent")
                body, status = _error_for(body), {"status": BROKEN}
            if start:
                first: Message = {**start.pop(), **status}
                others = [(name, value) for name, value in first["headers"] if name != b"content-length"]
                await send({**first, "headers": [*others, (b"content-length", str(len(body)).encode())]})
            await send({**message, "body": body})

        return cleaning


def _error_for(body: bytes) -> bytes:
    """An error in the form of this response and under its id; nothing for a notification, to which nobody responds."""
    is_event = not body.lstrip().startswith(b"{")
    data = b"".join(line[5:] for line in body.splitlines() if line.startswith(b"data:")) if is_event else body
    try:
        message: Any = json.loads(data)
    except ValueError:
        message = {} if is_event else {"id": None}
    if not isinstance(message, dict) or "id" not in message:
        return b""
    error = {"code": INTERNAL_ERROR, "message": UNFORESEEN}
    said = json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}).encode()
    return b"event: message\r\ndata: %b\r\n\r\n" % said if is_event else said
