"""The gallery as a host shows it in a conversation, over a real server."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
from mcp import Client
from mcp.types import CallToolResult, TextResourceContents
from playwright.async_api import Browser, ConsoleMessage, Frame, FrameLocator, Locator, Page
from pydantic import BaseModel

from tests.gallery.pages import POLICIES, STRICTEST, Pages
from tests.hosts import PATIENCE_S

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "gallery"
EVERYTHING: Mapping[str, object] = {
    "serverTools": {}, "serverResources": {}, "openLinks": {}, "message": {}, "updateModelContext": {}, "logging": {},
}  # fmt: skip
"""The capabilities of a host that can do all that there is."""
WIDTH, HEIGHT = 720, 900
SIGHT_S = PATIENCE_S / 2
"""How long a test looks for anything on the page: it must be the first to give up, since it can say what is missing."""
VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
    console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""


@dataclass(frozen=True)
class Asked:
    """A request of the gallery to its host."""

    method: str
    params: dict[str, Any]

    @property
    def tool(self) -> str | None:
        """The tool that it calls."""
        return self.params["name"] if self.method == "tools/call" else None


class Gallery:
    """The page, everything that it asked its host for, and everything that went wrong on it."""

    def __init__(self, client: Client, page: Page) -> None:
        self.page = page
        self.app: dict[str, Any] = {}
        self.asked: list[Asked] = []
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.loses: set[str] = set()
        """The tools whose next answer the host has, and fails before the page has it."""
        self._client = client
        self._news = anyio.Event()
        page.set_default_timeout(SIGHT_S * 1000)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    @property
    def view(self) -> FrameLocator:
        """What is in the gallery's frame."""
        return self.page.frame_locator("iframe")

    @property
    def words(self) -> Locator:
        """Everything that can be read in it."""
        return self.view.get_by_role("main")

    @property
    def spoken(self) -> Locator:
        """What a screen reader says of what has changed."""
        return self.view.get_by_role("status")

    @property
    def frame(self) -> Frame:
        """The gallery's frame itself, to run scripts in."""
        _, frame = self.page.frames
        return frame

    async def change(self, **context: object) -> None:
        """The host's surroundings change while the gallery is shown."""
        await self.page.evaluate("context => host.change(context)", context)

    async def tell(self, result: CallToolResult) -> None:
        """The tool has answered."""
        await self.page.evaluate("result => host.tell(result)", plain(result))

    async def cancel(self) -> None:
        """The tool's call was cancelled before it answered."""
        await self.page.evaluate("host.cancel()")

    async def close(self) -> None:
        """The host takes the gallery down."""
        await self.page.evaluate("host.close()")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until it holds of what the gallery has asked for."""
        with anyio.fail_after(SIGHT_S):
            while not condition():
                await self._news.wait()

    def called(self, tool: str) -> bool:
        """Whether the gallery has called this tool."""
        return any(asked.tool == tool for asked in self.asked)

    async def keep(self, name: str) -> None:
        """Leaves a screenshot for people to look at."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True, animations="disabled")

    async def answer(self, method: str, params: dict[str, Any]) -> Any:
        """Does for the gallery what it asks the host for."""
        self.asked.append(Asked(method, params))
        self._news.set()
        self._news = anyio.Event()
        if method == "tools/call":
            result = await self._client.call_tool(params["name"], params.get("arguments", {}))
            if params["name"] in self.loses:
                self.loses.remove(params["name"])
                raise ConnectionError("the answer was lost on its way to the page")
            return plain(result)
        if method == "resources/read":
            return plain(await self._client.read_resource(params["uri"]))
        return {}

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


@dataclass(frozen=True)
class Host:
    """A host with a browser, in which it shows the gallery beside a tool's result."""

    browser: Browser
    script: str

    @asynccontextmanager
    async def shows(
        self,
        client: Client,
        result: CallToolResult | None,
        *,
        asked_for: Mapping[str, object] | None = None,
        policy: str = STRICTEST,
        capabilities: Mapping[str, object] = EVERYTHING,
        theme: Literal["light", "dark"] = "light",
        width: int = WIDTH,
        grants: bool = True,
        clock: bool = False,
        reduced_motion: bool = False,
    ) -> AsyncGenerator[Gallery]:
        """The gallery. It must be quiet to the end: no error, no request, nothing that the policy refused.

        `result` None: the tool has not answered yet. `grants`: the page gets the permissions that it asks for.
        `clock`: the test can let the page's time pass.
        """
        html, allow = await resource_of(client)
        context = await self.browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme="light",  # the host's word counts, not the browser's
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        with Pages(self.script, html, POLICIES[policy]) as pages:
            page = await context.new_page()
            gallery = Gallery(client, page)
            await context.add_init_script(VIOLATIONS)
            await page.expose_function("ask", gallery.answer)  # pyright: ignore[reportUnknownMemberType]
            if clock:
                await page.clock.install()
            await page.goto(pages.host)
            gallery.app = await page.evaluate(
                "options => host.open(options)",
                {
                    "source": pages.gallery,
                    "allow": allow if grants else "",
                    "capabilities": dict(capabilities),
                    "context": {"theme": theme, "displayMode": "inline", "locale": "en", "platform": "desktop"},
                    "input": dict(asked_for or {}),
                    "result": result and plain(result),
                },
            )
            try:
                yield gallery
            finally:
                await context.close()
        assert gallery.complaints == []
        assert gallery.requests == [pages.host, pages.script, pages.gallery]


async def resource_of(client: Client) -> tuple[str, str]:
    """The page that `generate` and `wait` name for their results, and what its frame may use, as `allow` says it."""
    tools = (await client.list_tools()).tools
    (uri,) = {(tool.meta or {})["ui"]["resourceUri"] for tool in tools if tool.name in {"generate", "wait"}}
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert content.mime_type == "text/html;profile=mcp-app"
    permissions = (content.meta or {}).get("ui", {}).get("permissions", {})
    return content.text, "; ".join("clipboard-write" for name in permissions if name == "clipboardWrite")


def plain(value: BaseModel) -> Any:
    """A message as it travels."""
    return json.loads(value.model_dump_json(by_alias=True, exclude_none=True))
