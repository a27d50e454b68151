"""The responses of one real generation, as examples of the declaration that it was made with."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from darkroom.models import GenerationRequest
from darkroom.providers.language.examples import REFERENCE
from darkroom.providers.language.requests import names_of, prepare
from darkroom.providers.language.schema import Service
from darkroom.redact.secrets import Redactor
from darkroom.transport.failures import Answer

MOST_EXAMPLES = 12
MOST_LETTERS = 1000
"""Of one text: a picture in Base64 is still one when it is cut here."""


def examples(
    service: Service, request: GenerationRequest, heard: Iterable[tuple[str, Answer]], redact: Redactor, source: str
) -> str:
    """TOML to be put behind the file: what was sent, and each response that differs from the one before, redacted."""
    body = prepare(service, service.submit, names_of(service, request, reference=REFERENCE)).body
    sent = {"name": "recorded: sent", "source": source, "request": {"prompt": request.prompt}, "body": body or {}}
    tables = [sent, *_answers(heard, redact, source)][:MOST_EXAMPLES]
    return "".join("\n[[example]]\n" + "".join(f"{key} = {_toml(table[key])}\n" for key in table) for table in tables)


def _answers(heard: Iterable[tuple[str, Answer]], redact: Redactor, source: str) -> Iterator[dict[str, Any]]:
    before: Any = None
    for table, answer in heard:
        try:
            value = answer.json_value(redact)
        except (ValueError, RecursionError):
            continue
        if (table, answer.status, value) != before:
            yield {
                "name": f"recorded: {table}", "source": source, "to": table, "status": answer.status, "answer": value,
            }  # fmt: skip
        before = (table, answer.status, value)


def _toml(value: Any) -> str:
    """The value as TOML, which has no null: such a key is left out, as everything here reads it."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value).items()
        return "{ " + ", ".join(f"{_text(key)} = {_toml(each)}" for key, each in fields if each is not None) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in cast("list[Any]", value) if each is not None) + "]"
    return _text(value[:MOST_LETTERS]) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
