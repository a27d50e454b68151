"""The gallery follows a generation until its pictures are there."""

from playwright.async_api import expect

from tests.gallery.scenes import ALIKE, difference, finished, picture, started
from tests.gallery.shown import Host
from tests.hosts import Home, connected
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb


async def test_the_gallery_introduces_itself_and_shows_the_result_that_it_is_given(
    home: Home, fatthumb: FatThumb, host: Host
) -> None:
    async with connected(home.with_(fatthumb)) as client:
        result = await finished(client)
        async with host.shows(client, result) as gallery:
            assert gallery.app["name"] == "darkroom"
            await expect(gallery.status).to_contain_text("1 picture saved.")
            await expect(picture(gallery)).to_have_accessible_name("Picture 1: A fox reading a map")


async def test_a_place_in_the_queue_then_work_then_pictures_are_seen_without_a_reload(home: Home, host: Host) -> None:
    with BetterWaifu(queue=1000, queue_positions=(41, 23), duration=1000) as service:
        async with (
            connected(home.with_(service)) as client,
            host.shows(client, await started(client)) as gallery,
        ):
            await expect(gallery.status).to_contain_text("position 41")
            await gallery.keep("queued")
            service.advance(600)
            await expect(gallery.status).to_contain_text("position 23")
            service.advance(600)
            await expect(gallery.status).to_contain_text("working on it")
            await gallery.keep("running")
            service.advance(1000)
            await expect(gallery.status).to_contain_text("1 picture saved.")
            (job,) = service.jobs.values()
            assert await difference(picture(gallery), service.picture(job.image_ids[0])) < ALIKE


async def test_the_pictures_on_the_screen_are_those_that_were_served(home: Home, host: Host) -> None:
    with FatThumb() as service:
        async with (
            connected(home.with_(service)) as client,
            host.shows(client, await started(client, count=4)) as gallery,
        ):
            await expect(gallery.status).to_contain_text("4 pictures saved.")
            (job,) = service.jobs.values()
            for number, thumbnail in enumerate(job.thumbnail_ids, 1):
                assert await difference(picture(gallery, number), service.picture(thumbnail)) < ALIKE
