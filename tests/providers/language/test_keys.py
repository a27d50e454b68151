"""Every key of the language that says what is asked acts as its page says."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from darkroom.accounts import Limits, Window, parse_limits
from darkroom.errors import InvalidRequest
from darkroom.providers.language.offers import limits_of, traits_of
from darkroom.providers.language.requests import names_of, prepare
from darkroom.providers.language.schema import Auth
from darkroom.providers.language.signing import call_of, signature
from tests.declarations import asked, sent, service_with


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
    written = 'active = 2, pictures = 8, submit = ["1/60"], requests = ["9/10"]'
    service = service_with(top=f"limits = {{ {written}, poll_s = 4.0, shortest_s = 2.0, deadline_s = 99.0 }}")
    assert parse_limits(limits_of(service)) == Limits(2, (Window(1, 60.0),), (Window(9, 10.0),), 8)
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
