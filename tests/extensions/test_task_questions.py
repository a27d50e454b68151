"""DARKROOM_CONFIRM within a task: it asks as `input_required`, and what the user says decides, once."""

from typing import Any

import pytest

from tests.extensions.task_client import DECLARED, TaskClient, altered, tasks_of
from tests.held import Held
from tests.hosts import PATIENCE_S, Home, eventually
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb

ASKABLE: dict[str, Any] = {**DECLARED, "elicitation": {"form": {}}}
YES: dict[str, Any] = {"action": "accept", "content": {"make_it": True}}
NO: dict[str, Any] = {"action": "accept", "content": {"make_it": False}}


def asking(client: TaskClient, **arguments: Any) -> tuple[str, str]:
    """A task that asks its user; answers its id and the key of its question."""
    task = client.task("generate", **{"prompt": "a fox", **arguments})
    state = client.get(task)
    assert state["status"] == "input_required"
    (key,) = state["inputRequests"]
    return task, key


def answer(client: TaskClient, task: str, key: str, response: Any) -> dict[str, Any]:
    """What an answer to the question is answered with."""
    return client.ask("tasks/update", taskId=task, inputResponses={key: response})


def status_told(client: TaskClient, task: str) -> str:
    """The next status of the task that a listener is told of."""
    while True:
        message = client.server.read()
        if message.get("method") == "notifications/tasks" and message["params"]["taskId"] == task:
            return message["params"]["status"]


@pytest.fixture
def careful(home: Home, fatthumb: FatThumb) -> Home:
    """A user who wants to be asked before every submission."""
    return home.with_(fatthumb, DARKROOM_CONFIRM="always")


def test_the_question_says_what_it_is_about_and_nothing_is_sent_before_a_yes(careful: Home, fatthumb: FatThumb) -> None:
    with tasks_of(careful, ASKABLE) as client:
        handle = client.call("generate", prompt="a fox", count=2)
        assert (handle["resultType"], handle["status"]) == ("task", "input_required")
        assert not {"inputRequests", "requestState"} & handle.keys()
        state = client.get(handle["taskId"])
        ((key, question),) = state["inputRequests"].items()
        assert question["method"] == "elicitation/create"
        for said in ("2 pictures", "FatThumb", "a fox"):
            assert said in question["params"]["message"]
        assert fatthumb.posts == []
        assert client.call("list_generations")["structuredContent"]["generations"] == []
        acknowledged = answer(client, handle["taskId"], key, YES)["result"]
        assert acknowledged["resultType"] == "complete"
        assert not {"taskId", "status", "result", "inputRequests"} & acknowledged.keys()
        assert client.result(handle["taskId"])["status"] == "succeeded"
    assert len(fatthumb.posts) == 1


def test_a_no_ends_the_task_with_a_refusal_and_nothing_is_sent(
    careful: Home, fatthumb: FatThumb, subtests: pytest.Subtests
) -> None:
    answers: dict[str, Any] = {"said no": NO, "answered no": {"action": "decline"}, "closed it": {"action": "cancel"}}
    with tasks_of(careful, ASKABLE) as client:
        for said, response in answers.items():
            with subtests.test(said=said):
                task, key = asking(client)
                answer(client, task, key, response)
                state = client.get(task)
                assert (state["status"], state["result"]["isError"]) == ("completed", True)
                assert said in state["result"]["content"][0]["text"]
                answer(client, task, key, YES)
                assert client.get(task)["result"]["isError"] is True
    assert fatthumb.posts == []


def test_answers_that_nobody_asked_for_are_acknowledged_and_it_goes_on_asking(
    careful: Home, fatthumb: FatThumb
) -> None:
    with tasks_of(careful, ASKABLE) as client:
        task, key = asking(client)
        assert answer(client, task, "another-key", {"ignored": True})["result"]["resultType"] == "complete"
        assert client.ask("tasks/update", taskId=task, inputResponses={})["result"]["resultType"] == "complete"
        for malformed in (7, {"ignored": True}, {"action": "perhaps"}):
            assert answer(client, task, key, malformed)["error"]["code"] == -32602
        assert key in client.get(task)["inputRequests"]
    assert fatthumb.posts == []


def test_a_yes_said_twice_is_one_submission(careful: Home, fatthumb: FatThumb) -> None:
    with tasks_of(careful, ASKABLE) as client:
        task, key = asking(client)
        answer(client, task, key, YES)
        answer(client, task, key, YES)
        client.result(task)
    assert len(fatthumb.posts) == 1


def test_a_question_survives_sigkill_and_is_answered_in_the_next_process(careful: Home, fatthumb: FatThumb) -> None:
    with tasks_of(careful, ASKABLE, killed=True) as client:
        task, key = asking(client)
    with tasks_of(careful, ASKABLE) as client:
        assert client.get(task)["status"] == "input_required"
        answer(client, task, key, YES)
        assert client.result(task)["status"] == "succeeded"
    assert len(fatthumb.posts) == 1


def test_a_yes_and_its_generation_are_written_together_or_not_at_all(careful: Home, fatthumb: FatThumb) -> None:
    with tasks_of(careful, ASKABLE) as client:
        task, key = asking(client)
        altered(careful, "CREATE TRIGGER full BEFORE INSERT ON generations BEGIN SELECT RAISE(ABORT, 'full'); END")
        assert "storage_error" in answer(client, task, key, YES)["error"]["message"]
        assert client.get(task)["status"] == "input_required"
        altered(careful, "DROP TRIGGER full")
        answer(client, task, key, YES)
        assert client.result(task)["status"] == "succeeded"
    assert len(fatthumb.posts) == 1


def test_what_the_user_was_asked_about_is_made_whatever_the_defaults_of_the_process_that_takes_the_yes(
    careful: Home, fatthumb: FatThumb, betterwaifu: BetterWaifu
) -> None:
    asks = careful.with_(betterwaifu, DARKROOM_PROVIDER="fatthumb")
    takes = careful.with_(betterwaifu, DARKROOM_PROVIDER="betterwaifu")
    with tasks_of(asks, ASKABLE) as client, tasks_of(takes, ASKABLE) as other:
        task, key = asking(client)
        answer(other, task, key, YES)
        assert client.result(task)["provider"] == "fatthumb"
    assert (len(fatthumb.posts), betterwaifu.posts) == (1, [])


def test_a_yes_taken_by_a_process_without_the_key_ends_the_task_and_nothing_is_sent(
    careful: Home, home: Home, fatthumb: FatThumb
) -> None:
    with tasks_of(careful, ASKABLE) as client, tasks_of(home, ASKABLE) as keyless:
        task, key = asking(client)
        answer(keyless, task, key, YES)
        for each in (client, keyless):
            state = each.get(task)
            assert (state["status"], state["result"]["isError"]) == ("completed", True)
            assert state["result"]["content"][0]["text"].startswith("not_configured")
        answer(client, task, key, YES)
        assert client.get(task)["result"]["isError"] is True
    assert fatthumb.posts == []


def test_looking_on_from_another_process_does_not_disturb_a_submission(
    careful: Home, home: Home, fatthumb: FatThumb
) -> None:
    held = Held()
    fatthumb.script("submit", held)
    with tasks_of(careful, ASKABLE) as client, tasks_of(home, ASKABLE) as keyless:
        task, key = asking(client)
        client.send("tasks/update", taskId=task, inputResponses={key: YES})
        eventually(lambda: keyless.get(task)["status"] != "input_required")
        seen = keyless.get(task)
        assert seen["status"] == "working", seen
        held.release()
        assert client.result(task) == keyless.result(task)
    assert len(fatthumb.posts) == 1


def test_of_a_yes_and_a_cancel_at_the_same_time_one_wins(
    careful: Home, fatthumb: FatThumb, subtests: pytest.Subtests
) -> None:
    fatthumb.slow_submit = 0.5
    with tasks_of(careful, ASKABLE) as client, tasks_of(careful, ASKABLE) as other:
        for yes_first in (True, False):
            with subtests.test(yes_first=yes_first):
                posted = len(fatthumb.posts)
                task, key = asking(client)
                both = [
                    lambda task=task, key=key: client.send("tasks/update", taskId=task, inputResponses={key: YES}),
                    lambda task=task: other.send("tasks/cancel", taskId=task),
                ]
                for send in both if yes_first else reversed(both):
                    send()
                ended = client.ended(task)
                assert other.ended(task)["status"] == ended["status"]
                assert len(fatthumb.posts) - posted == (ended["status"] == "completed"), ended


def test_two_questions_under_one_request_key_are_one_generation(careful: Home, fatthumb: FatThumb) -> None:
    with tasks_of(careful, ASKABLE) as client:
        asked = [asking(client, request_key="hero"), asking(client, request_key="hero")]
        another = asking(client, request_key="hero", prompt="an owl")
        for task, key in [*asked, another]:
            answer(client, task, key, YES)
        assert client.result(asked[0][0])["id"] == client.result(asked[1][0])["id"]
        refusal = client.ended(another[0])["result"]
        assert (refusal["isError"], "names another request" in refusal["content"][0]["text"]) == (True, True)
    assert len(fatthumb.posts) == 1


def test_cancelling_after_the_yes_was_taken_never_says_so_of_what_is_sent(careful: Home, fatthumb: FatThumb) -> None:
    fatthumb.next_job(duration=1000.0)
    with tasks_of(careful, ASKABLE) as client:
        task, key = asking(client)
        answer(client, task, key, YES)
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        client.ask("tasks/cancel", taskId=task)
        assert client.get(task)["status"] == "working"
        fatthumb.advance(1000)
        assert client.result(task)["status"] == "succeeded"
    assert len(fatthumb.posts) == 1


def test_a_task_cancelled_while_it_asks_sends_nothing_whatever_is_answered_then(
    careful: Home, fatthumb: FatThumb
) -> None:
    with tasks_of(careful, ASKABLE) as client:
        task, key = asking(client)
        client.ask("tasks/cancel", taskId=task)
        assert client.get(task)["status"] == "cancelled"
        answer(client, task, key, YES)
        assert client.get(task)["status"] == "cancelled"
    assert fatthumb.posts == []


def test_what_cannot_be_made_any_more_when_the_yes_comes_is_refused_with_its_reason(
    careful: Home, fatthumb: FatThumb
) -> None:
    tight = careful.with_(DARKROOM_BUDGET="1")
    with tasks_of(tight, ASKABLE) as client:
        first, first_key = asking(client)
        second, second_key = asking(client, prompt="an owl")
        answer(client, first, first_key, YES)
        client.result(first)
        answer(client, second, second_key, YES)
        state = client.get(second)
    assert (state["status"], state["result"]["isError"]) == ("completed", True)
    assert state["result"]["content"][0]["text"].startswith("rate_limited")
    assert len(fatthumb.posts) == 1


def test_a_host_that_cannot_ask_is_refused_at_once_without_a_task(careful: Home, fatthumb: FatThumb) -> None:
    with tasks_of(careful, DECLARED) as client:
        refusal = client.call("generate", prompt="a fox")
    assert refusal["isError"] is True
    assert "DARKROOM_CONFIRM" in refusal["content"][0]["text"]
    assert fatthumb.posts == []


def test_a_listener_is_told_of_the_question_and_then_of_what_came_of_it(
    careful: Home, fatthumb: FatThumb, subtests: pytest.Subtests
) -> None:
    with tasks_of(careful, ASKABLE) as client, tasks_of(careful, ASKABLE) as other:
        for fatthumb.slow_submit in (0.0, 1.5):
            with subtests.test(slow_submit=fatthumb.slow_submit):
                task, key = asking(client)
                client.send("subscriptions/listen", notifications={"taskIds": [task]})
                told = [status_told(client, task)]
                assert told == ["input_required"]
                answer(other, task, key, YES)
                while told[-1] != "completed":
                    told.append(status_told(client, task))
                assert set(told[1:-1]) <= {"working"}


def test_a_number_that_came_as_text_is_asked_about_as_the_number(careful: Home, fatthumb: FatThumb) -> None:
    with tasks_of(careful, ASKABLE) as client:
        task, key = asking(client, count="2")
        answer(client, task, key, YES)
        assert client.result(task)["count"] == 2
    assert [post.body["count"] for post in fatthumb.posts] == [2]


def test_what_costs_nothing_is_not_asked_about(careful: Home) -> None:
    with tasks_of(careful, ASKABLE, killed=True) as client:
        task = client.task("generate", prompt="a fox", provider="sketch")
        eventually(lambda: client.get(task)["status"] in {"working", "completed"})
        assert client.call("list_generations")["structuredContent"]["generations"][0]["prompt"] == "a fox"
