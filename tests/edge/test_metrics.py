"""What Prometheus reads of a process: counted as it was, bounded, and on a port of its own."""

import asyncio
import re
import socket
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import update

from edge.metrics import serving_metrics
from edge.metrics.collector import ShopCollector
from edge.metrics.server import LagReader
from events.jobs.schedule import SCHEDULE
from events.lags import read_lags
from events.shop import Shop
from gateways.carrier.protocol import CarrierEvent, TrackingPush
from gateways.metrics import OTHER, SERIES_LIMIT, CountedSeries, Metrics
from models import CarrierConnection, IncomingPush, OrderStatus, RegisteredOperation
from tests.clients import Clients
from tests.conftest import Clock
from tests.edge.metrics import Scrape
from tests.factories.order import create_order
from tests.observe import count_statements, run_until_idle
from tests.process import process_environment, run_cartwheel

SEARCH = 'query Anything { products(query: "tea", first: 2) { totalCount } }'


async def scrape(shop: Shop) -> Scrape:
    registry, lags = CollectorRegistry(), await read_lags(shop, SCHEDULE)
    registry.register(ShopCollector(shop, "1.2.3", lambda: lags))
    return Scrape(generate_latest(registry).decode())


async def test_operations_are_counted_with_their_statements_by_root_field(
    shop: Shop, clients: Clients
) -> None:
    with count_statements(shop) as statements:
        answers = [(await clients.guest().post(SEARCH)).json() for _ in range(3)]
    costs = [answer["extensions"]["cost"]["requested"] for answer in answers]

    found = await scrape(shop)

    label = {"type": "query", "operation": "products"}
    assert found.value("cartwheel_operation_duration_seconds_count", **label) == 3
    assert found.value("cartwheel_operation_duration_seconds_bucket", **label, le="+Inf") == 3
    assert found.value("cartwheel_operation_sql_statements_total", **label) == statements.total > 0
    assert found.value("cartwheel_operation_sql_seconds_total", **label) > 0
    assert found.value("cartwheel_operation_cost_total", **label) == sum(costs) > 0
    assert found.value("cartwheel_search_duration_seconds_count", searched="products", outcome="ok") == 3
    assert found.value("cartwheel_searches_without_results_total", searched="products") == 3
    assert found.value("cartwheel_http_requests_total", method="POST", route="graphql", status="200") == 3


async def test_errors_are_counted_by_their_code(shop: Shop, clients: Clients) -> None:
    guest = clients.guest()
    await guest.ask("{ nonsense }")
    await guest.ask("{ orders(first: 1) { totalCount } }")

    found = await scrape(shop)

    assert found.value("cartwheel_operation_errors_total", operation="invalid", code="GRAPHQL") == 1
    assert found.value("cartwheel_operation_errors_total", operation="orders", code="UNAUTHENTICATED") == 1


async def test_a_stranger_cannot_make_labels(shop: Shop, clients: Clients) -> None:
    guest = clients.guest()
    for number in range(30):
        await guest.ask(f"query Made{number}Up {{ alias{number}: __typename }}")
        await guest.ask(f"query Made{number}Up {{ field{number} }}")
        await guest.ask(f"query Made{number}Up {{ ... {{ __typename }} categories {{ id }} }}")
        await clients.http.get(f"/made/{number}/up", headers={"X-Made-Up": str(number)})
        await clients.http.request(f"MADE{number}", "/graphql")

    found = await scrape(shop)

    operations = found.labels("cartwheel_operation_duration_seconds_count", "operation")
    assert operations == {"__typename", "invalid", "several"}
    assert found.labels("cartwheel_http_requests_total", "route") == {"graphql", OTHER}
    assert found.labels("cartwheel_http_requests_total", "method") == {"POST", "GET", OTHER}
    assert not re.search(r"Made|MADE|alias\d|field\d", found.text)


async def test_a_registered_operation_is_called_by_its_name(shop: Shop, clients: Clients) -> None:
    shop.metrics.operation_names = frozenset({"Anything"})

    await clients.guest().get(SEARCH)

    found = await scrape(shop)
    assert found.labels("cartwheel_operation_duration_seconds_count", "operation") == {"Anything"}


def test_a_table_of_figures_does_not_grow_beyond_its_limit() -> None:
    series = CountedSeries()
    for number in range(SERIES_LIMIT + 500):
        series.add(str(number), "x")
    with series.hold("one more", "x"):
        assert series[OTHER, OTHER] == 501

    assert len(series) == SERIES_LIMIT + 1
    assert series[OTHER, OTHER] == 500


def test_what_is_live_is_counted_until_it_ends() -> None:
    metrics = Metrics()
    with metrics.live_operations.hold("sse"), metrics.live_operations.hold("sse"):
        assert metrics.live_operations["sse",] == 2
    assert metrics.live_operations["sse",] == 0


async def test_what_waits_is_told_by_how_long_it_has_waited(shop: Shop, clock: Clock) -> None:
    async with shop.database.writes.begin() as session:
        await create_order(session, status=OrderStatus.PENDING, now=shop.clock())
    before = await scrape(shop)
    clock.tick(shop.settings.deadlines.unpaid_order_cancelled_after + timedelta(minutes=6))
    late = await scrape(shop)
    await run_until_idle(shop)
    after = await scrape(shop)

    assert before.value("cartwheel_timer_lag_seconds", timer="order.unpaid") == 0
    assert late.value("cartwheel_timer_lag_seconds", timer="order.unpaid") == 300
    assert after.value("cartwheel_timer_lag_seconds", timer="order.unpaid") == 0
    assert after.value("cartwheel_timer_rows_total", timer="order.unpaid", outcome="ok") == 1
    assert after.value("cartwheel_reaction_duration_seconds_count", reaction="settle_cancelled_order") == 1
    assert after.value("cartwheel_outbox_events") == after.value("cartwheel_outbox_lag_seconds") == 0


async def test_an_event_that_is_not_relayed_is_told_by_its_age(shop: Shop, clock: Clock) -> None:
    async with shop.database.writes.begin() as session:
        await create_order(session, status=OrderStatus.PENDING, now=shop.clock())
    clock.tick(timedelta(seconds=90))

    found = await scrape(shop)

    assert found.value("cartwheel_outbox_events", state="waiting") >= 1
    assert found.value("cartwheel_outbox_lag_seconds") == 90


async def test_pushes_that_wait_to_be_folded_are_told_and_the_shop_stays_ready(
    shop: Shop, clients: Clients, clock: Clock
) -> None:
    event = CarrierEvent(None, "x", "step", shop.clock())
    for number in ("YT1", "YT2"):
        await shop.push_inbox.put(CarrierConnection.KUAIDI100, [TrackingPush(number, [event])])
    clock.tick(timedelta(seconds=90))
    waiting = await scrape(shop)
    async with shop.database.writes.begin() as session:
        await session.execute(update(IncomingPush).values(attempts=1))
    failed = await scrape(shop)

    assert (await clients.http.get("/readyz")).json()["status"] == "ok"
    assert waiting.value("cartwheel_carrier_pushes", state="waiting") == 2
    assert waiting.value("cartwheel_carrier_push_lag_seconds") == 90
    assert failed.value("cartwheel_carrier_pushes", state="waiting") == 0
    assert failed.value("cartwheel_carrier_pushes", state="failed") == 2
    assert failed.value("cartwheel_carrier_push_lag_seconds") == 0


async def test_metrics_are_served_on_a_port_of_their_own_only(shop: Shop, clients: Clients) -> None:
    monitoring = shop.settings.monitoring.model_copy(update={"metrics_port": 0})
    shop.settings = shop.settings.model_copy(update={"monitoring": monitoring})
    await clients.guest().get(SEARCH)
    async with serving_metrics(shop) as port, httpx.AsyncClient() as http:
        first, again = [await http.get(f"http://127.0.0.1:{port}/metrics") for _ in range(2)]
        public = await clients.http.get("/metrics")
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as http:
            await http.get(f"http://127.0.0.1:{port}/metrics")

    found = Scrape(first.text)
    assert found.value("cartwheel_operation_duration_seconds_count", operation="products") == 1
    assert found.value("cartwheel_lags_known") == 1
    assert found.value("process_resident_memory_bytes") > 0
    assert again.status_code == 200
    assert public.status_code == 404


async def test_a_scrape_learns_the_names_of_registered_operations(shop: Shop, clients: Clients) -> None:
    async with shop.database.writes.begin() as session:
        session.add(
            RegisteredOperation(
                sha256="0" * 64, name="Anything", kind="query", text=SEARCH, registered_at=shop.clock()
            )
        )
    lags = LagReader(shop, asyncio.get_running_loop())

    known = await asyncio.to_thread(lags.read)
    await clients.guest().get(SEARCH)

    assert known is not None
    assert (await scrape(shop)).labels("cartwheel_operation_duration_seconds_count", "operation") == {
        "Anything"
    }


async def test_without_a_port_there_are_no_metrics(shop: Shop) -> None:
    async with serving_metrics(shop) as port:
        assert port is None


async def test_a_scrape_while_the_database_is_away_tells_what_the_process_knows(shop: Shop) -> None:
    registry = CollectorRegistry()
    registry.register(ShopCollector(shop, "1.2.3", lambda: None))

    found = Scrape((await asyncio.to_thread(generate_latest, registry)).decode())

    assert found.value("cartwheel_lags_known") == 0
    assert list(found.find("cartwheel_outbox_lag_seconds")) == []
    assert "cartwheel_outbox_lag_seconds" in found.families
    assert found.value("cartwheel_info", version="1.2.3") == 1


def test_a_taken_metrics_port_is_named(new_sqlite_url: str, tmp_path: Path) -> None:
    env = process_environment(new_sqlite_url, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run_cartwheel("worker", env=env | {"METRICS_PORT": str(port)})

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"METRICS_PORT: {port} on 127.0.0.1 is taken by another process\n"
