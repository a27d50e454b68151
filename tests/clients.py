"""Provider clients built as the composition root builds them, and every way in which an exchange can end badly."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

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
from darkroom.models import Charged, GenerationRequest
from darkroom.providers.base import Provider
from darkroom.providers.declared import read_settings
from darkroom.providers.registry import build
from darkroom.redact.secrets import Redactor
from darkroom.transport.client import MAX_ANSWER
from darkroom.transport.http import open_http
from tests.hosts import PATIENCE_S
from tests.services.base import Service
from tests.services.faults import Answer, CutBody, CutJson, Fault, Flood, Html, Raw, Reset

MODERATED = "Your prompt was flagged by moderation. Please revise and try again."
_TROUBLE = "Ünï 🦊👩‍🚀 \u202eשלום\u202c مرحبا\r\n\ttab \\ \" ' </script> \x7f\u2028"
LONG_PROMPT = _TROUBLE + "长" * (10_000 - len(_TROUBLE))


class OpenDoor:
    """The door of an account that has no limit."""

    async def draw(self) -> None:
        return

    async def draw_now(self) -> bool:
        return True

    def close(self, seconds: float) -> None:
        return


@asynccontextmanager
async def provider_at(service: Service[Any], *, key: str | None = None, user: str = "") -> AsyncGenerator[Provider]:
    """The client of this service; `user` (`name:password`, percent-encoded) goes into the base URL."""
    name = type(service).__name__
    url = service.url.replace("://", f"://{user}@") if user else service.url
    settings = read_settings(
        {
            f"{name.upper()}_API_KEY": key or service.key,
            f"{name.upper()}_BASE_URL": url,
            "DARKROOM_HOME": str(Path("nowhere")),
            "DARKROOM_PICTURES": str(Path("nowhere")),
        }
    )
    async with open_http() as http:
        yield build(settings, http, Redactor(settings.secrets), lambda _: OpenDoor()).provider(name.lower())


def asked(provider: Provider, prompt: str = "A fox", **wishes: Any) -> GenerationRequest:
    """A request as the service hands it to a provider: checked, and with defaults filled in."""
    return provider.check(unchecked(provider, prompt, **wishes))


def unchecked(provider: Provider, prompt: str = "A fox", **wishes: Any) -> GenerationRequest:
    """A request as a caller might make it."""
    fields: dict[str, Any] = {"model": "", **wishes}
    return GenerationRequest(provider=provider.name, prompt=prompt, **fields)


async def refusal(call: Awaitable[object]) -> DarkroomError:
    """The error in which the call must end; it says what happened and what to do next."""
    with anyio.fail_after(PATIENCE_S), pytest.raises(DarkroomError) as caught:
        await call
    assert caught.value.message.strip()
    assert caught.value.next_step.strip()
    return caught.value


def holds_part_of(secret: str, text: str, length: int = 12) -> bool:
    """Whether any `length` characters in a row of the secret are in the text."""
    return any(secret[start : start + length] in text for start in range(len(secret) - length + 1))


@dataclass(frozen=True)
class Ending:
    """A fault, the error it must become, and how many jobs the service started all the same."""

    fault: Fault
    error: type[DarkroomError] | tuple[type[DarkroomError], ...]
    charged: Charged = Charged.NO
    accepted: int = 0


def _said(status: int, words: str = "no") -> Answer:
    return Answer(status, json={"error": words})


def _unknown(fault: Fault, accepted: int = 0) -> Ending:
    return Ending(fault, OutcomeUnknown, Charged.MAYBE, accepted)


def _named(value: object) -> Answer:
    return Answer(200, json={"generationId": value, "id": value})


_DEEP = "[" * 100_000
_VALID = b'{"generationId": "x", "id": "x", "status": "processing", "models": []}'

SUBMIT_ENDINGS: dict[str, Ending] = {
    "400": Ending(_said(400, "steps is out of range"), InvalidRequest),
    "400 moderated": Ending(_said(400, MODERATED), Moderated),
    "400 without a plan": Ending(_said(400, "gpt-image-2 needs a paid plan"), PlanRequired),
    "400 without JSON": Ending(Html(400), InvalidRequest),
    "401": Ending(_said(401), Unauthorized),
    "402": Ending(_said(402), PaymentRequired),
    "403": Ending(_said(403), PlanRequired),
    "403 page": Ending(Html(403), ProviderError),
    "404": Ending(_said(404), NotFound),
    "404 page": Ending(Html(404), NotFound),
    "408": _unknown(_said(408)),
    "422": Ending(_said(422), InvalidRequest),
    "425": _unknown(_said(425)),
    "429": Ending(_said(429), RateLimited),
    "429 without credits": Ending(_said(429, "You exceeded your current quota"), PaymentRequired),
    "499": _unknown(_said(499)),
    "301": Ending(Answer(301, headers={"location": "/v2/generate"}), ProviderError),
    "303": _unknown(Answer(303, headers={"location": "/generations/1"})),
    "307": Ending(Answer(307, headers={"location": "https://elsewhere.example/"}), ProviderError),
    "500": _unknown(_said(500)),
    "500 after it started": _unknown(Answer(500, json={"error": "no"}, accepts=True), 1),
    "502 page": _unknown(Html(502)),
    "503": _unknown(Answer(503)),
    "504 after it started": _unknown(Html(504, accepts=True), 1),
    "200 page": _unknown(Html(200)),
    "200 page after it started": _unknown(Html(200, accepts=True), 1),
    "204": _unknown(Answer(204)),
    "300": _unknown(Answer(300)),
    "304": _unknown(Answer(304)),
    "empty": _unknown(Answer(200, text="")),
    "binary": _unknown(Answer(200, content=b"\x00\xff\xfe\x80")),
    "deep JSON": _unknown(Answer(200, text=_DEEP)),
    "JSON null": _unknown(Answer(200, text="null")),
    "JSON list": _unknown(Answer(200, json=[{"id": "x", "generationId": "x"}])),
    "JSON text": _unknown(Answer(200, json="job_1")),
    "without id": _unknown(Answer(200, json={"status": "processing"})),
    "id null": _unknown(_named(None)),
    "id empty": _unknown(_named("")),
    "id true": _unknown(_named(True)),
    "id object": _unknown(_named({"id": "x"})),
    "id endless": _unknown(_named("x" * 10_000)),
    "id no text": _unknown(_named("\ud800")),
    "cut JSON": _unknown(CutJson(), 1),
    "cut body": _unknown(CutBody(), 1),
    "cut body of nothing": _unknown(CutBody({"id": "x" * 50}, accepts=False)),
    "reset": _unknown(Reset()),
    "reset after it started": _unknown(Reset(accepts=True), 1),
    "closed after it started": _unknown(Reset(accepts=True, rst=False), 1),
    "reset within the answer": _unknown(Reset(accepts=True, before_body=False), 1),
    "no HTTP": _unknown(Raw(accepts=True), 1),
    "too much": _unknown(Flood(MAX_ANSWER + 1, _VALID)),
}

_LOST = (ProviderError, ProviderUnreachable)

# The lost ones and "too much" are exceptions, which failures.of_read has to know; the others are answers.
READ_ENDINGS: dict[str, Ending] = {
    "400": Ending(_said(400, "Generation ID is required"), InvalidRequest),
    "401": Ending(_said(401), Unauthorized),
    "402": Ending(_said(402), PaymentRequired),
    "403": Ending(_said(403), PlanRequired),
    "404": Ending(_said(404), NotFound),
    **{f"{status} page": Ending(Html(status), ProviderError) for status in (400, 403, 404, 405, 410, 422)},
    "429": Ending(_said(429), RateLimited),
    "500": Ending(_said(500), ProviderError),
    "502 page": Ending(Html(502), ProviderError),
    "200 page": Ending(Html(200), ProviderError),
    "204": Ending(Answer(204), ProviderError),
    "304": Ending(Answer(304), ProviderError),
    "empty": Ending(Answer(200, text=""), ProviderError),
    "binary": Ending(Answer(200, content=b"\x00\xff\xfe\x80"), ProviderError),
    "deep JSON": Ending(Answer(200, text=_DEEP), ProviderError),
    "JSON list": Ending(Answer(200, json=[]), ProviderError),
    "JSON object without anything": Ending(Answer(200, json={}), ProviderError),
    "status null": Ending(Answer(200, json={"status": None}), ProviderError),
    "status number": Ending(Answer(200, json={"status": 1}), ProviderError),
    "200 with an error": Ending(Answer(200, json={"error": "no"}), ProviderError),
    "cut JSON": Ending(CutJson(), ProviderError),
    "cut body": Ending(CutBody(), _LOST),
    "reset": Ending(Reset(), _LOST),
    "closed": Ending(Reset(rst=False), _LOST),
    "reset within the answer": Ending(Reset(before_body=False), _LOST),
    "no HTTP": Ending(Raw(), _LOST),
    "too much": Ending(Flood(MAX_ANSWER + 1, _VALID), ProviderError),
}
