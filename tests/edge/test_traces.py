"""A trace shows what an operation led to, down to SQL and partners, and nothing of what it was about."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from app import create_app, open_shop
from events.payment import begin_payment
from events.shop import Shop
from models import OrderStatus, PaymentStatus
from tests.clients import Clients
from tests.conftest import Clock, settings_for
from tests.databases import KeptDatabases
from tests.edge.collector import Collector, attributes_of
from tests.factories.catalog import create_product
from tests.factories.order import create_order, payments_of
from tests.observe import run_until_idle

PAGE = """
query Page($text: String!) {
  products(query: $text, first: 2) { nodes { title variants { id } } }
  categories { name }
}
"""
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
async def app(
    database_url: str, tmp_path: Path, clock: Clock, collector: Collector, kept_databases: KeptDatabases
) -> AsyncIterator[Starlette]:
    settings = settings_for(database_url, tmp_path, otlp_endpoint=collector.url)
    app = create_app(settings, clock=clock, database=kept_databases.open(settings.database.url))
    async with app.router.lifespan_context(app):
        yield app


async def send_spans(shop: Shop) -> None:
    assert shop.tracer
    await shop.tracer.close()


async def test_a_trace_goes_from_the_request_to_each_statement(
    shop: Shop, clients: Clients, collector: Collector
) -> None:
    async with shop.database.writes.begin() as session:
        await create_product(session, title="Tea")

    await clients.guest().get(PAGE, text="tea")
    await send_spans(shop)

    request, operation = collector.named("POST /graphql"), collector.named("query several")
    assert operation.parent_span_id == request.span_id
    assert attributes_of(request) == {
        "http.request.method": "POST",
        "http.route": "graphql",
        "http.response.status_code": 200,
    }
    assert attributes_of(operation)["graphql.operation.name"] == "Page"
    assert {span.name for span in collector.children_of(operation)} >= {"Query.products", "Query.categories"}
    statements = collector.children_of(collector.named("Query.products"))
    assert {span.name for span in statements} <= {"SELECT", "WITH"}
    assert statements
    assert {span.trace_id for span in collector.spans} == {request.trace_id}


async def test_a_client_continues_its_own_trace(shop: Shop, clients: Clients, collector: Collector) -> None:
    await clients.guest(traceparent=f"00-{TRACE_ID}-{SPAN_ID}-01").get("{ __typename }")
    await send_spans(shop)

    request = collector.named("POST /graphql")
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize("header", ["nonsense", f"00-{'0' * 32}-{SPAN_ID}-01", "00-" + "f" * 10_000])
async def test_a_malformed_traceparent_begins_a_new_trace(
    shop: Shop, clients: Clients, collector: Collector, header: str
) -> None:
    await clients.guest(traceparent=header).get("{ __typename }")
    await send_spans(shop)

    assert collector.named("POST /graphql").parent_span_id == b""


async def test_partners_are_told_which_span_called_them(
    shop: Shop, collector: Collector, clients: Clients
) -> None:
    """The notification of the sandbox provider comes back to the shop, as a request of the same trace."""
    async with shop.database.writes.begin() as session:
        order = await create_order(session, status=OrderStatus.PENDING, now=shop.clock())
        [payment] = await payments_of(session, order)
    assert shop.tracer
    assert shop.sandbox
    with shop.tracer.root_span("settle", {}):
        started = await begin_payment(shop, payment.id, by=order.account_id)
        await shop.sandbox.settle(started.attempt.reference, PaymentStatus.FAILED)
    await send_spans(shop)

    sent = collector.named("POST 127.0.0.1")
    received = collector.named("POST /webhooks")
    assert received.parent_span_id == sent.span_id
    assert collector.named("payment SANDBOX start").parent_span_id == collector.named("settle").span_id


async def test_reactions_and_timers_are_traces_of_their_own(
    shop: Shop, clock: Clock, collector: Collector
) -> None:
    async with shop.database.writes.begin() as session:
        await create_order(session, status=OrderStatus.PENDING, now=shop.clock())
    clock.tick(2 * shop.settings.deadlines.unpaid_order_cancelled_after)
    await run_until_idle(shop)
    await send_spans(shop)

    timer, reaction = collector.named("timer order.unpaid"), collector.named("settle_cancelled_order")
    assert timer.parent_span_id == b""
    assert {span.name for span in collector.children_of(timer)} >= {"SELECT", "UPDATE", "INSERT"}
    assert collector.named("event order.cancelled").span_id == reaction.parent_span_id


async def test_failed_operations_are_marked_by_their_code(
    shop: Shop, clients: Clients, collector: Collector
) -> None:
    await clients.guest().ask("{ orders(first: 1) { totalCount } }")
    await send_spans(shop)

    assert attributes_of(collector.named("query orders"))["error.type"] == "UNAUTHENTICATED"


async def test_without_a_collector_there_is_no_tracer(database_url: str, tmp_path: Path) -> None:
    shop = open_shop(settings_for(database_url, tmp_path))
    try:
        assert shop.tracer is None
    finally:
        await shop.close()
