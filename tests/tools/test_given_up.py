"""A job that its provider forgets half-way."""

from anyio import to_thread

from tests.hosts import PATIENCE_S, Home, call, connected, eventually
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer


async def test_a_job_that_is_given_up_keeps_the_pictures_that_were_saved(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    async with connected(home.with_(fatthumb)) as client:
        started = await call(client, "generate", prompt="Two foxes", count=2)
        await to_thread.run_sync(lambda: fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S))
        fatthumb.advance(600.0)  # the first picture is there, the second is not
        await to_thread.run_sync(lambda: eventually(lambda: len(home.saved()) == 1))
        fatthumb.always("read", Answer(404, json={"error": "Generation not found"}))
        waited = await call(client, "wait", generation_ids=[started["id"]])
    (generation,) = waited["generations"]
    assert generation["status"] == "partial"
    assert generation["error"]["code"] == "expired"
    assert [image["status"] for image in generation["images"]] == ["succeeded", "failed"]
    assert generation["images"][1]["error"]["code"] == "expired"
    assert [image.get("path") for image in generation["images"] if image["status"] == "succeeded"] == [
        str(path) for path in home.saved()
    ]
