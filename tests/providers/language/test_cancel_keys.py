"""Every key of [cancel] acts, and an author's mistakes in it are found."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import PlanRequired, ProviderError
from darkroom.models import Charged
from darkroom.providers.authoring.review import review
from darkroom.providers.language.answers import stopped
from darkroom.providers.language.checks import faults
from darkroom.providers.language.offers import traits_of
from darkroom.providers.language.requests import Prepared, names_of, prepare
from darkroom.providers.language.schema import Service
from darkroom.providers.stopping import Reply
from tests.declarations import BASE, answer_of, asked, seen, service_with, speech

CANCEL = '\n[cancel]\npath = "/jobs/{job}/stop"\n'


def wanted(service: Service) -> Prepared:
    assert service.cancel is not None
    return prepare(service, service.cancel, names_of(service, asked(service), job="j 1"))


def test_cancel_is_a_post_that_names_the_job_unless_it_says_otherwise() -> None:
    ready = wanted(service_with(CANCEL))
    assert (ready.method, ready.at, ready.body) == ("POST", "/jobs/j%201/stop", None)
    other = 'method = "DELETE"\nheaders = { X-Version = "2" }\nquery = { force = true }\n'
    ready = wanted(service_with(CANCEL + other))
    assert (ready.method, ready.headers, ready.query) == ("DELETE", {"X-Version": "2"}, (("force", "true"),))
    posted = wanted(service_with('\n[cancel]\npath = "/stop"\nencoding = "form"\nbody = { id = "$job" }\n'))
    assert (posted.at, posted.body, posted.encoding) == ("/stop", {"id": "j 1"}, "form")
    assert wanted(service_with('\n[cancel]\nurl = "{job}/stop"\n')).at == "j 1/stop"


def test_cancel_is_what_makes_a_service_one_that_can_be_asked() -> None:
    assert (traits_of(service_with()).cancels, traits_of(service_with(CANCEL)).cancels) == (False, True)


@pytest.mark.parametrize(
    ("answer", "status", "means"),
    [
        ({}, 200, Reply.ASKED),
        (None, 204, Reply.ASKED),
        ({"state": "finished"}, 200, Reply.LATE),
        (None, 409, Reply.LATE),
        ({"state": "nobody"}, 404, Reply.GONE),
        ({"state": "twice"}, 400, Reply.ASKED),
        (None, 403, PlanRequired),
        (None, 500, ProviderError),
    ],
)
def test_when_says_what_a_reply_means_and_any_other_is_read_by_its_status(answer: Any, status: int, means: Any) -> None:
    conditions = (
        '{ at = "/state", equals = "finished", means = "late" }, { status = 409, means = "late" },'
        ' { at = "/state", equals = "nobody", means = "gone" }, { at = "/state", equals = "twice", means = "asked" }'
    )
    service = service_with(f"{CANCEL}when = [{conditions}]\n")
    if isinstance(means, Reply):
        assert stopped(speech(service), answer_of(answer, status)) is means
    else:
        with pytest.raises(means):
            stopped(speech(service), answer_of(answer, status))


def test_a_rule_for_any_response_holds_for_a_reply_as_well() -> None:
    rule = '[[rules]]\nat = "/code"\nequals = "plan"\ncode = "plan_required"\n'
    with pytest.raises(PlanRequired):
        stopped(speech(service_with(CANCEL + rule)), answer_of({"code": "plan"}))


@pytest.mark.parametrize("charged", list(Charged))
def test_charged_is_what_a_cancelled_job_says_where_the_service_names_no_figure(charged: Charged) -> None:
    service = service_with(f'{CANCEL}charged = "{charged}"\n')
    assert seen(service, {"status": "cancelled"}).charged is charged
    assert seen(service, {"status": "failed"}).charged is None
    figured = service_with(f'{CANCEL}charged = "{charged}"\n', read='cost = "/cost"')
    assert seen(figured, {"status": "cancelled", "cost": 0}).charged is Charged.NO
    assert seen(service_with(CANCEL), {"status": "cancelled"}).charged is None


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        ('path = "/jobs/stop"', "it does not name the job, so it could stop another"),
        ('path = "/jobs/{job}"\nmethod = "GET"\nbody = { a = 1 }', "a GET has no body"),
        ('path = "/jobs/{jop}/stop"', "jop"),
        ('path = "/jobs/{job}"\nwhen = [{ means = "late" }]', "it has no condition"),
    ],
)
def test_a_mistake_in_cancel_is_found(mistake: str, says: str) -> None:
    known = {"top": "", "submit": "", "body": "", "read": "", "pictures": ""}
    service = Service.model_validate(tomllib.loads(f"{BASE.format(**known)}[cancel]\n{mistake}\n"))
    assert any(says in str(fault) for fault in faults(service)), faults(service)


FILE = """\
{base}
{cancel}
[[example]]
name = "stopped"
to = "cancel"
answer = {{ state = "{state}" }}
means = "{means}"
"""
WHEN = f'{CANCEL}when = [{{ at = "/state", equals = "finished", means = "late" }}]'


@pytest.mark.parametrize(
    ("cancel", "state", "means", "faults", "notes"),
    [
        (WHEN, "finished", "late", [], ["no example shows the reply to a request to stop a job"]),
        (WHEN, "ok", "asked", [], ["no example shows a reply that means late here"]),
        (WHEN, "ok", "late", ['means: it is read as "asked", not as "late"'], []),
        ("", "ok", "asked", ["there is no [cancel] that this could be a reply to"], []),
    ],
)
def test_examples_of_replies_are_read_and_what_none_shows_is_noted(
    tmp_path: Path, cancel: str, state: str, means: str, faults: list[str], notes: list[str]
) -> None:
    base = BASE.format(top="", submit="", body="", read="", pictures="")
    (tmp_path / "mine.toml").write_text(FILE.format(base=base, cancel=cancel, state=state, means=means), "utf-8")
    found = review(tmp_path / "mine.toml")
    about = [each.message for each in found.notes if each.message.startswith("cancel")]
    for expected, messages in ((faults, [each.message for each in found.faults]), (notes, about)):
        assert len(messages) == len(expected), messages
        assert all(one in message for one, message in zip(expected, messages, strict=True)), messages
