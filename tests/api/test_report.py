"""Reports for staff: views, sales, returns and dead stock."""

import base64
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.analytics import record_views
from domain.cause import Cause
from events.shop import Shop
from models import CurrencyCode, OrderStatus, TicketStatus
from resolvers.ids import global_id
from tests.clients import Client
from tests.conftest import STARTED_AT
from tests.factories.aftersales import DEADLINES, create_ticket, order_lines_of
from tests.factories.catalog import create_category, create_product, variant_of
from tests.factories.order import create_order
from tests.factories.returns import accept_return
from tests.observe import count_statements

CNY, USD = CurrencyCode.CNY, CurrencyCode.USD
FIGURES = """
fragment F on Figures {
  views cartAdditions orders units revenue { amount currencyCode } returned returnRate conversion }
"""
PRODUCTS = (
    FIGURES
    + """
query ($from: Date!, $to: Date!, $filter: ReportFilter, $sort: ReportMeasure! = UNITS, $up: Boolean! = false,
       $first: Int! = 20, $after: String) {
  productReport(from: $from, to: $to, filter: $filter) {
    products(sort: $sort, ascending: $up, first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes { product { slug } figures { ...F } } } } }
"""
)
WHOLE = (
    FIGURES
    + """
query ($from: Date!, $to: Date!, $filter: ReportFilter, $interval: ReportInterval! = MONTH) {
  productReport(from: $from, to: $to, filter: $filter) {
    first last timeZone figures { ...F }
    overTime(interval: $interval) { first last figures { views units } }
    funnel { stage count ofPrevious ofFirst }
    categories { nodes { category { slug } figures { units views orders }
      overTime(interval: $interval) { figures { units } } } }
  } }
"""
)
DEAD = """
query ($days: Int! = 90, $filter: ReportFilter, $first: Int! = 20, $after: String) {
  productReport(from: "2026-03-01", to: "2026-03-02", filter: $filter) {
    deadStock(unsoldDays: $days, first: $first, after: $after) {
      pageInfo { endCursor }
      nodes { variant { sku } onHand value { amount currencyCode } lastSoldAt daysUnsold } } } }
"""
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest.fixture
async def sales(shop: Shop) -> Shop:
    """Tea and a pot, in food and home; sold in March, one in April in the time zone of Shanghai."""
    async with shop.database.writes.begin() as session:
        food = await create_category(session, slug="food")
        tea_category = await create_category(session, slug="tea", parent=food)
        home = await create_category(session, slug="home")
        await create_category(session, slug="void")
        tea = await create_product(session, slug="tea", category=tea_category, prices={CNY: 1_000, USD: 200})
        pot = await create_product(session, slug="pot", category=home, prices={CNY: 5_000})
        await create_product(session, slug="dust", category=food)
        leaf, jug = await variant_of(session, tea), await variant_of(session, pot)
        done = OrderStatus.COMPLETED
        both = await create_order(session, lines=[(leaf, 2), (jug, 1)], status=done, now=at(3, 1, 9))
        await create_order(session, lines=[(leaf, 3)], status=OrderStatus.CONFIRMED, now=at(3, 9, 9))
        await create_order(session, lines=[(leaf, 1)], currency=USD, now=at(3, 9, 10))
        await create_order(session, lines=[(jug, 3)], status=OrderStatus.CANCELLED, now=at(3, 10, 9))
        await create_order(session, lines=[(jug, 1)], now=at(3, 31, 17))
        await create_ticket(
            session, order=both, lines=[((await order_lines_of(session, both))[1], 1)], now=at(3, 5, 9)
        )
        ticket = await create_ticket(session, order=both, status=TicketStatus.RETURN_SHIPPED, now=at(3, 5, 9))
        await accept_return(session, ticket.id, DEADLINES, damaged=False, cause=Cause(at(3, 7, 9), None))
        await record_views(
            session,
            views={
                (tea.id, date(2026, 3, 1)): 40,
                (tea.id, date(2026, 3, 9)): 20,
                (pot.id, date(2026, 4, 1)): 9,
            },
            cart_additions={(leaf.id, date(2026, 3, 9)): 12},
        )
    return shop


def at(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def money(amount: str, currency: str = "CNY") -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


async def lines(client: Client, **given: Any) -> list[dict[str, Any]]:
    page = (await client.get(PRODUCTS, **(MARCH | given)))["productReport"]["products"]
    nodes: list[dict[str, Any]] = page["nodes"]
    return nodes


async def slugs(client: Client, **given: Any) -> list[str]:
    return [line["product"]["slug"] for line in await lines(client, **given)]


async def test_a_product_has_figures_with_revenue_by_currency(sales: Shop, clerk: Client) -> None:
    tea, pot, dust = await lines(clerk)

    assert tea["product"] == {"slug": "tea"}
    figures = tea["figures"]
    assert figures == {
        "views": 60,
        "cartAdditions": 12,
        "orders": 3,
        "units": 6,
        "revenue": [money("50.00"), money("2.00", "USD")],
        "returned": figures["returned"],
        "returnRate": figures["returnRate"],
        "conversion": 0.05,
    }
    assert (pot["figures"]["units"], pot["figures"]["revenue"]) == (1, [money("50.00")])
    assert dust["figures"] == {
        "views": 0,
        "cartAdditions": 0,
        "orders": 0,
        "units": 0,
        "revenue": [],
        "returned": 0,
        "returnRate": None,
        "conversion": None,
    }


async def test_the_return_rate_is_returned_units_divided_by_units_sold(sales: Shop, clerk: Client) -> None:
    found = {line["product"]["slug"]: line["figures"] for line in await lines(clerk)}
    returned = {slug: (figures["returned"], figures["returnRate"]) for slug, figures in found.items()}

    assert returned == {"tea": (1, 0.1667), "pot": (0, 0.0), "dust": (0, None)}
    assert (await slugs(clerk, sort="RETURN_RATE"))[0] == "tea"
    assert (await slugs(clerk, sort="RETURNED"))[0] == "tea"


async def test_a_report_is_sorted_by_any_figure_in_pages(sales: Shop, clerk: Client) -> None:
    assert await slugs(clerk, sort="VIEWS") == ["tea", "pot", "dust"]
    assert await slugs(clerk, sort="REVENUE") == ["tea", "pot", "dust"]
    assert await slugs(clerk, sort="ORDERS", up=True) == ["dust", "pot", "tea"]
    assert await slugs(clerk, filter={"category": "food"}) == ["tea", "dust"]
    pot = {"productIds": [global_id("Product", 2)]}
    assert await slugs(clerk, filter=pot) == ["pot"]

    seen: list[str] = []
    after = None
    for _ in range(3):
        page = (await clerk.get(PRODUCTS, **MARCH, first=1, after=after))["productReport"]["products"]
        assert page["totalCount"] == 3
        seen += [node["product"]["slug"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == ["tea", "pot", "dust"]
    other = await clerk.ask(PRODUCTS, **MARCH, sort="VIEWS", after=after)
    assert other["errors"][0]["extensions"]["code"] == "INVALID"


async def test_the_figures_of_a_category_include_everything_below_it(sales: Shop, clerk: Client) -> None:
    report = (await clerk.get(WHOLE, **MARCH))["productReport"]
    assert [
        (node["category"]["slug"], node["figures"], [part["figures"]["units"] for part in node["overTime"]])
        for node in report["categories"]["nodes"]
    ] == [
        ("food", {"units": 6, "views": 60, "orders": 3}, [6]),
        ("home", {"units": 1, "views": 0, "orders": 1}, [1]),
        ("void", {"units": 0, "views": 0, "orders": 0}, [0]),
    ]
    assert report["figures"]["orders"] == 3
    below = (await clerk.get(WHOLE, **MARCH, filter={"category": "food"}))["productReport"]
    assert [node["category"]["slug"] for node in below["categories"]["nodes"]] == ["tea"]
    assert below["figures"]["units"] == 6


async def test_days_weeks_and_months_are_those_of_the_shops_time_zone(sales: Shop, clerk: Client) -> None:
    async def over(interval: str, **days: str) -> list[tuple[str, str, int, int]]:
        report = (await clerk.get(WHOLE, **(MARCH | days), interval=interval))["productReport"]
        assert report["timeZone"] == "Asia/Shanghai"
        return [
            (part["first"], part["last"], part["figures"]["views"], part["figures"]["units"])
            for part in report["overTime"]
        ]

    assert await over("MONTH", to="2026-04-02") == [
        ("2026-03-01", "2026-03-31", 60, 7),
        ("2026-04-01", "2026-04-02", 9, 1),
    ]
    assert (await over("WEEK"))[:3] == [
        ("2026-03-01", "2026-03-01", 40, 3),
        ("2026-03-02", "2026-03-08", 0, 0),
        ("2026-03-09", "2026-03-15", 20, 4),
    ]
    assert await over("DAY", to="2026-03-02") == [
        ("2026-03-01", "2026-03-01", 40, 3),
        ("2026-03-02", "2026-03-02", 0, 0),
    ]


async def test_the_funnel_counts_each_stage_of_a_purchase(sales: Shop, clerk: Client) -> None:
    steps = (await clerk.get(WHOLE, **MARCH))["productReport"]["funnel"]

    assert [(step["stage"], step["count"], step["ofPrevious"], step["ofFirst"]) for step in steps] == [
        ("VIEWED", 60, 1.0, 1.0),
        ("ADDED", 12, 0.2, 0.2),
        ("ORDERED", 4, 0.3333, 0.0667),
        ("PAID", 2, 0.5, 0.0333),
        ("COMPLETED", 1, 0.5, 0.0167),
    ]
    nothing = (await clerk.get(WHOLE, **{"from": "2025-01-01", "to": "2025-01-02"}))["productReport"]
    assert [step["ofFirst"] for step in nothing["funnel"]] == [None] * 5


async def test_dead_stock_is_stock_that_nobody_has_ordered(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    home = await create_category(session, slug="home")
    for sku, units, price, category, made in (
        ("gold", 2, 90_000, None, STARTED_AT - timedelta(days=200)),
        ("dust", 30, 100, home, STARTED_AT - timedelta(days=200)),
        ("free", 5, None, None, STARTED_AT - timedelta(days=200)),
        ("empty", 0, 100, None, STARTED_AT - timedelta(days=200)),
        ("fresh", 9, 100, None, STARTED_AT - timedelta(days=20)),
        ("sold", 9, 100, None, STARTED_AT - timedelta(days=200)),
        ("long", 9, 100, None, STARTED_AT - timedelta(days=200)),
    ):
        prices = {} if price is None else {CNY: price}
        product = await create_product(
            session, sku=sku, stock={"MAIN": units}, prices=prices, category=category, now=made
        )
        if sku in ("sold", "long"):
            days = 10 if sku == "sold" else 100
            variant = await variant_of(session, product)
            await create_order(session, lines=[(variant, 1)], now=STARTED_AT - timedelta(days=days))
    await session.commit()

    async def dead(**given: Any) -> list[tuple[Any, ...]]:
        found = (await clerk.get(DEAD, **given))["productReport"]["deadStock"]
        return [
            (node["variant"]["sku"], node["onHand"], (node["value"] or {}).get("amount"), node["daysUnsold"])
            for node in found["nodes"]
        ]

    assert await dead() == [
        ("gold", 2, "1800.00", None),
        ("dust", 30, "30.00", None),
        ("long", 9, "9.00", 100),
        ("free", 5, None, None),
    ]
    assert [row[0] for row in await dead(days=120)] == ["gold", "dust", "free"]
    assert [row[0] for row in await dead(filter={"category": "home"})] == ["dust"]
    page = (await clerk.get(DEAD, first=2))["productReport"]["deadStock"]
    assert [row[0] for row in await dead(first=2, after=page["pageInfo"]["endCursor"])] == ["long", "free"]


async def test_a_report_takes_as_many_statements_for_many_products_as_for_one(
    shop: Shop, session: AsyncSession, clerk: Client
) -> None:
    document = """query ($first: Int!) { productReport(from: "2026-03-01", to: "2026-03-31") {
        products(first: $first) { nodes { product { slug } figures { units }
          overTime(interval: DAY) { figures { units } } } } } }"""
    for _ in range(8):
        variant = await variant_of(session, await create_product(session))
        await create_order(session, lines=[(variant, 1)], now=at(3, 9, 9))
    await session.commit()
    spent = []
    for first in (1, 8):
        with count_statements(shop) as counted:
            await clerk.get(document, first=first)
        spent.append(counted.total)

    assert spent == [9, 9]


def forge_cursor(*key: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(["PRODUCT-UNITS-CNY-down", *key]).encode()).decode()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to": "2026-02-01"}, "INVALID"),
        ({"from": "1999-01-01"}, "LIMIT_REACHED"),
        ({"from": "2020-01-01"}, "LIMIT_REACHED"),
        ({"filter": {"category": "nowhere"}}, "NOT_FOUND"),
        ({"filter": {"productIds": [global_id("Order", 1)]}}, "NOT_FOUND"),
        ({"filter": {"productIds": [global_id("Product", 1)] * 101}}, "LIMIT_REACHED"),
        ({"first": 0}, "INVALID"),
        ({"after": "x"}, "INVALID"),
        ({"after": forge_cursor(True, 1)}, "INVALID"),
        ({"after": forge_cursor(1, True)}, "INVALID"),
        ({"after": forge_cursor("1", 1)}, "INVALID"),
    ],
)
async def test_an_invalid_report_is_refused_with_its_argument(
    clerk: Client, wrong: dict[str, Any], code: str
) -> None:
    reply = await clerk.ask(PRODUCTS, **(MARCH | wrong))

    assert reply["errors"][0]["extensions"]["code"] == code


async def test_the_intervals_of_a_report_are_limited(clerk: Client) -> None:
    reply = await clerk.ask(WHOLE, **{"from": "2024-01-01", "to": "2026-03-31"}, interval="DAY")

    assert reply["errors"][0]["extensions"]["code"] == "LIMIT_REACHED"
