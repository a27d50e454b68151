"""notifications/tasks on a subscriptions/listen stream: the whole task at each change, beside every other kind."""

from typing import Any

from tests.extensions.task_client import TaskClient, tasks_of
from tests.hosts import Home
from tests.services.fatthumb import FatThumb

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


def listening(client: TaskClient, **notifications: Any) -> tuple[int, dict[str, Any]]:
    """Opens a stream; answers its id and what was acknowledged as its first message."""
    stream = client.send("subscriptions/listen", notifications=notifications)
    acknowledged = client.server.read()
    assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
    assert acknowledged["params"]["_meta"][SUBSCRIPTION] == stream
    return stream, acknowledged["params"]["notifications"]


def told_of(client: TaskClient, stream: int, status: str) -> dict[str, Any]:
    """The first notification of that status on the stream."""
    while True:
        message = client.server.read()
        if message.get("method") != "notifications/tasks":
            continue
        assert message["params"]["_meta"][SUBSCRIPTION] == stream
        if message["params"]["status"] == status:
            return message["params"]


def test_a_listener_is_told_of_the_task_as_it_goes_and_of_its_result(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.next_job(duration=1000.0)
    with tasks_of(home.with_(fatthumb)) as client:
        task = client.task("generate", prompt="a fox")
        stream, honoured = listening(client, taskIds=[task])
        assert honoured == {"taskIds": [task]}
        working = told_of(client, stream, "working")
        assert working["taskId"] == task
        assert working["statusMessage"]
        fatthumb.advance(1000)
        completed = told_of(client, stream, "completed")
    assert completed["result"]["structuredContent"]["status"] == "succeeded"
    assert "resultType" not in completed


def test_only_the_callers_own_tasks_are_acknowledged_and_told_of(home: Home) -> None:
    with tasks_of(home) as client:
        task = client.task("generate", prompt="a fox")
        stream, honoured = listening(client, taskIds=["task_of_another", task, 7, task], toolsListChanged=True)
        assert honoured == {"taskIds": [task], "toolsListChanged": True}
        assert told_of(client, stream, "completed")["taskId"] == task


def test_a_listener_is_told_of_what_another_process_does(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.next_job(duration=1000.0)
    user = home.with_(fatthumb)
    with tasks_of(user) as other, tasks_of(user) as client:
        task = other.task("generate", prompt="a fox")
        stream, _ = listening(client, taskIds=[task])
        fatthumb.advance(1000)
        assert told_of(client, stream, "completed")["taskId"] == task


def test_a_stream_without_tasks_and_one_of_a_client_that_did_not_declare_them_are_left_alone(home: Home) -> None:
    with tasks_of(home, {}) as client:
        _, honoured = listening(client, toolsListChanged=True)
        assert honoured == {"toolsListChanged": True}
        refused = client.ask("subscriptions/listen", notifications={"taskIds": ["task_x"]})
    assert refused["error"]["code"] == -32021


def test_what_is_no_list_of_ids_is_refused_by_the_protocol_or_ignored(home: Home) -> None:
    with tasks_of(home) as client:
        assert client.ask("subscriptions/listen", notifications=7)["error"]["code"] == -32602
        _, honoured = listening(client, taskIds="task_x", promptsListChanged=True)
        assert honoured == {"promptsListChanged": True}
