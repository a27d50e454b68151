"""BetterWaifu's client against the service: what it sends, how it reads, and what becomes of every failure."""

import json
from functools import partial
from typing import Any

import pytest

from darkroom.errors import (
    ProviderError,
    ProviderUnreachable,
    RateLimited,
    Unauthorized,
)
from darkroom.models import MAX_PROMPT, Charged, ImageStatus, Receipt
from darkroom.providers.base import Provider, Reading
from tests.clients import (
    LONG_PROMPT,
    asked,
    holds_part_of,
    provider_at,
    refusal,
)
from tests.services.betterwaifu import BetterWaifu
from tests.services.faults import Alter, Redirect, UnknownFields


async def finished(waifus: Provider, betterwaifu: BetterWaifu, **wishes: Any) -> Reading:
    request = asked(waifus, **wishes)
    job = await waifus.submit(request, "gen_1")
    betterwaifu.advance(5000)
    return await waifus.read(job.receipt, request)


async def test_every_documented_field_is_sent(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    options = {"width": 832, "height": 1216, "steps": 50, "cfg_scale": 7.5, "sampler": "dpm-2m-karras"}
    wishes = {"model": "814910", "count": 1, "negative_prompt": "text", "seed": 77, "options": options}
    job = await waifus.submit(asked(waifus, "A keeper", **wishes), "gen_1")
    (post,) = betterwaifu.posts
    assert post.id == job.receipt.job_id
    assert post.body == {
        "prompt": "A keeper",
        "negative_prompt": "text",
        "model_version_id": 814910,
        "width": 832,
        "height": 1216,
        "steps": 50,
        "cfg_scale": 7.5,
        "sampler": "dpm-2m-karras",
        "seed": 77,
    }
    assert type(post.body["model_version_id"]) is int


@pytest.mark.parametrize("model", ["", "default"])
async def test_what_was_not_asked_for_is_left_to_the_service(
    waifus: Provider, betterwaifu: BetterWaifu, model: str
) -> None:
    await waifus.submit(asked(waifus, "A keeper", model=model), "gen_1")
    assert betterwaifu.posts[0].body == {"prompt": "A keeper"}


@pytest.mark.parametrize(
    ("wishes", "sent"),
    [
        ({"seed": -1}, {"seed": -1}),
        ({"seed": 0}, {"seed": 0}),
        ({"negative_prompt": ""}, {"negative_prompt": ""}),
        ({"options": {"cfg_scale": 7}}, {"cfg_scale": 7}),
        ({"options": {"width": 1024}}, {"width": 1024}),
        # The API documents null for no field.
        ({"options": {"width": None}}, {}),
        ({"options": {"sampler": None, "steps": 20}}, {"steps": 20}),
    ],
    ids=str,
)
async def test_what_was_asked_for_is_sent_and_nothing_else(
    waifus: Provider, betterwaifu: BetterWaifu, wishes: dict[str, Any], sent: dict[str, object]
) -> None:
    await waifus.submit(asked(waifus, "A keeper", **wishes), "gen_1")
    assert betterwaifu.posts[0].body == {"prompt": "A keeper", **sent}


@pytest.mark.parametrize("ratio", ["2:3", "3:2", "1:1", "3:4", "4:3", "9:16", "16:9"])
async def test_an_aspect_ratio_becomes_a_size_of_that_shape(
    waifus: Provider, betterwaifu: BetterWaifu, ratio: str
) -> None:
    await waifus.submit(asked(waifus, aspect_ratio=ratio), "gen_1")
    body = betterwaifu.posts[0].body
    across, down = map(int, ratio.split(":"))
    assert abs(body["width"] / body["height"] - across / down) < 0.05
    assert 900_000 < body["width"] * body["height"] < 1_100_000
    assert "aspect_ratio" not in body


async def test_the_key_signs_every_call_as_a_bearer(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    await finished(waifus, betterwaifu)
    await waifus.models()
    await waifus.account_state()
    assert [entry.route for entry in betterwaifu.log] == ["submit", "read", "models", "account"]
    for entry in betterwaifu.log:
        assert entry.headers["authorization"] == f"Bearer {betterwaifu.key}"
        assert entry.headers.keys().isdisjoint({"x-api-key", "cookie", "referer"})
        assert entry.query == ""
    assert betterwaifu.log[0].headers["content-type"] == "application/json"


async def test_a_prompt_goes_out_byte_for_byte(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    assert len(LONG_PROMPT) == MAX_PROMPT
    await waifus.submit(asked(waifus, LONG_PROMPT, negative_prompt=LONG_PROMPT[::-1]), "gen_1")
    body = json.loads(betterwaifu.log[0].body)
    assert body["prompt"].encode() == LONG_PROMPT.encode()
    assert body["negative_prompt"].encode() == LONG_PROMPT[::-1].encode()


async def test_a_queued_job_tells_its_position(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    betterwaifu.later_jobs(queue=90.0, queue_positions=(3, 2, 1))
    request = asked(waifus)
    job = await waifus.submit(request, "gen_1")
    positions: list[int | None] = []
    for wait in (15, 30, 30, 30):
        betterwaifu.advance(wait)
        reading = await waifus.read(job.receipt, request)
        positions.append(reading.queue_position)
        assert (reading.done, reading.queued) == (False, len(positions) < 4)
    assert positions == [3, 2, 1, None]


@pytest.mark.parametrize("status", ["processing", "upscaling", "SUCCEEDED", "complete", "partial", "cancelled"])
async def test_a_status_that_is_not_documented_counts_as_not_done(
    waifus: Provider, betterwaifu: BetterWaifu, status: str
) -> None:
    betterwaifu.later_jobs(statuses=((1e9, status),))
    reading = await finished(waifus, betterwaifu)
    assert (reading.done, reading.queued, reading.queue_position) == (False, False, None)


@pytest.mark.parametrize("status", ["queued", "processing", "rendering", "SUCCEEDED"])
async def test_a_picture_that_lies_there_before_the_end_decides_nothing(
    waifus: Provider, betterwaifu: BetterWaifu, status: str
) -> None:
    betterwaifu.script("read", Alter(lambda job: job | {"status": status}))
    reading = await finished(waifus, betterwaifu)
    assert not reading.done
    assert not (reading.images and status in {"queued", "processing"}), "it may be a preview"


async def test_a_finished_job_tells_its_seed_and_its_pictures(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    betterwaifu.later_jobs(images=2)
    reading = await finished(waifus, betterwaifu, seed=77)
    ids = betterwaifu.jobs[betterwaifu.posts[0].id].image_ids
    assert (reading.done, reading.seed, reading.error) == (True, 77, None)
    assert [image.url for image in reading.images] == [betterwaifu.file_url(f"{each}.webp") for each in ids]
    assert [(image.index, image.status) for image in reading.images] == [
        (1, ImageStatus.SUCCEEDED),
        (2, ImageStatus.SUCCEEDED),
    ]


@pytest.mark.parametrize("output", [None, {}, {"images": None}, {"images": []}])
async def test_a_finished_job_without_pictures_is_read_as_such(
    waifus: Provider, betterwaifu: BetterWaifu, output: object
) -> None:
    betterwaifu.script("read", Alter(lambda job: job | {"output": output}))
    reading = await finished(waifus, betterwaifu)
    assert (reading.done, reading.images) == (True, ())


async def test_a_flood_of_pictures_is_cut_short(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    betterwaifu.later_jobs(images=50)
    assert len((await finished(waifus, betterwaifu)).images) == 4


@pytest.mark.parametrize("reason", ["Out of memory", ""])
async def test_a_failed_job_is_done_and_always_has_a_reason(
    waifus: Provider, betterwaifu: BetterWaifu, reason: str
) -> None:
    betterwaifu.later_jobs(failing="x")
    betterwaifu.script("read", Alter(lambda job: job | {"error": reason}))
    reading = await finished(waifus, betterwaifu)
    assert (reading.done, reading.error, reading.images) == (True, reason or "it gave no reason", ())


async def test_fields_that_nobody_documented_change_nothing(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    for route in ("submit", "read", "models", "account"):
        betterwaifu.script(route, UnknownFields())
    reading = await finished(waifus, betterwaifu)
    assert (reading.done, len(reading.images)) == (True, 1)
    assert len(await waifus.models()) == len(betterwaifu.models)
    assert await waifus.account_state()


async def test_a_service_that_is_down_received_nothing(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    betterwaifu.stop()
    submit, read = (
        partial(waifus.submit, asked(waifus), "gen_1"),
        partial(waifus.read, Receipt(job_id="job_1"), asked(waifus)),
    )
    for call in (submit, read, waifus.models, waifus.account_state):
        error = await refusal(call())
        assert (type(error), error.charged) == (ProviderUnreachable, Charged.NO)
    assert betterwaifu.log == []


async def test_a_redirect_is_never_followed_with_the_key(waifus: Provider, betterwaifu: BetterWaifu) -> None:
    with BetterWaifu(key=betterwaifu.key) as elsewhere:
        for route in ("submit", "read", "models", "account"):
            betterwaifu.script(route, Redirect(f"{elsewhere.url}/generate"))
        moved = await refusal(waifus.submit(asked(waifus), "gen_1"))
        assert (type(moved), moved.charged) == (ProviderError, Charged.NO)
        assert f"{elsewhere.url}/generate" in moved.message
        assert "BETTERWAIFU_BASE_URL" in moved.next_step
        for read in (partial(waifus.read, Receipt(job_id="x"), asked(waifus)), waifus.models, waifus.account_state):
            assert type(await refusal(read())) is ProviderError
        assert elsewhere.log == []


async def test_the_limits_are_told_with_the_time_to_come_back() -> None:
    with BetterWaifu(spacing=60.0, duration=5.0, active_limit=1) as betterwaifu:
        async with provider_at(betterwaifu) as waifus:
            await waifus.submit(asked(waifus), "gen_1")
            active = await refusal(waifus.submit(asked(waifus), "gen_1"))
            betterwaifu.advance(5)
            early = await refusal(waifus.submit(asked(waifus), "gen_1"))
            betterwaifu.advance(55)
            await waifus.submit(asked(waifus), "gen_1")
    assert isinstance(active, RateLimited)
    assert isinstance(early, RateLimited)
    assert "active generation" in active.message
    assert active.retry_after is not None
    assert 0 < active.retry_after <= 5
    assert early.retry_after is not None
    assert 0 < early.retry_after <= 55
    assert (len(betterwaifu.posts), betterwaifu.refused_429) == (2, 2)


async def test_a_wrong_key_is_told_and_not_shown(betterwaifu: BetterWaifu) -> None:
    async with provider_at(betterwaifu, key="bw_wrong_key_0123456789") as waifus:
        submit, read = (
            partial(waifus.submit, asked(waifus), "gen_1"),
            partial(waifus.read, Receipt(job_id="x"), asked(waifus)),
        )
        for call in (submit, read, waifus.models, waifus.account_state):
            error = await refusal(call())
            assert type(error) is Unauthorized
            assert "BETTERWAIFU_API_KEY" in error.next_step
            assert not holds_part_of("bw_wrong_key_0123456789", error.message + error.next_step)


@pytest.mark.parametrize("job_id", ["..", "a/b", "../models", "x?y=1", "x#y", "%2e%2e"])
async def test_a_job_id_stays_one_segment_of_the_path(waifus: Provider, betterwaifu: BetterWaifu, job_id: str) -> None:
    await refusal(waifus.read(Receipt(job_id=job_id), asked(waifus)))
    (entry,) = betterwaifu.log
    assert (entry.path, entry.query) == (f"/api/v1/generate/{job_id}", "")
