"""Fixtures for every room."""

from collections.abc import Generator
from pathlib import Path

import pytest

# These assert on behalf of tests; they say what they saw only if they are told to before anybody imports them.
pytest.register_assert_rewrite("tests.faults.table", "tests.faults.scene")

from tests import forks  # noqa: E402
from tests.hosts import Home  # noqa: E402
from tests.services.betterwaifu import BetterWaifu  # noqa: E402
from tests.services.fatthumb import FatThumb  # noqa: E402

forks.install()


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
