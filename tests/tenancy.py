"""Tenants files, and a house whose callers are tenants."""

import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
from mcp import Client

from darkroom.app.context import Opened, open_app
from darkroom.app.server import DarkroomServer
from darkroom.providers.declared import read_settings
from darkroom.tenants import Tenants
from tests.hosts import PATIENCE_S, Era, Home
from tests.services.base import Service


def token_of(name: str) -> str:
    """The bearer token of the tenant of this name."""
    return f"the-token-of-{name}"


def keys_for(*services: Service[Any], **more: str) -> dict[str, str]:
    """The variables of a tenant with these services' first keys. `more`: others, which come first."""
    found: dict[str, str] = {}
    for service in services:
        name = type(service).__name__.upper()
        found |= {f"{name}_API_KEY": service.key, f"{name}_BASE_URL": service.url}
    return {**found, **more}


def write_tenants(file: Path, tenants: Mapping[str, Mapping[str, str]], **lines: str) -> Path:
    """A file of these, each with its keys. `lines`: further lines of the tenant of that name."""
    tables = (
        f'[tenants.{name}]\ntokens = ["sha256:{hashlib.sha256(token_of(name).encode()).hexdigest()}"]\n'
        f"keys = {{{', '.join(f'{key} = {value!r}' for key, value in keys.items())}}}\n{lines.get(name, '')}\n"
        for name, keys in tenants.items()
    )
    file.write_text("\n".join(tables) or "[tenants]\n")
    file.chmod(0o600)
    return file


def rewrite_tenants(app: Opened, file: Path, tenants: Mapping[str, Mapping[str, str]]) -> None:
    """Another file of this process's tenants, which has been noticed when this returns."""
    write_tenants(file, tenants)
    assert app.service.owners.tenants is not None
    for _ in range(2):  # the first look sees that it has changed, and the second that nobody is writing any more
        app.service.owners.tenants.refresh()


@asynccontextmanager
async def house_of(home: Home, file: Path) -> AsyncGenerator[Opened]:
    """One process over the ledger of this home, for the tenants of this file."""
    with anyio.fail_after(PATIENCE_S):
        async with open_app(read_settings(home.environ), tenants=Tenants.read(file)) as app:
            yield app


@asynccontextmanager
async def clients_of(app: Opened, *names: str, era: Era = "2026-07-28") -> AsyncGenerator[list[Client]]:
    """A client of each of these tenants, on the same process."""
    async with AsyncExitStack() as opened:
        servers = [DarkroomServer(replace(app, owner=lambda name=name: name)) for name in names]
        yield [await opened.enter_async_context(Client(server, mode=era, cache=None)) for server in servers]
