"""The history as the gallery's tool returns it: of one provider or all, page by page."""

from typing import Any

from mcp import Client

from darkroom.extensions.gallery import PAGE_SIZE
from tests.hosts import Home, call, connected, on_both_databases, over, refused
from tests.services.fatthumb import FatThumb


async def pages(client: Client, **wish: Any) -> list[dict[str, Any]]:
    """All pages that it has for this wish."""
    found = [await call(client, "gallery", **wish)]
    while cursor := found[-1].get("next_cursor"):
        found.append(await call(client, "gallery", **wish, cursor=cursor))
    return found


@on_both_databases
async def test_the_history_of_one_provider_is_paged_without_the_others(home: Home, fatthumb: FatThumb) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=1/1000")
    asked: dict[str, list[str]] = {"sketch": [], "fatthumb": []}
    async with connected(user, apps=True) as client:
        for number in range(PAGE_SIZE + 1):  # of FatThumb all but the first only wait, which costs no picture
            asked["fatthumb"].append((await call(client, "generate", prompt=f"A hen {number}"))["id"])
            if number % 8 == 0:
                drawn = await call(client, "generate", prompt=f"A fox {number}", provider="sketch")
                asked["sketch"].append((await over(client, drawn["id"]))[0]["id"])
        for provider, sizes in (("fatthumb", [PAGE_SIZE, 1]), ("sketch", [4])):
            found = await pages(client, provider=provider)
            assert [len(page["generations"]) for page in found] == sizes
            listed = [generation["id"] for page in found for generation in page["generations"]]
            assert listed == asked[provider][::-1]
            assert [page.get("providers") for page in found] == [["fatthumb", "sketch"], *[None] * (len(sizes) - 1)]
        narrowed = await pages(client, provider="sketch", search="FOX 1", status="succeeded")
        prompts = [generation["prompt"] for page in narrowed for generation in page["generations"]]
        assert prompts == ["A fox 16"]
        assert "no-such-service" in await refused(client, "gallery", provider="no-such-service")
