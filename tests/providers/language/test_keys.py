"""Every key of the language acts: what changes with it is what its page says."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from darkroom.errors import DarkroomError, InvalidRequest
from darkroom.models import Charged, GenerationRequest
from darkroom.providers.base import Reading
from darkroom.providers.language.answers import looked, reading, taken
from darkroom.providers.language.loading import BadDeclaration, parse
from darkroom.providers.language.offers import check, limits_of, traits_of
from darkroom.providers.language.requests import Prepared, names_of, prepare
from darkroom.providers.language.schema import Auth, Service
from darkroom.providers.language.signing import call_of, signature
from darkroom.providers.language.speech import Speech
from darkroom.providers.language.stock import account_in, models_in
from darkroom.redact.secrets import Redactor
from darkroom.settings import Limits, Window, parse_limits
from darkroom.transport.failures import Answer

BASE = """
language = 1
name = "mine"
title = "Mine"
base_url = "https://mine.example.com/v1"
{top}
[submit]
path = "/make"
job = "/id"
{submit}
[submit.body]
prompt = "$prompt"
{body}
[read]
path = "/jobs/{{job}}"
status = "/status"
words = {{ queued = ["waiting"], running = ["busy", 7], done = ["done"], failed = ["failed"], moderated = ["refused"], cancelled = ["cancelled"], gone = ["unknown"] }}
{read}
[pictures]
each = "/pictures/*"
url = "/url"
{pictures}
"""  # noqa: E501 - TOML's inline tables stand on one line


def service_with(more: str = "", **parts: str) -> Service:
    """The service with these lines in its tables."""
    known = {"top": "", "submit": "", "body": "", "read": "", "pictures": "", **parts}
    return parse((BASE.format(**known) + more).encode())


def speech(service: Service) -> Speech:
    return Speech(service, "DARKROOM_MINE_KEY", Redactor([]))


def asked(service: Service, **wishes: Any) -> GenerationRequest:
    wished = {"provider": "mine", "prompt": "a cat", "model": "", **wishes}
    return check(service, traits_of(service), GenerationRequest.model_validate(wished))


def sent(service: Service, **wishes: Any) -> Prepared:
    return prepare(service, service.submit, names_of(service, asked(service, **wishes), reference="ref"))


def answer_of(value: Any, status: int = 200) -> Answer:
    return Answer(status, {}, b"" if value is None else json.dumps(value).encode())


def seen(service: Service, value: Any, status: int = 200, **wishes: Any) -> Reading:
    look = looked(speech(service), answer_of(value, status))
    return reading(speech(service), look, look.value, asked(service, **wishes))


def error_of(service: Service, value: Any, status: int = 200, *, submit: bool = True) -> DarkroomError:
    with pytest.raises(DarkroomError) as caught:
        (taken(speech(service), answer_of(value, status), "https://x") if submit else seen(service, value, status))
    return caught.value


@pytest.mark.parametrize(
    ("auth", "key", "header"),
    [
        ("{}", "k", {"Authorization": "Bearer k"}),
        ('{ header = "x-key", prefix = "" }', "k", {"x-key": "k"}),
        ('{ prefix = "Key " }', "k", {"Authorization": "Key k"}),
        ('{ kind = "basic" }', "a:b", {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}),
        ('{ kind = "none" }', "k", {}),
    ],
)
def test_auth_signs_a_request(auth: str, key: str, header: dict[str, str]) -> None:
    assert signature(service_with(top=f"auth = {auth}").auth, key) == header
    assert signature(service_with(top=f"auth = {auth}").auth, None) == {}


def test_auth_jwt_signs_a_token_of_half_an_hour() -> None:
    (token,) = signature(Auth(kind="jwt-hs256"), "issuer:secret", now=1000.0).values()
    head, claims, mark = token.removeprefix("Bearer ").split(".")
    assert json.loads(base64.urlsafe_b64decode(claims + "==")) == {"iss": "issuer", "exp": 2800, "nbf": 995}
    digest = hmac.new(b"secret", f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert mark == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_auth_body_puts_the_key_into_the_body_and_into_no_header() -> None:
    service = service_with(top='auth = { body = "key" }', read='method = "POST"')
    submit = sent(service)
    call = call_of(submit, submit.at, service.auth, "k")
    assert json.loads(call.content or b"") == {"prompt": "a cat", "key": "k"}
    assert call.headers == {"Content-Type": "application/json"}
    look = prepare(service, service.read, names_of(service, asked(service), job="7"))
    assert json.loads(call_of(look, look.at, service.auth, "k").content or b"") == {"key": "k"}


def test_limits_become_the_account_s_limits_and_the_looks_intervals() -> None:
    written = 'active = 2, submit = ["1/60"], requests = ["9/10"], poll_s = 4.0, shortest_s = 2.0, deadline_s = 99.0'
    service = service_with(top=f"limits = {{ {written} }}")
    assert parse_limits(limits_of(service)) == Limits(2, (Window(1, 60.0),), (Window(9, 10.0),))
    traits = traits_of(service)
    assert (traits.poll_interval_s, traits.shortest_interval_s, traits.deadline_s) == (4.0, 2.0, 99.0)


def test_what_it_accepts_is_taken_and_all_else_is_refused() -> None:
    service = service_with(
        '[accepts]\nmax_count = 2\nseed = true\nnegative_prompt = true\naspect_ratios = { "1:1" = { w = 5 } }\n'
        'default_aspect_ratio = "1:1"\ndefault_model = "a"\nmodels = [{ id = "a" }, { id = "b" }]\n',
        body='count = "$count"\nseed = "$seed"\nno = "$negative_prompt"\nw = "$size.w"\nmodel = "$model"',
    )
    assert sent(service).body == {"prompt": "a cat", "count": 1, "w": 5, "model": "a"}
    full = sent(service, count=2, seed=3, negative_prompt="x", aspect_ratio="1:1", model="b").body
    assert full == {"prompt": "a cat", "count": 2, "seed": 3, "no": "x", "w": 5, "model": "b"}
    for wrong in ({"count": 3}, {"aspect_ratio": "2:1"}, {"model": "c"}, {"options": {"x": 1}}):
        with pytest.raises(InvalidRequest):
            asked(service, **wrong)
    for wrong in ({"seed": 1}, {"negative_prompt": "x"}):
        with pytest.raises(InvalidRequest):
            asked(service_with(), **wrong)


def test_models_by_number_are_numbers_and_a_default_may_stay_unsent() -> None:
    accepts = '[accepts]\nmodel_type = "integer"\ndefault_model = "default"\ndefault_is_sent = false\n'
    service = service_with(accepts, body='model = "$model:integer"')
    assert sent(service).body == {"prompt": "a cat"}
    assert sent(service, model="7").body == {"prompt": "a cat", "model": 7}
    with pytest.raises(InvalidRequest, match="by number"):
        asked(service, model="seven")


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ('type = "integer", min = 1.0, max = 9.0, multiple_of = 2', [2, "8"], [0, 10, 3, True, "x", 2.5]),
        ('type = "number", min = 0.5', [0.5, "1"], [0.4, "x", True]),
        ('type = "string", max_length = 3', ["abc"], ["abcd", 1]),
        ('type = "string", enum = ["a", "b"]', ["a"], ["c"]),
        ('type = "boolean"', [True, "false"], ["perhaps"]),
        ('type = "strings", max = 2.0', [["a", "b"], "a"], [["a", "b", "c"]]),
    ],
)
def test_an_option_takes_what_its_type_and_bounds_allow(option: str, good: list[Any], bad: list[Any]) -> None:
    service = service_with(f"[accepts.options]\nx = {{ {option} }}\n", body='x = "$options.x"')
    for value in good:
        assert "x" in (sent(service, options={"x": value}).body or {})
    for value in bad:
        with pytest.raises(InvalidRequest):
            asked(service, options={"x": value})


def test_what_goes_not_together_is_refused() -> None:
    accepts = (
        '[accepts]\nseed = true\nnot_together = [["seed", "options.x"]]\n[accepts.options]\nx = { type = "integer" }\n'
    )
    service = service_with(accepts, body='seed = "$seed"\nx = "$options.x"')
    with pytest.raises(InvalidRequest, match="same thing twice"):
        asked(service, seed=1, options={"x": 2})
    asked(service, options={"x": 2})


def test_a_request_has_method_query_headers_and_its_names() -> None:
    more = (
        'method = "PUT"\nquery = { q = "$prompt", n = 1, on = true }\nheaders = { X-Ref = "$reference", X-Is = "on" }'
    )
    prepared = sent(service_with(submit=more))
    assert (prepared.method, prepared.at) == ("PUT", "/make")
    assert prepared.query == (("q", "a cat"), ("n", "1"), ("on", "true"))
    assert prepared.headers == {"X-Ref": "ref", "X-Is": "on"}
    call = call_of(prepared, prepared.at, Auth(), "k")
    assert call.at == "/make?q=a+cat&n=1&on=true"


@pytest.mark.parametrize(
    ("encoding", "kind", "holds"),
    [
        ("json", "application/json", b'{"prompt": "a cat"}'),
        ("form", "application/x-www-form-urlencoded", b"prompt=a+cat"),
        ("multipart", "multipart/form-data; boundary=", b'name="prompt"\r\n\r\na cat\r\n'),
    ],
)
def test_encoding_says_how_the_body_is_written(encoding: str, kind: str, holds: bytes) -> None:
    prepared = sent(service_with(submit=f'encoding = "{encoding}"'))
    call = call_of(prepared, prepared.at, Auth(), "k")
    assert call.headers["Content-Type"].startswith(kind)
    assert holds in (call.content or b"")


def test_forms_of_values_first_join_casts_and_dollars() -> None:
    body = (
        'a = { "$first" = ["$seed", "$count"] }\nb = { "$join" = ["$prompt", "--seed $seed", "$$5"] }\n'
        'c = "$count:string"\nd = "$$money"\ne = ["$seed", "x"]\n"$type" = "t"\nf = "$count:number"'
    )
    service = service_with("[accepts]\nseed = true\n", body=body)
    assert sent(service).body == {
        "prompt": "a cat", "a": 1, "b": "a cat $5", "c": "1", "d": "$money", "e": ["x"], "$type": "t", "f": 1.0,
    }  # fmt: skip
    assert (sent(service, seed=4).body or {})["b"] == "a cat --seed 4 $5"


def test_a_submission_is_taken_where_its_answer_says_so() -> None:
    service = service_with(submit='accepted = { at = "/code", equals = [0, 1] }\nqueued = { "/status" = ["waiting"] }')
    submission = taken(speech(service), answer_of({"id": 7, "code": 1, "status": "Waiting"}), "https://x")
    assert (submission.receipt.job_id, submission.queued) == ("7", True)
    assert error_of(service, {"id": 7, "code": 2}).code == "outcome_unknown"
    assert error_of(service, {"code": 0}).code == "outcome_unknown"


@pytest.mark.parametrize(
    ("status", "done", "queued", "error", "moderated"),
    [
        ("waiting", False, True, None, False),
        ("busy", False, False, None, False),
        (7, False, False, None, False),
        ("something new", False, False, None, False),
        ("DONE", True, False, None, False),
        ("failed", True, False, "because", False),
        ("refused", True, False, "because", True),
        ("cancelled", True, False, "because", False),
    ],
)
def test_words_say_what_a_status_means(
    status: Any, done: bool, queued: bool, error: str | None, moderated: bool
) -> None:
    found = seen(service_with(read='error = ["/no", "/error"]'), {"status": status, "error": {"message": "because"}})
    assert (found.done, found.queued, found.error, found.moderated) == (done, queued, error, moderated)


def test_a_word_may_mean_that_the_job_is_gone() -> None:
    assert error_of(service_with(), {"status": "unknown"}, submit=False).code == "not_found"
    assert error_of(service_with(), {"no": "status"}, submit=False).code == "provider_error"


def test_when_is_looked_at_before_the_words() -> None:
    service = service_with(read='when = [{ at = "/error", means = "failed" }, { status = 409, means = "queued" }]')
    assert seen(service, {"status": "done", "error": "x"}).error is not None
    assert seen(service, {"status": "done"}).error is None
    assert seen(service, {"wait": True}, 409).queued


def test_the_http_status_may_be_the_status() -> None:
    text = BASE.format(top="", submit="", body="", read="", pictures="").replace(
        'status = "/status"', 'status = "http"'
    )
    service = parse(
        text.replace('queued = ["waiting"]', "queued = [202]").replace('done = ["done"]', "done = [200]").encode()
    )
    assert seen(service, None, 202).queued
    assert seen(service, {"pictures": [{"url": "https://x/1"}]}).images[0].url == "https://x/1"
    assert error_of(service, {}, 500, submit=False).code == "provider_error"


def test_position_seed_and_cost_are_told() -> None:
    service = service_with(read='position = "/place"\nseed = "/seed"\ncost = "/cost"')
    assert seen(service, {"status": "waiting", "place": 3}).queue_position == 3
    assert seen(service, {"status": "busy", "place": 3}).queue_position is None
    assert seen(service, {"status": "done", "seed": 4}).seed == 4
    costs = {0: Charged.NO, 5: Charged.YES, None: None}
    assert {cost: seen(service, {"status": "failed", "cost": cost}).charged for cost in costs} == costs


def test_pictures_have_ids_flags_and_errors_of_their_own() -> None:
    service = service_with(
        "[accepts]\nmax_count = 4\n", body='n = "$count"',
        pictures='id = "/name"\nwatermarked = "/marked"\nhidden = { at = "/safe", equals = false }\nerror = "/why"',
    )  # fmt: skip
    listed = [
        {"url": "https://x/1", "name": "a", "marked": True},
        {"url": "https://x/2", "safe": False},
        {"why": "bad"},
    ]
    first, second, third = seen(service, {"status": "done", "pictures": listed}, count=4).images
    assert (first.remote_id, first.watermarked, first.url) == ("a", True, "https://x/1")
    assert (second.hidden, second.url) == (True, None)
    assert (third.status, third.error) == ("failed", "bad")
    assert seen(service, {"status": "busy", "pictures": listed}, count=4).images == ()


def test_places_of_pictures_are_tried_in_their_order() -> None:
    text = BASE.format(top="", submit="", body="", read="", pictures="").replace(
        'each = "/pictures/*"', 'each = ["/a/*", "/b"]'
    )
    service = parse(text.replace('url = "/url"', 'url = ""').encode())
    assert [
        image.url for image in seen(service, {"status": "done", "a": ["https://x/1"], "b": "https://x/2"}).images
    ] == ["https://x/1"]
    assert [image.url for image in seen(service, {"status": "done", "b": "https://x/2"}).images] == ["https://x/2"]


def test_lasts_s_is_told_with_the_limits() -> None:
    assert traits_of(service_with(pictures="lasts_s = 600")).lasts_s == 600


RULES = """
[[rules]]
on = "submit"
status = 429
at = "/code"
equals = 9
code = "payment_required"
[[rules]]
at = "/message"
has = ["Slow Down", "wait"]
wait = "/after"
code = "rate_limited"
[[rules]]
on = "read"
at = "/id"
absent = true
status = 200
code = "not_found"
charged = "yes"
"""


def test_rules_are_looked_at_before_the_defaults() -> None:
    service = service_with(RULES)
    assert error_of(service, {"code": 9}, 429).code == "payment_required"
    assert error_of(service, {"code": 8}, 429).code == "rate_limited"
    slow: Any = error_of(service, {"message": "please slow down", "after": 30}, 400)
    assert (slow.code, slow.retry_after) == ("rate_limited", 30.0)
    assert error_of(service, {"message": "prompt is wrong"}, 400).code == "invalid_request"
    gone = error_of(service, {"status": "done"}, submit=False)
    assert (gone.code, gone.charged) == ("not_found", "yes")
    assert seen(service, {"id": 1, "status": "done"}).done


def test_models_and_account_are_read_where_the_service_has_them() -> None:
    service = service_with(
        '[models]\npath = "/models"\neach = "/list/*"\nid = "/id"\nname = ["/a", "/b"]\nnote = ["/kind", "/nsfw"]\n'
        '[account]\npath = "/me"\ncredits = "/left"\nplan = "/plan"\nplan_status = "/state"\nplan_ends = "/end"\n'
    )
    listed = models_in(
        speech(service), {"list": [{"id": 5, "a": "Big", "b": "One", "kind": "xl", "nsfw": True}, {"a": "x"}]}
    )
    assert [model.model_dump() for model in listed] == [{"id": "5", "name": "Big One", "note": "xl, nsfw"}]
    told = account_in(speech(service), {"left": 3, "plan": "pro", "state": "on", "end": "2027"})
    assert told is not None
    assert (told.credits, told.plan, told.plan_status, told.plan_ends) == (3.0, "pro", "on", "2027")
    named = service_with('[accepts]\ndefault_model = "a"\nmodels = [{ id = "a", name = "A", note = "n" }]\n')
    assert [model.model_dump() for model in models_in(speech(named), None)] == [{"id": "a", "name": "A", "note": "n"}]


@pytest.mark.parametrize(
    "more",
    [
        "[cancel]\n", "surprise = 1\n", '[[rules]]\ncode = "moderated"\n', '[[rules]]\nstatus = 400\ncode = "other"\n',
        '[lookup]\npath = "/x"\neach = "/*"\njob = "/id"\nwhere = {}\n', '[account]\npath = "/x"\ncredits = "left"\n',
    ],
)  # fmt: skip
def test_what_the_language_does_not_have_is_refused(more: str) -> None:
    with pytest.raises(BadDeclaration):
        service_with(more)
