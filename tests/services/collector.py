"""A collector of OpenTelemetry on loopback: takes traces and metrics over OTLP, and reads their protobuf."""

import gzip
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.services.loopback import Loopback


@dataclass(frozen=True)
class Span:
    """A step of a trace, with its ids in hexadecimal."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: Mapping[str, str]
    events: tuple[Mapping[str, str], ...]


@dataclass
class Collector:
    """`with Collector() as collector`: what was sent to it. `raw`: every body, unpacked."""

    status: int = 200
    hangs: bool = False
    spans: list[Span] = field(default_factory=list[Span])
    points: list[tuple[str, Mapping[str, str], float]] = field(
        default_factory=list[tuple[str, Mapping[str, str], float]]
    )
    raw: list[bytes] = field(default_factory=list[bytes])

    def __enter__(self) -> Self:
        routes = [Route(f"/v1/{what}", self._take, methods=["POST"]) for what in ("traces", "metrics")]
        self._let_go = threading.Event()
        self._loopback = Loopback(Starlette(routes=routes))
        self._loopback.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go.set()
        self._loopback.close()

    @property
    def environ(self) -> dict[str, str]:
        """The variables of a process that sends to it, often."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._loopback.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_METRIC_EXPORT_INTERVAL": "200",
        }

    def total(self, name: str, **attributes: str) -> float:
        """The latest value of a counter, or the latest count of a histogram, summed over what has these attributes."""
        latest = {(n, tuple(sorted(a.items()))): value for n, a, value in self.points if n == name}
        return sum(value for (_, has), value in latest.items() if attributes.items() <= dict(has).items())

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        body = gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else body
        self.raw.append(body)
        if self.hangs:
            from anyio import to_thread

            await to_thread.run_sync(self._let_go.wait)
        if request.url.path.endswith("traces"):
            self._take_spans(ExportTraceServiceRequest.FromString(body))
        else:
            self._take_points(ExportMetricsServiceRequest.FromString(body))
        return Response(b"", self.status, media_type="application/x-protobuf")

    def _take_spans(self, sent: Any) -> None:
        for span in (s for r in sent.resource_spans for scope in r.scope_spans for s in scope.spans):
            ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
            events = tuple({"": event.name, **_texts(event.attributes)} for event in span.events)
            self.spans.append(Span(span.name, *ids, _texts(span.attributes), events))

    def _take_points(self, sent: Any) -> None:
        for metric in (m for r in sent.resource_metrics for scope in r.scope_metrics for m in scope.metrics):
            for point in metric.sum.data_points:
                self.points.append((metric.name, _texts(point.attributes), point.as_double or point.as_int))
            for point in metric.histogram.data_points:
                self.points.append((metric.name, _texts(point.attributes), point.count))


def _texts(attributes: Any) -> dict[str, str]:
    return {each.key: each.value.string_value or str(each.value.int_value) for each in attributes}
