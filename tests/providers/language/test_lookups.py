"""A job whose sender died in the middle of its POST: the process that takes its row over asks the service first."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import PATIENCE_S, Home, RawServer, eventually, running
from tests.services.declared import DeclaredService


def ours(service: DeclaredService) -> list[dict[str, str]]:
    return [{"id": "j1", "state": service.posts[0].json["state"]}, {"id": "j2", "state": "another"}]


def nobodys(service: DeclaredService) -> list[dict[str, str]]:
    return [{"id": "j2", "state": "another"}]


@pytest.fixture
def service() -> Generator[DeclaredService]:
    with DeclaredService.shipped("midjourney-proxy").like(submit="submit", read="success") as service:
        yield service


@contextmanager
def serving(user: Home) -> Generator[RawServer]:
    with running(user, "serve") as process:
        server = RawServer(process)
        server.initialize()
        yield server


def killed_in_mid_post(user: Home, service: DeclaredService) -> str:
    """The id of a generation whose server was killed while its POST had no answer yet."""
    service.may_answer.clear()
    with serving(user) as server:
        made = server.call("generate", prompt="a cat", provider=service.name)["structuredContent"]
        eventually(lambda: len(service.posts) == 1)
        server.process.kill()
        server.process.wait(PATIENCE_S)
    return made["id"]


def ended(server: RawServer, generation_id: str) -> dict[str, Any]:
    waited = server.call("wait", generation_ids=[generation_id])
    return waited["structuredContent"]["generations"][0]


def test_a_job_that_the_service_shows_under_our_name_is_gone_on_with(home: Home, service: DeclaredService) -> None:
    user = service.home(home)
    generation_id = killed_in_mid_post(user, service)
    service.says["lookup"] = [(503, {"error": "busy"}), (200, lambda: ours(service))]
    with serving(user) as server:
        generation = ended(server, generation_id)
    assert (generation["status"], service.of("read")[0].path) == ("succeeded", "/mj/task/j1/fetch")
    assert Path(generation["images"][0]["path"]).read_bytes() == service.picture()
    assert len(service.posts) == 1


def test_a_job_that_nothing_shows_has_an_unknown_outcome_and_is_not_sent_again(
    home: Home, service: DeclaredService
) -> None:
    user = service.home(home)
    generation_id = killed_in_mid_post(user, service)
    service.says["lookup"] = [(200, lambda: nobodys(service))]
    with serving(user) as server:
        generation = ended(server, generation_id)
    assert (generation["error"]["code"], generation["error"]["charged"]) == ("outcome_unknown", "maybe")
    assert (len(service.posts), len(service.of("lookup")) >= 2) == (1, True)


def test_a_process_that_dies_while_it_looks_leaves_the_looking_to_the_next(
    home: Home, service: DeclaredService
) -> None:
    user = service.home(home)
    generation_id = killed_in_mid_post(user, service)
    service.says["lookup"] = [(503, {"error": "busy"})]
    with serving(user) as server:
        eventually(lambda: len(service.of("lookup")) == 1)
        server.process.kill()
        server.process.wait(PATIENCE_S)
    service.says["lookup"] = [(200, lambda: ours(service))]
    with serving(user) as server:
        assert ended(server, generation_id)["status"] == "succeeded"
    assert len(service.posts) == 1


def test_kling_is_asked_for_the_job_by_the_name_that_it_was_sent(home: Home) -> None:
    with DeclaredService.shipped("kling").like(submit="submit", read="done") as kling:
        user = kling.home(home)
        generation_id = killed_in_mid_post(user, kling)
        name = kling.posts[0].json["external_task_id"]
        found = {"task_id": "k9", "task_status": "processing", "task_info": {"external_task_id": name}}
        kling.says["lookup"] = [(200, {"code": 0, "message": "SUCCEED", "data": found})]
        with serving(user) as server:
            generation = ended(server, generation_id)
        assert (generation["status"], kling.of("read")[0].path) == ("succeeded", "/v1/images/generations/k9")
        assert [each.path for each in kling.of("lookup")] == [f"/v1/images/generations/{name}"]
        assert len(kling.posts) == 1
