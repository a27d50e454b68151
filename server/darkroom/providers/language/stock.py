"""A service's reports about itself: its models, and the amount that is left in the account."""

from collections.abc import Iterator
from typing import Any

from darkroom.providers.base import AccountState, Model
from darkroom.providers.language.offers import THE_ONE
from darkroom.providers.language.pictures import text_of
from darkroom.providers.language.pointers import every, first, segments
from darkroom.providers.language.speech import Speech
from darkroom.redact.text import clean


def models_in(speech: Speech, listed: Any) -> list[Model]:
    """The models that the file names, or those in the service's own list. Raises ProviderError: it lists an error."""
    service = speech.service
    if service.models is None or service.accepts.models:
        fixed = [Model(id=each.id, name=each.name or each.id, note=each.note) for each in service.accepts.models]
        return fixed or [Model(id=THE_ONE, name=service.title)]
    found = [model for each in every(listed, service.models.each) if (model := _model(speech, each))]
    if not found:
        speech.refuse_words(listed)
    return found


def account_in(speech: Speech, reported: Any) -> AccountState | None:
    """The account, as far as the service reports it. Raises ProviderError: it reports an error."""
    table = speech.service.account
    if table is None:
        return None
    left = None if table.credits is None else first(reported, table.credits)
    texts = {
        name: _label(speech, first(reported, pointer))
        for name in ("plan", "plan_status", "plan_ends")
        if (pointer := getattr(table, name)) is not None
    }
    found = AccountState(credits=_amount(left), **texts)
    if found == AccountState():
        speech.refuse_words(reported)
    return found


def _amount(value: Any) -> float | None:
    counts = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53
    return float(value) if counts else None


def _model(speech: Speech, listed: Any) -> Model | None:
    table = speech.service.models
    model_id = None if table is None else text_of(first(listed, table.id), 100)
    if table is None or model_id is None:
        return None
    name = " ".join(_labels(speech, listed, table.name or []))
    return Model(id=model_id, name=name or model_id, note=", ".join(_labels(speech, listed, table.note or [])) or None)


def _labels(speech: Speech, value: Any, pointers: list[str]) -> Iterator[str]:
    for pointer in pointers:
        found = first(value, pointer)
        label = segments(pointer)[-1] if found is True else _label(speech, found)
        if label:
            yield label


def _label(speech: Speech, value: Any) -> str | None:
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    return clean(speech.redact(text), 80) or None
