"""Lines of the log, which any library may write: without secrets, each on one line."""

import logging
import traceback
from typing import Any

from darkroom.redact.secrets import Redactor
from darkroom.redact.text import UNSAFE, clean

MAX_LOG_LINE = 4000


class DiscreetRecord(logging.LogRecord):
    """A line of the log, fit to be printed by any handler, also by one that a dependency made.

    It is without secrets and on one line; a traceback below it is indented, so that neither can pass for another line.
    """

    redact = Redactor(())

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        try:
            message = self.getMessage()
        except Exception:  # logging itself would print the arguments as they are
            message = f"{self.msg!r} does not fit its arguments"
        self.msg, self.args = clean(self.redact(message), MAX_LOG_LINE), ()
        trace = "".join(traceback.format_exception(*self.exc_info)) if self.exc_info else ""
        self.exc_info, self.exc_text = None, self._indented(trace)
        self.stack_info = self._indented(self.stack_info or "")

    def _indented(self, text: str) -> str | None:
        lines = self.redact(text).rstrip("\n").split("\n")
        return "\n".join(f"    {UNSAFE.sub(' ', line)[:MAX_LOG_LINE]}" for line in lines) if text else None
