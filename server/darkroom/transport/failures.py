"""The one boundary where HTTP's failures become ours: exceptions, statuses, and bodies that may be anything."""

import os
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from darkroom.environment import proxies_of
from darkroom.errors import (
    DarkroomError,
    InvalidRequest,
    Moderated,
    NotFound,
    OutcomeUnknown,
    PaymentRequired,
    PlanRequired,
    ProviderError,
    ProviderUnreachable,
    RateLimited,
    Unauthorized,
)
from darkroom.models import Charged
from darkroom.redact.secrets import Redactor
from darkroom.redact.text import clean, quote
from darkroom.transport.reasons import (
    codes_in,
    ids_in,
    is_moderation,
    is_payment,
    is_plan,
    lenient_json,
    text_of,
    words_in,
)


class NotSetUp(httpx2.ConnectError):
    """No client can be made of what the environment says. The text names the variable, never its value, which may
    hold a password.
    """


# Raised while a connection is being made, so no byte of the request has left: refused, DNS, TLS, no free slot.
# Everything that is not in this list may have reached the provider, a plain OSError or SSLError among it.
NOT_SENT = (
    ConnectionRefusedError,
    socket.gaierror,
    ssl.SSLCertVerificationError,
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
)
MAX_RETRY_AFTER_S = 3600.0
# The client is to repeat its POST elsewhere, or is sent to a place that takes none: this one has not looked at it.
# 303 is not among them: it says that the POST was taken, and where to read what came of it.
UNPROCESSED_REDIRECTS = {301, 302, 307, 308}
# Said by gateways and balancers too, which may have passed the request on: a time limit, 0-RTT, a caller that closed.
FROM_GATEWAYS = {408, 425, 499}
# What frameworks and gateways say of a path that they do not have, in place of the API.
_NO_SUCH_PATH = re.compile(
    r"(?:404:? )?(?:page |url |path |resource )?not found[.!]?|(?:http )?method not allowed[.!]?|cannot post \S+"
    r"|no route\b.*|.{0,80}\b(?:route|endpoint)\b.{0,80}\bnot found[.!]?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Answer:
    """An HTTP response, read whole. Its headers are asked for in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """True where the status is in the 200s."""
        return 200 <= self.status < 300

    def json_value(self, redact: Redactor) -> Any:
        """The body as JSON, with every secret that the provider repeats taken out of it. Raises ValueError."""
        value = lenient_json(self.body)
        return value if redact.is_clear(text_of(self.body)) else redact.value(value)

    def json_object(self, title: str, redact: Redactor) -> dict[str, Any]:
        """The body as a JSON object, with every secret that the provider repeats taken out of it.

        Raises:
            ProviderError: it is not one.
        """
        try:
            value = self.json_value(redact)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ProviderError(
                f"{title} returned {self.status} with {'a web page' if self.is_page else 'something'} that is not a "
                "JSON object",
                next_step="Try again in a minute.",
            )
        return value  # pyright: ignore[reportUnknownVariableType] - keys of a JSON object are strings

    @property
    def is_page(self) -> bool:
        """True where it is a page for browsers, which no API sends: something else responded in its place."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind in {"text/html", "application/xhtml+xml"} or self.body[:400].lstrip().lower().startswith(
            (b"<!doctype html", b"<html")
        )

    def said(self, redact: Redactor) -> tuple[str, str]:
        """The provider's own words for people and for programs, wherever it put them; empty: none worth repeating."""
        try:
            value = lenient_json(self.body)
        except (ValueError, RecursionError):
            text = self.body.decode("utf-8", "replace")
            # A page is for browsers, and broken JSON may have been cut in the middle of a key.
            return "" if "<" in text or text.lstrip()[:1] in {"{", "[", '"'} else clean(redact(text)), ""
        # Where no field has a name that we know: {"prompt": ["is too long"]}, {"data": {"message": "…"}}.
        return clean(redact(words_in(value) or words_in([value]))), codes_in(value)


def of_submit(title: str, error: Exception, *, sent: bool) -> DarkroomError:
    """The error for an exception in a POST: nothing sent, or nobody knows. `sent`: the request had begun to leave."""
    if not sent or isinstance(error, NOT_SENT):
        return _unreachable(title, error)
    return unknown_outcome(title, f"the connection failed before a response came ({kind(error)})")


def of_read(title: str, error: Exception) -> DarkroomError:
    """The meaning of an exception during a read; every one of them may be tried again."""
    if isinstance(error, (*NOT_SENT, httpx2.NetworkError, httpx2.TimeoutException, OSError)):
        return _unreachable(title, error)
    return ProviderError(
        f"{title} broke off its response ({kind(error)})", next_step="Try again in a minute; nothing is lost."
    )


def unknown_outcome(title: str, what: str) -> OutcomeUnknown:
    """The error for a POST of which nobody can say whether it started a job."""
    return OutcomeUnknown(
        f"The request was sent to {title}, but {what}. It may have started and been charged",
        charged=Charged.MAYBE,
        next_step=f"Look in the {title} account's own gallery and credits before generating this again; "
        "Darkroom will not send it a second time.",
    )


def nameless(title: str, value: Any, redact: Redactor, says: str = "") -> OutcomeUnknown:
    """The error for a POST that was taken with a response that has no job's id where it belongs.

    Whatever ids it has are repeated: by one of them a person may find the job. `says`: the words of the response.
    """
    ids = ids_in(value)
    if not ids:
        return unknown_outcome(title, f"its response names no job{says}")
    said = says if words_in(value) else ""  # else they are all of its fields, and those that matter are named already
    return unknown_outcome(
        title, f"its response names no job where its id belongs{said}; the ids in it are {quote(redact(ids))}"
    )


def of_post(title: str, key_variable: str, url: str, answer: Answer, redact: Redactor) -> DarkroomError:
    """The meaning of a status outside the 200s for a POST to `url`: refused and not charged, or nobody knows."""
    location = answer.headers.get("location")
    if answer.status in UNPROCESSED_REDIRECTS and location:
        to = place(urljoin(url, location), redact)
        return ProviderError(
            f"{title} returned {answer.status}: its API is not there but at {to}. Darkroom does not follow, so nothing "
            "was started",
            next_step=f"Correct {_base_url(key_variable)} and start the server again.",
        )
    error = of_answer(title, key_variable, answer, redact)
    if not 400 <= answer.status < 500 or answer.status in FROM_GATEWAYS:
        return unknown_outcome(title, error.message)
    reason = answer.said(redact)[0]
    if answer.status in {404, 405} and (answer.is_page or not reason or _NO_SUCH_PATH.fullmatch(reason)):
        known = "" if answer.is_page or not reason else f" Else: {error.next_step}"
        error.next_step = (
            f"{_base_url(key_variable)} may be wrong: there may be no API at {place(url, redact)}. If so, correct "
            f"it and start the server again.{known}"
        )
    return error


def of_look(title: str, key_variable: str, answer: Answer, redact: Redactor) -> DarkroomError:
    """The meaning of a status outside the 200s for a read.

    A page says nothing of what was asked about: it comes from something in front of the API.
    """
    if answer.is_page and 400 <= answer.status < 500 and answer.status not in {401, 402, 429}:
        return ProviderError(
            f"{title} returned {answer.status} with a web page, which its API does not send",
            next_step=f"Try again in a minute; nothing is lost. If it stays so, check {_base_url(key_variable)}.",
        )
    return of_answer(title, key_variable, answer, redact)


def of_answer(title: str, key_variable: str, answer: Answer, redact: Redactor) -> DarkroomError:
    """The meaning of a status outside the 200s, with the provider's words marked as its own."""
    reason, codes = answer.said(redact)
    meant = f"{reason} {codes}"
    said = f"{title} returned {answer.status}" + (f" and says: {quote(reason)}" if reason else "")
    status = answer.status
    no_credits = f"Buy credits in the {title} account, or use another provider."
    if status == 429:
        if is_payment(meant):
            return PaymentRequired(said, next_step=no_credits)
        return RateLimited(
            said,
            next_step="Darkroom waits and tries again by itself.",
            retry_after=retry_after(answer.headers),
        )
    if 300 <= status < 400:
        to = place(answer.headers.get("location", ""), redact)
        return ProviderError(f"{said}: a redirect to {to}", next_step=f"Check {_base_url(key_variable)}.")
    if status >= 500 or status < 400 or status in FROM_GATEWAYS:
        return ProviderError(said, next_step="Try again in a minute.")
    if status == 401:
        return Unauthorized(said, next_step=f"Put a valid key into {key_variable} and start the server again.")
    if status == 402:
        return PaymentRequired(said, next_step=no_credits)
    if status == 403 and (answer.is_page or "cf-mitigated" in answer.headers):
        return ProviderError(
            f"{title} returned 403 with a web page: something in front of its API does not let this machine through",
            next_step=f"Try from another network or without a VPN, and check {_base_url(key_variable)}.",
        )
    if is_moderation(meant):
        return Moderated(said, next_step="Reword the prompt and generate again.")
    if status == 403 or (status == 400 and is_plan(reason)):
        return PlanRequired(said, next_step=f"Change the {title} plan, or choose another model or provider.")
    if status in {404, 410}:
        return NotFound(said, next_step="Check the ids that were given, and that the key is of the right account.")
    return InvalidRequest(said, next_step="Correct what the provider names and generate again.")


def _base_url(key_variable: str) -> str:
    return re.sub("_(API_)?KEY$", "_BASE_URL", key_variable)


def place(url: str, redact: Redactor) -> str:
    """The server and path of a URL, for people: without user, query and fragment, which may hold secrets."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return (
            quote(redact(f"{parts.scheme}://{parts.hostname}{port}{parts.path}"), 200) if parts.hostname else "nowhere"
        )
    except ValueError:
        return "a place that cannot be read"


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or an HTTP date), capped; else None."""
    wait = _number(headers.get("retry-after-ms"), 0.001)
    stated = headers.get("retry-after")
    if wait is None:
        wait = _number(stated, 1.0)
    if wait is None and stated:
        try:
            until = parsedate_to_datetime(stated)
        except (ValueError, TypeError, OverflowError):
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        wait = (until - (now or datetime.now(UTC))).total_seconds()
    return None if wait is None else min(max(wait, 0.0), MAX_RETRY_AFTER_S)


def _number(text: str | None, unit: float) -> float | None:
    found = re.fullmatch(r"[ \t]*(\d{1,300}(?:\.\d{1,300})?)[ \t]*", text or "", re.ASCII)
    return float(found[1]) * unit if found else None


def _unreachable(title: str, error: Exception) -> ProviderUnreachable:
    check = "Check the network and the provider's base URL"
    named = sorted(proxies_of(os.environ))  # the HTTP client reads them there as well
    if isinstance(error, NotSetUp):
        check = "Correct it and start the server again"
    elif named:
        check = f"Check the network, the proxy that {' or '.join(named)} names, and the provider's base URL"
    return ProviderUnreachable(
        f"{title} could not be reached ({kind(error)})", next_step=f"{check}; nothing was charged."
    )


def kind(error: Exception) -> str:
    """The shown form of an exception: not its own text, which may hold a URL with a password."""
    return str(error) if isinstance(error, NotSetUp) else type(error).__name__
