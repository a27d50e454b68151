"""The map of foreign failures is total: whatever happens becomes one of our errors, and never the wrong one."""

import errno
import inspect
import json
import re
import socket
import ssl
import unicodedata
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import anyio
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.errors import DarkroomError, OutcomeUnknown, ProviderError, ProviderUnreachable, RateLimited
from darkroom.models import Charged
from darkroom.redact.secrets import Redactor
from darkroom.transport import failures
from darkroom.transport.client import Api
from darkroom.transport.failures import (
    MAX_RETRY_AFTER_S,
    Answer,
    of_answer,
    of_post,
    of_read,
    of_submit,
    retry_after,
)
from darkroom.transport.http import Http
from tests.clients import OpenDoor, refusal
from tests.transport.conftest import BrokenTls

SECRET_URL = "http://me:hunter22@127.0.0.1/v1"
CONNECTING = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"}


def exported() -> list[type[Exception]]:
    found = (value for _, value in inspect.getmembers(httpx2, inspect.isclass))
    return sorted({each for each in found if issubclass(each, Exception)}, key=lambda each: each.__name__)


def made(kind: type[Exception]) -> Exception:
    request = httpx2.Request("POST", SECRET_URL)
    if kind is httpx2.HTTPStatusError:
        return httpx2.HTTPStatusError(SECRET_URL, request=request, response=httpx2.Response(500, request=request))
    parameters = list(inspect.signature(kind.__init__).parameters)
    return kind(SECRET_URL) if "message" in parameters else kind()


def ours(error: DarkroomError, charged: Charged) -> DarkroomError:
    assert error.charged is charged
    assert error.message.startswith(("FatThumb ", "The request was sent to FatThumb"))
    assert error.next_step
    assert "hunter22" not in error.message + error.next_step
    return error


def test_every_kind_of_the_http_client_s_exceptions_is_seen_here() -> None:
    names = {kind.__name__ for kind in exported()}
    assert names >= CONNECTING
    assert {"HTTPError", "ReadTimeout", "RemoteProtocolError", "StreamError", "CookieConflict"} <= names


@pytest.mark.parametrize("kind", exported())
def test_only_a_failure_to_connect_says_that_nothing_was_sent(kind: type[Exception]) -> None:
    error = of_submit("FatThumb", made(kind), sent=True)
    if kind.__name__ in CONNECTING:
        assert type(ours(error, Charged.NO)) is ProviderUnreachable
    else:
        assert type(ours(error, Charged.MAYBE)) is OutcomeUnknown


@pytest.mark.parametrize("kind", exported())
def test_every_failure_of_a_read_may_be_tried_again(kind: type[Exception]) -> None:
    error = ours(of_read("FatThumb", made(kind)), Charged.NO)
    lost = kind.__name__ in CONNECTING or issubclass(kind, httpx2.NetworkError | httpx2.TimeoutException)
    assert type(error) is (ProviderUnreachable if lost else ProviderError)


FOREIGN: list[Exception] = [
    *(kind("x") for kind in (RuntimeError, ValueError, KeyError, TypeError, RecursionError, MemoryError, EOFError)),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
    TimeoutError("x"),
    anyio.BrokenResourceError(),
    anyio.ClosedResourceError(),
    anyio.EndOfStream(),
    ExceptionGroup("x", [ConnectionRefusedError()]),
]
NEVER_CONNECTED: list[Exception] = [
    ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
    socket.gaierror(socket.EAI_NONAME, "no such host"),
    ssl.SSLCertVerificationError("certificate verify failed"),
]
# Not every OSError means that nothing was sent: these end connections that stand.
CONNECTED: list[Exception] = [
    ConnectionResetError(errno.ECONNRESET, "reset"),
    ConnectionAbortedError(errno.ECONNABORTED, "aborted"),
    BrokenPipeError(errno.EPIPE, "broken pipe"),
    ssl.SSLError(1, "bad record mac"),
    ssl.SSLEOFError(8, "unexpected eof"),
]


@pytest.mark.parametrize("raised", [*FOREIGN, *CONNECTED], ids=lambda error: type(error).__name__)
def test_whatever_else_ends_a_submission_leaves_its_outcome_unknown(raised: Exception) -> None:
    assert type(ours(of_submit("FatThumb", raised, sent=True), Charged.MAYBE)) is OutcomeUnknown


@pytest.mark.parametrize("raised", [*FOREIGN, *CONNECTED], ids=lambda error: type(error).__name__)
def test_whatever_is_raised_before_the_request_leaves_says_that_nothing_was_sent(raised: Exception) -> None:
    assert type(ours(of_submit("FatThumb", raised, sent=False), Charged.NO)) is ProviderUnreachable


@pytest.mark.parametrize("raised", NEVER_CONNECTED, ids=lambda error: type(error).__name__)
def test_a_system_s_refusal_to_connect_says_that_nothing_was_sent(raised: Exception) -> None:
    assert type(ours(of_submit("FatThumb", raised, sent=True), Charged.NO)) is ProviderUnreachable


@pytest.mark.parametrize("raised", [*FOREIGN, *CONNECTED, *NEVER_CONNECTED], ids=lambda error: type(error).__name__)
def test_whatever_ends_a_read_becomes_an_error_of_ours(raised: Exception) -> None:
    error = ours(of_read("FatThumb", raised), Charged.NO)
    assert type(error) is (ProviderUnreachable if isinstance(raised, OSError) else ProviderError)


def api_at(http: Http, port: int) -> Api:
    return Api("FatThumb", "FATTHUMB_API_KEY", f"https://127.0.0.1:{port}", http, {}, Redactor([]), OpenDoor())


# The HTTP library lets an ssl.SSLError of a read through as it is, and that is an OSError like a refused connection.
async def test_tls_that_breaks_after_the_request_came_leaves_its_outcome_unknown(
    http: Http, broken_tls: BrokenTls, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    error = await refusal(api_at(http, broken_tls.port).submit("/generate", {"prompt": "A fox"}))
    assert [request.endswith(b'{"prompt": "A fox"}') for request in broken_tls.received] == [True]
    assert (type(error), error.charged) == (OutcomeUnknown, Charged.MAYBE)


async def test_a_certificate_that_nobody_vouches_for_receives_nothing(http: Http, broken_tls: BrokenTls) -> None:
    error = await refusal(api_at(http, broken_tls.port).submit("/generate", {"prompt": "A fox"}))
    assert (type(error), error.charged) == (ProviderUnreachable, Charged.NO)
    assert broken_tls.received == []


def plain(text: str) -> bool:
    return not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text)


def answer_of(body: object, status: int = 400) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {}, raw)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "no"}, "no"),
        ({"message": "no"}, "no"),
        ({"detail": "no"}, "no"),
        ({"error": {"message": "no", "code": 7}}, "no"),
        ({"error": {"code": 7}, "message": "no"}, "no"),
        ({"error": " ", "detail": "no"}, "no"),
        ({"error": None, "message": ["x"], "detail": "no"}, "x"),
        ({"detail": [{"loc": ["body", "steps"], "msg": "too many", "type": "value_error"}]}, "body.steps: too many"),
        ({"errors": ["a", "b", "a", "c", "d"]}, "a; b; c"),
        ({"errors": {"prompt": ["is too long"]}}, "prompt: is too long"),
        ({"type": "about:blank", "title": "no"}, "no"),
        ({"title": "Bad", "detail": "no"}, "no"),
        ({"Message": "no"}, "no"),
        ({"errorMessage": "no"}, "no"),
        ({"error": "invalid_request", "error_description": "No prompt"}, "No prompt"),
        ({"error": "Unauthorized", "message": "The key is old"}, "The key is old"),
        ({"fault": {"faultstring": "no"}}, "no"),
        ({"success": False, "data": {"message": "no"}}, "data: no"),
        ({"prompt": ["is too long"]}, "prompt: is too long"),
        ({"code": "bad_size"}, "code: bad_size"),
        (b'{"error": "a\nb\xff", "eta": NaN}', "a b"),
        ({"error": " a\n\tb\x00c\u202ed "}, "a b c d"),
        ({"error": "\ud800x"}, "x"),
        ({"error": "y" * 301}, "y" * 299 + "…"),
        ({"error": True, "code": 7}, ""),
        ({"error": {"message": {"error": "no"}}}, "no"),
        ({}, ""),
        ([], ""),
        ([{"error": "no"}], "no"),
        (7, ""),
        (None, ""),
        (b"", ""),
        (b"Slow down,\r\nplease", "Slow down, please"),
        (b"<!DOCTYPE html><html><body>Just a moment</body></html>", ""),
        (b'{"error": "no"', ""),
        (b"[" * 200_000, ""),
        (b'{"error":' * 200_000, ""),
        (b"1" * 5000, ""),
    ],
    ids=lambda part: repr(part)[:40],
)
def test_a_reason_is_found_wherever_the_provider_put_it(body: object, reason: str) -> None:
    assert answer_of(body).said(Redactor(()))[0] == reason


@pytest.mark.parametrize(
    "body",
    [bytes(range(256)) * 8, b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xfe" + "no".encode("utf-16-le"), b'"said"'],
    ids=repr,
)
def test_a_reason_of_any_bytes_is_short_and_printable(body: bytes) -> None:
    reason = answer_of(body).said(Redactor(()))[0]
    assert len(reason) <= 300
    assert plain(reason)


@settings(deadline=None, database=None)
@given(st.binary(max_size=400), st.integers(100, 599))
def test_any_answer_at_all_becomes_an_error_of_ours(body: bytes, status: int) -> None:
    answer = Answer(status, {}, body)
    error = ours(of_answer("FatThumb", "FATTHUMB_API_KEY", answer, Redactor(["x"])), Charged.NO)
    assert (type(error) is RateLimited) == (status == 429)
    assert (type(error) is ProviderError) == (not 400 <= status < 500 or status in {408, 425, 499})
    assert plain(error.message)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"7", b'"x"', b"{", b"<p>", b"\xff", b"[" * 200_000], ids=repr)
def test_what_is_not_a_json_object_is_the_provider_s_error(body: bytes) -> None:
    with pytest.raises(ProviderError, match="200"):
        Answer(200, {}, body).json_object("FatThumb", Redactor(()))


NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def date(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 7.5 "}, 7.5),
        ({"retry-after": "3600"}, 3600.0),
        ({"retry-after": "3601"}, MAX_RETRY_AFTER_S),
        ({"retry-after": "1" * 15}, MAX_RETRY_AFTER_S),
        ({"retry-after": "1" * 20}, MAX_RETRY_AFTER_S),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "7 s"}, None),
        ({"retry-after": date(90)}, 90.0),
        ({"retry-after": date(-90)}, 0.0),
        ({"retry-after": date(1e6)}, MAX_RETRY_AFTER_S),
        ({"retry-after": "Wed, 01 Jul 2026 14:01:30 +0200"}, 90.0),
        ({"retry-after": "Wed Jul  1 12:01:30 2026"}, 90.0),
        ({"retry-after": "Wed, 99 Jul 2026 12:00:00 GMT"}, None),
        ({"retry-after": "Wed, 01 Jul 99999 12:00:00 GMT"}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after-ms": "9" * 15}, MAX_RETRY_AFTER_S),
    ],
    ids=str,
)
def test_a_time_to_come_back_is_read_in_every_form(stated: dict[str, str], seconds: float | None) -> None:
    found = retry_after(stated, NOW)
    assert found == (None if seconds is None else pytest.approx(seconds))


DATE_PARTS = ["Wed,", "1", "99", "Jul", "2026", "12:00:00", ":", "-", "GMT", "+9999", "-0000", "", ",", "\0", "٣"]


@settings(deadline=None, database=None, max_examples=500)
@given(st.one_of(st.text(), st.lists(st.sampled_from(DATE_PARTS)).map(" ".join), st.from_regex(re.compile(r"\d+"))))
def test_a_time_to_come_back_of_any_text_is_none_or_within_bounds(text: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        found = failures.retry_after({name: text})
        assert found is None or 0 <= found <= MAX_RETRY_AFTER_S


@pytest.mark.parametrize(
    ("words", "hinted"),
    [
        *((words, True) for words in ("Not Found", "404 page not found", "Cannot POST /api/generate")),
        *((words, False) for words in ("model not found", "No character has this id")),
    ],
)
def test_a_path_that_nobody_has_says_that_the_base_url_may_be_wrong(words: str, hinted: bool) -> None:
    answer = answer_of({"detail": words}, 404)
    error = of_post("FatThumb", "FATTHUMB_API_KEY", "https://a.example/generate", answer, Redactor(()))
    assert ("FATTHUMB_BASE_URL may be wrong" in error.next_step) == hinted
