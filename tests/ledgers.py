"""A ledger by itself, without the rest of the house."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from darkroom.store.database import open_database
from darkroom.store.sqlite import SqliteLedger


@asynccontextmanager
async def open_ledger(home: Path) -> AsyncGenerator[SqliteLedger]:
    """The ledger in this folder. Raises StorageError as `open_database` does."""
    async with open_database(home) as database:
        yield SqliteLedger(database)
