"""Turns a request into the bytes that are sent: encoded, and signed with the account's key."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlencode

import httpx2

from darkroom.providers.language.images import File
from darkroom.providers.language.requests import Prepared
from darkroom.providers.language.schema import Auth
from darkroom.transport.client import Call

TOKEN_S = 1800
"""Seconds for which a signed token is valid."""
_Part = tuple[None, str] | tuple[str, bytes, str]
"""The value of a field, or a file: its name, its bytes and its type."""
EARLY_S = 5
"""Seconds that another clock may be behind ours."""


def call_of(prepared: Prepared, at: str, auth: Auth, key: str | None) -> Call:
    """The request, signed; `at`: where it goes, judged where a service named it."""
    body = prepared.body
    if key is not None and auth.body is not None and body is not None:
        body = {**body, auth.body: key}
    content, kind = (None, {}) if body is None else _encoded(body, prepared.encoding)
    query = urlencode(prepared.query)
    at = f"{at}{'&' if '?' in at else '?'}{query}" if query else at
    return Call(prepared.method, at, content, {**kind, **prepared.headers, **signature(auth, key)})


def signature(auth: Auth, key: str | None, now: float | None = None) -> dict[str, str]:
    """The header that signs a request. `now`: seconds since 1970."""
    if key is None or auth.kind == "none" or auth.body is not None:
        return {}
    if auth.kind == "basic":
        return {auth.header: f"Basic {base64.b64encode(key.encode()).decode()}"}
    if auth.kind == "jwt-hs256":
        return {auth.header: f"{auth.prefix}{_token(key, time.time() if now is None else now)}"}
    return {auth.header: f"{auth.prefix}{key}"}


def _token(key: str, now: float) -> str:
    issuer, _, secret = key.partition(":")
    claims = {"iss": issuer, "exp": int(now) + TOKEN_S, "nbf": int(now) - EARLY_S}
    said = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{said}.{_unpadded(hmac.new(secret.encode(), said.encode(), hashlib.sha256).digest())}"


def _part(value: Mapping[str, Any]) -> str:
    return _unpadded(json.dumps(value, separators=(",", ":")).encode())


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _encoded(body: Mapping[str, Any], encoding: str) -> tuple[bytes, dict[str, str]]:
    if encoding == "json":
        return json.dumps(body, ensure_ascii=False).encode(), {"Content-Type": "application/json"}
    if encoding == "form":
        fields = {name: _field(value) for name, value in body.items()}
        return urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    request = httpx2.Request("POST", "http://localhost", files=list(_parts(body)))
    return request.read(), {"Content-Type": request.headers["content-type"]}


def _parts(body: Mapping[str, Any]) -> Iterator[tuple[str, _Part]]:
    """Each field as a part; each picture of several as one of its own under the same name."""
    for name, value in body.items():
        several = cast("list[Any]", value) if isinstance(value, list) else [value]
        if any(isinstance(each, File) for each in several):
            yield from ((name, (each.name, each.data, each.mime_type)) for each in several)
        else:
            yield name, (None, _field(value))


def _field(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
