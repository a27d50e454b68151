"""Fixtures for every room."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.hosts import Home
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A user who has nothing yet."""
    return Home(tmp_path)


@pytest.fixture
def fatthumb() -> Generator[FatThumb]:
    """A FatThumb service on loopback."""
    with FatThumb() as service:
        yield service


@pytest.fixture
def betterwaifu() -> Generator[BetterWaifu]:
    """A BetterWaifu service on loopback."""
    with BetterWaifu() as service:
        yield service
