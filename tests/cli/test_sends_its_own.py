"""A command sends what it made, was given or its `wait` names, and sees its POST to its end before it leaves."""

import signal

import pytest

from tests.hosts import PATIENCE_S, Home, RawServer, darkroom, eventually, running
from tests.services.fatthumb import FatThumb


def left_waiting(user: Home, fatthumb: FatThumb, count: int) -> list[str]:
    """Ids of rows that a server which was killed had not sent yet, oldest first."""
    blocked = user.with_(FATTHUMB_LIMITS="submit=1/100000")
    with running(blocked, "serve") as process:
        server = RawServer(process)
        server.initialize()
        for number in range(count + 1):
            server.call("generate", prompt=f"picture {number}")
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        eventually(lambda: user.taken() == 1)
    return [generation["id"] for generation in darkroom(user, "list", "--json").json["generations"]][::-1][1:]


def prompts(fatthumb: FatThumb) -> list[str]:
    return [post.body["prompt"] for post in fatthumb.posts]


def test_commands_that_look_send_nothing_and_wait_sends_what_it_names(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1000/1")
    older, newer = left_waiting(user, fatthumb, 2)
    looked = darkroom(user, "status", older)
    assert "does not run any more" in looked.out
    for words in (["list"], ["models"], ["status", newer]):
        darkroom(user, *words)
    assert prompts(fatthumb) == ["picture 0"]
    assert darkroom(user, "wait", newer).status == 0
    assert darkroom(user, "generate", "picture 9").status == 0
    assert prompts(fatthumb) == ["picture 0", "picture 2", "picture 9"]
    assert darkroom(user, "wait", older).status == 0
    assert prompts(fatthumb)[3:] == ["picture 1"]


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "--timeout"])
def test_a_command_that_is_told_to_leave_sees_its_post_to_its_end(home: Home, fatthumb: FatThumb, how: str) -> None:
    fatthumb.slow_submit = 4.0
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb)
    timeout = "1" if how == "--timeout" else "60"
    with running(user, "generate", "A bridge", "--timeout", timeout) as process:
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        if how != "--timeout":
            process.send_signal(getattr(signal, how))
        _, said = process.communicate(timeout=PATIENCE_S)
    (listed,) = darkroom(user, "list", "--json").json["generations"]
    generation = darkroom(user, "status", listed["id"], "--json").json  # which tells what the dead have left
    assert (generation["status"], "error" in generation) == ("processing", False)
    assert process.returncode == 3
    assert f"Nothing is lost. To go on: darkroom-mcp wait {generation['id']}" in said
    assert "Not sent yet" not in said


def test_a_command_that_leaves_before_it_sent_anything_says_so(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/100000")
    assert darkroom(user, "generate", "A river").status == 0
    left = darkroom(user, "generate", "A bridge", "--timeout", "0.5", "--json")
    assert (left.status, len(fatthumb.posts)) == (3, 1)
    assert f"Not sent yet, and not charged: {left.json['id']}." in left.err
