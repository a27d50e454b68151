"""The one boundary where HTTP's failures become ours: exceptions, statuses, and bodies that may be anything."""

import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

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
from darkroom.redact import Redactor, clean, quote

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


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read whole. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is in the 200s."""
        return 200 <= self.status < 300

    def json_object(self, title: str, redact: Redactor) -> dict[str, Any]:
        """The body as a JSON object, with every secret that the provider repeats taken out of it.

        Raises:
            ProviderError: it is not one.
        """
        try:
            value = redact.value(json.loads(self.body, parse_constant=_no_number))
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ProviderError(
                f"{title} answered {self.status} with something that is not a JSON object",
                next_step="Try again in a minute.",
            )
        return value  # pyright: ignore[reportUnknownVariableType] - keys of a JSON object are strings

    def reason(self, redact: Redactor) -> str:
        """The provider's own words, wherever it put them; empty where there are none worth repeating."""
        text = self.body.decode("utf-8", "replace")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            # A page is for browsers, and broken JSON may have been cut in the middle of a key.
            return "" if "<" in text or text.lstrip()[:1] in {"{", "[", '"'} else clean(redact(text))
        for key in ("error", "message", "detail"):
            found = value.get(key) if isinstance(value, dict) else None  # pyright: ignore
            found = found.get("message") if isinstance(found, dict) else found  # pyright: ignore
            if isinstance(found, str) and found.strip():
                return clean(redact(found))
        return ""


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def of_submit(title: str, error: Exception) -> DarkroomError:
    """What an exception during a POST means: nothing sent, or nobody knows."""
    if isinstance(error, NOT_SENT):
        return _unreachable(title, error)
    return unknown_outcome(title, f"the connection failed before an answer came ({_kind(error)})")


def of_read(title: str, error: Exception) -> DarkroomError:
    """What an exception during a read means; every one of them may be tried again."""
    if isinstance(error, (*NOT_SENT, httpx2.NetworkError, httpx2.TimeoutException, OSError)):
        return _unreachable(title, error)
    return ProviderError(
        f"{title} broke off its answer ({_kind(error)})", next_step="Try again in a minute; nothing is lost."
    )


def unknown_outcome(title: str, what: str) -> OutcomeUnknown:
    """The error for a POST of which nobody can say whether it started a job."""
    return OutcomeUnknown(
        f"The request was sent to {title}, but {what}. It may have started and been charged",
        charged=Charged.MAYBE,
        next_step=f"Look in the {title} account's own gallery and credits before generating this again; "
        "Darkroom will not send it a second time.",
    )


def of_answer(title: str, key_variable: str, answer: Answer, redact: Redactor) -> DarkroomError:
    """What a status outside the 200s means, with the provider's words marked as its own."""
    reason = answer.reason(redact)
    said = f"{title} answered {answer.status}" + (f" and says: {quote(reason)}" if reason else "")
    status = answer.status
    if status == 429:
        return RateLimited(
            said,
            next_step="Darkroom waits and tries again by itself.",
            retry_after=retry_after(answer.headers),
        )
    if status >= 500 or status < 400:
        return ProviderError(said, next_step="Try again in a minute.")
    if status == 401:
        return Unauthorized(said, next_step=f"Put a valid key into {key_variable} and start the server again.")
    if status == 402:
        return PaymentRequired(said, next_step=f"Buy credits in the {title} account, or use another provider.")
    if status == 403 or (status == 400 and re.search(r"\b(plan|subscription|upgrade)\b", reason, re.I)):
        return PlanRequired(said, next_step=f"Change the {title} plan, or choose another model or provider.")
    if status == 404:
        return NotFound(said, next_step="Check the ids that were given, and that the key is of the right account.")
    if re.search(r"moderat|flagged|safety|nsfw|content policy", reason, re.I):
        return Moderated(said, next_step="Reword the prompt and generate again.")
    return InvalidRequest(said, next_step="Correct what the provider names and generate again.")


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
    return float(text) * unit if text and re.fullmatch(r"\d{1,300}(\.\d{1,300})?", text.strip(), re.ASCII) else None


def _unreachable(title: str, error: Exception) -> ProviderUnreachable:
    return ProviderUnreachable(
        f"{title} could not be reached ({_kind(error)})",
        next_step="Check the network and the provider's base URL; nothing was charged.",
    )


def _kind(error: Exception) -> str:
    # The exception's own text may hold a URL with a password, so only its kind is told.
    return type(error).__name__
