"""The message in a line, and the refusal that the sender of a line without one gets."""

import logging
from typing import Any, cast

from mcp_types.jsonrpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import from_json

from darkroom.stdio.lines import MAX_LINE

log = logging.getLogger(__name__)


class Refused(Exception):
    """A line that is no message; `answer` is sent to its sender."""

    def __init__(self, code: int, message: str, request_id: Any = None) -> None:
        super().__init__(message)
        echoed = request_id if _is_id(request_id) else None
        self.answer = JSONRPCError(jsonrpc="2.0", id=echoed, error=ErrorData(code=code, message=message))


def read_message(line: bytes | None) -> JSONRPCMessage | None:
    """The message in a line; None where JSON-RPC is silent: blank lines, broken notifications, broken responses.

    Raises:
        Refused: it is no message.
    """
    if line is None:
        raise Refused(INVALID_REQUEST, f"Invalid request: a message has at most {MAX_LINE} bytes")
    if not line.strip():
        return None
    try:
        value = from_json(line, allow_inf_nan=False)
    except ValueError:
        raise Refused(PARSE_ERROR, "Parse error: a line is JSON in UTF-8, at most 200 levels deep") from None
    if not isinstance(value, dict):
        raise Refused(INVALID_REQUEST, "Invalid request: a message is one JSON object, and there are no batches")
    return _checked(cast("dict[str, Any]", value))


def read_batch(line: bytes | None) -> list[JSONRPCMessage | Refused | None] | None:
    """The message in each part of a batch, as `read_message` has it; None where the line is no batch, but one message.

    Raises:
        Refused: it is a batch of nothing.
    """
    if not (line or b"").lstrip().startswith(b"["):
        return None
    try:
        values = from_json(line or b"", allow_inf_nan=False)
    except ValueError:
        return None
    if not values:
        raise Refused(INVALID_REQUEST, "Invalid request: a batch holds a message at least")
    return [_read_part(value) for value in values]


def _read_part(value: Any) -> JSONRPCMessage | Refused | None:
    try:
        if not isinstance(value, dict):
            raise Refused(INVALID_REQUEST, "Invalid request: a message is a JSON object")
        part = cast("dict[str, Any]", value)
        if part.get("method") == "initialize":
            raise Refused(INVALID_REQUEST, "Invalid request: initialize stands in no batch", part.get("id"))
        return _checked(part)
    except Refused as refused:
        return refused


def _checked(value: dict[str, Any]) -> JSONRPCMessage | None:
    request_id = value.get("id")
    if "method" not in value and ("result" in value or "error" in value):
        return _validated(value)
    if value.get("jsonrpc") != "2.0":
        raise Refused(INVALID_REQUEST, 'Invalid request: jsonrpc is "2.0"', request_id)
    if not isinstance(value.get("method"), str):
        raise Refused(INVALID_REQUEST, "Invalid request: it names no method", request_id)
    if "id" in value and not _is_id(request_id):
        raise Refused(INVALID_REQUEST, "Invalid request: an id is a string or an integer")
    if "id" in value and not isinstance(value.get("params"), dict | None):
        raise Refused(INVALID_PARAMS, "Invalid params: they are an object", request_id)
    return _validated(value)


def _validated(value: dict[str, Any]) -> JSONRPCMessage | None:
    kind = JSONRPCRequest if "id" in value else JSONRPCNotification
    try:
        return kind.model_validate(value) if "method" in value else jsonrpc_message_adapter.validate_python(value)
    except ValidationError:
        log.debug("Passed over a notification or a response that is none.")
        return None


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
