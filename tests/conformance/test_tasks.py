"""The Tasks extension under the official suite, on a server that has the tools which the suite calls."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.conformance.suite import run, served
from tests.hosts import Home

SCENARIOS = [
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
]
"""All but tasks-status-notifications, which this version of the suite skips."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with served(Home(tmp_path_factory.mktemp("tasks"))) as url:
        yield url


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_tasks_conform(scenario: str, url: str, tmp_path: Path) -> None:
    report = run(url, tmp_path, "--scenario", scenario)
    assert report.missed() == ""
    assert report.count("SUCCESS") > 0, report.said
    assert report.status == 0, report.said
