"""What one process counts of its work: plain numbers that any part may add to; edge/metrics exports them.

Labels are bounded by what they name: root fields of the schema, transports, partners, timers. A table that
would grow beyond SERIES_LIMIT all the same counts the rest as OTHER, so that no client can fill the memory of
the process or of Prometheus.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Generic, TypeVar

Labels = tuple[str, ...]

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the classes of durations, in seconds: those that clients of Prometheus use by default."""

SERIES_LIMIT = 1_000
"""Combinations of labels in one table."""

OTHER = "other"
SLOWEST_LIMIT = 5
"""The slowest statements of an operation that are kept for the log of slow operations."""


@dataclass(slots=True)
class Durations:
    """How many durations fell into each class of BUCKETS (the last class is open), and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


@dataclass(slots=True)
class TimedStatement:
    """An SQL statement, without the values of its parameters, and how long it took."""

    text: str
    parameters: int
    seconds: float


@dataclass(slots=True)
class Usage:
    """What an operation or a job has used so far."""

    statements: int = 0
    statement_seconds: float = 0.0
    cost: float = 0.0
    slowest: list[TimedStatement] = field(default_factory=list)

    def add_statement(self, statement: TimedStatement) -> None:
        self.statements += 1
        self.statement_seconds += statement.seconds
        if len(self.slowest) < SLOWEST_LIMIT or statement.seconds > self.slowest[-1].seconds:
            self.slowest.append(statement)
            self.slowest.sort(key=lambda each: -each.seconds)
            del self.slowest[SLOWEST_LIMIT:]


USAGE: ContextVar[Usage | None] = ContextVar("USAGE", default=None)
"""The usage of the operation or job that is being run; tasks started by it add to the same."""


@dataclass(slots=True)
class OperationFigures:
    """All operations of one label so far."""

    durations: Durations = field(default_factory=Durations)
    statements: int = 0
    statement_seconds: float = 0.0
    cost: float = 0.0

    def add(self, seconds: float, usage: Usage) -> None:
        self.durations.add(seconds)
        self.statements += usage.statements
        self.statement_seconds += usage.statement_seconds
        self.cost += usage.cost


V = TypeVar("V")


class Series(dict[Labels, V], Generic[V]):
    """Figures by labels; beyond SERIES_LIMIT new labels share the figures that are all OTHER."""

    def __init__(self, new: Callable[[], V]) -> None:
        self.new = new

    def bounded(self, labels: Labels) -> Labels:
        """The labels under which these are counted."""
        return labels if labels in self or len(self) < SERIES_LIMIT else (OTHER,) * len(labels)

    def at(self, *labels: str) -> V:
        """The figures of these labels, which can then be added to."""
        labels = self.bounded(labels)
        if labels not in self:
            self[labels] = self.new()
        return self[labels]

    def snapshot(self) -> Sequence[tuple[Labels, V]]:
        """The entries at this moment, for a reader in another thread."""
        return list(self.items())


class CountedSeries(Series[float]):
    """Numbers by labels."""

    def __init__(self) -> None:
        super().__init__(float)

    def add(self, *labels: str, amount: float = 1) -> None:
        labels = self.bounded(labels)
        self[labels] = self.get(labels, 0.0) + amount

    @contextmanager
    def hold(self, *labels: str) -> Iterator[None]:
        """Count one more until the block ends."""
        labels = self.bounded(labels)
        self.add(*labels)
        try:
            yield
        finally:
            self.add(*labels, amount=-1)


class TimedSeries(Series[Durations]):
    """Durations by labels; the last label is the outcome: "ok" or "failed"."""

    def __init__(self) -> None:
        super().__init__(Durations)

    @contextmanager
    def measure(self, *labels: str) -> Iterator[None]:
        """Add the duration of the block; whether it failed is the last label."""
        began, outcome = perf_counter(), "failed"
        try:
            yield
            outcome = "ok"
        finally:
            self.at(*labels, outcome).add(perf_counter() - began)


@dataclass(slots=True)
class Metrics:
    """The figures of one process."""

    operation_names: frozenset[str] = frozenset()
    """The names of registered operations; those of others are made up by clients and become no labels."""
    operations: Series[OperationFigures] = field(default_factory=lambda: Series(OperationFigures))
    """By type (query, mutation, subscription) and operation: a registered name or a root field."""
    operation_errors: CountedSeries = field(default_factory=CountedSeries)
    """By type, operation and code."""
    requests: CountedSeries = field(default_factory=CountedSeries)
    """HTTP requests by method, route and status."""
    refusals: CountedSeries = field(default_factory=CountedSeries)
    """Requests, sockets and operations refused by a limit, by the name of the limit."""
    live_operations: CountedSeries = field(default_factory=CountedSeries)
    """Subscriptions that run now, by transport (websocket, sse, multipart): `live_operations.hold("sse")`."""
    live_connections: CountedSeries = field(default_factory=CountedSeries)
    """Sockets and streams that are open now, by transport: `with live_connections.hold("websocket")`."""
    statements: Durations = field(default_factory=Durations)
    statement_errors: int = 0
    gateway_calls: TimedSeries = field(default_factory=TimedSeries)
    """By kind of partner (payment, carrier, notice), partner, call and outcome."""
    gateway_requests: TimedSeries = field(default_factory=TimedSeries)
    """HTTP requests to partners, by host and outcome."""
    webhooks: CountedSeries = field(default_factory=CountedSeries)
    """Notifications of partners, by partner and outcome."""
    reactions: TimedSeries = field(default_factory=TimedSeries)
    """By reaction and outcome."""
    relayed_events: int = 0
    timer_runs: TimedSeries = field(default_factory=TimedSeries)
    """Looks at what is due, with what was then done, by timer and outcome."""
    timer_rows: CountedSeries = field(default_factory=CountedSeries)
    """Rows acted on, by timer and outcome."""
    order_batches: TimedSeries = field(default_factory=TimedSeries)
    """Batches of placed orders, by outcome."""
    orders: CountedSeries = field(default_factory=CountedSeries)
    """Orders that came out of the queue, by result: placed, or the code of the refusal."""
    searches: TimedSeries = field(default_factory=TimedSeries)
    """By what is searched and outcome."""
    searches_without_results: CountedSeries = field(default_factory=CountedSeries)
    """By what is searched."""
