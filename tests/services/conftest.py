"""A service of each kind and a client of it, for the services' own tests."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.services.betterwaifu import BetterWaifu
from tests.services.clients import client_of
from tests.services.fatthumb import FatThumb


@pytest.fixture
def thumbs() -> Iterator[FatThumb]:
    with FatThumb(duration=10) as service:
        yield service


@pytest.fixture
def thumb_client(thumbs: FatThumb) -> Iterator[httpx2.Client]:
    with client_of(thumbs) as client:
        yield client


@pytest.fixture
def waifus() -> Iterator[BetterWaifu]:
    with BetterWaifu(duration=10) as service:
        yield service


@pytest.fixture
def waifu_client(waifus: BetterWaifu) -> Iterator[httpx2.Client]:
    with client_of(waifus) as client:
        yield client
