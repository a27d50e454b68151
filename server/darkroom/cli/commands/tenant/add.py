"""`tenant add NAME`: a new tenant with a fresh token, which is shown only this once; the file has its hash alone."""

import argparse
import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from filelock import FileLock, Timeout

from darkroom.cli.commands.command import DONE, Command
from darkroom.cli.commands.results import print_value
from darkroom.errors import InvalidRequest, StorageError
from darkroom.settings import Settings
from darkroom.tenants import LOCAL, NAME, Tenants, hash_of

WITHIN_S = 10.0
"""Seconds that another command may take that writes to the file."""
HASHING = "printf %s TOKEN | sha256sum"
THE_FILE: Any = {"type": Path, "required": True, "metavar": "FILE", "help": "the tenants file, as `serve` is given it"}


def _take(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="1 to 40 small letters, figures and hyphens")
    command.add_argument("--file", **THE_FILE)


async def _run(_: Settings, arguments: argparse.Namespace) -> int:
    name: str = arguments.name
    if not NAME.fullmatch(name) or name == LOCAL:
        raise InvalidRequest(
            f"A tenant cannot have this name; {LOCAL} is the server's own user.",
            next_step="Use 1 to 40 small letters, figures and hyphens.",
        )
    token = secrets.token_urlsafe(32)
    file = _written(arguments.file, name, token)
    lines = [token, f"The token of {name}. It is shown only this once; {file} has its hash."]
    print_value({"name": name, "token": token, "file": str(file)}, lines, as_json=arguments.json)
    return DONE


def _written(named: Path, name: str, token: str) -> Path:
    """The file, with the tenant in it. Raises InvalidRequest, NotConfigured, StorageError."""
    file = named.resolve()  # a link stays one
    try:
        with FileLock(f"{file}.lock", timeout=WITHIN_S):
            try:
                _add(file, name, token)
            finally:
                with suppress(OSError):  # Windows removes no file that is held
                    # While it is held: a process that waits for it sees that it is gone, and takes the next one.
                    Path(f"{file}.lock").unlink()
    except (OSError, Timeout) as error:
        raise StorageError(
            f"{file} cannot be written ({type(error).__name__}).", next_step="Look at the folder and try again."
        ) from error
    return file


def _add(file: Path, name: str, token: str) -> None:
    """Writes the tenant behind those that are there, or a new file. Raises InvalidRequest, NotConfigured, OSError."""
    before = file.read_bytes() if file.exists() else b""
    if before.strip() and Tenants.read(file).named(name) is not None:
        raise InvalidRequest(
            f"{name} is in {file} already.",
            next_step=f"To give it another token, write sha256: and the token's hash into the file: {HASHING}.",
        )
    table = f'[tenants.{name}]\ntokens = ["sha256:{hash_of(token)}"]\n'
    with NamedTemporaryFile("wb", dir=file.parent, prefix=f".{file.name}.", delete=False) as draft:  # its mode is 0600
        try:
            draft.write(before.rstrip() + (b"\n\n" if before.strip() else b"") + table.encode())
            draft.flush()
            os.fsync(draft.fileno())
            Tenants.read(Path(draft.name))
            Path(draft.name).replace(file)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


ADD = Command("add", "add a tenant, and show its token once", _take, _run)
