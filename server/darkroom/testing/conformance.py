"""The promises that every provider is held to, tried with a real server over stdio and the provider's own service."""

import base64
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from darkroom.declaration import own_prefix
from darkroom.testing.declared import DeclaredService
from darkroom.testing.service import Answer, Said, Service

WITHIN_S = 240.0
"""Seconds that all of it may take."""
AT_ONCE = 32
GIVEN = 7
"""The number of a service's picture that its provider is given to work from."""
_LIMITS = "active=100,submit=1000/1,requests=100000/1"
_PAGE = b"<!doctype html><title>Bad gateway</title>"


@dataclass(frozen=True)
class _Fault:
    """A fault of a submission, and the end of its generation. `codes`: the errors that it may end with; none: any.

    `charged`: what may be said of the costs. `posts`: how many are sent; all but the last were refused as too early.
    `stops`: how many requests to stop the job.
    """

    name: str
    meets: Said | None = None
    status: str = "failed"
    codes: frozenset[str] = frozenset()
    charged: frozenset[str] = frozenset()
    posts: int = 1
    stops: int = 0


_UNKNOWN = partial(_Fault, codes=frozenset({"outcome_unknown"}), charged=frozenset({"maybe", "no"}))
_REFUSED = partial(_Fault, charged=frozenset({"no"}))


_STOPPED = _Fault("a job that its service is asked to stop, and that is done all the same", status="succeeded", stops=1)
_WITH_A_PICTURE = _Fault("a job with a picture to work from", status="succeeded")


def _faults(key: str) -> list[_Fault]:
    return [
        _Fault("a job that goes well", status="succeeded"),
        _UNKNOWN("an error of the server", (500, {"error": f"the key {key} broke something"})),
        _UNKNOWN("a page of a gateway", Answer(502, _PAGE, {"Content-Type": "text/html"})),
        _UNKNOWN("a page in place of the job", Answer(200, _PAGE, {"Content-Type": "text/html"})),
        _UNKNOWN("a body that is no JSON", Answer(200, b'{"id": ')),
        _UNKNOWN("a body that is cut short", Answer(200, b'{"id": "1"}', cut=True)),
        _UNKNOWN("a connection that ends without a response", Answer(reset=True)),
        _REFUSED("a refusal", (422, {"error": "the size is not possible", "detail": "the size is not possible"})),
        _REFUSED("a key that is refused", (401, {"error": f"the key {key} is unknown", "detail": f"no {key}"})),
        _REFUSED("an account without credits", (402, {"error": "no credits are left", "detail": "no credits"})),
        _Fault("a submission that comes too early", (429, {"error": "slow down"}), status="succeeded", posts=2),
    ]


@dataclass
class _Trial:
    """One fault at one service, and what came of it. `given`: a picture to work from, where one is given."""

    service: Service
    fault: _Fault
    given: bytes = b""
    prompt: str = field(default_factory=lambda: f"cat{secrets.token_hex(8)}")
    seen: dict[str, Any] = field(default_factory=dict[str, Any])
    text: str = ""


def prove(folder: Path, *services: Service, environ: dict[str, str] | None = None) -> None:
    """Tries each service's provider, all in one server, whose home is made in `folder`.

    Each service says what a whole job needs: `submit`, and what its provider asks for then. `environ`: further
    variables, such as PYTHONPATH.

    Raises:
        AssertionError: with a sentence for each promise that was not kept.
    """
    found = anyio.run(_tried, folder, services, environ or {})
    if found:
        raise AssertionError("\n".join(found))


async def _tried(folder: Path, services: Sequence[Service], environ: dict[str, str]) -> list[str]:
    for service in services:
        if isinstance(service, DeclaredService):
            service.add_to(folder / "home")
    variables = {f"{own_prefix(each.name)}LIMITS": _LIMITS for each in services}
    for service in services:
        variables |= service.environ
    places = {"DARKROOM_HOME": str(folder / "home"), "DARKROOM_PICTURES": str(folder / "pictures")}
    trials = [_Trial(service, fault) for service in services for fault in _faults(service.key)]
    env = {**os.environ, **places, "DARKROOM_LOG": "debug", **variables, **environ}
    server = StdioServerParameters(command=sys.executable, args=["-m", "darkroom", "serve"], env=env)
    log = folder / "log.txt"
    with anyio.fail_after(WITHIN_S), log.open("w", encoding="utf-8") as errors:
        async with Client(stdio_client(server, errlog=errors), cache=None) as client:
            trials += [_Trial(each, _WITH_A_PICTURE, each.picture(GIVEN)) for each in await _taking(client, services)]
            await _made(client, trials)
            stopped = [await _stopped(client, each) for each in services if {"cancel", "working"} <= each.says.keys()]
    trials += stopped
    return [*(sentence for trial in trials for sentence in _broken(trial)), *_leaks(folder, trials)]


async def _taking(client: Client, services: Sequence[Service]) -> list[Service]:
    """The services whose providers take pictures."""
    result = await client.call_tool("list_models", {})
    seen: dict[str, Any] = result.structured_content or {}
    taking = {state["name"] for state in seen["providers"] if "images" in state["accepts"]}
    return [each for each in services if each.name in taking]


async def _made(client: Client, trials: Sequence[_Trial]) -> None:
    """Makes a generation of each, many at once, and stays until each is over."""
    places = anyio.CapacityLimiter(AT_ONCE)

    async def make(trial: _Trial) -> None:
        async with places:
            await _ended(client, trial)

    async with anyio.create_task_group() as group:
        for trial in trials:
            if trial.fault.meets is not None:
                trial.service.meets[trial.prompt] = [trial.fault.meets]
            group.start_soon(make, trial)


async def _stopped(client: Client, service: Service) -> _Trial:
    """Makes a generation that is under way when it is cancelled, and done afterwards."""
    trial, done, before = _Trial(service, _STOPPED), service.says["read"], len(service.of("read"))
    service.says["read"] = [*service.says["working"]]
    await _begun(client, trial)
    while len(service.of("read")) == before:
        await client.call_tool("get_status", {"generation_id": trial.seen["id"]})
    result = await client.call_tool("cancel", {"generation_id": trial.seen["id"]})
    trial.text += str(result.content)
    service.says["read"] = done
    await _over(client, trial)
    return trial


async def _ended(client: Client, trial: _Trial) -> None:
    await _begun(client, trial)
    await _over(client, trial)


async def _begun(client: Client, trial: _Trial) -> None:
    wished = {"prompt": trial.prompt, "provider": trial.service.name, **trial.service.needs}
    if trial.given:
        wished["images"] = [f"data:image/png;base64,{base64.b64encode(trial.given).decode()}"]
    result = await client.call_tool("generate", wished)
    seen: dict[str, Any] = result.structured_content or {}
    trial.seen, trial.text = seen, str(result.content)


async def _over(client: Client, trial: _Trial) -> None:
    while trial.seen.get("status") in {"queued", "processing"}:
        result = await client.call_tool("wait", {"generation_ids": [trial.seen["id"]], "timeout_s": 60})
        seen: dict[str, Any] = result.structured_content or {}
        trial.seen, trial.text = seen["generations"][0], trial.text + str(result.content)


def _broken(trial: _Trial) -> Iterator[str]:
    """A sentence for each promise that was not kept."""
    fault, service, error = trial.fault, trial.service, trial.seen.get("error", {})
    what = f"{service.name}, {fault.name}"
    posts = [each for each in service.posts if trial.prompt.encode() in each.body]
    if len(posts) != fault.posts:
        yield f"{what}: {len(posts)} POSTs, not {fault.posts}"
    if fault.stops and len(service.of("cancel")) != fault.stops:
        yield f"{what}: {len(service.of('cancel'))} requests to stop it, not {fault.stops}"
    if trial.seen.get("status") != fault.status:
        yield f"{what}: the generation is {trial.seen.get('status')}, not {fault.status}: {trial.text[-300:]}"
    elif fault.codes and error.get("code") not in fault.codes:
        yield f"{what}: the error is {error.get('code')}, not {' or '.join(sorted(fault.codes))}"
    if fault.charged and error.get("charged") not in fault.charged:
        yield f"{what}: charged is {error.get('charged')}, not {' or '.join(sorted(fault.charged))}"
    if fault.status == "succeeded" and not any("path" in image for image in trial.seen.get("images", [])):
        yield f"{what}: no picture was saved"
    if trial.given and not any(_holds(each.body, trial.given) for each in service.asked):
        yield f"{what}: the picture that it was to work from was not sent"


def _holds(body: bytes, picture: bytes) -> bool:
    """True where the body has the picture's bytes, as they are or in Base64."""
    encoded = base64.b64encode(picture)
    return picture in body or encoded in body or encoded in unquote_to_bytes(body)


def _leaks(folder: Path, trials: Sequence[_Trial]) -> Iterator[str]:
    """A sentence for each place where a key was seen that has no business there."""
    services = {id(trial.service): trial.service for trial in trials}.values()
    secret = {service.name: service.key.rpartition(":")[2] for service in services}
    for trial in trials:
        if secret[trial.service.name] in f"{trial.seen}{trial.text}":
            yield f"{trial.service.name}, {trial.fault.name}: the key is shown"
    for service in services:
        if any(fetched.shows(secret[service.name]) for fetched in service.of("file")):
            yield f"{service.name}: the key is sent to where a picture is"
    for path in (path for path in folder.rglob("*") if path.is_file()):
        if any(each.encode() in path.read_bytes() for each in secret.values()):
            yield f"a key stands in {path.relative_to(folder)}"
