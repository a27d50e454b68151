"""Signs of life through PostgreSQL."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.from_thread
import pytest

from darkroom.store.postgres import presence as module
from darkroom.store.postgres import session
from darkroom.store.postgres.database import PostgresDatabase
from darkroom.store.postgres.opening import open_postgres
from darkroom.store.postgres.presence import LEASE_S, PostgresPresence
from darkroom.store.signs import Life
from tests.hosts import PATIENCE_S
from tests.services.postgres import Cluster


@asynccontextmanager
async def ledger(url: str) -> AsyncGenerator[tuple[PostgresDatabase, PostgresPresence]]:
    async with open_postgres(url) as opened:
        yield opened


class Looker:
    """A process that looks at others, and the database that the test changes behind their backs."""

    def __init__(self, server: Cluster, url: str, database: PostgresDatabase, presence: PostgresPresence) -> None:
        self._server = server
        self._table = f"{url.rpartition('%3D')[2]}.processes"
        self._database = database
        self._presence = presence

    async def life(self, process_id: str) -> Life:
        return await self._database.transaction(lambda: self._presence.life(process_id))

    async def until(self, process_id: str, life: Life) -> None:
        """Waits until it is seen so, in a transaction and by the look that leads to one."""
        with anyio.fail_after(PATIENCE_S):
            while await self.life(process_id) is not life or self.suspects(process_id) is (life is Life.RUNNING):
                await self._presence.wait(0.1)

    def suspects(self, process_id: str) -> bool:
        return process_id in self._presence.look([process_id])

    def change(self, process_id: str, change: str) -> None:
        self._server.say(f"UPDATE {self._table} SET {change} WHERE id = '{process_id}'")

    def lose_the_table_s_rows(self) -> None:
        self._server.say(f"TRUNCATE {self._table}")

    def end_every_session(self) -> None:
        self._server.say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'darkroom'")


def beats_no_more(*_: object) -> None:
    """In the place of a beat."""


@pytest.fixture
async def looker(postgres: Cluster) -> AsyncGenerator[tuple[Looker, str]]:
    url = postgres.fresh()
    async with ledger(url) as (database, presence):
        yield Looker(postgres, url, database, presence), url


async def test_who_ends_is_dead_at_once_and_who_lives_is_not(looker: tuple[Looker, str]) -> None:
    look, url = looker
    async with ledger(url) as (_, other):
        await look.until(other.id, Life.RUNNING)
    assert await look.life(other.id) is Life.DEAD
    await look.until(other.id, Life.DEAD)


async def test_who_has_lost_its_session_is_dead_and_comes_back_by_itself(looker: tuple[Looker, str]) -> None:
    look, url = looker
    async with ledger(url) as (_, other):
        await look.until(other.id, Life.RUNNING)
        look.end_every_session()
        await look.until(other.id, Life.RUNNING)


async def test_who_holds_its_lock_and_shows_nothing_is_silent(
    looker: tuple[Looker, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    look, url = looker
    async with ledger(url) as (_, other):
        await look.until(other.id, Life.RUNNING)
        monkeypatch.setattr(session.LifeSession, "_register", beats_no_more)
        with anyio.fail_after(PATIENCE_S):
            while await look.life(other.id) is not Life.SILENT or not look.suspects(other.id):
                look.change(other.id, "seen_at = 0")
                await anyio.sleep(0.1)
    await look.until(other.id, Life.DEAD)


async def test_a_lock_that_went_with_its_server_proves_nothing_before_the_lease_is_over(
    looker: tuple[Looker, str],
) -> None:
    look, url = looker
    async with ledger(url) as (_, other):
        await look.until(other.id, Life.RUNNING)
    look.change(other.id, "ended = false, server = server - 1")
    assert await look.life(other.id) is Life.RUNNING
    look.change(other.id, f"seen_at = seen_at - {LEASE_S + 1}")
    assert await look.life(other.id) is Life.DEAD


async def test_two_who_look_at_a_dead_process_at_the_same_moment_both_see_it(looker: tuple[Looker, str]) -> None:
    look, url = looker
    async with ledger(url) as (_, other):
        await look.until(other.id, Life.RUNNING)
    look.change(other.id, "ended = false")
    async with ledger(url) as (database, second):

        def seen_meanwhile() -> Life:
            life = second.life(other.id)
            assert anyio.from_thread.run(look.life, other.id) is Life.DEAD
            return life

        assert await database.transaction(seen_meanwhile) is Life.DEAD


async def test_who_is_not_in_the_table_any_more_is_back_there_before_it_counts_as_dead(
    looker: tuple[Looker, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is after a crash of the database, or on a standby that took over."""
    look, url = looker
    async with ledger(url) as (_, other):
        await look.until(other.id, Life.RUNNING)
        look.lose_the_table_s_rows()
        assert await look.life(other.id) is Life.RUNNING
        await look.until(other.id, Life.RUNNING)
    look.lose_the_table_s_rows()
    assert await look.life(other.id) is Life.RUNNING
    monkeypatch.setattr(module, "LEASE_S", 0.0)
    assert await look.life(other.id) is Life.DEAD
