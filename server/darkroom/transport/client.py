"""One provider's API, over the process's HTTP clients."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import anyio
import httpx2
from anyio import to_thread

from darkroom.errors import DarkroomError, OutcomeUnknown, RateLimited
from darkroom.redact.secrets import Redactor
from darkroom.redact.text import quote
from darkroom.transport import failures
from darkroom.transport.http import READ_TIMEOUT, Http
from darkroom.transport.incoming import Incoming
from darkroom.transport.reasons import words_in

READ_DEADLINE_S = 45.0
SUBMIT_DEADLINE_S = 180.0
MAX_ANSWER = 4 * 1024 * 1024
UNNAMED_PAUSE_S = 10.0
"""Seconds for which a 429 to a read is obeyed that names no time."""
LARGE_ANSWER = 100_000
"""From here on a response is read on another thread, so that nobody waits for it but its caller."""


KeyState = Literal["ready", "set, not tried yet", "key refused"]


@dataclass
class Key:
    """The state of a key, as far as the responses to it show."""

    state: KeyState = "set, not tried yet"


class Door(Protocol):
    """The gate for every request of an account that is no submission: all of them together keep its limits."""

    async def draw(self) -> None:
        """Waits for one request to be left."""
        ...

    async def draw_now(self) -> bool:
        """Takes one if it is left at this moment."""
        ...

    def close(self, seconds: float) -> None:
        """The provider asked all of them to pause."""
        ...


@dataclass(frozen=True)
class Call:
    """One request: `at` is a path below the base URL, or a whole URL; `most`: how many bytes may come back.

    `headers` come beside those of every call; a link or a header may hold a key. `into`: a file for the body of a
    response that is no error, whose `body` is then empty.
    """

    method: str
    at: str = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    most: int = MAX_ANSWER
    into: Incoming | None = field(default=None, repr=False)

    def url(self, base_url: str) -> str:
        """The URL that it goes to."""
        return base_url + self.at if self.at.startswith("/") else self.at


class NotAsked(RateLimited):
    """A request that nobody needs was not made, since others need what is left of the account's limit."""


@dataclass(frozen=True)
class Api:
    """One provider's API: its name for people, where it is, how it is signed for."""

    title: str
    key_variable: str
    base_url: str = field(repr=False)
    http: Http
    headers: Mapping[str, str] = field(repr=False)
    redact: Redactor
    door: Door = field(repr=False)
    key: Key = field(default_factory=Key)

    async def read(self, path: str, *, waits: bool = True) -> dict[str, Any]:
        """GETs a JSON object; safe to repeat. `waits`: for the account's limit, however long that takes.

        Raises:
            NotAsked: there is no room for it now.
            DarkroomError: what the provider refused, by its status; ProviderUnreachable or ProviderError
                for everything else that kept a JSON object from arriving.
        """
        answer = await self.look(Call("GET", path), waits=waits)
        if not answer.ok:
            raise failures.of_look(self.title, self.key_variable, answer, self.redact)
        return await self._object(answer)

    async def look(self, call: Call, *, waits: bool = True) -> failures.Answer:
        """Sends a request that is safe to repeat, and returns any response that comes. `waits`: as in `read`.

        Raises:
            NotAsked: there is no room for it now.
            ProviderUnreachable, ProviderError: no whole response came.
            DarkroomError: as `send_once`.
        """
        if waits:
            await self.door.draw()
        elif not await self.door.draw_now():
            raise NotAsked(f"{self.title} was not asked: its limit of requests is nearly used up", next_step="Wait.")
        try:
            with anyio.fail_after(READ_DEADLINE_S):
                answer = await self._send(self.http.kept, call, READ_TIMEOUT)
        except DarkroomError:  # the disk refuses what came
            raise
        except Exception as error:
            raise failures.of_read(self.title, error) from error
        if answer.status == 429:
            named = failures.retry_after(answer.headers)
            # Who polls comes again by itself; a look that somebody asked for is one, and says what it met.
            if waits or named is not None:
                self.door.close(UNNAMED_PAUSE_S if named is None else named)
        return answer

    async def submit(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POSTs once, over a connection of its own, and never again.

        Raises:
            ProviderUnreachable: nothing was sent.
            RateLimited, InvalidRequest, …: the provider refused it, so nothing was charged.
            OutcomeUnknown: everything else; the provider may have started the job.
        """
        try:
            content = json.dumps(body, ensure_ascii=False).encode()
        except Exception as error:
            raise failures.of_submit(self.title, error, sent=False) from error
        answer = await self.send_once(Call("POST", path, content, {"Content-Type": "application/json"}))
        if not answer.ok:
            raise failures.of_post(self.title, self.key_variable, self.base_url + path, answer, self.redact)
        try:
            return await self._object(answer)
        except DarkroomError as error:
            raise failures.unknown_outcome(self.title, error.message) from error

    async def send_once(self, call: Call, *, within_s: float = SUBMIT_DEADLINE_S) -> failures.Answer:
        """Sends a POST that may start a job once, over a connection of its own; returns the response, if one comes.

        Raises:
            ProviderUnreachable: nothing was sent.
            OutcomeUnknown: no whole response came.
            DarkroomError: the disk refused what came, in the words of `call.into`.
        """
        leaving = anyio.Event()
        try:
            with anyio.fail_after(within_s):
                return await self._send(self.http.fresh, call, _patient(within_s), leaving)
        except DarkroomError:
            raise
        except Exception as error:
            raise failures.of_submit(self.title, error, sent=leaving.is_set()) from error

    async def ask_once(self, call: Call) -> failures.Answer:
        """As `send_once`, for what starts nothing: it waits for the account's limit of requests, as looks do."""
        await self.door.draw()
        return await self.send_once(call, within_s=READ_DEADLINE_S)

    def nameless(self, answer: Mapping[str, Any]) -> OutcomeUnknown:
        """The error for a POST that was accepted with a response that names no job."""
        return failures.nameless(self.title, answer, self.redact, self.says(answer))

    def says(self, answer: Mapping[str, Any]) -> str:
        """The error that an unusable response reports, to be put behind that; empty where it reports none."""
        words = words_in({name: answer[name] for name in answer.keys() - {"status", "id"}})
        return f" and says: {quote(self.redact(words))}" if words else ""

    async def _object(self, answer: failures.Answer) -> dict[str, Any]:
        if len(answer.body) <= LARGE_ANSWER:
            return answer.json_object(self.title, self.redact)
        return await to_thread.run_sync(answer.json_object, self.title, self.redact)

    async def _send(
        self,
        client: httpx2.AsyncClient,
        call: Call,
        timeout: httpx2.Timeout,
        leaving: anyio.Event | None = None,
    ) -> failures.Answer:
        headers = {"Accept": "application/json", **self.headers, **call.headers}
        request = client.build_request(
            call.method, call.url(self.base_url), content=call.content, headers=headers, timeout=timeout
        )
        if leaving is not None:
            request.extensions = {**request.extensions, "trace": _setting(leaving)}
        response = await client.send(request, stream=True)
        try:
            received = b"" if _packed(response) else await _body(response, call)
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()
        if response.status_code == 401:
            self.key.state = "key refused"
        elif response.is_success:
            self.key.state = "ready"
        return failures.Answer(response.status_code, response.headers, received)


def _patient(within_s: float) -> httpx2.Timeout:
    """A lost response to a POST cannot be asked for again, so it is waited for much longer than that to a read."""
    return httpx2.Timeout(connect=10, read=max(120.0, within_s), write=30, pool=10)


def _setting(leaving: anyio.Event) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """Sets the event with the first byte of the request that leaves; what a proxy is asked before that is another."""

    async def trace(event: str, details: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started") and details["request"].method != b"CONNECT":
            leaving.set()

    return trace


def _packed(response: httpx2.Response) -> bool:
    """True where the body is packed, though that was not asked for: then it is as good as none.

    Unpacking is never tried: a few bytes can keep a decoder busy for seconds without a byte coming out to be counted.
    """
    return response.headers.get("content-encoding", "").strip().lower() not in {"", "identity"}


async def _body(response: httpx2.Response, call: Call) -> bytes:
    into = call.into if response.is_success else None
    received, size, most = bytearray(), 0, call.most if into or not call.into else MAX_ANSWER
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > most:
            raise httpx2.DecodingError(f"a response over {most} bytes", request=response.request)
        if into is None:
            received += chunk
        else:
            await into.take(chunk)
    return bytes(received)
