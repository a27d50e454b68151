"""Traces and metrics over OTLP. The SDK reads its own variables (OTEL_…); nothing here waits for the collector."""

import re
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from darkroom import __version__
from darkroom.errors import DarkroomError, RateLimited
from darkroom.generations.telling.telemetry import Step, Telemetry
from darkroom.models import Record
from darkroom.redact.secrets import Redactor

FLUSHED_WITHIN_S = 1.0
"""Seconds that the end of a process waits for a collector to take what is left."""
LOOK = "look"
_W3C = TraceContextTextMapPropagator()
_ATTRIBUTES = re.compile(
    r"darkroom\..*|mcp\.method\.name|gen_ai\.(?:operation|tool|prompt)\.name|error\.type|rpc\.response\.status_code"
)
"""Attributes that leave: the SDK of MCP has others, in which a caller's own words may be."""
_NAME = re.compile(r"[\w./:@-]{1,100}(?: [\w.-]{1,64})?")


@contextmanager
def collected(redact: Redactor) -> Generator[Telemetry]:
    """Collects while the block lasts, and sends what is left at its end, if that is taken soon."""
    resource = Resource.create({SERVICE_NAME: "darkroom-mcp", SERVICE_VERSION: __version__})
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(_Discreet(OTLPSpanExporter(), redact)))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    trace.set_tracer_provider(tracers)
    try:
        yield _Collected(tracers.get_tracer("darkroom"), meters.get_meter("darkroom"))
    finally:
        flushes = [threading.Thread(target=each.shutdown, daemon=True) for each in (tracers, meters)]
        for flush in flushes:
            flush.start()
        for flush in flushes:
            flush.join(FLUSHED_WITHIN_S / len(flushes))


class _Collected(Telemetry):
    def __init__(self, tracer: trace.Tracer, meter: metrics.Meter) -> None:
        self._tracer = tracer
        self._generations = meter.create_counter("darkroom.generations", description="Generations that are over")
        self._queued = meter.create_histogram("darkroom.generation.queued", "s", "From the call to the provider")
        self._took = meter.create_histogram("darkroom.generation.duration", "s", "From the provider to the end")
        self._looks = meter.create_histogram("darkroom.generation.looks", description="Looks at a job")
        self._limited = meter.create_counter("darkroom.rate_limited", description="Responses with 429")
        self._retries = meter.create_counter("darkroom.retries", description="Submissions and looks to be tried again")
        self._cost = meter.create_counter("darkroom.cost", description="In the unit of the attribute")

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get("traceparent")

    @contextmanager
    def step(self, name: str, record: Record) -> Generator[Step]:
        with self._tracer.start_as_current_span(
            name, _parent(record), attributes=_names(record), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield _Step(span)
            except Exception as error:
                span.set_attribute(
                    "error.type", error.code if isinstance(error, DarkroomError) else type(error).__name__
                )
                span.set_status(StatusCode.ERROR)
                raise

    def submitted(self, record: Record) -> None:
        if record.submitted_at is not None:
            self._queued.record(record.submitted_at - record.created_at, _provider(record))

    def retried(self, record: Record, during: str, error: DarkroomError) -> None:
        attributes = {**_provider(record), "during": during}
        self._retries.add(1, {**attributes, "error.type": error.code})
        if isinstance(error, RateLimited):
            self._limited.add(1, attributes)

    def followed(self, record: Record, looks: int) -> None:
        self._looks.record(looks, _provider(record))

    def ended(self, record: Record) -> None:
        failed = {"error.type": record.failure.code} if record.failure else {}
        self._generations.add(1, {**_provider(record), "outcome": str(record.stage), **failed})
        if record.submitted_at is not None and record.finished_at is not None:
            self._took.record(record.finished_at - record.submitted_at, _provider(record))
        if record.cost is not None and record.cost.amount:
            self._cost.add(record.cost.amount, {**_provider(record), "unit": record.cost.unit})


class _Step(Step):
    def __init__(self, span: Span) -> None:
        self._span = span

    def event(self, name: str, **attributes: str | int) -> None:
        self._span.add_event(name, _prefixed(attributes))

    def note(self, **attributes: str | int) -> None:
        self._span.set_attributes(_prefixed(attributes))


class _Discreet(SpanExporter):
    """Takes out of all spans, the SDK's included, what callers and services said in their own words."""

    def __init__(self, exporter: SpanExporter, redact: Redactor) -> None:
        self._exporter = exporter
        self._redact = redact
        # The end of this process does not wait for a batch that the collector does not take.
        self.shutdown = exporter.shutdown
        self.force_flush = exporter.force_flush

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([self._discreet(span) for span in spans])

    def _discreet(self, span: ReadableSpan) -> ReadableSpan:
        attributes = {
            name: value
            for name, value in (span.attributes or {}).items()
            if _ATTRIBUTES.fullmatch(name) and (not isinstance(value, str) or self._named(value))
        }
        return ReadableSpan(
            name=span.name if self._named(span.name) else "request", context=span.context, parent=span.parent,
            resource=span.resource, attributes=attributes, kind=span.kind,
            events=[event for event in span.events if event.name == LOOK], status=Status(span.status.status_code),
            start_time=span.start_time, end_time=span.end_time, instrumentation_scope=span.instrumentation_scope,
        )  # fmt: skip

    def _named(self, text: str) -> bool:
        return _NAME.fullmatch(text) is not None and self._redact(text) == text


def _parent(record: Record) -> Context | None:
    """The step of the same trace that is under way, else the call that the generation was asked for with."""
    asked_for = _W3C.extract({"traceparent": record.traceparent}, Context()) if record.traceparent else Context()
    called, current = (trace.get_current_span(each).get_span_context() for each in (asked_for, None))
    return None if current.is_valid and current.trace_id == called.trace_id else asked_for


def _names(record: Record) -> Mapping[str, str | int]:
    request = record.request
    return _prefixed(
        {"generation": record.id, "tenant": record.owner, "provider": request.provider, "model": request.model}
    )


def _prefixed(attributes: Mapping[str, str | int]) -> Mapping[str, str | int]:
    return {f"darkroom.{name}": value for name, value in attributes.items()}


def _provider(record: Record) -> dict[str, str]:
    return {"provider": record.request.provider}
