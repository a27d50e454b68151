"""DARKROOM_CONFIRM with pictures: a yes counts for those that the user was asked about, and for no others."""

import base64
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, ErrorData

from tests.attacks.crafted import encoded
from tests.extensions.task_client import tasks_of
from tests.extensions.test_task_questions import ASKABLE, YES, answer, asking
from tests.hosts import Home, call, refused
from tests.providers.language.test_edits import sent
from tests.services.declared import DeclaredService
from tests.tools.test_confirm import User
from tests.tools.test_confirm import asking as with_a_user

BEFORE, AFTER = encoded("PNG", 32, 32), encoded("PNG", 48, 48)


@pytest.fixture
def service() -> Generator[DeclaredService]:
    """A server that speaks OpenAI's image API."""
    with DeclaredService.shipped("openai") as service:
        data = [{"b64_json": base64.b64encode(service.picture(1)).decode()}]
        service.says["submit"] = [(200, {"created": 1, "data": data})]
        yield service


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture in a folder that the user named."""
    file = tmp_path / "mine" / "cat.png"
    file.parent.mkdir()
    file.write_bytes(BEFORE)
    return file


@pytest.fixture
def careful(home: Home, service: DeclaredService, picture: Path) -> Home:
    """A user who wants to be asked before anything is paid for."""
    return service.home(home, DARKROOM_CONFIRM="always", DARKROOM_INPUTS=str(picture.parent))


@dataclass
class Deceived(User):
    """Says yes, while somebody puts another picture into the place of the one in question, once."""

    place: Path = field(default_factory=Path)

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        if not self.asked:
            self.place.write_bytes(AFTER)
        return await super().__call__(context, params)


def wish(service: DeclaredService, picture: Path) -> dict[str, Any]:
    return {"prompt": "in a hat", "provider": service.name, "images": [str(picture)]}


async def test_a_picture_that_was_changed_after_the_question_is_not_sent(
    careful: Home, service: DeclaredService, picture: Path
) -> None:
    user = Deceived(place=picture)
    async with with_a_user(careful, user) as client:
        text = await refused(client, "generate", **wish(service, picture))
        assert f"Picture 1 ({picture}) was changed after the user had been asked about it" in text
        assert "Charged: no." in text
        assert "Call again" in text
        assert service.posts == []
        made = await call(client, "generate", **wish(service, picture))
        await call(client, "wait", generation_ids=[made["id"]])
    assert list(sent(service).values()) == [AFTER]
    assert len(user.asked) == 2


async def test_a_host_that_calls_again_with_the_answer_is_asked_about_the_changed_picture_first(
    careful: Home, service: DeclaredService, picture: Path
) -> None:
    user = Deceived(place=picture)
    async with with_a_user(careful, user, "2026-07-28") as client:
        made = await call(client, "generate", **wish(service, picture))
        await call(client, "wait", generation_ids=[made["id"]])
    first, second = (question.message for question in user.asked)
    assert (str(picture) in first, str(picture) in second, first == second) == (True, True, False)
    assert list(sent(service).values()) == [AFTER]
    assert len(service.posts) == 1


def test_a_task_that_was_agreed_to_ends_with_a_refusal_where_its_picture_was_changed(
    careful: Home, service: DeclaredService, picture: Path
) -> None:
    with tasks_of(careful, ASKABLE) as client:
        task, key = asking(client, **wish(service, picture))
        picture.write_bytes(AFTER)
        answer(client, task, key, YES)
        state = client.get(task)
    assert (state["status"], state["result"]["isError"]) == ("completed", True)
    assert "was changed after the user had been asked" in state["result"]["content"][0]["text"]
    assert service.posts == []


def test_a_task_whose_picture_stayed_the_same_is_made_with_it(
    careful: Home, service: DeclaredService, picture: Path
) -> None:
    with tasks_of(careful, ASKABLE) as client:
        task, key = asking(client, **wish(service, picture))
        answer(client, task, key, YES)
        assert client.result(task)["status"] == "succeeded"
    assert list(sent(service).values()) == [BEFORE]
