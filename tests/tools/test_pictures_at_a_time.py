"""A limit of pictures at a time, as some services count: a generation that has no room yet waits for others to end."""

from tests.hosts import PATIENCE_S, Home, call, connected, on_both_databases
from tests.services.fatthumb import FatThumb


@on_both_databases
async def test_no_more_pictures_are_under_way_than_the_account_may_have(home: Home, fatthumb: FatThumb) -> None:
    fatthumb.later_jobs(duration=1000.0)
    async with connected(home.with_(fatthumb, FATTHUMB_LIMITS="pictures=4,submit=1000/1")) as client:
        first, *others = [
            (await call(client, "generate", prompt=prompt, count=count))["id"]
            for prompt, count in (("a fox", 3), ("a hen", 2), ("a cat", 2))
        ]
        fatthumb.until(lambda: len(fatthumb.posts) == 1, PATIENCE_S)
        providers = (await call(client, "list_models"))["providers"]
        assert "4 pictures at a time" in next(each for each in providers if each["name"] == "fatthumb")["limits"]
        fatthumb.advance(1000)
        assert (await call(client, "wait", generation_ids=[first]))["generations"][0]["status"] == "succeeded"
        fatthumb.until(lambda: len(fatthumb.posts) == 3, PATIENCE_S)
        fatthumb.advance(1000)
        waited = await call(client, "wait", generation_ids=others)
    assert [each["status"] for each in waited["generations"]] == ["succeeded", "succeeded"]
    fox, hen, cat = fatthumb.jobs.values()
    assert hen.created - fox.created >= 1000, "it waited for the first to end"
    assert cat.created - hen.created < 1000, "there was room for both"
