"""Every fault does to a real client what its name says."""

import json
import time
from dataclasses import replace

import httpx2
import pytest

from tests.services.betterwaifu import BetterWaifu
from tests.services.clients import BROKEN, submit
from tests.services.fatthumb import FatThumb
from tests.services.faults import (
    Alter,
    Answer,
    CutBody,
    CutJson,
    Delay,
    Drip,
    Flood,
    Hang,
    Html,
    Raw,
    Redirect,
    Reset,
    UnknownFields,
)


def test_faults_are_met_in_order_and_then_no_more(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    too_many = Answer(429, json={"error": "slow down"}, headers={"Retry-After": "7"})
    thumbs.script("submit", too_many, None, Html(503), Redirect("http://127.0.0.1:1/"), Answer(402, text="no"))
    answers = [submit(thumb_client) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [429, 200, 503, 307, 402, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert "<html>" in answers[2].text
    assert answers[3].headers["location"] == "http://127.0.0.1:1/"
    assert (len(thumbs.posts), thumbs.unplayed("submit")) == (2, 0)


def test_faults_stay_when_they_are_for_always(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    thumbs.always("submit", Answer(500))
    assert [submit(thumb_client).status_code for _ in range(2)] == [500, 500]
    thumbs.always("submit", None)
    assert submit(thumb_client).status_code == 200


@pytest.mark.parametrize("accepts", [True, False])
@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Reset(), httpx2.ReadError),
        (Reset(rst=False), httpx2.RemoteProtocolError),
        (Reset(before_body=False), BROKEN),
        (CutBody({"generationId": "g" * 50}), httpx2.RemoteProtocolError),
        (Raw(), httpx2.RemoteProtocolError),
    ],
)
def test_faults_break_the_connection_with_or_without_a_job(
    thumbs: FatThumb,
    thumb_client: httpx2.Client,
    accepts: bool,
    fault: Reset | CutBody | Raw,
    raised: type[Exception] | tuple[type[Exception], ...],
) -> None:
    thumbs.script("submit", replace(fault, accepts=accepts))
    with pytest.raises(raised):
        submit(thumb_client)
    assert (len(thumbs.posts), len(thumbs.log)) == (int(accepts), 1)
    assert json.loads(thumbs.log[0].body) == {"prompt": "a cat"}


@pytest.mark.parametrize("accepts", [True, False])
def test_faults_answer_with_or_without_a_job(thumbs: FatThumb, thumb_client: httpx2.Client, accepts: bool) -> None:
    thumbs.script("submit", Answer(500, accepts=accepts), Html(accepts=accepts))
    assert [submit(thumb_client).status_code for _ in range(2)] == [500, 200]
    assert len(thumbs.posts) == 2 * accepts


@pytest.mark.parametrize("fault", [Hang(), Hang(accepts=True), Hang(keep=5)])
def test_faults_hang_until_the_client_gives_up(thumbs: FatThumb, thumb_client: httpx2.Client, fault: Hang) -> None:
    thumbs.script("submit", fault)
    with pytest.raises(httpx2.ReadTimeout):
        thumb_client.post("/generate", json={"prompt": "x"}, timeout=httpx2.Timeout(60.0, read=0.2))
    thumbs.until(lambda: len(thumbs.posts) == int(fault != Hang()))


@pytest.mark.parametrize("first", [True, False])
def test_faults_delay_with_the_job_made_first_or_last(
    thumbs: FatThumb, thumb_client: httpx2.Client, first: bool
) -> None:
    thumbs.script("submit", Delay(0.3, accept_first=first), Delay(0.1, Reset(accepts=True)))
    assert submit(thumb_client).status_code == 200
    asked, made, answered = thumbs.log[0].at, thumbs.posts[0].at, thumbs.log[0].answered_at
    # The delay lies behind the job or before it.
    assert (answered - made if first else made - asked) >= 0.3
    with pytest.raises(httpx2.ReadError):
        submit(thumb_client)
    assert len(thumbs.posts) == 2


def test_faults_damage_what_is_read(thumbs: FatThumb, thumb_client: httpx2.Client) -> None:
    path = f"/generations/{submit(thumb_client).json()['generationId']}"
    thumbs.script("read", UnknownFields(), CutJson(), Alter(lambda job: job | {"status": None}))
    strange = thumb_client.get(path).json()
    assert "undocumented" in strange
    assert "undocumented" in strange["thumbnails"][0]
    with pytest.raises(ValueError, match=r"."):
        thumb_client.get(path).json()
    assert thumb_client.get(path).json()["status"] is None


def test_faults_damage_pictures(waifus: BetterWaifu, waifu_client: httpx2.Client) -> None:
    waifus.later_jobs(duration=0.0)
    job = waifu_client.get(f"/generate/{submit(waifu_client).json()['id']}").json()
    image = job["output"]["images"][0]
    whole = waifus.picture(image["id"])
    waifus.script("picture", CutBody(keep=100), CutJson(), Drip(len(whole) / 0.3), Flood(300_000, b"RIFF"))
    with pytest.raises(httpx2.RemoteProtocolError):
        waifu_client.get(image["url"])
    assert waifu_client.get(image["url"]).content == whole[: len(whole) // 2]
    asked = time.monotonic()
    assert waifu_client.get(image["url"]).content == whole
    assert time.monotonic() - asked >= 0.25
    assert len(waifu_client.get(image["url"]).content) == 300_000


def test_faults_reach_the_models_and_the_account(waifus: BetterWaifu, waifu_client: httpx2.Client) -> None:
    waifus.script("models", Flood(5000, declared=True, content_type="application/json"))
    waifus.script("account", Answer(200, content=b"\x00\xff"))
    assert waifu_client.get("/models").headers["content-length"] == "5000"
    assert waifu_client.get("/account").content == b"\x00\xff"
