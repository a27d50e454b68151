"""The choice whether this process measures what it does: only where a collector is named."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from darkroom.generations.telling.telemetry import Telemetry
from darkroom.redact.secrets import Redactor
from darkroom.settings import Settings

log = logging.getLogger(__name__)


@contextmanager
def telemetry_of(settings: Settings) -> Generator[Telemetry]:
    """Sends traces and metrics to the collector of OTEL_EXPORTER_OTLP_ENDPOINT while the block lasts."""
    if not settings.telemetry:
        yield Telemetry()
        return
    try:
        from darkroom.app.collected import collected  # noqa: PLC0415 - the SDK, which few processes need
    except ImportError:
        log.warning('Nothing is sent to OTEL_EXPORTER_OTLP_ENDPOINT: pip install "darkroom-mcp[telemetry]" is needed.')
        yield Telemetry()
        return
    with collected(Redactor(settings.secrets)) as telemetry:
        yield telemetry
