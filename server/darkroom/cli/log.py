"""The log on stderr, and everything else that Python itself would print there."""

import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType

from darkroom.about import subject
from darkroom.cli.unread import never_waiting
from darkroom.redact.log import DiscreetRecord, JsonFormatter, JsonRecord
from darkroom.redact.secrets import Redactor

log = logging.getLogger(__name__)


def configure_logging(level: int, secrets: Iterable[str], *, as_json: bool = False) -> None:
    """Sends the log to stderr, and all that would else be printed unasked with it: with every secret taken out.

    `as_json`: a JSON object a line, for a collector of logs; other libraries then log warnings at most, since they
    quote what is sent.
    """

    redactor = Redactor(secrets)

    class Text(DiscreetRecord):
        redact = redactor

    class Json(JsonRecord):
        redact = redactor

    logging.setLogRecordFactory(Json if as_json else Text)
    handler = logging.StreamHandler(never_waiting(sys.stderr))
    handler.setFormatter(
        JsonFormatter(subject)
        if as_json
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S %z")
    )
    logging.basicConfig(level=max(level, logging.WARNING) if as_json else level, handlers=[handler], force=True)
    logging.getLogger("darkroom").setLevel(level)
    logging.captureWarnings(capture=True)

    def unforeseen(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            log.critical("This was not foreseen.", exc_info=(kind, error, trace))

    sys.excepthook = unforeseen
    sys.unraisablehook = lambda raised: unforeseen(raised.exc_type, raised.exc_value, raised.exc_traceback)
    threading.excepthook = lambda raised: unforeseen(raised.exc_type, raised.exc_value, raised.exc_traceback)
