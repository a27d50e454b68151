"""The operator's page in a browser, which lets an operator in by its form and shows it without any script."""

from playwright.async_api import Browser, expect

from tests.gallery.shown import ARTIFACTS, HEIGHT, VIOLATIONS, WIDTH
from tests.hosts import Home
from tests.http.operating import ADMIN, at_work
from tests.npm import MODULES


async def test_an_operator_signs_in_and_reads_it_at_any_width(home: Home, browser: Browser) -> None:
    complaints: list[str] = []
    async with at_work(home) as (server, _, _):
        page = await browser.new_page(viewport={"width": 320, "height": HEIGHT}, color_scheme="dark")
        page.on("console", lambda message: complaints.append(message.text))
        await page.add_init_script(VIOLATIONS)
        await page.goto(f"{server.base}/admin")
        await page.get_by_label("token").fill("a wrong one")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_have_text("This is not the operators' token.")
        complaints.clear()  # a browser names each page that came with 401
        await page.get_by_label("token").fill(ADMIN)
        await page.get_by_role("button", name="Sign in").click()
        queues = page.get_by_role("table", name="Queues")
        await expect(queues.get_by_role("row").nth(1)).to_contain_text("fatthumb")
        await expect(page.get_by_role("table", name="Under way")).to_contain_text("running")
        await expect(page.get_by_role("table", name="Recent failures")).to_contain_text("payment_required")
        for width in (320, WIDTH, 1200):
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            ARTIFACTS.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=ARTIFACTS / f"operator-{width}px.png", full_page=True)
            assert await page.evaluate("document.scrollingElement.scrollWidth") <= width
        await page.evaluate((MODULES / "axe-core" / "axe.min.js").read_text())
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme=theme)
            assert (await page.evaluate("axe.run(document, { preload: false })"))["violations"] == []
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("token")).to_be_visible()
        assert [each for each in complaints if "401" not in each] == []
        await page.close()
