"""What the gallery says of pictures that did not come, or came with a mark, and that it says nothing as markup."""

from playwright.async_api import expect

from darkroom.providers.sketch import TRAITS
from tests.gallery.scenes import button, finished, painted, picture, the_one
from tests.gallery.shown import Host
from tests.hosts import Home, connected
from tests.services.betterwaifu import BetterWaifu
from tests.services.fatthumb import FatThumb
from tests.services.faults import Redirect

HOSTILE = (
    """<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>"' &lt;b&gt; ${1} </style>"""
)


async def test_failed_hidden_and_watermarked_pictures_are_told_in_words(home: Home, host: Host) -> None:
    with FatThumb(free_tier=True, hidden={1}, failing={2: "Generation failed for safety reasons"}) as service:
        async with connected(home.with_(service)) as client:
            result = await finished(client, count=3)
            async with host.shows(client, result) as gallery:
                await expect(gallery.words).to_contain_text("1 of 3 pictures saved")
                await expect(gallery.words).to_contain_text("watermarked")
                for image in the_one(result)["images"][1:]:
                    await expect(gallery.words).to_contain_text(image["error"]["message"])


async def test_what_is_to_be_said_of_every_result_of_a_service_stands_in_the_settings(home: Home, host: Host) -> None:
    async with connected(home) as client, host.shows(client, await finished(client)) as gallery:
        await gallery.view.get_by_text("Settings", exact=True).click()
        note = gallery.view.locator("dt", has_text="Note").locator("+ dd")
        await expect(note).to_have_text(TRAITS.note or "")


async def test_what_did_not_come_is_fetched_again_at_no_cost(home: Home, fatthumb: FatThumb, host: Host) -> None:
    fatthumb.always("picture", Redirect("https://10.0.0.1/x.png"))
    async with (
        connected(home.with_(fatthumb)) as client,
        host.shows(client, await finished(client)) as gallery,
    ):
        await expect(gallery.words.get_by_text("Failed", exact=True)).to_be_visible()
        fatthumb.always("picture", None)
        await button(gallery, "Fetch what is missing (free)").click()
        await expect(gallery.words.get_by_text("1 picture saved.")).to_be_visible()
        (job,) = fatthumb.jobs.values()
        await painted(picture(gallery), fatthumb.picture(job.thumbnail_ids[0]))


async def test_a_failure_says_what_happened_whether_it_was_charged_and_what_to_do_next(home: Home, host: Host) -> None:
    with BetterWaifu(failing="The model ran out of memory") as service:
        async with connected(home.with_(service)) as client:
            result = await finished(client)
            async with host.shows(client, result) as gallery:
                await expect(gallery.words).to_contain_text("The model ran out of memory")
                text = await gallery.view.locator("body").inner_text()
        assert "charged" in text.lower()
    assert the_one(result)["error"]["next_step"] in text


async def test_hostile_text_in_a_prompt_or_from_a_provider_is_shown_as_text(home: Home, host: Host) -> None:
    with FatThumb(failing={1: HOSTILE}) as service:
        async with connected(home.with_(service)) as client:
            result = await finished(client, prompt=HOSTILE, count=2)
            async with host.shows(client, result, policy="no markup made of text") as gallery:
                await expect(picture(gallery, 1)).to_have_accessible_name(f"Picture 1: {HOSTILE}")
                await expect(gallery.view.get_by_text(HOSTILE[:40]).first).to_be_visible()
                assert await gallery.view.locator("img, script[src], b").count() == 0
                assert await gallery.frame.title() != "owned"
