"""Services that nothing but a file declares, through the command line and a real client over stdio."""

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import Finished, Home, call, connected, darkroom
from tests.services.declared import KEY, DeclaredService

BEHIND_THE_KEY = """
language = 1
name = "vault"
title = "Vault"
base_url = "https://vault.example.com/v1"
limits = { poll_s = 0.1, shortest_s = 0.1 }
[submit]
path = "/pictures"
encoding = "multipart"
job = "/id"
body = { prompt = "$prompt" }
[read]
path = "/pictures/{job}"
status = "/status"
words = { running = ["in_progress"], done = ["completed"], failed = ["failed"] }
[pictures]
each = "/id"
item = { picture = "" }
request = { path = "/pictures/{picture}/content" }
[[example]]
name = "submit"
to = "submit"
answer = { id = "p1", status = "in_progress" }
[[example]]
name = "done"
answer = { id = "p1", status = "completed" }
"""
THUMBS = """
language = 1
name = "thumbs"
title = "Thumbs"
base_url = "https://thumbs.example.com/api"
limits = { poll_s = 0.1, shortest_s = 0.1 }
[accepts]
max_count = 3
[submit]
path = "/generate"
job = "/id"
body = { prompt = "$prompt", count = "$count" }
[read]
path = "/generations/{job}"
status = "/status"
words = { running = ["processing"], done = ["succeeded", "partial"], failed = ["failed"] }
[pictures]
each = "/thumbnails/*"
status = "/status"
words = { running = ["processing"], done = ["succeeded"], failed = ["failed"] }
url = "/url"
hidden = "/isHidden"
error = "/error"
[[example]]
name = "submit"
to = "submit"
answer = { id = "g1" }
[[example]]
name = "one of them"
answer = { status = "processing", thumbnails = [
  { id = "a", status = "succeeded", url = "https://x/1.png" }, { id = "b", status = "processing" } ] }
urls = ["https://x/1.png"]
[[example]]
name = "partial"
answer = { status = "partial", thumbnails = [
  { id = "a", status = "succeeded", url = "https://x/1.png" }, { id = "b", status = "failed", error = "Unclear face" },
  { id = "c", status = "succeeded", isHidden = true } ] }
urls = ["https://x/1.png"]
"""


def made(service: DeclaredService, home: Home, *words: str) -> Finished:
    """What the command prints that generates with this service."""
    return darkroom(service.home(home), "generate", "a cat", "--provider", service.name, "--json", *words)


def saved(finished: Finished) -> list[bytes]:
    """The bytes of the pictures that were saved."""
    images = finished.json["images"]
    return [Path(image["path"]).read_bytes() for image in images if "path" in image]


def test_a_picture_behind_a_link_is_fetched_without_the_key(home: Home) -> None:
    with DeclaredService.shipped("bfl").like(submit="submit", read=["pending", "ready"]) as service:
        done = made(service, home, "--aspect-ratio", "16:9")
        assert done.status == 0, done
        assert saved(done) == [service.picture()]
        (post,) = service.posts
        assert post.json == {"prompt": "a cat", "width": 1344, "height": 768, "output_format": "png"}
        assert post.headers["x-key"] == KEY
        assert all(look.headers["x-key"] == KEY and look.query == "id=t-1" for look in service.of("read"))
        assert not any(fetch.shows(KEY) for fetch in service.of("file"))
        assert len(service.of("read")) >= 2


def test_a_picture_in_base64_comes_out_of_the_answer(home: Home) -> None:
    with DeclaredService.shipped("sdcpp").like(submit="submit") as service:
        drawn = base64.b64encode(service.picture()).decode()
        service.says["read"] = [(200, {"status": "completed", "result": {"images": [{"index": 0, "b64_json": drawn}]}})]
        done = made(service, home, "--option", "steps=20")
        assert saved(done) == [service.picture()]
        assert service.posts[0].json["sample_params"] == {"sample_steps": 20}
        assert not service.posts[0].shows(KEY)


def test_a_picture_behind_the_key_is_asked_for_with_it(home: Home) -> None:
    with DeclaredService(BEHIND_THE_KEY).like(submit="submit", read=["submit", "done"]) as service:
        service.says["item"] = [(200, service.picture())]
        done = made(service, home)
        assert saved(done) == [service.picture()]
        (post,) = service.posts
        assert post.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert b'name="prompt"' in post.body
        assert [each.path for each in service.of("item")] == ["/v1/pictures/p1/content"]
        assert service.of("item")[0].headers["authorization"] == f"Bearer {KEY}"


def test_each_picture_is_asked_for_by_its_own_id(home: Home) -> None:
    with DeclaredService.shipped("scenario").like(submit="submit", read="done: ids, each asked for") as service:
        service.key = "user:secret_0123456789"
        service.says["item"] = [(200, {"asset": {"url": f"{service.origin}/files/1.png"}})]
        done = made(service, home)
        assert saved(done) == [service.picture()]
        assert service.posts[0].headers["authorization"] == f"Basic {base64.b64encode(service.key.encode()).decode()}"
        assert [each.path for each in service.of("item")] == ["/v1/assets/asset_1"]


def test_each_picture_has_its_own_status(home: Home) -> None:
    with DeclaredService(THUMBS).like(submit="submit", read=["one of them", "partial"]) as service:
        done = made(service, home, "--count", "3")
        assert done.json["status"] == "partial"
        assert saved(done) == [service.picture()]
        first, second, third = done.json["images"]
        assert (first["status"], second["status"], third["hidden"]) == ("succeeded", "failed", True)
        assert "Unclear face" in second["error"]["message"]


def test_a_refusal_in_a_200_is_a_refusal_that_was_not_charged(home: Home) -> None:
    with DeclaredService.shipped("midjourney-proxy").like(submit="banned word") as service:
        done = made(service, home)
        assert (done.json["error"]["code"], done.json["error"]["charged"]) == ("moderated", "no")
        assert len(service.posts) == 1


def test_a_preview_is_not_taken_for_the_picture(home: Home) -> None:
    with DeclaredService.shipped("midjourney-proxy").like(submit="submit", read=["in progress", "success"]) as service:
        done = made(service, home, "--aspect-ratio", "16:9")
        assert saved(done) == [service.picture()]
        assert service.posts[0].json["prompt"] == "a cat --ar 16:9"
        assert len(service.of("file")) == 1


@pytest.mark.parametrize(
    ("status", "answer", "code", "charged"),
    [
        (500, {"error": "x"}, "outcome_unknown", "maybe"),
        (200, {"no": "job"}, "outcome_unknown", "maybe"),
        (200, {"id": "t-1", "polling_url": "https://evil.example/"}, "outcome_unknown", "maybe"),
        (402, {"detail": "Insufficient credits"}, "payment_required", "no"),
        (403, {"detail": "Your prompt was flagged by moderation"}, "moderated", "no"),
    ],
)
def test_a_submission_ends_as_its_answer_says_after_one_post(
    home: Home, status: int, answer: Any, code: str, charged: str
) -> None:
    with DeclaredService.shipped("bfl") as service:
        service.says["submit"] = [(status, answer)]
        done = made(service, home)
        assert (done.json["error"]["code"], done.json["error"]["charged"]) == (code, charged)
        assert len(service.posts) == 1
        assert len(service.asked) == 1


async def test_a_submission_that_is_told_to_wait_is_sent_again_later(home: Home) -> None:
    with DeclaredService.shipped("fal").like(submit="submit", read="completed", result="result") as service:
        service.says["submit"].insert(0, (429, {"detail": "slow down"}))
        async with connected(service.home(home)) as client:
            started = await call(client, "generate", prompt="a cat", provider="fal-here", count=2)
            ended = await call(client, "wait", generation_ids=[started["id"]])
        assert ended["generations"][0]["status"] == "succeeded"
        assert len(service.posts) == 2
        assert len(service.of("result")) >= 1


def test_what_the_job_says_of_a_key_is_repeated_without_it(home: Home) -> None:
    with DeclaredService.shipped("replicate").like(submit="submit") as service:
        service.says["read"] = [(200, {"status": "failed", "error": f"the key {KEY} cannot be used"})]
        done = made(service, home)
        assert "[redacted]" in done.json["error"]["message"]
        ledger = b"".join(file.read_bytes() for file in (home.path / "home").rglob("*") if file.is_file())
        for shown in (done.out.encode(), done.err.encode(), ledger):
            assert KEY.encode() not in shown


@pytest.mark.parametrize(
    ("ours", "status"), [((True, False), "succeeded"), ((True, True), "failed"), ((False,), "failed")], ids=str
)
def test_a_job_whose_answer_is_lost_is_found_by_our_own_name_where_exactly_one_has_it(
    home: Home, ours: tuple[bool, ...], status: str
) -> None:
    with DeclaredService.shipped("midjourney-proxy").like(read="success") as service:

        def listed() -> list[dict[str, str]]:
            own = service.posts[0].json["state"]
            return [{"id": f"j{n}", "state": own if mine else "another"} for n, mine in enumerate(ours, start=1)]

        service.says["submit"] = [(502, {"error": "bad gateway"})]
        service.says["lookup"] = [(200, listed)]
        done = made(service, home)
        assert done.json["status"] == status
        assert len(service.posts) == 1
        if status == "succeeded":
            assert service.of("read")[0].path == "/mj/task/j1/fetch"
        else:
            assert done.json["error"]["code"] == "outcome_unknown"
