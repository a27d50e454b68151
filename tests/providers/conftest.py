"""A client of each provider, over the services of the same name."""

from collections.abc import AsyncGenerator

import pytest

from darkroom.providers.base import Provider
from tests.clients import provider_at
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb


@pytest.fixture
async def thumbs(fatthumb: FatThumb) -> AsyncGenerator[Provider]:
    """FatThumb's client; its jobs take long, unless the service's clock is moved on."""
    fatthumb.later_jobs(duration=1000.0)
    async with provider_at(fatthumb) as provider:
        yield provider


@pytest.fixture
async def waifus(betterwaifu: BetterWaifu) -> AsyncGenerator[Provider]:
    """BetterWaifu's client; its jobs take long, unless the service's clock is moved on."""
    betterwaifu.later_jobs(duration=1000.0)
    async with provider_at(betterwaifu) as provider:
        yield provider
