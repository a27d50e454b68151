"""Answers a connection's first requests as the server would, which is given the same messages as soon as it stands."""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from darkroom.blanks import filled
from darkroom.doorman import shapes
from darkroom.doorman.shapes import Json
from darkroom.doorman.snapshot import results
from darkroom.extensions.clients import KNOWN, listed, shows_pages
from darkroom.providers.offered import OFFERED
from darkroom.stdio.wire import Wire

MAX_SAID = 32 * 1024
"""Bytes that are said in all: every pipe takes so many though nobody reads them."""
IN_CODE = ("", "fatthumb", "betterwaifu", "sketch")
"""Values that DARKROOM_PROVIDER may have without another provider being there than always."""
MAX_RECORD = 100_000
"""Bytes of a record of kept keys; a server reads no larger one."""
ECHO = 8
"""From so many characters on a part of a secret would be taken out of what the server says."""
HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
_KEPT = re.compile(rb"^\[([a-z0-9-]+)\]", re.M)
LEGACY, MODERN = "legacy", "2026-07-28"


class _Doorman:
    """A pure function of the lines so far. What he is not sure of he leaves to the server, with all that depends on it.

    `known`: for each era, by method, what the server returns. `environ`: it may hold secrets, which are not repeated.
    """

    def __init__(self, known: Mapping[str, Mapping[str, Json]], environ: Mapping[str, str]) -> None:
        self._results = known
        self._unsaid = "\n".join(environ.values()).lower()
        changed = any(_changes_tools(name, value) for name, value in filled(environ).items())
        self._left_alone = {"tools/list"} if changed else set[str]()
        self._environ = environ
        self._era: str | None = None
        self._client: Json | None = None
        self._ids = set[Any]()
        self._said = 0
        self._silent = False

    def answer(self, line: bytes | None) -> bytes | None:
        """The response; b"" where there is none to come; None: the server is to say it."""
        if self._silent:
            return None
        if line is not None and not line.strip():
            return b""
        message = shapes.read(line or b"")
        if message is None:
            return self._fall_silent()
        if "id" not in message:
            return b"" if shapes.is_initialized(message) else None
        if not shapes.is_request(message) or message["id"] in self._ids or self._echoes(message["id"]):
            return self._fall_silent()
        self._ids.add(message["id"])
        result = self._result(message["method"], message.get("params", {}))
        if result is None:
            return None
        response = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        said = json.dumps(response, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self._said += len(said)
        return said if self._said <= MAX_SAID else self._fall_silent()

    def _fall_silent(self) -> None:
        self._silent = True

    def _echoes(self, name: Any) -> bool:
        text = name.lower() if isinstance(name, str) else ""
        return any(text[at : at + ECHO] in self._unsaid for at in range(len(text) - ECHO + 1))

    def _result(self, method: str, params: Json) -> Json | None:
        if method == "initialize":
            return self._initialized(params)
        if self._era == LEGACY or (self._era is None and method == "ping"):
            return self._legacy(method, params)
        if self._era == MODERN or shapes.is_enveloped(params):
            return self._modern(method, params)
        return self._fall_silent()  # the first request decides the era, and this one is not understood

    def _initialized(self, params: Json) -> Json | None:
        if self._era == MODERN or self._client is not None or not shapes.is_greeting(params, HANDSHAKE):
            return self._fall_silent()
        self._era = LEGACY
        self._client = {shapes.CLIENT: params["clientInfo"], shapes.CAPABILITIES: params["capabilities"]}
        return {**self._results[LEGACY]["initialize"], "protocolVersion": params["protocolVersion"]}

    def _legacy(self, method: str, params: Json) -> Json | None:
        if not shapes.is_plain(params):
            return None if self._client else self._fall_silent()
        self._era = LEGACY
        if method == "ping":
            return {}
        return self._known(LEGACY, method, self._client) if self._client else None

    def _modern(self, method: str, params: Json) -> Json | None:
        self._era = MODERN
        return self._known(MODERN, method, params["_meta"]) if shapes.is_enveloped(params) else None

    def _known(self, era: str, method: str, client: Json) -> Json | None:
        result = self._results[era].get(method)
        if result is None or method in self._left_alone or method == "initialize":
            return None
        if method != "tools/list":
            return result
        others = {*_kept_here(self._environ)} - {*IN_CODE}
        if others - {*OFFERED}:
            return None  # perhaps there is no file of that name any more
        tools = [_without_names(tool) for tool in result["tools"]] if others else result["tools"]
        suits = KNOWN.get(client[shapes.CLIENT]["name"])
        pages = shows_pages(client[shapes.CAPABILITIES].get("extensions"))
        return {**result, "tools": listed(tools, pages=pages, structured=not suits or "structured" in suits)}


def _changes_tools(variable: str, value: str) -> bool:
    """True where the list of tools may be another one because of it: results are cut, or another provider is there."""
    if variable == "DARKROOM_PROVIDER":
        return value.strip().lower() not in IN_CODE
    own = variable.startswith("DARKROOM_") and variable.endswith(("_KEY", "_BASE_URL", "_LIMITS"))
    return own or variable == "DARKROOM_RESULTS" or variable in OFFERED.values()


def _kept_here(environ: Mapping[str, str]) -> Iterable[str]:
    """The services whose keys `setup` keeps for this user; the keys themselves are not asked for."""
    home = filled(environ).get("DARKROOM_HOME", "").strip()
    try:
        if not home:
            import platformdirs  # noqa: PLC0415 - the server needs it too then, and imports it in these moments

            home = platformdirs.user_data_dir("darkroom", appauthor=False)
        with open(os.path.join(os.path.expanduser(home), "keys.toml"), "rb") as record:  # noqa: PTH118, PTH111, PTH123
            return {name.decode() for name in _KEPT.findall(record.read(MAX_RECORD))}
    except (OSError, ValueError, RuntimeError):  # the last: this user has no home folder
        return ()


def _without_names(tool: Json) -> Json:
    """The tool as it is where there are more providers than it names."""
    schema = tool["inputSchema"]
    if "provider" not in schema["properties"]:
        return tool
    provider = {key: value for key, value in schema["properties"]["provider"].items() if key != "enum"}
    return {**tool, "inputSchema": {**schema, "properties": {**schema["properties"], "provider": provider}}}


def receive(wire: Wire, environ: Mapping[str, str], leave: Callable[[], None]) -> None:
    """Puts a doorman at the wire, where he knows what this server says; see `Wire.attend`."""
    known = results()
    if known is not None:
        wire.attend(_Doorman(known, environ).answer, leave)
