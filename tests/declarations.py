"""A declaration to be changed in one place, and what it makes of a request and of an answer."""

import json
from typing import Any

import pytest

from darkroom.errors import DarkroomError
from darkroom.models import GenerationRequest
from darkroom.providers.base import Reading
from darkroom.providers.language.answers import looked, reading, taken
from darkroom.providers.language.loading import parse
from darkroom.providers.language.offers import check, traits_of
from darkroom.providers.language.requests import Prepared, names_of, prepare
from darkroom.providers.language.schema import Service
from darkroom.providers.language.speech import Speech
from darkroom.redact.secrets import Redactor
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
