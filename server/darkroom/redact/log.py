"""Lines of the log, which any library may write: without secrets, each on one line."""

import json
import logging
import re
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from darkroom.redact.secrets import Redactor
from darkroom.redact.text import UNSAFE, clean

MAX_LOG_LINE = 4000
_SIGNATURE = re.compile(r"(\bhttps?://[^\s?#\"'<>]*)[?#][^\s\"'<>]*")
"""The part of a link that may let its reader in."""


class DiscreetRecord(logging.LogRecord):
    """A line of the log, fit to be printed by any handler, also by one that a dependency made.

    It is without secrets and on one line; a traceback below it is indented, so that neither can pass for another line.
    """

    redact = Redactor(())
    further: ClassVar[tuple[Redactor, ...]] = ()
    """Those that know the secrets of tenants whose work this process does."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        try:
            message = self.getMessage()
        except Exception:  # logging itself would print the arguments as they are
            message = f"{self.msg!r} does not fit its arguments"
        self.msg, self.args = clean(self._without_secrets(message), MAX_LOG_LINE), ()
        trace = "".join(self.traced(*self.exc_info)) if self.exc_info else ""
        self.exc_info, self.exc_text = None, self._indented(trace)
        self.stack_info = self._indented(self.stack_info or "")

    traced: Callable[..., list[str]] = staticmethod(traceback.format_exception)
    """The lines of an exception and its traceback."""

    def _without_secrets(self, text: str) -> str:
        for redact in (self.redact, *DiscreetRecord.further):
            text = redact(text)
        return text

    def _indented(self, text: str) -> str | None:
        lines = self._without_secrets(text).rstrip("\n").split("\n")
        return "\n".join(f"    {UNSAFE.sub(' ', line)[:MAX_LOG_LINE]}" for line in lines) if text else None


class JsonRecord(DiscreetRecord):
    """A line that leaves this machine: an exception's own words, which may quote a prompt or a path, are not in it."""

    @staticmethod
    def traced(kind: type[BaseException], error: BaseException, trace: Any) -> list[str]:
        """The traceback and the kind of the exception, after those of the exception that it came from."""
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        earlier = [*JsonRecord.traced(type(cause), cause, cause.__traceback__), "\n"] if cause else []
        return [*earlier, *traceback.format_tb(trace), kind.__qualname__]


class JsonFormatter(logging.Formatter):
    """A line as a JSON object: time (UTC, ISO 8601), level, logger, message, the subject's names, and a traceback.

    `subject` says what this task works on.
    """

    def __init__(self, subject: Callable[[], Mapping[str, str | int | float]]) -> None:
        super().__init__()
        self._subject = subject

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _SIGNATURE.sub(r"\1?…", record.getMessage()),
            **self._subject(),
        }
        if record.exc_text:
            line["exception"] = record.exc_text
        return json.dumps(line)
