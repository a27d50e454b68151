"""What a provider client makes of any answer: a value that keeps its promises, or an error that says what happened."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
import httpx2
from hypothesis import strategies as st
from pydantic import BaseModel

from darkroom.errors import DarkroomError, OutcomeUnknown
from darkroom.models import MAX_COUNT, Charged, ImageStatus, Receipt
from darkroom.providers.base import Provider, Reading, Submission
from darkroom.providers.declared import read_settings
from darkroom.providers.registry import build
from darkroom.providers.wire import path_segment
from darkroom.redact.secrets import Redactor
from darkroom.redact.text import clean
from darkroom.transport.http import Http
from tests.clients import OpenDoor, asked
from tests.fuzz.json_values import changed, texts, values

KEY = "nsk_0123456789abcdefghijklmnopqrstuv"
HANGS_AFTER_S = 60.0
LONGEST_ERROR = 1_000
LONGEST_ID = 200
LONGEST_WORDS = 300
NEVER_SHOWN = {"job_id", "url"}
"""What is shown of a link is cleaned where it is written down."""


@dataclass(frozen=True)
class Case:
    """One call of a client, and the answer that it gets."""

    provider: str
    call: str
    status: int
    headers: dict[str, str]
    body: bytes


_THUMBNAIL: dict[str, Any] = {
    "id": "t1", "status": "succeeded", "url": "https://x.example/t1.png", "isWatermarked": True, "isHidden": False,
    "error": None,
}  # fmt: skip
_FAILED = {**_THUMBNAIL, "status": "failed", "url": None, "error": KEY}
_MODEL: dict[str, Any] = {
    "id": 814910, "name": "v1", "model_name": "Foxes", "base_model": "XL", "type": "checkpoint", "filename": "f",
    "cover_image": None, "nsfw": False,
}  # fmt: skip
VALID: dict[tuple[str, str], list[Any]] = {
    ("fatthumb", "submit"): [{"generationId": "g1", "thumbnailIds": ["t1", "t2"], "status": "processing"}],
    ("fatthumb", "read"): [
        {"id": "g1", "status": "processing", "model": "gemini-3-pro", "count": 2, "createdAt": 1, "thumbnails": []},
        {"id": "g1", "status": "partial", "thumbnails": [_THUMBNAIL, _FAILED]},
        {"id": "g1", "status": "failed", "thumbnails": [_FAILED]},
    ],
    ("betterwaifu", "submit"): [{"id": "job_1", "status": "queued"}],
    ("betterwaifu", "read"): [
        {"id": "job_1", "status": "queued", "queue_position": 3},
        {"id": "job_1", "status": "succeeded", "output": {"images": [{"url": "https://x.example/1"}], "seed": 7}},
        {"id": "job_1", "status": "failed", "error": f"Your prompt was flagged by moderation. {KEY}"},
    ],
    ("betterwaifu", "models"): [{"models": [_MODEL, {**_MODEL, "id": 7}], "count": 2}],
    ("betterwaifu", "account_state"): [
        {"username": "u", "credits": 7, "subscription": {"status": "active", "plan": "pro", "endDate": "2027-01-01"}},
        {"username": "u", "credits": 0.5, "subscription": None},
    ],
}  # fmt: skip
REFUSALS = [{"error": "no"}, {"error": {"message": KEY}}, {"message": "plan"}, {"detail": ["x"]}]
HEADERS: tuple[str, ...] = (
    "retry-after",
    "retry-after-ms",
    "content-type",
    "content-encoding",
    "location",
    "set-cookie",
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A call, and an answer that is right, was right, never was, or is no JSON at all."""
    provider, call = draw(st.sampled_from(list(VALID)))
    status = draw(st.one_of(st.just(200), st.sampled_from((201, 204, 304, 400, 401, 402, 403, 404, 429, 500, 503))))
    valid = st.sampled_from(VALID[provider, call] if status < 300 else REFUSALS)
    value = draw(st.one_of(changed(valid), changed(valid), values))
    body = json.dumps(value, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 5)) == 0:
        cut = draw(st.integers(0, len(body)))
        body = body[:cut] + draw(st.binary(max_size=20)) + body[cut + draw(st.integers(0, 3)) :]
    headers = draw(st.dictionaries(st.sampled_from(HEADERS), texts.map(_header), max_size=2))
    headers.pop("content-encoding", None) if draw(st.booleans()) else None
    return Case(provider, call, status, headers, body)


def _header(text: str) -> str:
    return text.encode("ascii", "ignore").decode().replace("\n", "").replace("\r", "").replace("\x00", "")[:200]


class _Body(httpx2.AsyncByteStream):
    """A body that has not been read yet, as those from sockets."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data


class Canned(Http):
    """HTTP clients whose server is a function of this process: all above the socket is real, and it is much faster."""

    def __init__(self) -> None:
        super().__init__()
        self.case = Case("", "", 200, {}, b"")
        self._canned = httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer))

    @property
    def kept(self) -> httpx2.AsyncClient:
        return self._canned

    @property
    def fresh(self) -> httpx2.AsyncClient:
        return self._canned

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(self.case.status, headers=self.case.headers, stream=_Body(self.case.body))


class Clients:
    """Both clients, over answers that a test makes up."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._http = Canned()
        environ = {
            "FATTHUMB_API_KEY": KEY, "BETTERWAIFU_API_KEY": KEY,
            "DARKROOM_HOME": str(Path("nowhere")), "DARKROOM_PICTURES": str(Path("nowhere")),
        }  # fmt: skip
        settings = read_settings(environ)
        self._registry = build(settings, self._http, Redactor(settings.secrets), lambda _: OpenDoor())

    def check(self, case: Case) -> None:
        """Raises AssertionError where the client breaks a promise, and whatever else it should not have raised."""
        try:
            value = self.told(case)
        except DarkroomError as error:
            _check_error(case, error)
        else:
            _check_value(case, value)

    def told(self, case: Case) -> Any:
        """What the client makes of it. Raises what the client raises."""
        self._http.case = case
        return self._runner.run(_in_time(_called(self._registry.provider(case.provider), case.call)))

    def close(self) -> None:
        """Closes the HTTP clients."""
        self._runner.run(self._http.aclose())


@contextmanager
def clients() -> Generator[Clients]:
    """Both clients for as long as the block lasts."""
    with asyncio.Runner() as runner:
        both = Clients(runner)
        try:
            yield both
        finally:
            both.close()


async def _called(provider: Provider, call: str) -> Any:
    request = asked(provider, count=provider.traits.max_count)
    match call:
        case "submit":
            return await provider.submit(request, "gen_1")
        case "read":
            return await provider.read(Receipt(job_id="job"), request)
        case "models":
            return await provider.models()
        case _:
            return await provider.account_state()


async def _in_time(call: Awaitable[Any]) -> Any:
    with anyio.fail_after(HANGS_AFTER_S):
        return await call


def _check_error(case: Case, error: DarkroomError) -> None:
    text = str(error)
    assert text == clean(text, LONGEST_ERROR), "control characters, or no end, in an error"
    assert KEY not in text
    assert error.message.strip()
    assert error.next_step.strip()
    if case.call == "submit":
        refused = 400 <= case.status < 500
        assert isinstance(error, OutcomeUnknown) != refused, "a refusal is definite, and nothing else is"
        assert error.charged is (Charged.NO if refused else Charged.MAYBE)
    else:
        assert not isinstance(error, OutcomeUnknown)


def _check_value(case: Case, value: BaseModel | list[BaseModel] | None) -> None:
    assert 200 <= case.status < 300, "a refusal was read as an answer"
    if isinstance(value, Submission):
        assert 1 <= len(value.receipt.job_id) <= LONGEST_ID
        assert not set(path_segment(value.receipt.job_id)) & set("/?#\\")
    elif isinstance(value, Reading):
        assert len(value.images) <= MAX_COUNT
        assert [image.index for image in value.images] == list(range(1, len(value.images) + 1))
        assert all(image.status in set(ImageStatus) for image in value.images)
    for shown in value if isinstance(value, list) else [value]:
        if shown is not None:
            _check_words(json.loads(shown.model_dump_json()))


def _check_words(value: Any, name: str = "") -> None:
    """Holds every text of the provider that an agent may be shown, and every number that a ledger keeps."""
    if isinstance(value, dict):
        for key, part in cast("dict[str, Any]", value).items():
            _check_words(part, key)
    elif isinstance(value, list):
        for part in cast("list[Any]", value):
            _check_words(part)
    elif isinstance(value, str) and name not in NEVER_SHOWN:
        assert value == clean(value, LONGEST_WORDS), f"{name} is not cleaned"
        assert KEY not in value
    elif isinstance(value, int | float):
        assert abs(value) < 2**63
