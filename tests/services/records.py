"""What a service remembers: requests, accepted jobs, the fate of a job, and how often somebody came."""

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from tests.services.faults import RouteName


@dataclass
class Logged:
    """One request as it arrived; `status` is 0 until (and unless) it is answered."""

    at: float
    wall: float
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    route: RouteName | None
    status: int = 0
    answered_at: float = 0.0

    @property
    def has_key(self) -> bool:
        """Whether any form of credential came along."""
        return bool(self.headers.keys() & {"authorization", "x-api-key", "cookie"}) or "key=" in self.query


def logged(scope: Scope, route: RouteName | None) -> Logged:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return Logged(time.monotonic(), time.time(), scope["method"], scope["path"], query, headers, b"", route)


@dataclass(frozen=True)
class Post:
    """One accepted submission: a job exists, and was charged."""

    at: float
    wall: float
    id: str
    key: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Fate:
    """What becomes of a job: how long it takes, and what its status reads until a time after its creation."""

    duration: float = 0.3
    statuses: tuple[tuple[float, str], ...] = ()

    def said(self, elapsed: float) -> str | None:
        """The status that overrides the true one now, if any."""
        return next((status for until, status in self.statuses if elapsed < until), None)


class Window:
    """At most `count` events in any `seconds`; each key has its own."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds = count, seconds
        self._taken: dict[str, deque[float]] = {}

    def take(self, key: str, now: float) -> float:
        """0 when the event is let in, else the seconds until one would be; what is refused does not count."""
        taken = self._taken.setdefault(key, deque())
        while taken and taken[0] <= now - self.seconds:
            taken.popleft()
        if len(taken) >= self.count:
            return taken[0] + self.seconds - now
        taken.append(now)
        return 0.0
