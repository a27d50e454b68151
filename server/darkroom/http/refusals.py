"""Responses of the door itself, to requests that never reach the MCP server."""

import json
from collections.abc import Mapping

from mcp.types import INTERNAL_ERROR, INVALID_REQUEST
from starlette.responses import Response

BROKEN = 500
UNFORESEEN = (
    "Darkroom itself failed in a way that was not foreseen; its log says how. What was begun goes on: list_generations "
    "has it."
)
"""The sentence on a fault of our own; its own words, which may quote anything, stay in the log."""


class Refusal(Exception):
    """A request that is refused; `response` says why, in JSON."""

    def __init__(self, status: int, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        headers = {} if retry_after_s is None else {"retry-after": str(max(1, round(retry_after_s)))}
        # The transport's own form of an error that belongs to no request.
        error = {"code": INTERNAL_ERROR if status == BROKEN else INVALID_REQUEST, "message": message}
        self.response = said(status, {"jsonrpc": "2.0", "id": None, "error": error}, headers)


def said(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """A small response in JSON, which nothing on the way keeps."""
    kept = {"cache-control": "no-store", **(headers or {})}
    return Response(json.dumps(body), status, media_type="application/json", headers=kept)
