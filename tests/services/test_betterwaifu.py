"""BetterWaifu answers over a real socket as its contract says."""

import httpx2

from tests.services.betterwaifu import MODERATED, BetterWaifu
from tests.services.clients import client_of, opened, stranger_to, submit


def test_queues_and_makes_an_illustration(waifus: BetterWaifu, waifu_client: httpx2.Client) -> None:
    waifus.next_job(queue=3.0)
    accepted = submit(waifu_client, seed=7, width=512, height=768)
    job = accepted.json()
    assert (accepted.status_code, job["status"]) == (201, "queued")
    path = f"/generate/{job['id']}"
    seen = [waifu_client.get(path).json()["queue_position"]]
    for _ in range(2):
        waifus.advance(1)
        seen.append(waifu_client.get(path).json()["queue_position"])
    assert seen == [3, 2, 1]
    waifus.advance(1)
    assert waifu_client.get(path).json() == {"id": job["id"], "status": "processing"}
    waifus.advance(10)
    output = waifu_client.get(path).json()["output"]
    with stranger_to(waifus) as stranger:
        picture = stranger.get(output["images"][0]["url"])
    assert output["seed"] == 7
    assert opened(picture) == ("WEBP", (512, 768))
    assert picture.content == waifus.picture(output["images"][0]["id"])


def test_draws_a_seed_and_the_usual_size_when_none_is_given() -> None:
    with BetterWaifu(duration=0) as service, client_of(service) as client:
        done = [client.get(f"/generate/{submit(client, seed=-1).json()['id']}").json() for _ in range(2)]
        assert done[0]["output"]["seed"] != done[1]["output"]["seed"]
        picture = client.get(done[0]["output"]["images"][0]["url"])
        assert opened(picture) == ("WEBP", (832, 1216))


def test_fails_with_a_message() -> None:
    with BetterWaifu(duration=0, failing="out of memory") as service, client_of(service) as client:
        job = client.get(f"/generate/{submit(client).json()['id']}").json()
        assert (job["status"], job["error"]) == ("failed", "out of memory")


def test_says_the_documented_errors(waifus: BetterWaifu, waifu_client: httpx2.Client) -> None:
    assert submit(waifu_client, prompt="forbidden").json() == {"error": MODERATED}
    for path in ("/generate", "/generate/"):
        answer = waifu_client.get(path)
        assert (answer.status_code, answer.json()) == (400, {"error": "Generation ID is required"})
    assert waifu_client.get("/generate/no").json() == {"error": "Generation not found"}
    with stranger_to(waifus, x_api_key=waifus.key) as stranger:
        by_header = stranger.get("/models")
    assert (by_header.status_code, by_header.json()) == (401, {"error": "Invalid or missing API key"})
    for wrong in ({"steps": 19}, {"cfg_scale": 20.5}, {"model_version_id": 1}, {"width": "832"}):
        assert submit(waifu_client, **wrong).status_code == 400
    assert waifus.posts == []


def test_takes_one_at_a_time_and_wants_a_pause_between() -> None:
    with BetterWaifu(duration=10, active_limit=1, spacing=60.0) as service, client_of(service) as client:
        assert submit(client).status_code == 201
        busy = submit(client)
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "10")
        service.advance(11)
        assert 48 <= int(submit(client).headers["retry-after"]) <= 49
        service.advance(49.5)
        assert submit(client).status_code == 201
        assert (service.refused_429, len(service.posts)) == (2, 2)


def test_lists_models_and_the_account(waifus: BetterWaifu, waifu_client: httpx2.Client) -> None:
    listed = waifu_client.get("/models").json()
    names = [(model["model_name"], model["name"]) for model in listed["models"]]
    assert listed["count"] == len(names) >= 12
    assert names == sorted(names)
    assert [model["cover_image"] for model in listed["models"]].count(None) == 1
    account = waifu_client.get("/account").json()
    assert (account["credits"], account["subscription"]["status"]) == (1000, "active")
    waifus.subscription = None
    assert waifu_client.get("/account").json()["subscription"] is None
    assert submit(waifu_client).status_code == 403
    waifus.username = None
    answer = waifu_client.get("/account")
    assert (answer.status_code, answer.json()) == (404, {"error": "User not found"})
