"""generate and wait become tasks for a client that declared them, and stay what they are for all others."""

from collections.abc import Generator
from typing import Any

import pytest

from darkroom.extensions.tasks import IDENTIFIER
from tests.extensions.task_client import DECLARED, TaskClient, altered, meta, tasks_of
from tests.hosts import Home, RawServer, connected, darkroom, eventually, running
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Generator[TaskClient]:
    """A client whose server has begun nothing, and has no key: for whatever begins nothing either."""
    with tasks_of(Home(tmp_path_factory.mktemp("blank"))) as client:
        yield client


def test_the_extension_is_advertised_to_clients_of_its_era(blank: TaskClient) -> None:
    capabilities = blank.ask("server/discover")["result"]["capabilities"]
    assert capabilities["extensions"][IDENTIFIER] == {}


def test_a_call_of_generate_becomes_a_task_and_ends_with_what_wait_would_have_answered(
    home: Home, fatthumb: FatThumb
) -> None:
    fatthumb.next_job(duration=1000.0)
    with tasks_of(home.with_(fatthumb)) as client:
        handle = client.call("generate", prompt="a fox", count=2)
        assert handle["resultType"] == "task"
        assert handle["status"] == "working"
        assert not {"result", "error", "inputRequests", "content", "requestState"} & handle.keys()
        assert handle["ttlMs"] > 0
        assert handle["pollIntervalMs"] > 0
        assert handle["createdAt"].endswith("Z")
        task = client.get(handle["taskId"])
        assert (task["resultType"], task["status"]) == ("complete", "working")
        eventually(lambda: "0 of 2 done" in client.get(handle["taskId"])["statusMessage"])
        fatthumb.advance(1000)
        ended = client.ended(handle["taskId"])
        generation = ended["result"]["structuredContent"]
        kinds = [block["type"] for block in ended["result"]["content"]]
    assert (ended["status"], generation["status"], len(generation["images"])) == ("completed", "succeeded", 2)
    assert (kinds.count("text"), kinds.count("resource_link")) == (1, 2)
    assert "image" in kinds
    assert "2 pictures saved" in ended["statusMessage"]
    assert len(fatthumb.posts) == 1


def test_a_call_of_wait_becomes_a_task_over_all_that_it_names(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    with tasks_of(home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1")) as client:
        plain = meta({})
        asked = [{"name": "generate", "arguments": {"prompt": p}, "_meta": plain} for p in ("a fox", "an owl")]
        answers = [client.server.request("tools/call", params)["result"] for params in asked]
        ids = [answer["structuredContent"]["id"] for answer in answers]
        task = client.task("wait", generation_ids=ids, timeout_s=600)
        assert client.get(task)["status"] == "working"
        assert "0 of 2 done" in client.get(task)["statusMessage"]
        fatthumb.until(lambda: len(fatthumb.posts) == 2)
        fatthumb.advance(1000)
        result = client.result(task)
    assert [generation["id"] for generation in result["generations"]] == ids
    assert result["timed_out"] is False


def test_a_wait_for_any_ends_with_the_first(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.next_job(duration=1000.0)
    with tasks_of(home.with_(betterwaifu)) as client:
        sketched = client.result(client.task("generate", prompt="a fox", provider="sketch"))["id"]
        client.task("generate", prompt="an owl")
        owl = darkroom(home, "list", "--json").json["generations"][0]["id"]
        result = client.result(client.task("wait", generation_ids=[owl, sketched], until="any", timeout_s=600))
    assert [generation["status"] == "succeeded" for generation in result["generations"]] == [False, True]
    assert result["timed_out"] is False


def test_a_wait_whose_time_is_over_says_so_and_stays_over_whatever_comes_later(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.next_job(duration=1000.0)
    with tasks_of(home.with_(fatthumb)) as client:
        generating = client.task("generate", prompt="a fox")
        (listed,) = client.call("list_generations")["structuredContent"]["generations"]
        waiting = client.task("wait", generation_ids=[listed["id"]], timeout_s=0.2)
        assert client.result(waiting)["timed_out"] is True
        ended = client.get(waiting)["lastUpdatedAt"]
        fatthumb.advance(1000)
        assert client.result(generating)["status"] == "succeeded"
        again = client.get(waiting)
    assert (again["status"], again["lastUpdatedAt"]) == ("completed", ended)
    assert again["result"]["structuredContent"]["timed_out"] is True


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("generate", {"prompt": " "}, "invalid_request"),
        ("generate", {"prompt": "a fox", "provider": "fatthumb"}, "not_configured"),
        ("wait", {"generation_ids": ["gen_x"]}, "not_found"),
        ("wait", {"generation_ids": []}, "invalid_request"),
        ("wait", {"generation_ids": ["gen_x"], "speed": 1}, "invalid_request"),
    ],
)
def test_a_call_that_is_refused_is_answered_at_once_without_a_task(
    blank: TaskClient, tool: str, arguments: dict[str, Any], said: str
) -> None:
    answer = blank.call(tool, **arguments)
    assert answer["resultType"] == "complete"
    assert answer["isError"] is True
    assert answer["content"][0]["text"].startswith(said)


def test_a_generation_that_fails_completes_its_task_and_says_why(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.script("submit", Answer(402))
    with tasks_of(home.with_(fatthumb)) as client:
        task = client.ended(client.task("generate", prompt="a fox"))
    assert task["status"] == "completed"
    assert task["result"]["structuredContent"]["error"]["code"] == "payment_required"


def test_other_tools_stay_plain_calls(blank: TaskClient) -> None:
    assert blank.call("list_generations")["resultType"] == "complete"


async def test_a_client_that_did_not_declare_tasks_is_answered_as_before(home: Home) -> None:
    async with connected(home, "2026-07-28") as client:
        result = await client.call_tool("generate", {"prompt": "a fox"})
    assert result.structured_content["status"] in {"queued", "processing", "succeeded"}


def test_a_client_of_the_older_era_is_answered_as_before_even_if_it_names_the_extension(home: Home) -> None:
    with running(home, "serve") as process:
        server = RawServer(process)
        info = {"name": "old", "version": "0"}
        hello = {"protocolVersion": "2025-11-25", "capabilities": DECLARED, "clientInfo": info}
        server.request("initialize", hello)
        answer = server.call("generate", prompt="a fox")
        refused = server.request("tasks/get", {"taskId": "task_x"})
    assert "structuredContent" in answer
    assert "taskId" not in answer
    assert refused["error"]["code"] == -32601


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_a_client_that_did_not_declare_tasks_is_told_what_it_needs(blank: TaskClient, method: str) -> None:
    error = TaskClient(blank.server, {}).ask(method, taskId="task_x", inputResponses={})["error"]
    assert error["code"] == -32021
    assert error["data"]["requiredCapabilities"]["extensions"] == {IDENTIFIER: {}}


@pytest.mark.parametrize("change", ["owner = 'someone else'", "created_at = created_at - 604801"])
def test_a_task_of_another_caller_or_past_its_time_is_as_unknown_as_one_that_never_was(
    home: Home, fatthumb: FatThumb, change: str, subtests: pytest.Subtests
) -> None:
    with tasks_of(home.with_(fatthumb)) as client:
        task = client.task("generate", prompt="a fox")
        client.ended(task)
        altered(home, f"UPDATE tasks SET {change}")
        for method in ("tasks/get", "tasks/update", "tasks/cancel"):
            with subtests.test(method=method):
                error = client.ask(method, taskId=task, inputResponses={})["error"]
                never = client.ask(method, taskId="task_never", inputResponses={})["error"]
                assert error["code"] == never["code"] == -32602
                assert error["message"] == never["message"]


def test_rows_past_their_time_are_removed_when_the_next_task_begins(home: Home, fatthumb: FatThumb) -> None:
    with tasks_of(home.with_(fatthumb)) as client:
        client.ended(client.task("generate", prompt="a fox"))
        altered(home, "UPDATE tasks SET created_at = created_at - 604801")
        again = client.task("generate", prompt="an owl")
        altered(home, "UPDATE tasks SET created_at = created_at + 604801")
        assert client.get(again)["taskId"] == again
    assert darkroom(home, "list", "--json").json["generations"][1]["status"] == "succeeded"


@pytest.mark.parametrize("params", [{}, {"taskId": 7}, {"taskId": None}, {"taskId": ["task_x"]}])
def test_a_malformed_id_is_refused_as_such(blank: TaskClient, params: dict[str, Any]) -> None:
    assert blank.ask("tasks/get", **params)["error"]["code"] == -32602


def test_where_the_task_cannot_be_written_the_call_is_answered_plainly(home: Home) -> None:
    with tasks_of(home) as client:
        client.call("list_generations")
        altered(home, "DROP TABLE tasks")
        answer = client.call("generate", prompt="a fox")
        assert answer["structuredContent"]["id"].startswith("gen_")
        waited = client.call("wait", generation_ids=[answer["structuredContent"]["id"]])
        assert waited["isError"] is True
        assert waited["content"][0]["text"].startswith("storage_error")
        error = client.ask("tasks/get", taskId="task_x")["error"]
    assert error["message"].startswith("storage_error")


def test_a_server_without_its_ledger_says_so_of_tasks_too(home: Home) -> None:
    home.ledger.parent.mkdir(parents=True)
    home.ledger.write_bytes(b"no ledger")
    with tasks_of(home) as client:
        assert client.call("generate", prompt="a fox")["isError"] is True
        assert client.call("wait", generation_ids=["gen_x"])["isError"] is True
        assert "storage_error" in client.ask("tasks/get", taskId="task_x")["error"]["message"]
