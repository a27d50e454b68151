"""What becomes of an exchange that ends badly: the same with every provider."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from darkroom.models import Charged
from darkroom.providers.base import Provider
from tests.clients import READ_ENDINGS, SUBMIT_ENDINGS, Ending, asked, provider_at, refusal
from tests.services.base import Service

pytestmark = pytest.mark.parametrize("provider_name", ["fatthumb", "betterwaifu"])


@pytest.fixture
def service(provider_name: str, request: pytest.FixtureRequest) -> Service[Any]:
    """That provider's; its jobs take long."""
    service: Service[Any] = request.getfixturevalue(provider_name)
    service.later_jobs(duration=1000.0)
    return service


@pytest.fixture
async def provider(service: Service[Any]) -> AsyncGenerator[Provider]:
    async with provider_at(service) as provider:
        yield provider


@pytest.mark.parametrize("ending", SUBMIT_ENDINGS.values(), ids=SUBMIT_ENDINGS)
async def test_a_submission_that_goes_wrong_is_told_for_what_it_is_and_never_repeated(
    provider: Provider, service: Service[Any], ending: Ending
) -> None:
    service.script("submit", ending.fault)
    error = await refusal(provider.submit(asked(provider), "gen_1"))
    assert (type(error), error.charged) == (ending.error, ending.charged)
    assert provider.traits.title in error.message
    assert len(service.requests("POST")) == 1
    assert len(service.posts) == ending.accepted


@pytest.mark.parametrize("ending", READ_ENDINGS.values(), ids=READ_ENDINGS)
async def test_a_reading_that_goes_wrong_is_told_for_what_it_is(
    provider: Provider, service: Service[Any], ending: Ending
) -> None:
    request = asked(provider)
    job = await provider.submit(request, "gen_1")
    service.script("read", ending.fault)
    error = await refusal(provider.read(job.receipt, request))
    assert issubclass(type(error), ending.error)
    assert error.charged is Charged.NO
    assert len(service.requests("GET")) == 1
    assert not (await provider.read(job.receipt, request)).done
