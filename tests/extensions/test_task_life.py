"""A task is a row of the ledger: it outlives its server, works in another process, and is cancelled truthfully."""

from tests.extensions.task_client import TaskClient, tasks_of
from tests.hosts import PATIENCE_S, Home, RawServer, eventually, running
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

ONE_AT_A_TIME = {"BETTERWAIFU_LIMITS": "active=1,submit=1000/1"}


def test_a_client_that_loses_its_server_to_sigkill_gets_the_result_from_a_new_one_under_the_same_id(
    home: Home, fatthumb: FatThumb
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb)
    with tasks_of(user, killed=True) as client:
        task = client.task("generate", prompt="A train in the snow", count=2)
        (listed,) = client.call("list_generations")["structuredContent"]["generations"]
        waiting = client.task("wait", generation_ids=[listed["id"]], timeout_s=600)
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        eventually(lambda: "working on it" in client.get(task)["statusMessage"])
    fatthumb.advance(1000)
    with tasks_of(user) as client:
        generation = client.result(task)
        # In a wait's result the contact sheet is that of all its generations.
        waited = client.result(waiting)
        assert waited["contact_sheet"] == generation.pop("contact_sheet")
        assert waited["generations"] == [generation]
    assert (generation["id"], generation["status"]) == (listed["id"], "succeeded")
    assert len(user.saved()) == 2
    assert len(fatthumb.posts) == 1


def test_a_task_of_one_process_is_answered_by_another_on_the_same_ledger(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.next_job(duration=1000.0)
    user = home.with_(fatthumb)
    with tasks_of(user) as client, tasks_of(user) as other:
        task = client.task("generate", prompt="a fox")
        assert other.get(task)["status"] == "working"
        fatthumb.advance(1000)
        assert other.result(task) == client.result(task)


def test_a_call_whose_answer_was_lost_is_the_same_generation_under_a_new_task(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb)
    with running(user, "serve") as process:
        client = TaskClient(RawServer(process), {"extensions": {"io.modelcontextprotocol/tasks": {}}})
        client.send("tools/call", name="generate", arguments={"prompt": "a fox"})
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
    with tasks_of(user) as client:
        task = client.task("generate", prompt="a fox")
        fatthumb.advance(1000)
        client.ended(task)
    assert len(fatthumb.posts) == 1


def test_cancelling_what_no_provider_has_ends_the_task_and_sends_nothing(home: Home, betterwaifu: BetterWaifu) -> None:
    betterwaifu.next_job(duration=1000.0)
    with tasks_of(home.with_(betterwaifu, **ONE_AT_A_TIME)) as client:
        first = client.task("generate", prompt="first")
        betterwaifu.until(lambda: len(betterwaifu.posts) == 1, PATIENCE_S)
        second = client.task("generate", prompt="second")
        assert "starts once the one before it is done" in client.get(second)["statusMessage"]
        assert client.ask("tasks/cancel", taskId=second)["result"]["resultType"] == "complete"
        task = client.get(second)
        assert task["status"] == "cancelled"
        assert not {"result", "error"} & task.keys()
        betterwaifu.advance(1000)
        client.result(first)
    assert [post.body["prompt"] for post in betterwaifu.posts] == ["first"]


def test_cancelling_what_a_provider_has_is_acknowledged_and_the_task_goes_on(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.next_job(duration=1000.0)
    with tasks_of(home.with_(fatthumb)) as client:
        task = client.task("generate", prompt="a fox")
        eventually(lambda: "working on it" in client.get(task)["statusMessage"])
        acknowledged = client.ask("tasks/cancel", taskId=task)["result"]
        assert acknowledged["resultType"] == "complete"
        assert not {"taskId", "status", "result", "error", "inputRequests"} & acknowledged.keys()
        assert client.get(task)["status"] == "working"
        fatthumb.advance(1000)
        assert client.result(task)["status"] == "succeeded"
        client.ask("tasks/cancel", taskId=task)
        assert client.get(task)["status"] == "completed"


def test_cancelling_a_wait_ends_the_wait_and_not_the_work(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.next_job(duration=1000.0)
    with tasks_of(home.with_(fatthumb)) as client:
        generating = client.task("generate", prompt="a fox")
        (listed,) = client.call("list_generations")["structuredContent"]["generations"]
        waiting = client.task("wait", generation_ids=[listed["id"]], timeout_s=600)
        client.ask("tasks/cancel", taskId=waiting)
        assert client.get(waiting)["status"] == "cancelled"
        fatthumb.advance(1000)
        assert client.result(generating)["status"] == "succeeded"
        assert client.get(waiting)["status"] == "cancelled"
        done = client.task("wait", generation_ids=[listed["id"]])
        client.ask("tasks/cancel", taskId=done)
        assert client.result(done)["timed_out"] is False
