"""Access tokens of an OAuth 2.1 issuer: this server takes those that are signed by it, for this server, and in time."""

from typing import Any

import jwt
from jwt.exceptions import PyJWTError

from darkroom.http.front import METADATA
from darkroom.http.keys import Keys
from darkroom.transport.http import Http

LEEWAY_S = 30
"""Seconds by which the issuer's clock may differ."""
MAX_SUBJECT = 255


class IssuedTokens:
    """See `Tokens`. `audience`: this server's own URL, as clients and the issuer know it."""

    def __init__(self, http: Http, issuer: str, audience: str, claim: str) -> None:
        self._keys = Keys(http, issuer)
        self._issuer = issuer
        self._audience = audience
        self._claim = claim
        origin, path = _split(audience)
        self.challenge = f'resource_metadata="{origin}{METADATA}{path}"'
        self.metadata = {
            "resource": audience,
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
        }
        """Its description as a protected resource (RFC 9728)."""

    async def subject(self, token: str) -> str | None:
        """See `Tokens`."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.key(name)
            if key is None:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (PyJWTError, ValueError, TypeError, RecursionError):
            return None
        subject = claims.get(self._claim)
        return subject if isinstance(subject, str) and 0 < len(subject) <= MAX_SUBJECT else None


def _split(url: str) -> tuple[str, str]:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", f"{slash}{path}".rstrip("/")
