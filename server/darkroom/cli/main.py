"""Reads argv, and hands over to the command."""

import argparse
import errno
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import anyio

from darkroom.blanks import filled
from darkroom.cli.commands.command import DONE, FAILED, STILL_RUNNING, WRONG_USE, run
from darkroom.cli.log import configure_logging
from darkroom.cli.terminal import escape_unencodable, lenient, read_anything, show
from darkroom.cli.times import usable_zone
from darkroom.cli.words import for_people
from darkroom.errors import DarkroomError, InvalidRequest, NotConfigured
from darkroom.keys.reading import with_kept_keys
from darkroom.providers.declared import DATABASE, forget_secrets, read_settings
from darkroom.settings import Settings
from darkroom.stdio.wire import Wire

log = logging.getLogger(__name__)
_FULL = {errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Errors of a disk that the output goes to."""


def main(words: Sequence[str], wire: Wire | None = None) -> int:
    """Runs one command and returns the exit status: 0 done, 1 failed, 2 wrong use, 3 still running.

    `wire`: where `serve` reads and sends its messages; without words, a server is what was asked for.
    """
    if wire is None:
        sys.stderr = lenient(sys.stderr)  # what is said beside a result decides nothing
    read_anything(sys.stdin)
    escape_unencodable(sys.stdout, sys.stderr)
    try:
        try:
            return _run(list(words) if words or wire is None else ["serve"], wire)
        finally:
            if wire is None:
                sys.stdout.flush()
    except (InvalidRequest, NotConfigured) as error:
        return _refuse(error, WRONG_USE)
    except DarkroomError as error:
        return _refuse(error, FAILED)
    except KeyboardInterrupt:  # before, or after, there is something to be ended in order
        return STILL_RUNNING
    except BrokenPipeError:  # the reader of our output has gone
        return _silenced()
    except OSError as error:
        if error.errno not in _FULL:
            raise
        status = _silenced()
        show(sys.stderr, f"Not everything was written: {error.strerror}. Make room, and run it again.")
        return status


def _silenced() -> int:
    """Takes the output away, so that Python's own flush at exit does not complain about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


def _run(words: list[str], wire: Wire | None) -> int:
    if wire is not None and words == ["serve"]:
        return _serve(wire)
    # Every command with its words, which no host's start needs.
    from darkroom.cli.completion import script  # noqa: PLC0415
    from darkroom.cli.parsing import parsed  # noqa: PLC0415
    from darkroom.cli.serve_options import refuse_without_http  # noqa: PLC0415
    from darkroom.cli.worker import work  # noqa: PLC0415

    arguments = parsed(words)
    if arguments is None:
        return DONE
    if arguments.command == "completion":
        sys.stdout.write(script(arguments.parser, arguments.shell))
        return DONE
    if arguments.command == "serve" and not arguments.http:
        refuse_without_http(arguments)
    if wire is not None and not arguments.http:
        return _serve(wire)
    examines = arguments.command == "doctor"
    settings = _read_for_doctor(arguments) if examines else _read_settings(in_any_folder=False)
    _set_up_log(settings, warn=not examines)
    if arguments.command == "serve":
        # The SDK and the web server, which no other command needs.
        from darkroom.cli.serve_http import serve_http  # noqa: PLC0415

        return anyio.run(serve_http, settings, arguments)
    if arguments.command == "gallery":
        from darkroom.cli.gallery import show_gallery  # noqa: PLC0415 - as for serve

        return anyio.run(show_gallery, settings)
    if arguments.command == "worker":
        return anyio.run(work, settings, arguments)
    return anyio.run(run, arguments.chosen, settings, arguments)


def _serve(wire: Wire) -> int:
    # The SDK takes most of the start-up time, and no other command needs it. The list of tools has gone out by then,
    # and only then is a keychain asked.
    from darkroom.cli.serve import serve  # noqa: PLC0415

    try:
        settings = _read_settings(in_any_folder=True)
        _set_up_log(settings)
    except NotConfigured as error:
        settings = error
        configure_logging(logging.WARNING, ())
        logging.error("%s %s", error.message, error.next_step)
    return serve(settings, wire)


def _read_settings(*, in_any_folder: bool) -> Settings:
    zone = usable_zone()  # before anything is dated, also by the refusal of what cannot be read
    try:
        given = with_kept_keys(os.environ, in_any_folder=in_any_folder)
        settings = read_settings(given.environ, in_any_folder=in_any_folder, also=given.names)
        return replace(settings, warnings=(*settings.warnings, *given.warnings, *zone))
    finally:
        forget_secrets(os.environ)


def _read_for_doctor(arguments: argparse.Namespace) -> Settings:
    """The settings; where they cannot be read, as if nothing said where the ledger is: `arguments` has the reason."""
    arguments.blank = os.environ.keys() - filled(os.environ).keys()
    environ = dict(os.environ)
    try:
        return _read_settings(in_any_folder=False)
    except NotConfigured as error:
        arguments.unread = error
        known = {name: value for name, value in environ.items() if name not in {"DARKROOM_HOME", DATABASE}}
        with suppress(NotConfigured):
            return read_settings(known)
        return read_settings({**known, "DARKROOM_HOME": str(Path(os.sep).absolute())})  # this user has no home folder


def _set_up_log(settings: Settings, *, warn: bool = True) -> None:
    configure_logging(settings.log_level, settings.secrets, as_json=settings.log_json)
    for warning in settings.warnings if warn else ():
        log.warning("%s", warning)


def _refuse(error: DarkroomError, status: int) -> int:
    show(sys.stderr, for_people(str(error)))
    return status
