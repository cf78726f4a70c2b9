"""Movements, low stock, and twenty buyers of the last five units."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.stock import Allocation, adjust_stock, reserve_stock
from events.shop import Shop
from models import MovementKind, Order, OrderStatus, StockLevel
from resolvers.ids import global_id
from tests.api.stock.documents import PLACE, order_of
from tests.clients import Client, Clients
from tests.conftest import STARTED_AT
from tests.factories.account import create_address
from tests.factories.catalog import create_category, create_product, create_variant, variant_of
from tests.factories.order import create_order
from tests.factories.stock import create_warehouse
from tests.given import refusals
from tests.observe import count_statements

ADJUST = """
mutation ($input: StockAdjustInput!) { stockAdjust(input: $input) {
  stockLevel { onHand } userErrors { code } } }
"""
THRESHOLD = """
mutation ($input: StockThresholdSetInput!) { stockThresholdSet(input: $input) {
  variant { lowStockAt } userErrors { code field } } }
"""
MOVEMENTS = """
query ($filter: MovementFilter, $first: Int! = 20, $after: String) {
  stockMovements(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { kind onHand reserved damaged reason createdAt
      variant { sku } warehouse { code } order { number } actor { name } } } }
"""
LOW = """
query (
  $filter: LowStockFilter, $soldDays: Int! = 28, $coverDays: Int! = 28, $first: Int! = 20, $after: String
) {
  lowStock(filter: $filter, soldDays: $soldDays, coverDays: $coverDays, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { variant { sku } onHand reserved available threshold sold daysLeft suggested } } }
"""


async def test_movements_say_what_happened_where_and_by_whom(
    shop: Shop, session: AsyncSession, clients: Clients, keeper: Client
) -> None:
    variant = await variant_of(session, await create_product(session, sku="TEA", now=STARTED_AT))
    other = await variant_of(session, await create_product(session, stock={"SOUTH": 1}, now=STARTED_AT))
    order = await create_order(session, lines=[(variant, 2)], now=STARTED_AT + timedelta(hours=1))
    await session.commit()
    place = {"variantId": global_id("Variant", variant.id), "warehouseId": global_id("Warehouse", 1)}
    await keeper.do(ADJUST, **place, kind="DAMAGED", quantity=1, reason="rain")

    found = (await keeper.get(MOVEMENTS, filter={"variantId": place["variantId"]}))["stockMovements"]

    assert found["totalCount"] == 3
    damaged, reserved, received = found["nodes"]
    assert damaged == {
        "kind": "DAMAGED",
        "onHand": -1,
        "reserved": 0,
        "damaged": 1,
        "reason": "rain",
        "createdAt": "2026-11-11T08:00:00+00:00",
        "variant": {"sku": "TEA"},
        "warehouse": {"code": "MAIN"},
        "order": None,
        "actor": {"name": "Lin Mei"},
    }
    assert (reserved["kind"], reserved["reserved"], reserved["order"]) == (
        "RESERVED",
        2,
        {"number": order.number},
    )
    assert (received["kind"], received["onHand"], received["actor"]) == ("RECEIVED", 10, None)

    async def kinds(**filter: Any) -> list[str]:
        data = await keeper.get(MOVEMENTS, filter=filter)
        return [each["kind"] for each in data["stockMovements"]["nodes"]]

    assert await kinds(orderId=global_id("Order", order.id)) == ["RESERVED"]
    assert await kinds(kinds=["DAMAGED", "RESERVED"]) == ["DAMAGED", "RESERVED"]
    assert await kinds(warehouseId=global_id("Warehouse", 2)) == ["RECEIVED"]
    assert await kinds(variantId=global_id("Variant", other.id)) == ["RECEIVED"]
    assert await kinds(movedFrom="2026-11-11T08:30:00Z") == ["RESERVED"]
    assert await kinds(movedBefore="2026-11-11T08:00:00Z") == []


async def test_movements_come_in_pages_with_a_constant_number_of_statements(
    shop: Shop, session: AsyncSession, keeper: Client
) -> None:
    for _ in range(12):
        await create_product(session)
    await session.commit()

    seen: list[str] = []
    after, spent = None, []
    while True:
        with count_statements(shop) as counted:
            page = (await keeper.get(MOVEMENTS, first=5, after=after))["stockMovements"]
        seen += [each["variant"]["sku"] for each in page["nodes"]]
        spent.append(counted.total)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert len(seen) == len(set(seen)) == 12
    assert spent == [4, 4, 4]


async def test_low_stock_says_how_fast_it_sells_and_what_to_order(
    shop: Shop, session: AsyncSession, keeper: Client
) -> None:
    week = STARTED_AT - timedelta(days=7)
    await create_warehouse(session, code="MAIN", position=1)
    await create_warehouse(session, code="CLOSED", position=2, active=False)
    for sku, stock, tracked in (
        ("plenty", {"MAIN": 50}, True),
        ("slow", {"MAIN": 2}, True),
        ("closed", {"MAIN": 1, "CLOSED": 70}, True),
        ("fast", {"MAIN": 10}, True),
        ("free", {"MAIN": 0}, False),
    ):
        product = await create_product(session, slug=sku, sku=sku, stock=stock, tracked=tracked)
        if sku == "fast":
            variant = await variant_of(session, product)
            await create_order(session, lines=[(variant, 6)], now=week)
            await create_order(session, lines=[(variant, 1)], status=OrderStatus.CANCELLED, now=week)
            await create_order(session, lines=[(variant, 1)], now=STARTED_AT - timedelta(days=40))
    draft = await create_product(session, slug="none")
    await create_variant(session, draft, sku="none", stock={})
    await session.commit()

    page = (await keeper.get(LOW))["lowStock"]

    assert page["totalCount"] == 4
    rows = {row["variant"]["sku"]: row for row in page["nodes"]}
    assert list(rows) == ["fast", "none", "closed", "slow"]
    assert rows["fast"] == {
        "variant": {"sku": "fast"},
        "onHand": 10,
        "reserved": 7,
        "available": 3,
        "threshold": 5,
        "sold": 6,
        "daysLeft": 14,
        "suggested": 8,
    }
    assert rows["slow"]["daysLeft"] is None
    assert rows["slow"]["suggested"] == 3
    assert rows["closed"]["available"] == 1


async def test_a_variant_has_a_threshold_of_its_own(
    shop: Shop, session: AsyncSession, keeper: Client
) -> None:
    many = await variant_of(session, await create_product(session, sku="many", stock={"MAIN": 40}))
    await create_product(session, sku="few", stock={"MAIN": 5})
    await session.commit()
    id_ = global_id("Variant", many.id)

    assert (await keeper.do(THRESHOLD, variantId=id_, units=40))["variant"] == {"lowStockAt": 40}
    assert skus(await keeper.get(LOW)) == ["few", "many"]
    assert (await keeper.do(THRESHOLD, variantId=id_))["variant"] == {"lowStockAt": None}
    assert skus(await keeper.get(LOW)) == ["few"]
    assert refusals(await keeper.do(THRESHOLD, variantId=id_, units=-1)) == [("INVALID", "units")]
    unknown = await keeper.do(THRESHOLD, variantId=global_id("Variant", 99), units=1)
    assert refusals(unknown) == [("NOT_FOUND", "variantId")]


def skus(data: dict[str, Any]) -> list[str]:
    return [row["variant"]["sku"] for row in data["lowStock"]["nodes"]]


async def test_low_stock_is_filtered_by_warehouse_and_category_and_paged(
    shop: Shop, session: AsyncSession, keeper: Client
) -> None:
    tea = await create_category(session, slug="tea")
    green = await create_category(session, slug="green", parent=tea)
    await create_product(session, sku="G", category=green, stock={"MAIN": 30, "SOUTH": 1})
    for number in range(7):
        await create_product(session, sku=f"T{number}", category=tea, stock={"MAIN": number // 2})
    await create_product(session, sku="X", stock={"MAIN": 0})
    await session.commit()
    south = {"warehouseId": global_id("Warehouse", 2)}

    assert skus(await keeper.get(LOW, filter=south | {"category": "green"})) == ["G"]
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = await keeper.get(LOW, filter={"category": "tea"}, first=3, after=after)
        seen += skus(page)
        after = page["lowStock"]["pageInfo"]["endCursor"]
    assert seen == [f"T{number}" for number in range(7)]

    for wrong, code in (
        ({"soldDays": 0}, "INVALID"),
        ({"coverDays": 400}, "INVALID"),
        ({"after": "x"}, "INVALID"),
        ({"filter": {"category": "nowhere"}}, "NOT_FOUND"),
        ({"filter": {"warehouseId": global_id("Order", 1)}}, "NOT_FOUND"),
    ):
        reply = await keeper.ask(LOW, **wrong)
        assert reply["errors"][0]["extensions"]["code"] == code


async def test_twenty_customers_at_once_buy_the_last_five(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    variant = await variant_of(session, await create_product(session, stock={"MAIN": 5}))
    south = await create_warehouse(session, code="SOUTH")
    await adjust_stock(
        session,
        variant_id=variant.id,
        warehouse_id=south.id,
        kind=MovementKind.RECEIVED,
        quantity=1,
        reason="new",
        cause=Cause(STARTED_AT, None),
    )
    await reserve_stock(
        session, [Allocation(variant.id, south.id, 1)], order_id=None, cause=Cause(STARTED_AT)
    )
    await session.commit()
    buyers = [await clients.customer() for _ in range(20)]
    homes = [await create_address(session, buyer.account) for buyer in buyers if buyer.account]
    await session.commit()

    replies = await asyncio.gather(
        *(buyer.do(PLACE, **order_of(variant.id, home.id)) for buyer, home in zip(buyers, homes, strict=True))
    )

    assert sorted(reply["order"] is not None for reply in replies) == [False] * 15 + [True] * 5
    assert {error["code"] for reply in replies for error in reply["userErrors"]} == {"OUT_OF_STOCK"}
    assert await session.scalar(select(func.count()).select_from(Order)) == 5
    level = await session.get_one(StockLevel, (variant.id, 1))
    assert (level.on_hand, level.reserved) == (5, 5)
    await session.commit()
