"""Pictures are fetched with nothing that could tell who asks; tests/attacks has the links that must not be."""

import json
import threading
from collections.abc import Awaitable, Callable

import anyio
import pytest

from darkroom.errors import DarkroomError, ResultUnavailable
from darkroom.models import Charged, GenerationRequest, ImageStatus, Receipt
from darkroom.providers.base import RemoteImage
from darkroom.redact.secrets import Redactor
from darkroom.transport.egress import MAX_HOPS, MAX_PICTURE, Pictures
from darkroom.transport.http import Http
from tests.arriving import fetched, incoming
from tests.clients import provider_at, refusal
from tests.hosts import PATIENCE_S
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer, CutBody, Drip, Fault, Flood, Hang, Html, Raw, Redirect, Reset

Refuses = Callable[[str], Awaitable[DarkroomError]]
PICTURE = b"RIFF\x00\xff picture"


@pytest.fixture
def pictures(http: Http, fatthumb: FatThumb) -> Pictures:
    """The way out of a provider whose configured origin is the service's."""
    fatthumb.always("picture", Answer(200, content=PICTURE))
    return Pictures(http, fatthumb.url, Redactor(()))


@pytest.fixture
def refuses(pictures: Pictures) -> Refuses:
    """Fetches what must not be fetched, and tells the error."""

    async def fetch(url: str) -> DarkroomError:
        error = await refusal(fetched(pictures, url))
        assert (type(error), error.charged) == (ResultUnavailable, Charged.YES)
        assert "get_status" in error.next_step
        return error

    return fetch


async def test_a_picture_comes_from_the_configured_origin_over_plain_http(
    pictures: Pictures, fatthumb: FatThumb
) -> None:
    assert await fetched(pictures, f"{fatthumb.origin}/files/a.png") == PICTURE
    assert await fetched(pictures, f"{fatthumb.origin.upper()}/files/b.png") == PICTURE
    assert [entry.path for entry in fatthumb.picture_requests] == ["/files/a.png", "/files/b.png"]


async def test_a_picture_is_asked_for_by_nobody_in_particular(pictures: Pictures, fatthumb: FatThumb) -> None:
    fatthumb.script("picture", Redirect("/files/b.png"))
    await fetched(pictures, f"{fatthumb.origin}/files/a.png")
    for entry in fatthumb.picture_requests:
        assert not entry.has_key
        assert entry.headers.keys() <= {"host", "accept", "accept-encoding", "connection", "user-agent"}
        assert entry.headers["accept-encoding"] == "identity"
        assert fatthumb.key not in json.dumps(entry.headers)


async def test_a_gateway_s_password_is_not_sent_for_a_picture(fatthumb: FatThumb, http: Http) -> None:
    fatthumb.always("picture", Answer(200, content=PICTURE))
    own_origin = fatthumb.url.replace("://", "://me:hunter22@")
    assert await fetched(Pictures(http, own_origin, Redactor(())), f"{fatthumb.origin}/files/a.png") == PICTURE
    assert [entry.has_key for entry in fatthumb.picture_requests] == [False]


async def test_a_cookie_is_neither_kept_nor_sent(pictures: Pictures, fatthumb: FatThumb) -> None:
    cookie = {"set-cookie": "session=abc; Path=/"}
    fatthumb.script(
        "picture",
        Answer(302, headers={**cookie, "location": "/files/b.png"}),
        Answer(200, content=PICTURE, headers=cookie),
    )
    for _ in range(2):
        assert await fetched(pictures, f"{fatthumb.origin}/files/a.png") == PICTURE
    assert len(fatthumb.picture_requests) == 3
    assert not any("cookie" in entry.headers for entry in fatthumb.picture_requests)


async def test_a_cookie_of_the_api_does_not_reach_its_pictures(fatthumb: FatThumb) -> None:
    fatthumb.script("read", Answer(404, headers={"set-cookie": "session=abc; Path=/"}), None)
    fatthumb.always("picture", Answer(200, content=PICTURE))
    async with provider_at(fatthumb) as thumbs:
        request = thumbs.check(GenerationRequest(provider="fatthumb", prompt="x", model=""))
        for _ in range(2):
            await refusal(thumbs.read(Receipt(job_id="none"), request))
        image = RemoteImage(index=1, status=ImageStatus.SUCCEEDED, url=f"{fatthumb.origin}/files/a.png")
        await thumbs.picture(Receipt(job_id="none"), request, image, into := incoming())
        assert into.whole().read() == PICTURE
    assert not any("cookie" in entry.headers for entry in fatthumb.log)


# The HTTP library would send a URL's own user and password as Basic authorization.
async def test_credentials_in_a_link_are_refused_at_the_configured_origin_as_well(
    refuses: Refuses, fatthumb: FatThumb
) -> None:
    await refuses(f"{fatthumb.origin.replace('://', '://user:pass@')}/files/a.png")
    assert fatthumb.log == []


async def test_another_service_is_not_the_configured_origin(refuses: Refuses, fatthumb: FatThumb) -> None:
    with FatThumb() as elsewhere:
        await refuses(f"{elsewhere.origin}/files/a.png")
        fatthumb.script("picture", Redirect(f"{elsewhere.origin}/files/a.png"))
        await refuses(f"{fatthumb.origin}/files/a.png")
        assert elsewhere.log == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_within_the_configured_origin(
    pictures: Pictures, fatthumb: FatThumb, status: int
) -> None:
    fatthumb.script("picture", Redirect("b.png", status), Redirect(f"{fatthumb.origin}/files/c.png", status))
    assert await fetched(pictures, f"{fatthumb.origin}/files/a.png") == PICTURE
    assert [entry.path for entry in fatthumb.picture_requests] == ["/files/a.png", "/files/b.png", "/files/c.png"]


async def test_three_redirects_are_followed_and_a_fourth_is_not(
    pictures: Pictures, refuses: Refuses, fatthumb: FatThumb
) -> None:
    url = f"{fatthumb.origin}/files/a.png"
    fatthumb.script("picture", *[Redirect(url)] * MAX_HOPS)
    assert await fetched(pictures, url) == PICTURE
    fatthumb.always("picture", Redirect(url))
    await refuses(url)
    assert len(fatthumb.picture_requests) == 2 * (MAX_HOPS + 1)


BROKEN: dict[str, Fault] = {
    **{str(status): Answer(status) for status in (201, 204, 206, 401, 403, 404, 410, 429, 500)},
    "404 page": Html(404),
    "cut body": CutBody(PICTURE, keep=5),
    "cut body at once": CutBody(PICTURE, keep=0),
    "reset": Reset(),
    "closed": Reset(rst=False),
    "reset within the body": Reset(before_body=False),
    "no HTTP": Raw(),
    "redirect nowhere": Redirect(""),
    "redirect to a broken link": Redirect("http://[::1"),
    # httpx2's is_redirect is true of any 3xx, with a Location or without.
    **{f"{status} without a place": Answer(status) for status in (300, 302, 304)},
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
async def test_a_picture_that_does_not_arrive_whole_is_unavailable(
    refuses: Refuses, fatthumb: FatThumb, fault: Fault
) -> None:
    fatthumb.always("picture", fault)
    await refuses(f"{fatthumb.origin}/files/a.png")
    assert fatthumb.picture_requests


async def test_a_picture_of_a_service_that_is_down_is_unavailable(refuses: Refuses, fatthumb: FatThumb) -> None:
    fatthumb.stop()
    await refuses(f"{fatthumb.origin}/files/a.png")


async def test_the_largest_picture_that_may_come_does(pictures: Pictures, fatthumb: FatThumb) -> None:
    fatthumb.always("picture", Flood(MAX_PICTURE))
    assert len(await fetched(pictures, f"{fatthumb.origin}/files/a.png")) == MAX_PICTURE


class Searched(Redactor):
    """Tells on which threads it was asked to search."""

    def __init__(self) -> None:
        super().__init__(["a-key-that-is-long"])
        self.threads: set[int] = set()

    def within(self, data: bytes) -> bool:
        self.threads.add(threading.get_ident())
        return super().within(data)


async def test_a_picture_is_searched_for_keys_where_it_holds_nobody_else_up(http: Http, fatthumb: FatThumb) -> None:
    fatthumb.always("picture", Answer(200, content=PICTURE))
    searched = Searched()
    pictures = Pictures(http, own_origin=fatthumb.url, redact=searched)
    assert await fetched(pictures, f"{fatthumb.origin}/files/a.png") == PICTURE
    assert searched.threads
    assert threading.get_ident() not in searched.threads


@pytest.mark.parametrize(
    "link", ["data:image/png;base64,iVBORw0KGgo=", " DATA:image/png,x", "blob:https://a.example/1"]
)
async def test_what_is_no_link_is_refused_for_good_and_says_what_it_was(pictures: Pictures, link: str) -> None:
    with pytest.raises(ResultUnavailable) as caught:
        await fetched(pictures, link)
    assert caught.value.final
    assert f"{link.strip().partition(':')[0].lower()}: URL" in caught.value.message
    assert "get_status" not in caught.value.next_step


@pytest.mark.parametrize("status", [403, 404, 410, 429, 503])
@pytest.mark.parametrize(("header", "named"), [({}, None), ({"Retry-After": "7"}, 7.0)])
async def test_a_link_that_is_refused_may_be_followed_later(
    pictures: Pictures, fatthumb: FatThumb, status: int, header: dict[str, str], named: float | None
) -> None:
    fatthumb.script("picture", Answer(status, headers=header))
    with pytest.raises(ResultUnavailable) as caught:
        await fetched(pictures, f"{fatthumb.origin}/files/a.png")
    assert caught.value.passing
    assert caught.value.retry_after == named


@pytest.mark.parametrize("slow", [Hang(), Drip(1000.0)], ids=["silent", "dripping"])
async def test_a_download_that_hardly_moves_is_given_up(http: Http, fatthumb: FatThumb, slow: Fault) -> None:
    fatthumb.heavy_pictures = True
    async with provider_at(fatthumb) as provider:
        request = GenerationRequest(provider="fatthumb", prompt="a fox", model="gemini-3-pro")
        job = await provider.submit(request, "gen_1")
        fatthumb.advance(60.0)
        (image,) = (await provider.read(job.receipt, request)).images
    fatthumb.script("picture", slow)
    with anyio.fail_after(PATIENCE_S), pytest.raises(ResultUnavailable) as caught:
        await fetched(Pictures(http, fatthumb.url, Redactor(()), least_every_s=0.2), image.url or "")
    assert caught.value.passing
