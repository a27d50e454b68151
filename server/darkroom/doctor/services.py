"""The services: whether each key is there and taken, each server responds, and what is left of the limits."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio

from darkroom.accounts import Account
from darkroom.doctor.findings import Finding, of_error, ok, warning
from darkroom.errors import DarkroomError, InvalidRequest, NotFound, StorageError
from darkroom.generations.driving.queue import RequestAllowance
from darkroom.models import Failure
from darkroom.providers import registry
from darkroom.providers.base import Access, Provider
from darkroom.providers.catalogue import Models, ProviderState
from darkroom.providers.registry import Registry
from darkroom.redact.secrets import Redactor
from darkroom.settings import Settings
from darkroom.store.opening import Store
from darkroom.store.turns import Left
from darkroom.transport.client import Door
from darkroom.transport.http import Http, open_http
from darkroom.transport.reach import Reached, reach

SKEW_S = 60.0
"""Seconds that a clock may be wrong without anybody noticing."""
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1")


class _Unlimited:
    """A door for an account whose limits cannot be read, since the ledger cannot be: a check makes few requests."""

    async def draw(self) -> None:
        """See `Door.draw`."""

    async def draw_now(self) -> bool:
        """See `Door.draw_now`."""
        return True

    def close(self, seconds: float) -> None:
        """See `Door.close`."""


@dataclass(frozen=True)
class _Examined:
    """Everything that the check of one service needs."""

    name: str
    account: Account
    provider: Provider
    models: Models
    http: Http
    store: Store | None

    @property
    def title(self) -> str:
        return self.account.declaration.traits.title


async def services(settings: Settings, store: Store | None) -> AsyncIterator[Finding]:
    """The findings about every service, all asked at the same time. `store`: None where the ledger cannot be opened."""
    async with open_http() as http:
        built = registry.build(settings, http, Redactor(settings.secrets), lambda access: _door(access, store))
        models = Models(built, {name: account.limits for name, account in settings.accounts.items()})
        found: dict[str, list[Finding]] = {name: list(_unusable(name, built, settings)) for name in settings.accounts}

        async def examine(name: str, provider: Provider) -> None:
            examined = _Examined(name, settings.accounts[name], provider, models, http, store)
            found[name] = [each async for each in _examine(examined)]

        async with anyio.create_task_group() as tasks:
            for name, provider in built.providers.items():
                tasks.start_soon(examine, name, provider)
        for findings in found.values():
            for each in findings:
                yield each
        if isinstance(built.default, str):
            yield ok("services", f"A call that names no service is made by {built.default}")


def _door(access: Access, store: Store | None) -> Door:
    return _Unlimited() if store is None else RequestAllowance(access, store.ledger)


def _unusable(name: str, built: Registry, settings: Settings) -> Iterator[Finding]:
    declared = built.declared[name]
    if (error := built.misset.get(name)) is not None:
        if error is not settings.no_place:  # which is the disk's affair
            yield of_error("services", error)
    elif name not in built.providers:
        variables = " or ".join(declared.key_variables or declared.variables("BASE_URL"))
        yield ok("services", f"{declared.traits.title} is not used: {variables} is not set")


async def _examine(one: _Examined) -> AsyncIterator[Finding]:
    base_url = one.account.base_url
    if not base_url:
        yield ok("services", f"{one.title} needs no key and no network")
        return
    if one.account.key and _is_in_the_clear(base_url):
        variable = one.account.declaration.variables("BASE_URL")[0]
        yield warning(
            "services", f"{one.title}: {variable} is http, so the key travels unencrypted.",
            f"Write https in {variable}, or use a server of this machine.",
        )  # fmt: skip
    try:
        reached = await reach(one.http, one.title, base_url)
    except DarkroomError as error:
        yield of_error("services", error)
    else:
        state = (await one.models.catalogue(one.name)).providers[0]
        for each in _of_response(one, reached, answered=state.status == "ready"):
            yield each
        for each in _of_key(one, state):
            yield each
    if one.store is not None:
        try:
            left = await one.store.ledger.limits_left(one.provider.access.account, one.account.limits)
            yield _of_limits(one.title, left)
        except StorageError as error:
            yield of_error("services", error)


def _is_in_the_clear(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and not _LOOPBACK.fullmatch(parts.hostname or "")


def _of_response(one: _Examined, reached: Reached, *, answered: bool) -> Iterator[Finding]:
    """`answered`: a request of its API was; whatever else is at the base URL then does not matter."""
    through = f" through the proxy {reached.proxy}" if reached.proxy else ""
    what = f" with a redirect to {reached.onward}" if reached.onward else " with a web page" if reached.page else ""
    said = f"{one.title} responds{through}{what} (status {reached.status})"
    if what and reached.status < 400 and one.account.own_origin is not None and not answered:
        variable = one.account.declaration.variables("BASE_URL")[0]
        why = "no redirect is followed, since the key would go along" if reached.onward else "there may be no API at it"
        yield warning("services", said, f"Check {variable}: {why}.")
    else:
        yield ok("services", said)
    if reached.ahead_s is not None and abs(reached.ahead_s) > SKEW_S:
        yield warning(
            "services",
            f"This machine's clock is {_span(abs(reached.ahead_s))} {'ahead of' if reached.ahead_s > 0 else 'behind'} "
            f"{one.title}'s.",
            "Set this machine's clock, or let it be set by the network: keys, links and budgets depend on the time.",
        )


def _of_key(one: _Examined, state: ProviderState) -> Iterator[Finding]:
    if state.error is not None:
        yield _failed(state.error)
    elif not one.account.key:
        return
    elif state.status == "ready":
        yield _taken(one.title, state.account.credits if state.account is not None else None)
    else:
        why = state.note if state.note and "not asked" in state.note else "this service has no free request"
        yield ok("services", f"{one.title}: the key is set, not tried yet: {why}")


def _failed(error: Failure) -> Finding:
    found = of_error("services", InvalidRequest(error.message, next_step=error.next_step))
    # The key works, and only the account's own page is missing.
    return found.model_copy(update={"level": "warning"}) if error.code == NotFound.code else found


def _taken(title: str, credits_left: float | None) -> Finding:
    said = f"{title}: the key was tried and is taken"
    if credits_left is None:
        return ok("services", said)
    said += f"; credits left: {credits_left:g}"
    return ok("services", said) if credits_left > 0 else warning("services", said, f"Buy credits at {title}.")


def _of_limits(title: str, left: Left) -> Finding:
    words = [] if left.active is None else [f"{left.active} more at a time"]
    words += [] if left.pictures is None else [f"{left.pictures} more pictures at a time"]
    words += [f"{count} of {window.limit} submissions in {window.seconds:g} s" for window, count in left.submit]
    words += [f"{count} of {window.limit} requests in {window.seconds:g} s" for window, count in left.requests]
    if left.closed_s > 0:
        said = f"{title} asked for a pause, which ends in {_span(left.closed_s)}"
        return warning("services", said, "Wait: Darkroom goes on then by itself.")
    return ok("services", f"{title}: left of its limits: {', '.join(words) or 'it has none'}")


def _span(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
