"""THE TABLE of all metrics of a process, read anew for each scrape."""

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

from edge.metrics.families import Value, count_series, counter_of, gauge_of, histogram_of, time_series
from events.bus import RedisBus
from events.shop import Shop
from gateways.metrics import Metrics
from loaders.lags import Lags

OPERATION = ("type", "operation")


class ShopCollector(Collector):
    """All metrics of one shop. `read_lags` gives what is known of the work that waits, or None."""

    def __init__(self, shop: Shop, version: str, read_lags: Callable[[], Lags | None]) -> None:
        self.shop = shop
        self.version = version
        self.read_lags = read_lags

    def collect(self) -> Iterator[Metric]:
        metrics = self.shop.metrics
        yield gauge_of("cartwheel_info", "The release that runs.", ["version"], [((self.version,), 1)])
        yield from operation_families(metrics)
        yield from request_families(metrics)
        yield from statement_families(metrics)
        yield from partner_families(metrics)
        yield from job_families(metrics)
        yield from order_families(self.shop)
        yield from pool_families(self.shop)
        yield from hash_families(self.shop)
        yield from bus_families(self.shop)
        yield from lag_families(self.shop, self.read_lags())

    def describe(self) -> Iterator[Metric]:
        """Nothing is read when the collector is registered."""
        yield from ()


def operation_families(metrics: Metrics) -> Iterator[Metric]:
    figures = metrics.operations.snapshot()
    yield histogram_of(
        "cartwheel_operation_duration_seconds",
        "GraphQL operations, from the parsing of the document to the result; subscriptions, to their end.",
        OPERATION,
        [(labels, each.durations) for labels, each in figures],
    )
    yield count_series(
        "cartwheel_operation_errors",
        "Operations with an error of this code.",
        [*OPERATION, "code"],
        metrics.operation_errors,
    )
    yield counter_of(
        "cartwheel_operation_sql_statements",
        "SQL statements that operations have sent.",
        OPERATION,
        [(labels, each.statements) for labels, each in figures],
    )
    yield counter_of(
        "cartwheel_operation_sql_seconds",
        "Time that operations have waited for SQL statements; those that run together count each.",
        OPERATION,
        [(labels, each.statement_seconds) for labels, each in figures],
    )
    yield counter_of(
        "cartwheel_operation_cost",
        "Cost of operations, as their extensions tell it.",
        OPERATION,
        [(labels, each.cost) for labels, each in figures],
    )


def request_families(metrics: Metrics) -> Iterator[Metric]:
    yield count_series(
        "cartwheel_http_requests",
        "HTTP requests.",
        ["method", "route", "status"],
        metrics.requests,
    )
    yield count_series("cartwheel_refusals", "What was refused by a limit.", ["limit"], metrics.refusals)
    yield gauge_of(
        "cartwheel_live_operations",
        "Subscriptions that run now.",
        ["transport"],
        metrics.live_operations.snapshot(),
    )
    yield gauge_of(
        "cartwheel_live_connections",
        "Sockets and streams that are open now.",
        ["transport"],
        metrics.live_connections.snapshot(),
    )
    yield time_series("cartwheel_search_duration_seconds", "Searches.", ["searched"], metrics.searches)
    yield count_series(
        "cartwheel_searches_without_results",
        "Searches that have found nothing.",
        ["searched"],
        metrics.searches_without_results,
    )


def statement_families(metrics: Metrics) -> Iterator[Metric]:
    yield histogram_of("cartwheel_sql_duration_seconds", "SQL statements.", [], [((), metrics.statements)])
    yield counter_of(
        "cartwheel_sql_errors",
        "SQL statements that have failed.",
        [],
        [((), metrics.statement_errors)],
    )


def partner_families(metrics: Metrics) -> Iterator[Metric]:
    yield histogram_of(
        "cartwheel_gateway_call_duration_seconds",
        "Calls to payment providers, carriers and other partners.",
        ["kind", "partner", "call", "outcome"],
        metrics.gateway_calls.snapshot(),
    )
    yield time_series(
        "cartwheel_gateway_http_duration_seconds",
        "HTTP requests to partners.",
        ["host"],
        metrics.gateway_requests,
    )
    yield count_series(
        "cartwheel_webhooks", "Notifications of partners.", ["partner", "outcome"], metrics.webhooks
    )


def job_families(metrics: Metrics) -> Iterator[Metric]:
    yield counter_of(
        "cartwheel_events_relayed",
        "Events that this process has relayed.",
        [],
        [((), metrics.relayed_events)],
    )
    yield time_series(
        "cartwheel_reaction_duration_seconds", "Reactions to events.", ["reaction"], metrics.reactions
    )
    yield time_series(
        "cartwheel_timer_run_duration_seconds",
        "Looks at what is due, with what was then done.",
        ["timer"],
        metrics.timer_runs,
    )
    yield count_series(
        "cartwheel_timer_rows", "Due rows that were acted on.", ["timer", "outcome"], metrics.timer_rows
    )


def order_families(shop: Shop) -> Iterator[Metric]:
    lanes = shop.order_queue.lanes
    states = [("waiting", [len(lane.queue) for lane in lanes]), ("placing", [lane.busy for lane in lanes])]
    yield gauge_of(
        "cartwheel_order_queue_orders",
        "Orders in each lane of the order queue.",
        ["lane", "state"],
        [((str(lane), state), count) for state, counts in states for lane, count in enumerate(counts)],
    )
    yield gauge_of(
        "cartwheel_order_queue_seconds_per_order",
        "The average time that one order has lately taken.",
        [],
        [((), shop.order_queue.seconds_per_order)],
    )
    yield time_series(
        "cartwheel_order_batch_duration_seconds",
        "Batches of orders placed in one transaction.",
        [],
        shop.metrics.order_batches,
    )
    yield count_series(
        "cartwheel_orders",
        "Orders that were placed, and those that were not by the code of their refusal.",
        ["result"],
        shop.metrics.orders,
    )


def pool_families(shop: Shop) -> Iterator[Metric]:
    readers, writers = shop.database.readers.pool, shop.database.writers.pool
    named = [("shared", readers)] if readers is writers else [("readers", readers), ("writers", writers)]
    pools = [(name, pool) for name, pool in named if isinstance(pool, QueuePool)]
    connections: list[Value] = []
    for name, pool in pools:
        connections += [((name, "in use"), pool.checkedout()), ((name, "idle"), pool.checkedin())]
    yield gauge_of(
        "cartwheel_database_connections",
        "Connections to the database.",
        ["pool", "state"],
        connections,
    )
    yield gauge_of(
        "cartwheel_database_pool_size",
        "How many connections a pool may open.",
        ["pool"],
        [((name,), pool.size()) for name, pool in pools],
    )


def hash_families(shop: Shop) -> Iterator[Metric]:
    queue = shop.secrets.queue
    yield gauge_of(
        "cartwheel_password_hashes",
        "Passwords that are being hashed or wait for it.",
        [],
        [((), queue.taken)],
    )
    yield gauge_of(
        "cartwheel_password_hashes_limit",
        "How many may be hashed or wait; further ones are refused.",
        [],
        [((), queue.limit)],
    )


def bus_families(shop: Shop) -> Iterator[Metric]:
    bus = shop.bus if isinstance(shop.bus, RedisBus) else None
    yield gauge_of(
        "cartwheel_bus_connected",
        "Whether notifications of other processes arrive; 1 where there is only this process.",
        [],
        [((), float(bus is None or bus.channel is not None))],
    )
    yield gauge_of(
        "cartwheel_bus_unpublished_topics",
        "Topics that are published when Redis is back.",
        [],
        [((), len(bus.unpublished) if bus else 0)],
    )


def lag_families(shop: Shop, lags: Lags | None) -> Iterator[Metric]:
    """Without samples where the database does not answer: an old lag is not told as a new one."""
    yield gauge_of(
        "cartwheel_lags_known",
        "Whether the database has told what waits in it.",
        [],
        [((), float(lags is not None))],
    )
    outbox = lags.outbox if lags else None
    yield gauge_of(
        "cartwheel_outbox_events",
        "Events that are not relayed yet.",
        ["state"],
        [(("waiting",), outbox.waiting - outbox.failed), (("failed",), outbox.failed)] if outbox else [],
    )
    yield gauge_of(
        "cartwheel_outbox_lag_seconds",
        "How long the oldest event that is not relayed has waited.",
        [],
        [((), age_seconds(shop, outbox.oldest))] if outbox else [],
    )
    pushes = lags.pushes if lags else None
    yield gauge_of(
        "cartwheel_carrier_pushes",
        "Pushes of carriers that are not folded yet.",
        ["state"],
        [(("waiting",), pushes.waiting - pushes.failed), (("failed",), pushes.failed)] if pushes else [],
    )
    yield gauge_of(
        "cartwheel_carrier_push_lag_seconds",
        "How long the oldest push that is not folded has waited.",
        [],
        [((), age_seconds(shop, pushes.oldest))] if pushes else [],
    )
    yield gauge_of(
        "cartwheel_timer_lag_seconds",
        "A row has been due for at least so long; rounded down to 0, 10, 60, 300, 1800, 7200 or 86400.",
        ["timer"],
        [((name,), lag.total_seconds()) for name, lag in lags.timers.items()] if lags else [],
    )


def age_seconds(shop: Shop, since: datetime | None) -> float:
    """How long ago something was, in seconds; 0 where there is nothing."""
    return max((shop.clock() - since).total_seconds(), 0.0) if since else 0.0
