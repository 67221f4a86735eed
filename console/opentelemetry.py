"""Spans by OpenTelemetry's SDK, which reads sampling, resource and limits from its own variables; needs the extra `otel`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from console import logs
from console.tracing import PARENT, Attributes

logger = logging.getLogger(__name__)

FLUSH_MS = 3000  # at the end of a job or of the process: whoever waits for the collector waits no longer
HEADERS = {"HTTP_TRACEPARENT": PARENT, "HTTP_TRACESTATE": "tracestate"}


class OpenTelemetry:
    """Spans for one span processor."""

    def __init__(self, processor: SpanProcessor) -> None:
        """Hand ended spans to `processor`."""
        named = Resource({SERVICE_NAME: "openpersonalize"}).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=Resource.create().merge(named), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("openpersonalize")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> Iterator[None]:
        """A span of a request, a child of the span that its headers name."""
        carrier = {name: headers[key] for key, name in HEADERS.items() if key in headers}
        context = self._propagator.extract(carrier)
        with self._tracer.start_as_current_span("request", context, SpanKind.SERVER) as span:
            try:
                yield
            finally:
                span.set_attributes(_whose())

    @contextmanager
    def job(self, name: str, parent: str) -> Iterator[None]:
        """A span of a job, a child of `parent`, and what waits is sent at its end: a worker may be replaced after it."""
        context = self._propagator.extract({PARENT: parent})
        with self._tracer.start_as_current_span(name, context, SpanKind.CONSUMER) as span:
            try:
                yield
            finally:
                span.set_attributes(_whose())
        self.end()

    def note(self, attributes: Attributes, name: str, error: str) -> None:
        """Put attributes on this thread's span, give it a better name, and mark it as failed where `error` says why."""
        span = get_current_span()
        span.set_attributes(dict(attributes))
        if name:
            span.update_name(name)
        if error:
            span.set_status(Status(StatusCode.ERROR, error))

    def stage(self, name: str) -> None:
        """Note in this thread's span that a stage of it begins."""
        get_current_span().add_event(name)

    def parent(self) -> str:
        """This thread's span as a `traceparent`, "" without one."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(PARENT, "")

    def end(self) -> None:
        """Send what waits; a collector that is away costs some seconds and the spans."""
        if not self._provider.force_flush(FLUSH_MS):
            logger.warning("The collector of traces does not answer.")


def _whose() -> dict[str, str]:
    """The request, account and job of this moment, as the log names them."""
    return {f"openpersonalize.{name}": value for name, value in logs.here().items()}


def configured(environ: Mapping[str, str]) -> OpenTelemetry:
    """What the variables ask for: OTLP over HTTP or, with OTEL_TRACES_EXPORTER=console, standard output."""
    is_console = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "console"
    exporter: SpanExporter = ConsoleSpanExporter() if is_console else OTLPSpanExporter()
    return OpenTelemetry(BatchSpanProcessor(exporter))
