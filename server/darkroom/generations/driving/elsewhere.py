"""Hands a POST that takes minutes to a process of its own: a host that closes its server leaves that one alone."""

import json
import os
import subprocess
import sys
from contextlib import suppress

import anyio
from anyio import to_thread

from darkroom.buckets import OBJECT_STORE_KEYS, Bucket
from darkroom.errors import ProviderUnreachable
from darkroom.models import Record
from darkroom.providers.owners import Owners
from darkroom.settings import Settings

TAKEN = b"taken\n"
"""The line with which that process says that the row is its own."""
TAKEN_WITHIN_S = 30.0
"""Seconds that it may take to start."""


async def hand_over(settings: Settings, owners: Owners, record: Record) -> None:
    """Returns once another process has the row, and makes its one POST with the key of the row's owner.

    Raises:
        ProviderUnreachable: there is no such process, so nothing was sent.
    """
    words = json.dumps(
        {"environ": _environ(settings, owners, record), "id": record.id, "token": record.submit_token}
    ).encode()
    try:
        process = await to_thread.run_sync(_started, settings)
    except OSError as error:
        raise _not_started(type(error).__name__) from error
    said = b""
    try:
        with anyio.move_on_after(TAKEN_WITHIN_S), suppress(OSError):
            said = await to_thread.run_sync(_asked, process, words, abandon_on_cancel=True)
    finally:
        # It is never killed: it may have just taken the row, and a row that is taken back it does not find.
        process.returncode = process.poll() or 0
    if said != TAKEN:
        raise _not_started("it ended at once, or did not start in time")


def _environ(settings: Settings, owners: Owners, record: Record) -> dict[str, str]:
    """The further variables of that process; they go through a pipe, for nobody to see."""
    account = owners.of(record.owner).accounts[record.request.provider]
    declaration = account.declaration
    known = {
        "DARKROOM_HOME": str(settings.home),
        "DARKROOM_PICTURES": str(settings.pictures),
        "DARKROOM_DATABASE_URL": settings.database,
        declaration.key_variable or "": account.key,
        declaration.variables("BASE_URL")[0]: account.own_origin,
    }
    return {name: value for name, value in known.items() if name and value}


def _started(settings: Settings) -> subprocess.Popen[bytes]:
    # It saves no picture, so it is given no key of an object store.
    hidden = OBJECT_STORE_KEYS if isinstance(settings.pictures, Bucket) else ()
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "darkroom.app.poster"], env=environ,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True, creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )  # fmt: skip


def _asked(process: subprocess.Popen[bytes], words: bytes) -> bytes:
    """Tells it what to send, and returns its first line."""
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        process.stdin.write(words)
        process.stdin.close()
        return process.stdout.readline()


def _not_started(why: str) -> ProviderUnreachable:
    return ProviderUnreachable(
        f"The process that would have sent it could not be started ({why})", next_step="Nothing was sent; try again."
    )
