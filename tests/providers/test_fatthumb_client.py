"""FatThumb's client against the service: what it sends, how it reads, and what becomes of every failure."""

import base64
import json
from functools import partial
from typing import Any

import pytest

from darkroom.errors import OutcomeUnknown, ProviderError, ProviderUnreachable, RateLimited
from darkroom.models import MAX_PROMPT, Charged, ImageStatus, Receipt
from darkroom.providers.base import Provider, Reading
from tests.arriving import incoming
from tests.clients import (
    LONG_PROMPT,
    asked,
    holds_part_of,
    provider_at,
    refusal,
)
from tests.services.fatthumb import FatThumb
from tests.services.faults import Alter, Answer, Redirect, UnknownFields

DONE, FAILED, PROCESSING = ImageStatus.SUCCEEDED, ImageStatus.FAILED, ImageStatus.PROCESSING


async def finished(thumbs: Provider, fatthumb: FatThumb, count: int = 1) -> Reading:
    request = asked(thumbs, count=count)
    job = await thumbs.submit(request, "gen_1")
    fatthumb.advance(5000)
    return await thumbs.read(job.receipt, request)


async def test_every_documented_field_is_sent(thumbs: Provider, fatthumb: FatThumb) -> None:
    options = {"person_ids": ["p1", "p2"], "inspiration_ids": ["i1"]}
    wishes = {"model": "gpt-image-2", "count": 3, "aspect_ratio": "16:9", "options": options}
    job = await thumbs.submit(asked(thumbs, "A fox", **wishes), "gen_1")
    (post,) = fatthumb.posts
    assert post.id == job.receipt.job_id
    assert post.body == {
        "prompt": "A fox",
        "model": "gpt-image-2",
        "count": 3,
        "personIds": ["p1", "p2"],
        "inspirationIds": ["i1"],
        "aspectRatio": "16:9",
    }


async def test_what_was_not_asked_for_is_sent_as_the_documented_default(thumbs: Provider, fatthumb: FatThumb) -> None:
    await thumbs.submit(asked(thumbs, "A fox"), "gen_1")
    assert fatthumb.posts[0].body == {
        "prompt": "A fox",
        "model": "gemini-3-pro",
        "count": 1,
        "personIds": [],
        "inspirationIds": [],
        "aspectRatio": "16:9",
    }


async def test_the_key_signs_every_call_as_a_bearer(thumbs: Provider, fatthumb: FatThumb) -> None:
    await finished(thumbs, fatthumb)
    post, read = fatthumb.log
    assert (post.method, post.path, read.method) == ("POST", "/api/v1/generate", "GET")
    assert read.path == f"/api/v1/generations/{fatthumb.posts[0].id}"
    for entry in (post, read):
        assert entry.headers["authorization"] == f"Bearer {fatthumb.key}"
        assert entry.headers["accept"] == "application/json"
        assert entry.headers.keys().isdisjoint({"x-api-key", "cookie", "referer"})
        assert entry.query == ""
    assert post.headers["content-type"] == "application/json"
    assert read.body == b""


@pytest.mark.parametrize(
    ("user", "credentials"), [("gate:s3cret", "gate:s3cret"), ("gate:p%40ss%3A", "gate:p@ss:"), ("gate", "gate:")]
)
async def test_behind_a_gateway_the_key_goes_into_a_header_of_its_own(
    fatthumb: FatThumb, user: str, credentials: str
) -> None:
    async with provider_at(fatthumb, user=user) as thumbs:
        await finished(thumbs, fatthumb)
    assert len(fatthumb.log) == 2
    for entry in fatthumb.log:
        scheme, _, token = entry.headers["authorization"].partition(" ")
        assert (scheme, base64.b64decode(token).decode()) == ("Basic", credentials)
        assert entry.headers["x-api-key"] == fatthumb.key
        assert entry.status == 200


async def test_a_prompt_goes_out_byte_for_byte(thumbs: Provider, fatthumb: FatThumb) -> None:
    assert len(LONG_PROMPT) == MAX_PROMPT
    await thumbs.submit(asked(thumbs, LONG_PROMPT), "gen_1")
    assert json.loads(fatthumb.log[0].body)["prompt"].encode() == LONG_PROMPT.encode()


async def test_a_job_under_way_is_not_done(thumbs: Provider, fatthumb: FatThumb) -> None:
    request = asked(thumbs, count=2)
    job = await thumbs.submit(request, "gen_1")
    fatthumb.advance(600)
    reading = await thumbs.read(job.receipt, request)
    assert (reading.done, reading.queued, reading.error) == (False, False, None)
    assert [(image.index, image.status) for image in reading.images] == [(1, DONE), (2, PROCESSING)]
    assert reading.images[1].url is None


@pytest.mark.parametrize("status", ["processing", "upscaling", "SUCCEEDED"])
async def test_a_status_that_is_not_documented_counts_as_not_done(
    thumbs: Provider, fatthumb: FatThumb, status: str
) -> None:
    fatthumb.later_jobs(statuses=((1e9, status),))
    request = asked(thumbs, count=2)
    job = await thumbs.submit(request, "gen_1")
    fatthumb.advance(600)  # one of two is there
    assert not (await thumbs.read(job.receipt, request)).done


@pytest.mark.parametrize("status", ["upscaling", "SUCCEEDED", "complete", "", None, 7])
@pytest.mark.parametrize("failing", [{}, {0: "no"}])
async def test_every_picture_s_own_status_decides_where_the_job_s_is_not_documented(
    thumbs: Provider, fatthumb: FatThumb, status: object, failing: dict[int, str]
) -> None:
    fatthumb.later_jobs(failing=failing)
    fatthumb.script("read", Alter(lambda job: job | {"status": status}))
    assert (await finished(thumbs, fatthumb, count=2)).done


async def test_pictures_under_a_status_that_says_processing_decide_nothing(
    thumbs: Provider, fatthumb: FatThumb
) -> None:
    fatthumb.later_jobs(statuses=((1e9, "processing"),))
    assert not (await finished(thumbs, fatthumb)).done


async def test_a_finished_job_tells_of_every_picture_in_order(thumbs: Provider, fatthumb: FatThumb) -> None:
    reading = await finished(thumbs, fatthumb, count=4)
    thumbnails = fatthumb.jobs[fatthumb.posts[0].id].thumbnail_ids
    assert reading.done
    assert reading.error is None
    assert [image.index for image in reading.images] == [1, 2, 3, 4]
    assert [image.url for image in reading.images] == [fatthumb.file_url(f"{each}.png") for each in thumbnails]
    assert {(image.status, image.watermarked, image.hidden) for image in reading.images} == {(DONE, False, False)}


async def test_the_free_tier_s_watermark_is_told(thumbs: Provider, fatthumb: FatThumb) -> None:
    fatthumb.free_tier = True
    assert [image.watermarked for image in (await finished(thumbs, fatthumb, count=2)).images] == [True, True]


async def test_a_hidden_picture_is_told_and_has_no_url(thumbs: Provider, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(hidden=frozenset({0}))
    hidden, shown = (await finished(thumbs, fatthumb, count=2)).images
    assert (hidden.hidden, hidden.url, shown.hidden) == (True, None, False)
    assert shown.url


async def test_a_hidden_picture_is_never_given_by_a_url_that_came_all_the_same(
    thumbs: Provider, fatthumb: FatThumb
) -> None:
    def hide(job: Any) -> object:
        return job | {"thumbnails": [each | {"isHidden": True} for each in job["thumbnails"]]}

    fatthumb.script("read", Alter(hide))
    (image,) = (await finished(thumbs, fatthumb)).images
    assert (image.hidden, image.url) == (True, None)


async def test_a_partial_job_is_done_and_names_the_reason_of_each_failure(thumbs: Provider, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(failing={1: "Could not be made"})
    reading = await finished(thumbs, fatthumb, count=3)
    assert reading.done
    assert reading.error is None
    assert [image.status for image in reading.images] == [DONE, FAILED, DONE]
    assert [image.error for image in reading.images] == [None, "Could not be made", None]


@pytest.mark.parametrize("reason", ["Safety", ""])
async def test_a_failed_job_is_done_and_always_has_a_reason(thumbs: Provider, fatthumb: FatThumb, reason: str) -> None:
    fatthumb.later_jobs(failing={0: reason, 1: reason})
    reading = await finished(thumbs, fatthumb, count=2)
    assert (reading.done, reading.error) == (True, reason or "it gave no reason")
    assert [image.status for image in reading.images] == [FAILED, FAILED]


async def test_pictures_that_nobody_asked_for_are_left_out(thumbs: Provider, fatthumb: FatThumb) -> None:
    fatthumb.script("read", Alter(lambda job: job | {"thumbnails": job["thumbnails"] * 9}))
    assert [image.index for image in (await finished(thumbs, fatthumb, count=2)).images] == [1, 2]


@pytest.mark.parametrize("thumbnails", [[], None])
async def test_a_job_without_pictures_is_read_as_such(thumbs: Provider, fatthumb: FatThumb, thumbnails: object) -> None:
    fatthumb.script("read", Alter(lambda job: job | {"thumbnails": thumbnails}))
    assert (await finished(thumbs, fatthumb)).images == ()


async def test_fields_that_nobody_documented_change_nothing(thumbs: Provider, fatthumb: FatThumb) -> None:
    fatthumb.script("submit", UnknownFields())
    fatthumb.script("read", UnknownFields())
    reading = await finished(thumbs, fatthumb)
    assert (reading.done, [image.status for image in reading.images]) == (True, [DONE])


@pytest.mark.parametrize("thumbnails", ["x", 7, {"a": 1}, [1, None, "x"]], ids=str)
async def test_thumbnails_that_are_none_are_as_good_as_absent(
    thumbs: Provider, fatthumb: FatThumb, thumbnails: object
) -> None:
    fatthumb.script("read", Alter(lambda job: job | {"thumbnails": thumbnails}))
    reading = await finished(thumbs, fatthumb)
    assert (reading.done, reading.images) == (True, ())


@pytest.mark.parametrize("odd", [None, 7, "", "?", [], [None], {}, {"message": "x"}, True, 1e300, "\x00\n"], ids=repr)
@pytest.mark.parametrize("name", ["isWatermarked", "isHidden", "error"])
async def test_an_odd_field_of_a_picture_changes_nothing_that_is_needed(
    thumbs: Provider, fatthumb: FatThumb, name: str, odd: object
) -> None:
    hides = name == "isHidden" and odd is True
    fatthumb.script(
        "read", Alter(lambda job: job | {"thumbnails": [None, *({**t, name: odd} for t in job["thumbnails"])]})
    )
    image = (await finished(thumbs, fatthumb)).images[0]
    assert (image.status, image.url is None) == (DONE, hides)


async def test_a_service_that_is_down_received_nothing(thumbs: Provider, fatthumb: FatThumb) -> None:
    fatthumb.stop()
    request = asked(thumbs)
    for call in (
        partial(thumbs.submit, request, "gen_1"),
        partial(thumbs.read, Receipt(job_id="generation_1"), request),
    ):
        error = await refusal(call())
        assert (type(error), error.charged) == (ProviderUnreachable, Charged.NO)
    assert fatthumb.log == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed_with_the_key(thumbs: Provider, fatthumb: FatThumb, status: int) -> None:
    with FatThumb(key=fatthumb.key) as elsewhere:
        fatthumb.script("submit", Redirect(f"{elsewhere.url}/generate", status))
        fatthumb.script("read", Redirect(f"{elsewhere.url}/generations/x", status))
        moved = await refusal(thumbs.submit(asked(thumbs), "gen_1"))
        # 303 says that the POST was taken; the others, that it was not looked at.
        seen = (OutcomeUnknown, Charged.MAYBE) if status == 303 else (ProviderError, Charged.NO)
        assert (type(moved), moved.charged) == seen
        assert f"{elsewhere.url}/generate" in moved.message
        read = await refusal(thumbs.read(Receipt(job_id="x"), asked(thumbs)))
        assert type(read) is ProviderError
        assert f"{elsewhere.url}/generations/x" in read.message
        assert elsewhere.log == []
    assert len(fatthumb.log) == 2


@pytest.mark.parametrize(
    ("form", "least", "most"),
    [("seconds", 1, 60), ("date", 0, 60), ("ms", 0.001, 60), (None, None, None), ("soon",) * 3],
)
async def test_a_limit_that_is_reached_says_when_to_come_back(
    form: str | None, least: float | str | None, most: float | str | None
) -> None:
    with FatThumb(submit_limit=(1, 60.0), retry_after=form) as fatthumb:
        async with provider_at(fatthumb) as thumbs:
            await thumbs.submit(asked(thumbs), "gen_1")
            error = await refusal(thumbs.submit(asked(thumbs), "gen_1"))
        assert isinstance(error, RateLimited)
        if isinstance(least, int | float) and isinstance(most, int | float):
            assert error.retry_after is not None
            assert least <= error.retry_after <= most
        else:
            assert error.retry_after is None
        assert (len(fatthumb.posts), fatthumb.refused_429) == (1, 1)


# The provider's words are shortened: a cut through a key must not leave its first half unrecognised.
@pytest.mark.parametrize("before", [0, 262, 270, 280], ids=lambda before: f"after {before} characters")
async def test_a_key_that_comes_back_in_an_error_is_not_shown_even_in_part(
    thumbs: Provider, fatthumb: FatThumb, before: int
) -> None:
    fatthumb.script("submit", Answer(401, json={"error": "x" * before + fatthumb.key}))
    error = await refusal(thumbs.submit(asked(thumbs), "gen_1"))
    assert not holds_part_of(fatthumb.key, error.message + error.next_step)


@pytest.mark.parametrize("job_id", ["..", ".", "a/b", "../generate", "x?y=1", "x#y", "ü 🦊", "%2e%2e", "a\\b"])
async def test_a_job_id_stays_one_segment_of_the_path(thumbs: Provider, fatthumb: FatThumb, job_id: str) -> None:
    await refusal(thumbs.read(Receipt(job_id=job_id), asked(thumbs)))
    (entry,) = fatthumb.log
    assert (entry.path, entry.query) == (f"/api/v1/generations/{job_id}", "")


async def test_a_picture_is_fetched_without_the_key(thumbs: Provider, fatthumb: FatThumb) -> None:
    (image,) = (await finished(thumbs, fatthumb)).images
    into = incoming()
    await thumbs.picture(Receipt(job_id=fatthumb.posts[0].id), asked(thumbs), image, into)
    (thumbnail,) = fatthumb.jobs[fatthumb.posts[0].id].thumbnail_ids
    assert into.whole().read() == fatthumb.picture(thumbnail)
    assert [entry.has_key for entry in fatthumb.picture_requests] == [False]
