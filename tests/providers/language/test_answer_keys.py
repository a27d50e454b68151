"""Every key of the language that says how answers are read acts as its page says."""

from typing import Any

import pytest

from darkroom.models import Charged
from darkroom.providers.language.answers import taken
from darkroom.providers.language.loading import BadDeclaration, parse
from darkroom.providers.language.offers import traits_of
from darkroom.providers.language.stock import account_in, models_in
from tests.declarations import BASE, answer_of, error_of, seen, service_with, speech


def test_a_submission_is_taken_where_its_answer_says_so() -> None:
    service = service_with(submit='accepted = { at = "/code", equals = [0, 1] }\nqueued = { "/status" = ["waiting"] }')
    submission = taken(speech(service), answer_of({"id": 7, "code": 1, "status": "Waiting"}), "https://x")
    assert (submission.receipt.job_id, submission.queued) == ("7", True)
    assert error_of(service, {"id": 7, "code": 2}).code == "outcome_unknown"
    assert error_of(service, {"code": 0}).code == "outcome_unknown"
    for climbing in (".", ".."):
        assert error_of(service, {"id": climbing, "code": 0}).code == "outcome_unknown"


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


def test_a_job_that_is_named_elsewhere_is_told_for_a_person_to_look_for() -> None:
    service = service_with()
    error = error_of(service, {"data": [{"task_id": "t-1\u202e", "grid": "x"}], "id": None, "UUID": "", "uuid": True})
    assert (error.code, 'the ids in it are "/data/0/task_id t-1". It may' in error.message) == ("outcome_unknown", True)
    assert "where its id" not in error_of(service, {"data": {"valid": "x"}, "paid": 7}).message
    assert len(error_of(service, {"a": {f"{number}_id": "x" * 5000 for number in range(50)}}).message) < 700


def test_the_service_s_own_words_are_repeated_where_its_answer_says_nothing_of_the_job() -> None:
    assert "no GPU" in error_of(service_with(), {"detail": [{"msg": "no GPU"}]}, submit=False).message
