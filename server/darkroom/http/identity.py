"""The caller: the tenant whom a bearer token names, kept where the SDK and the house look for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware, get_access_token
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.types import ASGIApp, Receive, Scope, Send

from darkroom.http.refusals import Refusal, said
from darkroom.http.throttle import Throttle
from darkroom.tenants import LOCAL, Tenant, Tenants

MAX_TOKEN = 8_192
NOT_GOOD = "The token is not good here, or not any more."


class Tokens(Protocol):
    """Tokens that somebody else issued."""

    challenge: str
    """The parameters of `WWW-Authenticate` that lead to the issuer."""

    async def subject(self, token: str) -> str | None:
        """The subject that the token names; None: it is not good here. Raises Refusal: that cannot be told now."""
        ...


class Unauthenticated(Refusal):
    """A request without a token that is good here."""

    def __init__(self, why: str, challenge: str, *, given: bool) -> None:
        super().__init__(401, why)
        named = 'error="invalid_token"' if given else ""
        how = ", ".join(filter(None, (named, challenge)))
        headers = {"www-authenticate": f"Bearer {how}".strip()}
        self.response = said(401, {"error": "invalid_token", "error_description": why}, headers)


@dataclass(frozen=True)
class Caller:
    """One who was let in, by the name of its tenant."""

    name: str
    of_token: Callable[[], Tenant | None] | None = None
    """The tenant whom its token names now; None: nobody needs one here."""

    @property
    def is_gone(self) -> bool:
        """True once the tenants file does not let it in any more, or in as somebody else."""
        tenant = self.of_token and self.of_token()
        return self.of_token is not None and (tenant is None or tenant.name != self.name)


class Identity:
    """Tells who asks. Without tenants, that is the one owner of this machine's ledger."""

    def __init__(self, tenants: Tenants | None, issued: Tokens | None = None) -> None:
        self._tenants = tenants
        self._issued = issued
        self._throttle = Throttle()

    async def caller(self, headers: Mapping[str, str], address: str) -> Caller:
        """The one whom its token names.

        Raises:
            Refusal: there is no good token, or too many bad ones came from this address.
        """
        if self._tenants is None:
            return Caller(LOCAL)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        token = token.strip()
        challenge = self._issued.challenge if self._issued else ""
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("A bearer token is needed.", challenge, given=False)
        if wait_s := self._throttle.wait_s(address, token):
            raise Refusal(429, "Too many wrong tokens came from your address.", retry_after_s=wait_s)
        caller = await self._named(self._tenants, token) if len(token) <= MAX_TOKEN else None
        if caller is None:
            self._throttle.failed(address)
            raise Unauthenticated(NOT_GOOD, challenge, given=True)
        self._throttle.succeeded(token)
        return caller

    async def _named(self, tenants: Tenants, token: str) -> Caller | None:
        if tenant := tenants.of_token(token):
            return Caller(tenant.name, lambda: tenants.of_token(token))
        subject = None if self._issued is None else await self._issued.subject(token)
        if subject is None:
            return None
        if tenant := tenants.of_subject(subject):
            return Caller(tenant.name, lambda: tenants.of_subject(subject))
        raise Refusal(403, "The token is good, but nobody here has its subject.")


def asking() -> str:
    """The one whose request this is."""
    token = get_access_token()
    return token.client_id if token else LOCAL


async def as_caller(app: ASGIApp, name: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Serves the request as one of this caller, for `asking` and for whatever the SDK binds to whom it came from."""
    user = AuthenticatedUser(AccessToken(token="", client_id=name, scopes=[]))
    await AuthContextMiddleware(app)({**scope, "user": user}, receive, send)
