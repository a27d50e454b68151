"""A pooler between this process and PostgreSQL, found at the start: one that lends sessions out cannot be used."""

from contextlib import closing

import psycopg

from darkroom.store.postgres.connection import Session, connect, say
from darkroom.store.postgres.cures import refused, unusable

_DIRECT = (
    "Give DARKROOM_DATABASE_URL an address of PostgreSQL itself, or set the pooler to pool_mode=session: each process "
    "keeps two connections."
)


def check_sessions(url: str) -> None:
    """Tries whether a session stays with its client.

    Raises:
        StorageError: the locks and hints by which replicas know who lives would be another's; or nothing can be asked.
    """
    try:
        kept = _is_kept(url)
    except psycopg.Error as error:
        raise refused(error) from error
    if not kept:
        raise unusable("is behind a pooler that lends a session out after each transaction", _DIRECT)


def _is_kept(url: str) -> bool:
    with closing(connect(url)) as first:
        before = _backend(first)
        if before == first.pgconn.backend_pid:  # nobody stands in between
            return True
        with closing(connect(url)) as second:
            say(second, "BEGIN")
            taken = _backend(second)
            kept = before != taken and _backend(first) == before
            say(second, "ROLLBACK")
    return kept


def _backend(session: Session) -> int | None:
    """The server's process that serves this session at the moment."""
    row = say(session, "SELECT pg_backend_pid()").fetchone()
    return None if row is None else int(row[0])
