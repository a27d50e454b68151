"""A look at whether a server responds at all: unsigned, so that nobody is charged and no key is tried."""

import time
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import anyio
import httpx2

from darkroom.redact.secrets import Redactor
from darkroom.transport import failures
from darkroom.transport.egress import proxy_for
from darkroom.transport.http import READ_TIMEOUT, Http

WITHIN_S = 10.0


@dataclass(frozen=True)
class Reached:
    """A response. `ahead_s`: seconds that this machine's clock is ahead of the server's; None: it names no date.

    `page`: it is a page for browsers. `onward`: the place that it redirects to, for people, which was not asked.
    `proxy`: the host and port of the one that was asked; None: none was.
    """

    status: int
    ahead_s: float | None
    page: bool
    onward: str | None
    proxy: str | None


async def reach(http: Http, title: str, url: str) -> Reached:
    """GETs the URL once, whatever it returns; of a URL with a user and password, a gateway is sent those.

    Raises:
        ProviderUnreachable, ProviderError: no response came within 10 s.
    """
    try:
        with anyio.fail_after(WITHIN_S):
            request = http.fresh.build_request("GET", url, timeout=READ_TIMEOUT)
            response = await http.fresh.send(request, stream=True)
            now = time.time()
            with anyio.CancelScope(shield=True):
                await response.aclose()
    except Exception as error:
        raise failures.of_read(title, error) from error
    # Secrets are taken out of whole findings.
    onward = failures.place(str(response.next_request.url), Redactor([])) if response.next_request else None
    return Reached(response.status_code, _ahead(response, now), _is_page(response), onward, _proxy_of(url))


def _ahead(response: httpx2.Response, now: float) -> float | None:
    try:
        date = parsedate_to_datetime(response.headers["date"])
        return now - (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _is_page(response: httpx2.Response) -> bool:
    return failures.Answer(response.status_code, dict(response.headers), b"").is_page


def _proxy_of(url: str) -> str | None:
    parts = urlsplit(url)
    proxy = proxy_for(parts.hostname or "", parts.scheme)
    return urlsplit(proxy).netloc.rpartition("@")[2] if proxy else None
