"""An object store for the tests of a module, and a user whose pictures go there."""

from collections.abc import Generator

import pytest

from tests.hosts import Home
from tests.services.objects import Kept, ObjectStore


@pytest.fixture(scope="module")
def one_store() -> Generator[ObjectStore]:
    with ObjectStore() as store:
        yield store


@pytest.fixture
def store(one_store: ObjectStore) -> ObjectStore:
    """The store, without a fault."""
    one_store.healed()
    return one_store


@pytest.fixture
def bucket(store: ObjectStore) -> Kept:
    """An empty bucket."""
    return store.bucket()


@pytest.fixture
def user(home: Home, store: ObjectStore, bucket: Kept) -> Home:
    """A user whose pictures go there, below `team/red`."""
    return home.with_(DARKROOM_PICTURES=f"s3://{bucket.name}/team/red", **store.environ)
