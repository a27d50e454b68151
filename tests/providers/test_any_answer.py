"""Whatever a service puts into the fields that nobody needs, a paid job keeps its id and its pictures."""

import json
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.models import ImageStatus
from darkroom.providers.base import Reading
from tests.fuzz.json_values import texts, values
from tests.fuzz.providers import Case, Clients, clients

EXAMPLES = 60
LINKS = [f"https://x.example/{number}.png" for number in range(1, 5)]
YES = {"1", "1.0", "true", "t", "yes", "y", "on"}
unasked = st.dictionaries(texts, values, max_size=3)
no_yes = values.filter(lambda value: str(value).lower() not in YES)


@pytest.fixture(scope="module")
def both() -> Generator[Clients]:
    with clients() as made:
        yield made


def told(both: Clients, provider: str, call: str, answer: dict[str, Any]) -> Any:
    return both.told(Case(provider, call, 200, {}, json.dumps(answer).encode()))


def merged(others: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return others | known


def fields(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these fields, and some that nobody documented, with anything in them."""
    known: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))
    return st.builds(merged, unasked, known)


@settings(deadline=None, database=None, derandomize=True, max_examples=EXAMPLES)
@given(fields("thumbnailIds", "status", "error"), st.sampled_from(["g1", 12345, "長/é"]))
def test_a_thumbnail_s_receipt_keeps_its_id(both: Clients, odd: dict[str, Any], job: str | int) -> None:
    assert told(both, "fatthumb", "submit", {**odd, "generationId": job}).receipt.job_id == str(job)


@settings(deadline=None, database=None, derandomize=True, max_examples=EXAMPLES)
@given(fields("status", "queue_position", "output", "error"), st.sampled_from(["job_1", 12345, "長/é"]))
def test_an_illustration_s_receipt_keeps_its_id(both: Clients, odd: dict[str, Any], job: str | int) -> None:
    assert told(both, "betterwaifu", "submit", {**odd, "id": job}).receipt.job_id == str(job)


@settings(deadline=None, database=None, derandomize=True, max_examples=EXAMPLES)
@given(
    st.one_of(st.sampled_from(["succeeded", "partial"]), values.filter(lambda status: status != "processing")),
    fields("id", "model", "count", "createdAt", "error"),
    st.tuples(*[fields("id", "isWatermarked", "error", "width")] * 2),
    no_yes,
)
def test_thumbnails_that_are_done_are_there(
    both: Clients, status: Any, odd: dict[str, Any], strange: tuple[dict[str, Any], ...], hidden: Any
) -> None:
    pictures = [
        {**each, "isHidden": hidden, "status": "succeeded", "url": link}
        for each, link in zip(strange * 2, LINKS, strict=True)
    ]
    reading: Reading = told(both, "fatthumb", "read", {**odd, "status": status, "thumbnails": pictures})
    assert reading.done
    assert [(image.status, image.url) for image in reading.images] == [(ImageStatus.SUCCEEDED, link) for link in LINKS]


@settings(deadline=None, database=None, derandomize=True, max_examples=EXAMPLES)
@given(
    fields("id", "queue_position", "error", "nsfw"),
    fields("seed"),
    fields("id", "width"),
    st.lists(st.one_of(st.none(), st.integers(), texts), max_size=2),
)
def test_an_illustration_that_is_done_is_there(
    both: Clients, odd: dict[str, Any], output: dict[str, Any], picture: dict[str, Any], others: list[Any]
) -> None:
    images = [*others, {**picture, "url": LINKS[0]}, *others]
    answer = {**odd, "status": "succeeded", "output": {**output, "images": images}}
    reading: Reading = told(both, "betterwaifu", "read", answer)
    assert (reading.done, reading.error, [image.url for image in reading.images]) == (True, None, LINKS[:1])
