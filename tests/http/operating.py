"""A hosted Darkroom at work, for those who look at its operator's page."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx2

from tests.hosts import PATIENCE_S, Home, call, eventually, over
from tests.http.hosting import ANN, BOB, Hosted, client_of, hosted, tenants_file
from tests.services.fatthumb import FatThumb
from tests.services.faults import Answer

ADMIN = "the-token-of-the-operators"
OPERATOR = f"Bearer {ADMIN}"
PROMPT = "a canary that sings"
LINK = "https://pictures.example.com/signed?signature=abc"
WORDS = ("--trust-proxy", "127.0.0.1", "--tenants")
LIMITS = """
active = 4
submissions_per_day = 100
stored_mb = 500
"""


class Visitor:
    """A client of the page that keeps no cookie and follows no redirect."""

    def __init__(self, server: Hosted) -> None:
        self._http = httpx2.Client(base_url=server.base, timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(
        self, method: str = "GET", query: str = "", data: Mapping[str, str] | None = None, **headers: str
    ) -> httpx2.Response:
        """The response to a request for it; in a header's name, `_` stands for a hyphen."""
        named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        response = self._http.request(method, f"/admin{query}", data=data, headers=list(named.items()))
        self._http.cookies.clear()
        return response

    def overview(self, query: str = "") -> dict[str, Any]:
        """The page as JSON, for an operator."""
        response = self.ask(query=query, authorization=OPERATOR, accept="application/json")
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        return response.json()


@asynccontextmanager
async def at_work(home: Home) -> AsyncGenerator[tuple[Hosted, Visitor, FatThumb]]:
    """A server with two tenants. Of Ann's generations one failed, one runs and two wait; one of Bob's is done."""
    with FatThumb(duration=1000) as service:
        keys = {"FATTHUMB_API_KEY": service.key, "FATTHUMB_BASE_URL": service.url, "FATTHUMB_LIMITS": "active=1"}
        file = tenants_file(home.path, keys)
        ann, bob = file.read_text().split("[tenants.bob]")
        file.write_text(f'{ann}{LIMITS}[tenants.bob]{bob}money_per_day = "20 USD"\n')
        service.script("submit", Answer(402, json={"error": f"No credits for {PROMPT}: {LINK}"}))
        user = home.with_(DARKROOM_ADMIN_TOKEN=ADMIN, DARKROOM_LOG="debug")
        with hosted(user, *WORDS, str(file)) as server, Visitor(server) as visitor:
            async with client_of(server.url, token=ANN) as client:
                await over(client, (await call(client, "generate", prompt=PROMPT, provider="fatthumb"))["id"])
                for number in range(3):
                    await call(client, "generate", prompt=f"{PROMPT} {number}", provider="fatthumb")
            async with client_of(server.url, token=BOB) as client:
                await over(client, (await call(client, "generate", prompt=PROMPT, provider="sketch"))["id"])
            eventually(lambda: [each["state"] for each in visitor.overview()["under_way"]] == ["running"])
            yield server, visitor, service
