"""The tracer that sends spans to a collector by OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/)."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateways.tracing import AttributeValue, Span
from settings.monitoring import MonitoringSettings

EXPORT_SECONDS = 5
"""How long the collector may take to accept spans, also at the end of the process."""

PROPAGATOR = TraceContextTextMapPropagator()


def connect_collector(settings: MonitoringSettings, *, version: str) -> "OpenTelemetryTracer":
    """The tracer for the collector of the settings."""
    url = (settings.otlp_endpoint or "").rstrip("/")
    exporter = OTLPSpanExporter(
        endpoint=url if url.endswith("/v1/traces") else f"{url}/v1/traces", timeout=EXPORT_SECONDS
    )
    return OpenTelemetryTracer(BatchSpanProcessor(exporter), sampled=settings.traces_sampled, version=version)


class OpenTelemetryTracer:
    """Spans of one process. The sampled share holds for traces that clients have begun, too."""

    def __init__(self, processor: SpanProcessor, *, sampled: float, version: str) -> None:
        share = TraceIdRatioBased(sampled)
        self.provider = TracerProvider(
            sampler=ParentBased(share, remote_parent_sampled=share, remote_parent_not_sampled=share),
            resource=Resource.create({"service.name": "cartwheel", "service.version": version}),
            shutdown_on_exit=False,
        )
        self.provider.add_span_processor(processor)
        self.tracer = self.provider.get_tracer("cartwheel", version)

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, AttributeValue], *, parent: str | None = None
    ) -> Iterator[Span]:
        context = PROPAGATOR.extract({"traceparent": parent}) if parent else None
        kind = SpanKind.SERVER if parent is not None else SpanKind.INTERNAL
        with self._current_span(name, attributes, context, kind) as span:
            yield span

    @contextmanager
    def root_span(self, name: str, attributes: Mapping[str, AttributeValue]) -> Iterator[Span]:
        with self._current_span(name, attributes, Context(), SpanKind.INTERNAL) as span:
            yield span

    def start_child(self, name: str, attributes: Mapping[str, AttributeValue]) -> Span | None:
        if not trace.get_current_span().get_span_context().is_valid:
            return None
        return OpenSpan(self.tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes))

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        PROPAGATOR.inject(carrier)
        return carrier.get("traceparent")

    async def close(self) -> None:
        await asyncio.to_thread(self.provider.shutdown)

    @contextmanager
    def _current_span(
        self,
        name: str,
        attributes: Mapping[str, AttributeValue],
        context: Context | None,
        kind: SpanKind,
    ) -> Iterator[Span]:
        # messages of errors may hold values: only the class is noted
        with self.tracer.start_as_current_span(
            name,
            context,
            kind,
            attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as started:
            span = OpenSpan(started)
            try:
                yield span
            except BaseException as error:
                span.fail(type(error).__name__)
                raise


class OpenSpan:
    """A span of OpenTelemetry."""

    __slots__ = ("span",)

    def __init__(self, span: trace.Span) -> None:
        self.span = span

    def note(self, name: str, value: AttributeValue) -> None:
        self.span.set_attribute(name, value)

    def fail(self, kind: str) -> None:
        self.span.set_attribute("error.type", kind)
        self.span.set_status(StatusCode.ERROR)

    def end(self) -> None:
        self.span.end()
