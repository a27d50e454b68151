"""What both provider services have in common: keys, a clock, a log, limits, faults, and a socket."""

import asyncio
import json
import math
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from email.utils import formatdate
from typing import Any, ClassVar, Generic, Self, TypedDict, TypeVar, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

from tests.services.exchange import Exchange
from tests.services.faults import Delay, Fault, Normal, RouteName, Script
from tests.services.loopback import Loopback
from tests.services.records import Fate, Logged, Post, logged

API = "/api/v1"


FateT = TypeVar("FateT", bound=Fate)


class Knobs(TypedDict, total=False):
    """The arguments both services share.

    `retry_after` of the service's own 429: "seconds", "date", "ms" (only `retry-after-ms`), None (absent), or
    any other text as it is. `files_origin`: where picture URLs point instead of here.
    """

    key: str | None
    port: int
    keep_alive: float
    slow_submit: float
    retry_after: str | None
    files_origin: str | None


class Service(ABC, Generic[FateT]):
    """A provider that lives on loopback: `with FatThumb() as service: service.url`."""

    key_prefix: ClassVar[str]

    def __init__(self, fate: FateT, knobs: Knobs) -> None:
        self.key = knobs.get("key") or self._new_key()
        self.keys = [self.key]
        self.fate = fate
        self.slow_submit = knobs.get("slow_submit", 0.0)
        self.retry_after = knobs.get("retry_after", "seconds")
        self.files_origin = knobs.get("files_origin")
        self.refused_429 = 0
        self.crashes: list[Exception] = []
        self.changed = threading.Condition()
        self._log: list[Logged] = []
        self._posts: list[Post] = []
        self._plans: deque[FateT] = deque()
        self._faults = Script()
        self._shift = 0.0
        self._laid_down = False
        self._routes = self.routes()
        self._app = Starlette(
            routes=[*self._routes, Route("/_log", self._show_log)],
            exception_handlers={HTTPException: _refusal},
        )
        self._app.router.redirect_slashes = False
        self._loopback = Loopback(self, port=knobs.get("port", 0), keep_alive=knobs.get("keep_alive", 5.0))

    @abstractmethod
    def routes(self) -> list[Route]:
        """Every route, named by the `RouteName` under which faults are scripted."""

    # Coming and going

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._loopback.close()
        if self.crashes and kind is None:
            raise ExceptionGroup("the service itself is broken", self.crashes)

    def start(self) -> None:
        self._loopback.start()

    def stop(self) -> None:
        """The provider is down: connections are refused, open ones aborted; jobs go on by the clock."""
        self._loopback.stop()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._loopback.port}"

    @property
    def url(self) -> str:
        return self.origin + API

    # What tests look at

    @property
    def log(self) -> list[Logged]:
        with self.changed:
            return list(self._log)

    @property
    def posts(self) -> list[Post]:
        with self.changed:
            return list(self._posts)

    def requests(
        self, method: str | None = None, path_prefix: str = "", *, route: RouteName | None = None
    ) -> list[Logged]:
        """The logged requests that match; a path may be given with or without `/api/v1`."""
        prefixes = (path_prefix, API + path_prefix)
        return [
            entry
            for entry in self.log
            if method in (None, entry.method) and entry.path.startswith(prefixes) and route in (None, entry.route)
        ]

    @property
    def picture_requests(self) -> list[Logged]:
        return self.requests(route="picture")

    def until(self, predicate: Callable[[], bool], seconds: float = 240.0) -> None:
        """Block until the predicate holds; it is asked again whenever a request arrives or is answered."""
        with self.changed:
            if not self.changed.wait_for(predicate, seconds):
                raise TimeoutError(f"not so within {seconds} s")

    # What tests decide

    def script(self, route: RouteName, *faults: Fault | None) -> None:
        """The next requests on the route meet these, one each; None is a normal answer."""
        self._faults.add(route, faults)

    def always(self, route: RouteName, fault: Fault | None) -> None:
        self._faults.always(route, fault)

    def unplayed(self, route: RouteName) -> int:
        return self._faults.left(route)

    def next_job(self, **changes: Any) -> None:
        """The next job (call again for the one after) differs from the rest in these parts of its fate."""
        with self.changed:
            self._plans.append(replace(self.fate, **changes))

    def later_jobs(self, **changes: Any) -> None:
        with self.changed:
            self._laid_down = True
            self.fate = replace(self.fate, **changes)

    def add_key(self) -> str:
        """Another customer, whose jobs the first cannot see."""
        with self.changed:
            self.keys.append(self._new_key())
            return self.keys[-1]

    def now(self) -> float:
        return time.monotonic() + self._shift

    def advance(self, seconds: float) -> None:
        """Move the service's clock on: for its jobs and its limits, not for the times in the log.

        A job whose fate is laid down comes first, however slow the machine: it would begin only after that time.
        """
        self.until(lambda: not self._plans and (bool(self._posts) or not self._laid_down))
        with self.changed:
            self._shift += seconds

    # What the services are built from

    def draw_fate(self) -> FateT:
        return self._plans.popleft() if self._plans else self.fate

    def accept(self, job_id: str, key: str, body: dict[str, Any]) -> None:
        self._posts.append(Post(time.monotonic(), time.time(), job_id, key, body))
        self.changed.notify_all()

    def caller(self, request: Request, refusal: str, *, header: str | None = None) -> str:
        """The key that came with the request, by Bearer or by the header; 401 without a good one."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        offered = token.strip() if scheme.lower() == "bearer" else ""
        if not offered and header is not None:
            offered = request.headers.get(header, "")
        if offered not in self.keys:
            raise HTTPException(401, refusal)
        return offered

    def too_many(self, message: str, wait: float) -> HTTPException:
        """The 429 to raise, with the Retry-After that the knob asks for."""
        self.refused_429 += 1
        whole = math.ceil(wait)
        date = formatdate(time.time() + whole, usegmt=True)
        known = {"seconds": str(whole), "date": date}
        if self.retry_after is None:
            return HTTPException(429, message)
        if self.retry_after == "ms":
            return HTTPException(429, message, {"retry-after-ms": str(math.ceil(wait * 1000))})
        return HTTPException(429, message, {"retry-after": known.get(self.retry_after, self.retry_after)})

    def file_url(self, name: str) -> str:
        return f"{self.files_origin or self.origin}/files/{name}"

    def _new_key(self) -> str:
        return f"{self.key_prefix}test_{secrets.token_hex(16)}"

    # One request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._exchange(scope, receive, send)
        except asyncio.CancelledError:
            # Only `stop` cancels a request, and by then its connection is gone: nothing is left to say.
            return
        except Exception as crash:
            self.crashes.append(crash)
            raise

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry = logged(scope, self._route_of(scope))

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                with self.changed:
                    entry.status, entry.answered_at = message["status"], time.monotonic()
                    self.changed.notify_all()
            await send(message)

        exchange = Exchange(self._app, scope, receive, noting)
        entry.body = await exchange.read()
        if entry.path != "/_log":
            with self.changed:
                self._log.append(entry)
                self.changed.notify_all()
        await self._fault_for(entry.route).play(exchange)

    def _route_of(self, scope: Scope) -> RouteName | None:
        full = (route.name for route in self._routes if route.matches(scope)[0] is Match.FULL)
        return cast("RouteName | None", next(full, None))

    def _fault_for(self, route: RouteName | None) -> Fault:
        fault = self._faults.take(route) if route else None
        if fault is None and route == "submit" and self.slow_submit:
            return Delay(self.slow_submit)
        return fault or Normal()

    async def _show_log(self, _: Request) -> Response:
        with self.changed:
            routes = Counter(entry.route or "other" for entry in self._log)
            posts = [{**asdict(post), "key": None} for post in self._posts]
            seen = {"posts": posts, "refused_429": self.refused_429, "requests": dict(routes)}
            read = {entry.path.rpartition("/")[2]: entry.wall for entry in self._log if entry.route == "read"}
            times = [[entry.at, entry.wall, entry.route] for entry in self._log]
            return JSONResponse({**seen, "times": times, "last_read": read})


async def json_object(request: Request) -> dict[str, Any]:
    """The body of a request, which has to be a JSON object; 400 otherwise."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "Request body must be a JSON object")
    return cast("dict[str, Any]", body)


def _refusal(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, HTTPException)
    headers: Mapping[str, str] | None = refused.headers
    return JSONResponse({"error": refused.detail}, refused.status_code, headers)
