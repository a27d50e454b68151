"""The gallery under hosts that allow it little."""

import pytest
from playwright.async_api import expect

from tests.gallery.pages import POLICIES
from tests.gallery.scenes import finished, painted, picture, started
from tests.gallery.shown import Host
from tests.hosts import Home, connected
from tests.services.fatthumb import FatThumb


@pytest.mark.parametrize("policy", POLICIES)
async def test_the_pictures_are_painted_under_every_policy_that_hosts_are_known_to_set(
    home: Home, fatthumb: FatThumb, host: Host, policy: str
) -> None:
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await started(client), policy=policy) as gallery,
    ):
        await expect(gallery.words).to_contain_text("1 picture saved.")
        (job,) = fatthumb.jobs.values()
        await painted(picture(gallery), fatthumb.picture(job.thumbnail_ids[0]))


async def test_under_a_host_that_forwards_nothing_what_came_with_the_result_is_shown(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with (
        connected(home.with_(fatthumb, DARKROOM_PREVIEWS="all")) as client,
        host.shows(client, await finished(client, count=2), capabilities={}) as gallery,
    ):
        (job,) = fatthumb.jobs.values()
        for number, thumbnail in enumerate(job.thumbnail_ids, 1):
            await painted(picture(gallery, number), fatthumb.picture(thumbnail))
        assert gallery.asked == []


async def test_nothing_more_is_asked_for_once_the_host_takes_the_gallery_down(home: Home, host: Host) -> None:
    with FatThumb(duration=1000) as service:
        async with (
            connected(home.with_(service)) as client,
            host.shows(client, await started(client), clock=True) as gallery,
        ):
            before = len(gallery.asked)
            await gallery.page.clock.run_for(60_000)
            await gallery.until(lambda: len(gallery.asked) > before)
            await gallery.close()
            await gallery.frame.evaluate("1")  # whatever was asked before this answer has been heard
            at_the_end = len(gallery.asked)
            await gallery.page.clock.run_for(600_000)
            await gallery.frame.evaluate("1")
            assert len(gallery.asked) == at_the_end
