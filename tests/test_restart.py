"""What a crash leaves, the next start finishes."""

from tests.hosts import PATIENCE_S, Home, RawServer, darkroom, eventually, on_both_databases, running
from tests.services.fatthumb import FatThumb


@on_both_databases
def test_a_server_killed_between_submission_and_completion_finishes_unasked_when_started_again(
    home: Home, fatthumb: FatThumb
) -> None:
    fatthumb.later_jobs(duration=1000.0)
    user = home.with_(fatthumb)
    with running(user, "serve") as process:
        server = RawServer(process)
        server.initialize()
        generation = server.call("generate", prompt="A train in the snow", count=2)["structuredContent"]
        eventually(lambda: user.taken() == 1)
    assert user.saved() == []
    fatthumb.advance(1000)
    with running(user, "serve"):
        eventually(lambda: len(user.saved()) == 2)
        eventually(lambda: darkroom(user, "list", "--json").json["generations"][0]["status"] == "succeeded")
    (listed,) = darkroom(user, "list", "--json").json["generations"]
    assert listed["id"] == generation["id"]
    assert [image["path"] for image in listed["images"]] == [str(path) for path in user.saved()]
    assert len(fatthumb.posts) == 1
    assert len(fatthumb.requests("POST", "/generate")) == 1


@on_both_databases
def test_a_server_killed_during_the_post_says_that_nobody_knows_and_never_posts_again(
    home: Home, fatthumb: FatThumb
) -> None:
    fatthumb.slow_submit = 30.0
    user = home.with_(fatthumb)
    with running(user, "serve") as process:
        server = RawServer(process)
        server.initialize()
        server.call("generate", prompt="A train in the snow")
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
    with running(user, "serve"):
        eventually(lambda: darkroom(user, "list", "--json").json["generations"][0]["status"] == "failed")
    (listed,) = darkroom(user, "list", "--json").json["generations"]
    assert listed["error"]["code"] == "outcome_unknown"
    assert listed["error"]["charged"] == "maybe"
    assert "gallery" in listed["error"]["next_step"]
    assert len(fatthumb.requests("POST", "/generate")) == 1
