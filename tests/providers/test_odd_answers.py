"""Answers with something odd in them: only what is needed decides, and everything else is as good as absent."""

from typing import Any

import pytest

from darkroom.errors import OutcomeUnknown
from darkroom.models import Charged, ImageStatus, Receipt
from darkroom.providers.base import Provider, Reading
from tests.clients import asked, refusal
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Alter, Answer


async def finished(waifus: Provider, betterwaifu: BetterWaifu) -> Reading:
    request = asked(waifus)
    job = await waifus.submit(request, "gen_1")
    betterwaifu.advance(5000)
    return await waifus.read(job.receipt, request)


async def drawn(thumbs: Provider, fatthumb: FatThumb) -> Reading:
    request = asked(thumbs)
    job = await thumbs.submit(request, "gen_1")
    fatthumb.advance(5000)
    return await thumbs.read(job.receipt, request)


ODD: list[object] = [None, "", "soon", [], [None], {}, True, 1e300, -1, "18446744073709551615", 2**70]


@pytest.mark.parametrize("odd", ODD, ids=repr)
async def test_an_odd_seed_or_place_spoils_no_answer(waifus: Provider, betterwaifu: BetterWaifu, odd: object) -> None:
    def spoil(job: dict[str, Any]) -> dict[str, Any]:
        output = {
            **job["output"],
            "seed": odd,
            "images": [None, {}, {"id": None, "url": ""}, *job["output"]["images"], "x"],
        }
        return {**job, "queue_position": odd, "error": odd, "output": output}

    betterwaifu.script("read", Alter(spoil))
    reading = await finished(waifus, betterwaifu)
    assert (reading.done, reading.error, len(reading.images)) == (True, None, 1)
    assert reading.seed in {None, -1}


@pytest.mark.parametrize("output", ["x", None, 7, [], {"images": 1}, {"images": {"url": "x"}}], ids=str)
async def test_an_output_that_is_none_is_as_good_as_absent(
    waifus: Provider, betterwaifu: BetterWaifu, output: object
) -> None:
    betterwaifu.script("read", Alter(lambda job: job | {"output": output}))
    reading = await finished(waifus, betterwaifu)
    assert (reading.done, reading.images) == (True, ())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"message": "Out of memory", "code": 7}, "Out of memory"),
        ({"detail": [{"msg": "too large", "loc": ["width"]}]}, "width: too large"),
        (["a", {"message": "b"}], "a; b"),
        ({"code": 7}, "it gave no reason"),
        (7, "it gave no reason"),
    ],
    ids=str,
)
async def test_an_error_of_any_shape_becomes_its_words(
    waifus: Provider, betterwaifu: BetterWaifu, error: object, words: str
) -> None:
    betterwaifu.script("read", Alter(lambda job: {"id": job["id"], "status": "failed", "error": error}))
    reading = await finished(waifus, betterwaifu)
    assert (reading.done, reading.error) == (True, words)


@pytest.mark.parametrize(
    "receipt",
    [
        b'{"id": 12345}',
        b'{"id": 12345.0}',
        b'{"id": 1.2345e4}',
        b'{"id": "12345", "eta": NaN, "cost": -Infinity}',
        b'{"id": "12345", "prompt": "a\nb\tc\xff"}',
        b'{"id": "12345", "queue_position": "three", "output": [null]}',
        b'{"id": "12345", "status": {"is": "queued"}, "nonce": ' + b"9" * 5000 + b"}",
        b'\xef\xbb\xbf{"id": "12345", "error": {"code": null}}',
    ],
    ids=lambda body: repr(body)[:40],
)
async def test_the_id_of_a_paid_job_is_kept_whatever_else_the_receipt_says(
    waifus: Provider, betterwaifu: BetterWaifu, receipt: bytes
) -> None:
    betterwaifu.script("submit", Answer(201, content=receipt))
    assert (await waifus.submit(asked(waifus), "gen_1")).receipt.job_id == "12345"


@pytest.mark.parametrize(
    "body", [{"error": "no GPU"}, {"detail": [{"msg": "no GPU"}]}, {"errors": ["no GPU"]}], ids=str
)
async def test_an_error_under_a_good_status_is_told(
    waifus: Provider, betterwaifu: BetterWaifu, body: dict[str, object]
) -> None:
    betterwaifu.script("submit", Answer(200, json=body))
    lost = await refusal(waifus.submit(asked(waifus), "gen_1"))
    assert (type(lost), lost.charged) == (OutcomeUnknown, Charged.MAYBE)
    assert '"no GPU"' in lost.message
    betterwaifu.script("read", Answer(200, json=body))
    assert '"no GPU"' in (await refusal(waifus.read(Receipt(job_id="job_1"), asked(waifus)))).message


async def test_the_ids_in_a_receipt_that_is_not_as_documented_are_told_for_a_person_to_look_for(
    waifus: Provider, betterwaifu: BetterWaifu
) -> None:
    betterwaifu.script("submit", Answer(201, json={"data": {"job": {"id": "job_77", "paid": "yes"}}, "requestId": 9}))
    lost = await refusal(waifus.submit(asked(waifus), "gen_1"))
    assert (type(lost), lost.charged) == (OutcomeUnknown, Charged.MAYBE)
    told = (
        'names no job where its id belongs; the ids in it are "/data/job/id job_77, /requestId 9". It may have started'
    )
    assert told in lost.message


@pytest.mark.parametrize(
    "empty", [{}, {"id": None, "status": None}, {"status": "", "url": "", "isHidden": False}], ids=str
)
async def test_a_picture_that_says_nothing_takes_no_other_s_place(
    thumbs: Provider, fatthumb: FatThumb, empty: dict[str, Any]
) -> None:
    fatthumb.script("read", Alter(lambda job: job | {"thumbnails": [empty, *job["thumbnails"]]}))
    (image,) = (await drawn(thumbs, fatthumb)).images
    assert (image.index, image.status, image.url is not None) == (1, ImageStatus.SUCCEEDED, True)


@pytest.mark.parametrize(
    ("status", "read"),
    [
        (None, ImageStatus.SUCCEEDED),
        ("", ImageStatus.SUCCEEDED),
        (7, ImageStatus.SUCCEEDED),
        ("completed", ImageStatus.SUCCEEDED),
        ("processing", ImageStatus.PROCESSING),
        ("failed", ImageStatus.FAILED),
    ],
)
async def test_a_picture_s_odd_status_under_a_job_that_succeeded_loses_no_picture(
    thumbs: Provider, fatthumb: FatThumb, status: object, read: ImageStatus
) -> None:
    spoil = Alter(lambda job: job | {"thumbnails": [each | {"status": status} for each in job["thumbnails"]]})
    fatthumb.script("read", spoil)
    assert [image.status for image in (await drawn(thumbs, fatthumb)).images] == [read]
