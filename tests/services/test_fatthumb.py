"""FatThumb answers over a real socket as its contract says."""

import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import pytest

from tests.services.clients import client_of, opened, states, stranger_to, submit
from tests.services.fatthumb import FatThumb


def test_makes_thumbnails_one_after_the_other(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    accepted = submit(thumb_client, count=2).json()
    assert accepted["status"] == "processing"
    assert len(accepted["thumbnailIds"]) == 2
    path = f"/generations/{accepted['generationId']}"
    assert states(thumb_client.get(path).json()) == ["processing", "processing"]
    thumbs.advance(5.1)
    half = thumb_client.get(path).json()
    assert half["status"] == "processing"
    assert states(half) == ["succeeded", "processing"]
    thumbs.advance(5)
    done = thumb_client.get(path).json()
    assert done["status"] == "succeeded"
    assert [thumb["id"] for thumb in done["thumbnails"]] == accepted["thumbnailIds"]
    assert abs(done["createdAt"] - time.time() * 1000) < 60_000


def test_serves_other_real_pictures_without_a_key(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    job = submit(thumb_client, count=2).json()
    thumbs.advance(10)
    done = thumb_client.get(f"/generations/{job['generationId']}").json()
    with stranger_to(thumbs) as stranger:
        pictures = [stranger.get(thumb["url"]) for thumb in done["thumbnails"]]
    assert [opened(each) for each in pictures] == [("PNG", (1280, 720))] * 2
    assert pictures[0].content == thumbs.picture(job["thumbnailIds"][0]) != pictures[1].content
    assert [entry.has_key for entry in thumbs.picture_requests] == [False, False]
    thumb_client.get(done["thumbnails"][0]["url"])
    assert thumbs.picture_requests[-1].has_key


@pytest.mark.parametrize(
    ("fate", "status", "each"),
    [
        ({"failing": {0: "no"}}, "partial", ["failed", "succeeded"]),
        ({"failing": {0: "no", 1: "no"}}, "failed", ["failed", "failed"]),
        ({"hidden": {1}}, "succeeded", ["succeeded", "succeeded"]),
    ],
)
def test_a_fate_decides_how_a_job_ends(
    thumbs: FatThumb, thumb_client: httpx2.Client, fate: dict[str, Any], status: str, each: list[str]
) -> None:
    thumbs.next_job(**fate)
    path = f"/generations/{submit(thumb_client, count=2).json()['generationId']}"
    thumbs.advance(10)
    done = thumb_client.get(path).json()
    assert (done["status"], states(done)) == (status, each)
    for index, thumb in enumerate(done["thumbnails"]):
        assert thumb["isHidden"] == (index in fate.get("hidden", ()))
        assert thumb["error"] == fate.get("failing", {}).get(index)
        assert (thumb["url"] is None) == (thumb["isHidden"] or thumb["error"] is not None)


def test_a_status_can_be_said_for_a_while(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    thumbs.later_jobs(statuses=((20.0, "upscaling"),))
    path = f"/generations/{submit(thumb_client).json()['generationId']}"
    thumbs.advance(15)
    assert thumb_client.get(path).json()["status"] == "upscaling"
    thumbs.advance(15)
    assert thumb_client.get(path).json()["status"] == "succeeded"


@pytest.mark.parametrize(
    "body",
    [{"prompt": ""}, {"model": "dall-e"}, {"count": 0}, {"count": 5}, {"count": True}, {"personIds": "x"}],
)
def test_refuses_a_wrong_body(thumbs: FatThumb, thumb_client: httpx2.Client, body: dict[str, object]) -> None:
    answer = submit(thumb_client, **body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert thumbs.posts == []


def test_refuses_whoever_has_no_key(thumbs: FatThumb) -> None:
    for stranger in (stranger_to(thumbs), client_of(thumbs, "nsk_wrong")):
        with stranger:
            assert submit(stranger).status_code == 401
    with stranger_to(thumbs, x_api_key=thumbs.key) as known:
        assert submit(known).status_code == 200


def test_answers_404_for_what_is_another_customers(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    path = f"/generations/{submit(thumb_client).json()['generationId']}"
    with client_of(thumbs, thumbs.add_key()) as other:
        assert other.get(path).status_code == 404
    assert thumb_client.get("/generations/none").status_code == 404
    assert thumb_client.get("/nowhere").json() == {"error": "Not Found"}


def test_charges_count_times_cost(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    thumbs.credits = 5
    assert submit(thumb_client, model="gpt-image-2", count=2).status_code == 200
    assert submit(thumb_client, count=2).status_code == 402
    assert (thumbs.credits, len(thumbs.posts)) == (1, 1)


def test_the_free_tier_is_watermarked_and_kept_from_the_paid_model() -> None:
    with FatThumb(free_tier=True, duration=0) as service, client_of(service) as client:
        assert submit(client, model="gpt-image-2").status_code == 403
        path = f"/generations/{submit(client).json()['generationId']}"
        assert client.get(path).json()["thumbnails"][0]["isWatermarked"] is True
        service.free_tier = False
        assert client.get(path).json()["thumbnails"][0]["isWatermarked"] is False


def test_keeps_its_windows() -> None:
    limits: dict[str, Any] = {"submit_limit": (2, 60.0), "request_limit": (4, 3600.0)}
    with FatThumb(**limits) as service, client_of(service) as client:
        assert [submit(client).status_code for _ in range(3)] == [200, 200, 429]
        service.advance(60)
        assert submit(client).status_code == 200
        last = submit(client)
        assert (last.status_code, service.refused_429) == (429, 2)
        assert 3500 < int(last.headers["retry-after"]) <= 3540


def test_tells_when_to_come_back_in_every_form() -> None:
    with FatThumb(submit_limit=(1, 60.0)) as service, client_of(service) as client:
        submit(client)
        service.retry_after = "date"
        date = parsedate_to_datetime(submit(client).headers["retry-after"])
        assert 55 < date.timestamp() - time.time() < 62
        service.retry_after = "ms"
        assert 55_000 < int(submit(client).headers["retry-after-ms"]) <= 60_000
        service.retry_after = "soon"
        assert submit(client).headers["retry-after"] == "soon"
        service.retry_after = None
        assert "retry-after" not in submit(client).headers


def test_a_slow_submit_makes_the_job_at_once() -> None:
    with FatThumb(slow_submit=0.3) as service, client_of(service) as client:
        assert submit(client).status_code == 200
        assert service.log[0].answered_at - service.posts[0].at >= 0.3
