"""Fixtures for every room."""

import os
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples in each run, however slow the machine; `--hypothesis-profile=default` draws others.
settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
# These assert on behalf of tests; they say what they saw only if they are told to before anybody imports them.
pytest.register_assert_rewrite("tests.faults.table", "tests.faults.scene")

from tests import forks  # noqa: E402
from tests.hosts import NOON, Home  # noqa: E402
from tests.services.betterwaifu import BetterWaifu  # noqa: E402
from tests.services.fatthumb import FatThumb  # noqa: E402
from tests.services.postgres import Cluster, cluster  # noqa: E402

forks.install()
os.environ["TZ"] = NOON
if sys.platform != "win32":
    time.tzset()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that take a PostgreSQL are of the hosting stage."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("hosting")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Home:
    """A user who has nothing yet. Parametrized with "postgresql": whose ledger is there."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return Home(tmp_path)
    server: Cluster = request.getfixturevalue("postgres")
    return Home(tmp_path, {"DARKROOM_DATABASE_URL": server.fresh()})


@pytest.fixture(scope="session")
def postgres() -> Generator[Cluster]:
    """A PostgreSQL on loopback, for all tests of this process: each takes a schema of its own."""
    with cluster() as server:
        yield server


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
