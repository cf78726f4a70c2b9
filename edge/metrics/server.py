"""The HTTP server of the metrics: in a thread of its own, so that it answers even while the shop is busy."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from socketserver import ThreadingMixIn
from time import monotonic
from typing import ClassVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import make_wsgi_app

from edge.metrics.collector import ShopCollector
from events.jobs.schedule import SCHEDULE
from events.lags import read_lags
from events.shop import Shop
from gateways.failures import describe_failure
from loaders.lags import Lags
from loaders.registered_operation import list_registered

log = structlog.get_logger()

LAGS_SECONDS = 10.0
"""How old what is known of the lags may be: scrapes that follow each other faster share one look."""

ANSWER_SECONDS = 2.0
"""How long a scrape waits for the database, and a client of the metrics for its own request line."""


class MetricsServer(ThreadingMixIn, WSGIServer):
    """Serves each scrape in a thread that does not outlive the process."""

    daemon_threads = True


class MetricsRequest(WSGIRequestHandler):
    """Logs nothing, and waits for nobody."""

    timeout: ClassVar[float] = ANSWER_SECONDS

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass(slots=True)
class LagReader:
    """Reads the lags in the event loop of the shop when a scrape asks for them."""

    shop: Shop
    loop: asyncio.AbstractEventLoop
    lags: Lags | None = None
    read_at: float = -LAGS_SECONDS
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> Lags | None:
        """What is known, at most LAGS_SECONDS old; None where the database does not answer. For threads."""
        with self.lock:
            if monotonic() - self.read_at >= LAGS_SECONDS and not self.loop.is_closed():
                self.lags = None
                reading = asyncio.run_coroutine_threadsafe(self.look(), self.loop)
                try:
                    self.lags = reading.result(ANSWER_SECONDS)
                except Exception as error:
                    reading.cancel()
                    log.warning("metrics.lags_unknown", error=describe_failure(error))
                self.read_at = monotonic()
            return self.lags

    async def look(self) -> Lags:
        async with self.shop.database.reads() as session:
            registered = await list_registered(session)
        self.shop.metrics.operation_names = frozenset(operation.name for operation in registered)
        return await read_lags(self.shop, SCHEDULE)


def create_registry(shop: Shop, lags: LagReader) -> CollectorRegistry:
    """All metrics of a shop and of its process."""
    registry = CollectorRegistry()
    registry.register(ShopCollector(shop, version("cartwheel"), lags.read))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


@asynccontextmanager
async def serving_metrics(shop: Shop) -> AsyncIterator[int | None]:
    """Serve the metrics of a shop until the block ends; gives the port, None where the settings name none."""
    monitoring = shop.settings.monitoring
    if monitoring.metrics_port is None:
        yield None
        return
    lags = LagReader(shop, asyncio.get_running_loop())
    server = make_server(
        monitoring.metrics_host,
        monitoring.metrics_port,
        make_wsgi_app(create_registry(shop, lags)),
        MetricsServer,
        MetricsRequest,
    )
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    log.info("metrics.served", host=monitoring.metrics_host, port=server.server_port)
    try:
        yield server.server_port
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        with suppress(RuntimeError):
            thread.join()
