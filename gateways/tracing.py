"""Traces: what led to what, and how long each part took. Without a tracer nothing is done at all.

Names and attributes hold no values of arguments: an operation by its name and hash, a statement by its text
with placeholders, an error by its class.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

AttributeValue = str | int | float


class Span(Protocol):
    """One part of a trace."""

    def note(self, name: str, value: AttributeValue) -> None:
        """Add an attribute."""

    def fail(self, kind: str) -> None:
        """Mark it as failed, by the class of the error."""

    def end(self) -> None:
        """It ends now."""


class Tracer(Protocol):
    """Makes spans and sends them to a collector."""

    def span(
        self, name: str, attributes: Mapping[str, AttributeValue], *, parent: str | None = None
    ) -> AbstractContextManager[Span]:
        """A span until the block ends: below the `traceparent` of a client, else below the open one."""

    def root_span(self, name: str, attributes: Mapping[str, AttributeValue]) -> AbstractContextManager[Span]:
        """A span of a trace of its own, whatever is open."""

    def start_child(self, name: str, attributes: Mapping[str, AttributeValue]) -> Span | None:
        """A span that is ended by hand; None where none is open above it, so that it would stand alone."""

    def traceparent(self) -> str | None:
        """The header that tells a partner which span called it (https://www.w3.org/TR/trace-context/)."""

    async def close(self) -> None:
        """Send what has not been sent yet."""


class NoSpan:
    """What stands for a span where there is no tracer."""

    def note(self, name: str, value: AttributeValue) -> None: ...

    def fail(self, kind: str) -> None: ...

    def end(self) -> None: ...


NO_SPAN = NoSpan()


@contextmanager
def open_span(
    tracer: Tracer | None, name: str, attributes: Mapping[str, AttributeValue] | None = None
) -> Iterator[Span]:
    """A span until the block ends, where there is a tracer."""
    if tracer is None:
        yield NO_SPAN
        return
    with tracer.span(name, attributes or {}) as span:
        yield span


@contextmanager
def open_root_span(
    tracer: Tracer | None, name: str, attributes: Mapping[str, AttributeValue] | None = None
) -> Iterator[Span]:
    """A span of a trace of its own until the block ends, where there is a tracer."""
    if tracer is None:
        yield NO_SPAN
        return
    with tracer.root_span(name, attributes or {}) as span:
        yield span
