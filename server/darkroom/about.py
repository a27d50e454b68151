"""The subject of what is logged now: the request that is served, the generation that is driven."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from darkroom.models import Record

Named = str | int | float
_SUBJECT: ContextVar[Mapping[str, Named] | None] = ContextVar("_SUBJECT", default=None)


def subject() -> Mapping[str, Named]:
    """The names of what this task works on."""
    return _SUBJECT.get() or {}


@contextmanager
def about(**names: Named) -> Generator[None]:
    """Names the subject for whatever the block logs, and the tasks that it starts."""
    before = _SUBJECT.set({**subject(), **names})
    try:
        yield
    finally:
        _SUBJECT.reset(before)


@contextmanager
def about_row(record: Record) -> Generator[None]:
    """The same with the names of this generation; of its request nothing else."""
    request = record.request
    with about(tenant=record.owner, generation=record.id, provider=request.provider, model=request.model):
        yield
