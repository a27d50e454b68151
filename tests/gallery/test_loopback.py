"""`darkroom-mcp gallery`: the same page in a browser of this machine, let in by an address that works once."""

import signal
import subprocess
from typing import Any

import httpx2
from playwright.async_api import Browser, BrowserContext, Dialog, FrameLocator, Page, expect

from tests.hosts import PATIENCE_S, Home, darkroom, running
from tests.services.fatthumb import FatThumb

CALL: dict[str, Any] = {"method": "tools/call", "params": {"name": "gallery", "arguments": {}}}

STRANGE: list[Any] = [
    {"method": "tools/call", "params": {"name": "list_models", "arguments": {}}},
    {"method": "resources/read", "params": {"uri": "file:///etc/passwd"}},
    [],
]


async def nobody_is_let_in(address: str, own: str) -> None:
    """Whoever has no token or cookie, or comes by another name."""
    async with httpx2.AsyncClient(timeout=PATIENCE_S) as stranger:
        for path, status in (("/", 403), ("/?token=", 403), ("/?token=wrong", 403), ("/page", 403), ("/x", 404)):
            assert (await stranger.get(own + path)).status_code == status, path
        assert (await stranger.get(address, headers={"host": "elsewhere.example"})).status_code == 421
        assert (await stranger.post(f"{own}/call", json=CALL)).status_code == 403
        assert (await stranger.post(f"{own}/call", json=CALL, headers={"origin": own})).status_code == 403


async def zoomed_and_saved(page: Page, view: FrameLocator, home: Home) -> None:
    """The one picture there is, enlarged, then as a download."""
    await view.get_by_role("button", name="Enlarge picture 1").click()
    zoom = view.get_by_role("button", name="Zoom", exact=True)
    large = view.get_by_role("dialog").get_by_role("img")
    fits = await large.bounding_box()
    await zoom.click()
    await expect(zoom).to_have_attribute("aria-pressed", "true")
    zoomed = await large.bounding_box()
    assert fits is not None
    assert zoomed is not None
    assert zoomed["width"] > 1.5 * fits["width"]
    await page.keyboard.press("ArrowRight")
    async with page.expect_download() as coming:
        await view.get_by_role("button", name="Save picture 1").click()
    (saved,) = home.saved()
    download = await coming.value
    assert (download.suggested_filename, (await download.path()).read_bytes()) == (saved.name, saved.read_bytes())
    await page.screenshot(path=".artifacts/gallery/loopback-zoomed.png")


async def nothing_else_is_asked(context: BrowserContext, own: str) -> None:
    """With the cookie: from another port of this machine nothing, and from the page what it needs and no more."""
    cookies = {cookie["name"]: cookie["value"] for cookie in await context.cookies()}  # pyright: ignore
    async with httpx2.AsyncClient(timeout=PATIENCE_S, cookies=cookies) as known:
        other = await known.post(f"{own}/call", json=CALL, headers={"origin": "http://127.0.0.1:1"})
        assert other.status_code == 403, "a page of another port of this machine"
        for strange in STRANGE:
            answer = await known.post(f"{own}/call", json=strange, headers={"origin": own})
            assert answer.status_code == 400
        listed = await known.post(f"{own}/call", json=CALL, headers={"origin": own})
        assert len(listed.json()["structuredContent"]["generations"]) == 2


def printed(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The address that works once, and the page's own."""
    assert process.stdout is not None
    process.stdout.readline()
    address = process.stdout.readline().strip()
    return address, address.partition("/?token=")[0]


async def test_one_browser_sees_the_history_and_makes_more_and_nobody_else_is_let_in(
    home: Home, fatthumb: FatThumb, browser: Browser
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=100/1")
    assert darkroom(user, "generate", "A fox reading a map").status == 0
    with running(user, "gallery") as process:
        address, own = printed(process)
        assert own.startswith("http://127.0.0.1:")
        await nobody_is_let_in(address, own)
        context = await browser.new_context()
        page = await context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        await page.clock.install()
        await page.goto(address)
        view = page.frame_locator("iframe")
        await expect(view.get_by_role("img", name="Picture 1: A fox reading a map")).to_be_visible()
        await expect(view.get_by_role("region", name="History")).to_contain_text("1 shown.")
        await page.screenshot(path=".artifacts/gallery/loopback.png")
        assert page.url == f"{own}/"
        await zoomed_and_saved(page, view, home)
        await page.reload()
        await view.get_by_role("button", name="Edit prompt").click()
        await view.get_by_role("textbox", name="The prompt to run").fill("A badger")
        await view.get_by_role("button", name="Run (").click()
        await expect(view.get_by_role("button", name="Spend")).to_be_focused()
        await page.clock.fast_forward(1000)  # a confirmation that comes sooner is a double click
        await view.get_by_role("button", name="Spend").click()
        await expect(view.get_by_role("img", name="Picture 1: A badger").first).to_be_visible()
        await nothing_else_is_asked(context, own)
        async with httpx2.AsyncClient(timeout=PATIENCE_S) as late:
            assert "works once" in (await late.get(address)).text
        assert complaints == []
        await context.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


async def test_where_the_user_wants_to_be_asked_before_paying_the_browser_asks_and_only_a_yes_pays(
    home: Home, fatthumb: FatThumb, browser: Browser
) -> None:
    user = home.with_(fatthumb, FATTHUMB_LIMITS="submit=100/1", DARKROOM_CONFIRM="always")
    assert darkroom(user, "generate", "A fox reading a map").status == 0
    with running(user, "gallery") as process:
        address, own = printed(process)
        context = await browser.new_context()
        page = await context.new_page()
        questions: list[str] = []
        says_yes = False

        async def asked(dialog: Dialog) -> None:
            questions.append(dialog.message)
            await (dialog.accept() if says_yes else dialog.dismiss())

        page.on("dialog", asked)
        await page.clock.install()
        await page.goto(address)
        view = page.frame_locator("iframe")
        for says_yes in (False, True):
            await view.get_by_role("button", name="Enlarge picture 1").first.click()
            await view.get_by_role("button", name="Make a variation of picture 1").last.click()
            await page.clock.fast_forward(1000)
            await view.get_by_role("button", name="Spend").click()
            if says_yes:
                await expect(view.get_by_role("dialog")).to_be_hidden()
                await expect(view.get_by_role("img", name="Picture 1: A fox reading a map")).to_have_count(2)
            else:
                await expect(view.get_by_role("dialog")).to_contain_text("you said no, so nothing was sent")
                assert len(fatthumb.posts) == 1
                await page.keyboard.press("Escape")
        assert questions == [questions[0]] * 2
        assert "Make 1 picture with FatThumb" in questions[0]
        assert "A fox reading a map" in questions[0]
        assert len(fatthumb.posts) == 2
        paid = {"name": "generate", "arguments": {"prompt": "A badger"}}
        cookies = {cookie["name"]: cookie["value"] for cookie in await context.cookies()}  # pyright: ignore
        async with httpx2.AsyncClient(timeout=PATIENCE_S, cookies=cookies, headers={"origin": own}) as known:
            for agreed in ({}, {"agreed": questions[0]}, {"agreed": True}):  # a yes to other words is none
                answer = await known.post(f"{own}/call", json={"method": "tools/call", "params": paid, **agreed})
                assert set(answer.json()) == {"question"}
        assert len(fatthumb.posts) == 2
        await context.close()
