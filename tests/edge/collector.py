"""A collector of traces that keeps what it is sent, by OTLP over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """What it has been sent; `port` is where."""

    port: int = 0
    raw: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> Sequence[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.raw]
        resources = [each for request in requests for each in request.resource_spans]
        return [span for each in resources for scope in each.scope_spans for span in scope.spans]

    def named(self, name: str) -> Span:
        """The one span of this name."""
        [span] = [span for span in self.spans if span.name == name]
        return span

    def children_of(self, parent: Span) -> list[Span]:
        return [span for span in self.spans if span.parent_span_id == parent.span_id]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            lines = head.decode().lower().split("\r\n")
            assert lines[0].startswith("post /v1/traces ")
            [length] = [line.partition(":")[2] for line in lines if line.startswith("content-length:")]
            self.raw.append(await reader.readexactly(int(length)))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            break
        writer.close()


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """A collector that runs during the test."""
    collector = Collector()
    server = await asyncio.start_server(collector.answer, "127.0.0.1", 0)
    async with server:
        collector.port = server.sockets[0].getsockname()[1]
        yield collector


def attributes_of(span: Span) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
