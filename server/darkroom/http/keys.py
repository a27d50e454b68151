"""The keys with which an issuer signs its tokens, found through its metadata, and kept for a while."""

import logging
import math
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import anyio
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from darkroom.http.options import is_safe
from darkroom.http.refusals import Refusal
from darkroom.transport.documents import document
from darkroom.transport.http import Http

log = logging.getLogger(__name__)

FRESH_S = 3600.0
"""Seconds after which known keys are read anew."""
KEPT_S = 24 * 3600.0
"""Seconds for which they are used where that fails."""
AGAIN_AFTER_S = 30.0
"""Seconds between two reads, whatever keys tokens name."""
MAX_DOCUMENT = 256 * 1024
MAX_KEYS = 100
MIN_RSA_BITS = 2048


class Keys:
    """Those of one issuer. Its metadata is read as OAuth has it (RFC 8414), or else OpenID Connect."""

    def __init__(self, http: Http, issuer: str) -> None:
        self._http = http
        self._issuer = issuer
        self._known: dict[str, PyJWK] = {}
        self._read_at = self._tried_at = -math.inf
        self._one_at_a_time = anyio.Lock()

    async def key(self, name: str | None) -> PyJWK | None:
        """The key of this name; of a token that names none, the only one. None: the issuer has none such.

        Raises:
            Refusal: its keys cannot be read now.
        """
        found, age_s = self._found(name), time.monotonic() - self._read_at
        if found is None or (age_s > FRESH_S and not self._one_at_a_time.locked()):
            async with self._one_at_a_time:
                if time.monotonic() - self._tried_at >= AGAIN_AFTER_S:
                    self._tried_at = time.monotonic()
                    await self._read()
            found = self._found(name)
        if time.monotonic() - self._read_at > KEPT_S:
            raise Refusal(503, "The keys of the issuer of tokens cannot be read now.", retry_after_s=AGAIN_AFTER_S)
        return found

    def _found(self, name: str | None) -> PyJWK | None:
        if name is None:
            return next(iter(self._known.values())) if len(self._known) == 1 else None
        return self._known.get(name)

    async def _read(self) -> None:
        url = await self._url()
        listed = url and await document(self._http, url, most=MAX_DOCUMENT)
        if isinstance(listed, dict) and isinstance(keys := cast("dict[str, Any]", listed).get("keys"), list):
            usable = map(_usable, cast("list[Any]", keys)[:MAX_KEYS])
            self._known = {key.key_id or "": key for key in usable if key is not None}
            self._read_at = time.monotonic()
        else:
            log.warning("The issuer %s has no keys to be read now", self._issuer)

    async def _url(self) -> str | None:
        """The place of the keys, from the issuer's own metadata."""
        parts = urlsplit(self._issuer)
        origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        for place in (f"/.well-known/oauth-authorization-server{path}", f"{path}/.well-known/openid-configuration"):
            about = await document(self._http, origin + place, most=MAX_DOCUMENT)
            match about:
                case {"issuer": self._issuer, "jwks_uri": str(url)} if is_safe(url):
                    return url
                case _:
                    continue
        return None


def _usable(data: Any) -> PyJWK | None:
    """The key, if it is one for signatures that are taken here."""
    if not isinstance(data, dict):
        return None
    described = cast("Mapping[str, Any]", data)
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(described.get("kty")))
    if algorithm is None or described.get("use", "sig") != "sig" or described.get("alg", algorithm) != algorithm:
        return None
    if algorithm == "ES256" and described.get("crv") != "P-256":
        return None
    try:
        key = PyJWK(dict(described), algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None
    return None if algorithm == "RS256" and key.key.key_size < MIN_RSA_BITS else key
