"""A browser, and the host's script."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from dev import find_browser
from tests.gallery.pages import bundled
from tests.gallery.shown import SIGHT_S, Host
from tests.hosts import PATIENCE_S
from tests.npm import NODE

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def host_script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The host's script, bundled once."""
    return bundled(tmp_path_factory.mktemp("host"))


@pytest.fixture
async def browser(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Browser]:
    """A Chromium with a profile of its own."""
    # The Node that playwright brings needs a library that not every machine has; ours does not.
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(NODE))
    chromium = find_browser()
    assert chromium, "The gallery's tests need a Chromium on the PATH: install chromium, or chromium-headless-shell."
    expect.set_options(timeout=SIGHT_S * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=FLAGS, chromium_sandbox=False, timeout=PATIENCE_S * 1000
        )
        yield browser
        await browser.close()


@pytest.fixture
def host(browser: Browser, host_script: str) -> Host:
    """A host that shows the gallery."""
    return Host(browser, host_script)
