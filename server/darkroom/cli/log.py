"""The log on stderr, and everything else that Python itself would print there."""

import logging
import sys
import threading
from collections.abc import Iterable
from types import TracebackType

from darkroom.redact.log import DiscreetRecord
from darkroom.redact.secrets import Redactor

log = logging.getLogger(__name__)


def configure_logging(level: int, secrets: Iterable[str]) -> None:
    """Sends the log to stderr, and all that would else be printed unasked with it: with every secret taken out."""

    class Record(DiscreetRecord):
        redact = Redactor(secrets)

    logging.setLogRecordFactory(Record)
    logging.basicConfig(
        level=level,
        stream=sys.stderr,
        force=True,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S %z",
    )
    logging.captureWarnings(capture=True)

    def unforeseen(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            log.critical("This was not foreseen.", exc_info=(kind, error, trace))

    sys.excepthook = unforeseen
    sys.unraisablehook = lambda raised: unforeseen(raised.exc_type, raised.exc_value, raised.exc_traceback)
    threading.excepthook = lambda raised: unforeseen(raised.exc_type, raised.exc_value, raised.exc_traceback)
