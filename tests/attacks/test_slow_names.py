"""Names that are never resolved: their pictures wait, and nobody else does."""

import socket
import threading
from collections.abc import Generator
from typing import Any

import anyio
import pytest
from anyio import to_thread

from darkroom.redact.secrets import Redactor
from darkroom.transport.client import Api
from darkroom.transport.egress import LOOKUPS, Pictures
from darkroom.transport.http import Http
from tests.arriving import fetched
from tests.attacks.conftest import OWN
from tests.attacks.origins import Origin, reply
from tests.clients import OpenDoor
from tests.hosts import PATIENCE_S

CROWD = 40
"""More than the event loop has threads, however many cores there are."""


class Resolver:
    """The system's, which never answers for these names until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._free = threading.Event()
        self._asked = threading.Semaphore(0)
        real = socket.getaddrinfo

        def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
            if b"hangs" not in (host.encode() if isinstance(host, str) else host):
                return real(host, *args, **kwargs)
            self._asked.release()
            self._free.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        monkeypatch.setattr(socket, "getaddrinfo", resolve)

    def was_asked(self) -> bool:
        """Waits until one more of these names is asked for; False: none is."""
        return self._asked.acquire(timeout=PATIENCE_S)

    def let_go(self) -> None:
        self._free.set()


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Generator[Resolver]:
    made = Resolver(monkeypatch)
    yield made
    made.let_go()


async def test_links_whose_names_hang_hold_nobody_else_s_names_up(http: Http, resolver: Resolver) -> None:
    pictures = Pictures(http, OWN, Redactor(()))
    with Origin(reply(b'{"id": "x"}')) as origin, anyio.fail_after(PATIENCE_S):
        other = Api(
            "BetterWaifu", "BETTERWAIFU_API_KEY", f"http://localhost:{origin.port}", http, {}, Redactor([]), OpenDoor()
        )
        async with anyio.create_task_group() as fetches:
            for number in range(CROWD):
                fetches.start_soon(fetched, pictures, f"https://hangs-{number}.example/a.png")
            for _ in range(LOOKUPS):
                assert await to_thread.run_sync(resolver.was_asked)
            assert await other.read("/jobs/x") == {"id": "x"}
            fetches.cancel_scope.cancel()
