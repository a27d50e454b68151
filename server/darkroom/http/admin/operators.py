"""The operators' own token, and the cookie that a browser has in its place, from which nobody learns the token."""

import hashlib
import hmac
import time
from collections.abc import Callable

from darkroom.http.identity import Unauthenticated
from darkroom.http.refusals import Refusal
from darkroom.http.throttle import Throttle

LASTS_S = 8 * 3600
"""Seconds for which a cookie is good."""


class Operators:
    """Tells whether an operator asks. `clock`: seconds since 1970."""

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._token = token.encode()
        self._clock = clock
        self._throttle = Throttle()

    def check(self, given: str, address: str) -> None:
        """Raises Refusal: it is not the token, or too many wrong ones came from this address."""
        if wait_s := self._throttle.wait_s(address, given):
            raise Refusal(429, "Too many wrong tokens came from your address.", retry_after_s=wait_s)
        if not hmac.compare_digest(_digest(given.encode(errors="replace")), _digest(self._token)):
            self._throttle.failed(address)
            raise Unauthenticated("This is not the operators' token.", "", given=True)
        self._throttle.succeeded(given)

    def cookie(self) -> str:
        """A fresh cookie: the second at which it ends, and a digest of that which only the token's owner can make."""
        return self._sealed(int(self._clock()) + LASTS_S)

    def knows(self, cookie: str) -> bool:
        """True where it is a cookie of this token's, and in time."""
        end = cookie.partition(".")[0]
        if not (end.isascii() and end.isdigit() and len(end) <= 12):
            return False
        good = hmac.compare_digest(self._sealed(int(end)).encode(), cookie.encode(errors="replace"))
        return good and self._clock() < int(end) <= self._clock() + LASTS_S

    def _sealed(self, end: int) -> str:
        return f"{end}.{hmac.new(self._token, f'darkroom operator until {end}'.encode(), 'sha256').hexdigest()}"


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
