"""Messages that the SDK is sure to take as they are meant; whatever is not among them is for the SDK to judge."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

Json = dict[str, Any]

DEEPEST = 100
"""Brackets in a line: more may be nested too deeply for one parser, and not for another."""
PREFIX = "io.modelcontextprotocol/"
VERSION, CLIENT, CAPABILITIES = f"{PREFIX}protocolVersion", f"{PREFIX}clientInfo", f"{PREFIX}clientCapabilities"
_INITIALIZED: Json = {"jsonrpc": "2.0", "method": "notifications/initialized"}
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def read(line: bytes) -> Json | None:
    """The object in this line; None where parsers might differ about it, or it is none."""
    if line.count(b"{") + line.count(b"[") > DEEPEST or b"\\u" in line:
        return None
    try:
        value = json.loads(line.decode(), parse_float=_doubtful, parse_constant=_doubtful, parse_int=_whole)
    except ValueError:
        return None
    return cast("Json", value) if isinstance(value, dict) else None


def is_request(message: Json) -> bool:
    """True where it is a request with an id that everybody reads alike, and no member that is not known."""
    return (
        message.keys() <= {"jsonrpc", "id", "method", "params"}
        and message.get("jsonrpc") == "2.0"
        and is_name(message.get("id"))
        and isinstance(message.get("method"), str)
        and isinstance(message.get("params", {}), dict)
    )


def is_initialized(message: Json) -> bool:
    """True where it is the notification that ends the handshake."""
    return message in (_INITIALIZED, {**_INITIALIZED, "params": {}})


def is_name(value: Any) -> bool:
    """True where it can be an id or a progress token."""
    if isinstance(value, str):
        return _ID.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def is_greeting(params: Json, versions: Iterable[str]) -> bool:
    """True where these are the params of an `initialize` that speaks one of these versions."""
    return (
        set(params) == {"protocolVersion", "capabilities", "clientInfo"}
        and params["protocolVersion"] in versions
        and is_client(params["clientInfo"])
        and are_capabilities(params["capabilities"])
    )


def is_plain(params: Json) -> bool:
    """True where the params ask nothing in particular; a progress token may be there."""
    meta = params.get("_meta", {})
    return params.keys() <= {"_meta"} and isinstance(meta, dict) and _is_token(cast("Json", meta))


def is_enveloped(params: Json) -> bool:
    """The same, in the envelope of 2026-07-28."""
    meta = params.get("_meta")
    if set(params) != {"_meta"} or not isinstance(meta, dict):
        return False
    rest = dict(cast("Json", meta))
    version, client, capabilities = rest.pop(VERSION, None), rest.pop(CLIENT, None), rest.pop(CAPABILITIES, None)
    return version == "2026-07-28" and is_client(client) and are_capabilities(capabilities) and _is_token(rest)


def is_client(value: Any) -> bool:
    """True where it says who the client is."""
    if not isinstance(value, dict):
        return False
    client = cast("Json", value)
    optional = client.keys() - {"name", "version"}
    whole = len(client) == len(optional) + 2 and optional <= {"title", "description", "websiteUrl"}
    return whole and all(isinstance(each, str) for each in client.values())


def are_capabilities(value: Any) -> bool:
    """True where it says what the client can do."""
    if not isinstance(value, dict):
        return False
    declared = cast("Json", value)
    return all(name in _CAPABILITIES and _CAPABILITIES[name](each) for name, each in declared.items())


def _is_token(meta: Mapping[str, Any]) -> bool:
    return not meta or (set(meta) == {"progressToken"} and is_name(meta["progressToken"]))


def _objects(value: Any) -> bool:
    """Objects within objects, and nothing else."""
    return isinstance(value, dict) and all(map(_objects, cast("Json", value).values()))


def _by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, dict) for each in cast("Json", value).values())


def _roots(value: Any) -> bool:
    return isinstance(value, dict) and (not value or isinstance(cast("Json", value).get("listChanged"), bool))


def _extensions(value: Any) -> bool:
    if not _by_name(value):
        return False
    types = [each["mimeTypes"] for each in cast("Json", value).values() if "mimeTypes" in each]
    return all(isinstance(names, list) and all(isinstance(n, str) for n in cast("list[Any]", names)) for names in types)


_CAPABILITIES = {
    "roots": _roots, "sampling": _objects, "elicitation": _objects, "tasks": _objects,
    "experimental": _by_name, "extensions": _extensions,
}  # fmt: skip


def _whole(text: str) -> int:
    return _doubtful(text) if text == "-0" else int(text)


def _doubtful(text: str) -> Any:
    raise ValueError(text)
