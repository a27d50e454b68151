"""tasks/cancel, where a provider can be asked to stop its job. Tasks exist in the era of 2026-07-28 alone."""

from collections.abc import Generator

import pytest

from tests.extensions.task_client import TaskClient, tasks_of
from tests.hosts import Home, eventually
from tests.services.declared import DeclaredService
from tests.tools.test_cancel_at_provider import DONE, DRAWING, EASEL, stops


@pytest.fixture
def easel() -> Generator[DeclaredService]:
    with DeclaredService(EASEL) as service:
        service.says = {"submit": [(200, DRAWING)], "read": [(200, DRAWING)]}
        yield service


def drawn(client: TaskClient) -> str:
    """A task whose job the service has."""
    task = client.task("generate", prompt="a cat", provider="easel")
    eventually(lambda: "working on it" in client.get(task)["statusMessage"])
    return task


@pytest.mark.parametrize("by_another_process", [False, True], ids=["the same process", "another process"])
def test_cancelling_a_task_asks_the_provider_once_to_stop_its_job_and_its_status_ends_the_task(
    home: Home, easel: DeclaredService, by_another_process: bool
) -> None:
    user = easel.home(home)
    stops(easel, {"id": "j1", "status": "cancelled"})
    with tasks_of(user) as client, tasks_of(user) as other:
        task = drawn(client)
        for _ in range(2):
            acknowledged = (other if by_another_process else client).ask("tasks/cancel", taskId=task)["result"]
            assert acknowledged["resultType"] == "complete"
        assert client.ended(task)["status"] == "cancelled"
        (seen,) = client.call("list_generations")["structuredContent"]["generations"]
    assert (seen["status"], seen["error"]["charged"]) == ("cancelled", "maybe")
    assert [each.path for each in easel.of("cancel")] == ["/v1/jobs/j1/cancel"]
    assert len(easel.posts) == 1


def test_a_task_whose_provider_is_too_late_to_stop_its_job_goes_on_to_its_result(
    home: Home, easel: DeclaredService
) -> None:
    easel.says["cancel"] = [(409, {"error": "busy"})]
    with tasks_of(easel.home(home)) as client:
        task = drawn(client)
        assert client.ask("tasks/cancel", taskId=task)["result"]["resultType"] == "complete"
        assert client.get(task)["status"] == "working"
        easel.says["read"] = [(200, DONE)]
        assert client.result(task)["status"] == "succeeded"
    assert len(easel.of("cancel")) == 1


def test_cancelling_a_wait_asks_no_provider_to_stop_a_job(home: Home, easel: DeclaredService) -> None:
    with tasks_of(easel.home(home)) as client:
        generating = drawn(client)
        (listed,) = client.call("list_generations")["structuredContent"]["generations"]
        waiting = client.task("wait", generation_ids=[listed["id"]], timeout_s=600)
        client.ask("tasks/cancel", taskId=waiting)
        assert client.get(waiting)["status"] == "cancelled"
        easel.says["read"] = [(200, DONE)]
        assert client.result(generating)["status"] == "succeeded"
    assert easel.of("cancel") == []
