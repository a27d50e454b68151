"""How the services' own tests look at a service: through a real HTTP client."""

import io
import ssl
from typing import Any

import httpx2
from PIL import Image

from tests.services.base import Service

BROKEN = (httpx2.RemoteProtocolError, httpx2.ReadError)


def client_of(service: Service[Any], key: str | None = None) -> httpx2.Client:
    return _client(service, {"authorization": f"Bearer {key or service.key}"})


def stranger_to(service: Service[Any], **headers: str) -> httpx2.Client:
    """A client without a key, unless a header holds one."""
    return _client(service, {name.replace("_", "-"): value for name, value in headers.items()})


def _client(service: Service[Any], headers: dict[str, str]) -> httpx2.Client:
    # Loading the machine's certificates would take longer than most of the tests, and nothing here speaks TLS.
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx2.Client(base_url=service.url, headers=headers, timeout=60.0, trust_env=False, verify=bare)


def submit(client: httpx2.Client, **body: object) -> httpx2.Response:
    return client.post("/generate", json={"prompt": "a cat", **body})


def states(generation: dict[str, Any]) -> list[str]:
    return [thumb["status"] for thumb in generation["thumbnails"]]


def opened(answer: httpx2.Response) -> tuple[str | None, tuple[int, int]]:
    with Image.open(io.BytesIO(answer.content)) as image:
        image.load()
        return image.format, image.size
