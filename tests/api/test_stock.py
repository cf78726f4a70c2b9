"""Stock through the front door: warehouses, movements, what runs low, what is near."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.stock import Allocation, adjust, reserve
from events.shop import Shop
from models import MovementKind, Order, OrderStatus, Role, StockLevel, Warehouse
from resolvers.ids import global_id
from tests.conftest import OPENING
from tests.factories.account import create_address
from tests.factories.catalog import create_category, create_product, create_variant, variant_of
from tests.factories.order import create_order
from tests.factories.stock import create_warehouse
from tests.front import Client, Front
from tests.observe import statements

SAVE = """
mutation ($input: WarehouseSaveInput!) { warehouseSave(input: $input) {
  warehouse { code name province city latitude longitude position active } userErrors { code field } } }
"""
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
NEAR = """
query ($slug: String!, $address: NearInput!) { product(slug: $slug) { variants {
  availability { inStock quantity level }
  availabilityNear(address: $address) {
    availability { inStock } city province distanceKm warehouse { code } units } } } }
"""
ADD = """
mutation ($input: CartLineAddInput!) { cartLineAdd(input: $input) { cart { id } userErrors { code } } }
"""
PLACE = """
mutation ($input: OrderPlaceInput!) { orderPlace(input: $input) { order { id } userErrors { code } } }
"""

HANGZHOU = {"code": "HZ", "name": "杭州仓", "province": "浙江省", "city": "杭州市", "district": "余杭区"}


@pytest.fixture
async def keeper(front: Front) -> Client:
    return await front.staff(Role.WAREHOUSE)


def refusals(payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["field"])) for error in payload["userErrors"]]


async def codes(shop: Shop) -> list[tuple[str, bool]]:
    async with shop.database.reads() as session:
        rows = await session.execute(select(Warehouse.code, Warehouse.active).order_by(Warehouse.position))
        return [(code, active) for code, active in rows]


async def test_a_warehouse_is_opened_with_the_coordinates_of_its_district(keeper: Client) -> None:
    opened = (await keeper.do(SAVE, **HANGZHOU))["warehouse"]

    assert (opened["code"], opened["position"], opened["active"]) == ("HZ", 1, True)
    assert opened["latitude"] == pytest.approx(30.3, abs=0.2)
    assert opened["longitude"] == pytest.approx(120.0, abs=0.3)


async def test_warehouses_change_places_and_are_closed_but_never_the_main_one(
    shop: Shop, keeper: Client
) -> None:
    for code in ("A", "B", "C"):
        await keeper.do(SAVE, **(HANGZHOU | {"code": code}))
    assert await codes(shop) == [("A", True), ("B", True), ("C", True)]

    moved = await keeper.do(SAVE, id=global_id("Warehouse", 3), **(HANGZHOU | {"code": "C"}), position=1)
    assert moved["warehouse"]["position"] == 1
    closed = await keeper.do(SAVE, id=global_id("Warehouse", 1), **(HANGZHOU | {"code": "A"}), active=False)
    assert closed["warehouse"] | {"latitude": 0, "longitude": 0} == {
        "code": "A",
        "name": "杭州仓",
        "province": "浙江省",
        "city": "杭州市",
        "latitude": 0,
        "longitude": 0,
        "position": 2,
        "active": False,
    }
    for refused in (
        HANGZHOU | {"id": global_id("Warehouse", 3), "code": "C", "active": False},
        HANGZHOU | {"id": global_id("Warehouse", 1), "code": "A", "active": False, "position": 1},
    ):
        assert refusals(await keeper.do(SAVE, **refused)) == [("WRONG_STATE", "active")]
    assert await codes(shop) == [("C", True), ("A", False), ("B", True)]


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"code": " "}, "INVALID", "code"),
        ({"code": "x" * 65}, "INVALID", "code"),
        ({"name": "x" * 201}, "INVALID", "name"),
        ({"code": "HZ"}, "TAKEN", "code"),
        ({"province": ""}, "INVALID", "province"),
        ({"countryCode": "ZZ"}, "INVALID", "countryCode"),
        ({"latitude": 91.0, "longitude": 0.0}, "INVALID", "latitude"),
        ({"latitude": 1.0}, "INVALID", "latitude"),
        ({"position": 0}, "INVALID", "position"),
        ({"id": global_id("Warehouse", 99)}, "NOT_FOUND", "id"),
        ({"id": global_id("Order", 1)}, "NOT_FOUND", "id"),
    ],
)
async def test_a_warehouse_without_sense_is_refused_by_name(
    shop: Shop, keeper: Client, wrong: dict[str, Any], code: str, field: str
) -> None:
    await keeper.do(SAVE, **HANGZHOU)

    assert refusals(await keeper.do(SAVE, **(HANGZHOU | {"code": "NEW"} | wrong))) == [(code, field)]

    assert await codes(shop) == [("HZ", True)]


async def test_a_closed_warehouse_gives_nothing_to_orders(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        await create_warehouse(session, code="OPEN", position=1)
        await create_warehouse(session, code="CLOSED", position=2, active=False)
        tea = await create_product(session, slug="tea", stock={"CLOSED": 9})
        cup = await create_product(session, slug="cup", stock={"OPEN": 1, "CLOSED": 9})
        variant = await variant_of(session, tea)
        cup_variant = await variant_of(session, cup)
    guest, customer = front.guest(), await front.customer()

    found = await guest.get(
        '{ product(slug: "tea") { availability { inStock } }'
        " products(filter: {inStock: true}) { nodes { slug } } }"
    )
    assert found["product"]["availability"]["inStock"] is False
    assert found["products"]["nodes"] == [{"slug": "cup"}]
    added = await guest.do(ADD, variantId=global_id("Variant", variant.id), quantity=1)
    assert [error["code"] for error in added["userErrors"]] == ["OUT_OF_STOCK"]
    assert customer.account
    async with shop.database.writes.begin() as session:
        address = await create_address(session, customer.account)
    placed = await customer.do(PLACE, **order_of(cup_variant.id, address.id, 2))
    assert [error["code"] for error in placed["userErrors"]] == ["OUT_OF_STOCK"]


def order_of(variant_id: int, address_id: int, quantity: int = 1) -> dict[str, Any]:
    return {
        "lines": [{"variantId": global_id("Variant", variant_id), "quantity": quantity}],
        "deliveries": [{"address": {"id": global_id("Address", address_id)}, "method": "STANDARD"}],
        "payments": [{"method": "SANDBOX", "amount": {"amount": str(99 * quantity), "currencyCode": "CNY"}}],
        "idempotencyKey": f"buyer-{address_id}",
    }


async def test_movements_tell_what_happened_where_and_who_did_it(
    shop: Shop, front: Front, keeper: Client
) -> None:
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, sku="TEA", now=OPENING))
        other = await variant_of(session, await create_product(session, stock={"SOUTH": 1}, now=OPENING))
        order = await create_order(session, lines=[(variant, 2)], now=OPENING + timedelta(hours=1))
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


async def test_movements_come_in_pages_and_their_count_of_statements_stands_still(
    shop: Shop, keeper: Client
) -> None:
    async with shop.database.writes.begin() as session:
        for _ in range(12):
            await create_product(session)

    seen: list[str] = []
    after, spent = None, []
    while True:
        with statements(shop) as counted:
            page = (await keeper.get(MOVEMENTS, first=5, after=after))["stockMovements"]
        seen += [each["variant"]["sku"] for each in page["nodes"]]
        spent.append(counted.total)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert len(seen) == len(set(seen)) == 12
    assert spent == [4, 4, 4]


async def test_what_runs_low_says_how_fast_and_what_to_order(shop: Shop, keeper: Client) -> None:
    week = OPENING - timedelta(days=7)
    async with shop.database.writes.begin() as session:
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
                await create_order(session, lines=[(variant, 1)], now=OPENING - timedelta(days=40))
        draft = await create_product(session, slug="none")
        await create_variant(session, draft, sku="none", stock={})

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


async def test_a_variant_has_a_threshold_of_its_own(shop: Shop, keeper: Client) -> None:
    async with shop.database.writes.begin() as session:
        many = await variant_of(session, await create_product(session, sku="many", stock={"MAIN": 40}))
        await create_product(session, sku="few", stock={"MAIN": 5})
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


async def test_what_runs_low_is_asked_by_warehouse_by_category_and_by_page(
    shop: Shop, keeper: Client
) -> None:
    async with shop.database.writes.begin() as session:
        tea = await create_category(session, slug="tea")
        green = await create_category(session, slug="green", parent=tea)
        await create_product(session, sku="G", category=green, stock={"MAIN": 30, "SOUTH": 1})
        for number in range(7):
            await create_product(session, sku=f"T{number}", category=tea, stock={"MAIN": number // 2})
        await create_product(session, sku="X", stock={"MAIN": 0})
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


GUANGZHOU = {"province": "广东省", "city": "广州市", "district": "天河区"}


async def test_a_product_page_says_what_is_near(shop: Shop, front: Front, keeper: Client) -> None:
    async with shop.database.writes.begin() as session:
        await create_warehouse(session, code="HZ", position=1)
        await create_warehouse(
            session, code="SZ", province="广东省", city="深圳市", position=2, located=False
        )
        await create_product(session, slug="both", stock={"HZ": 7, "SZ": 3})
        await create_product(session, slug="north", stock={"HZ": 7, "SZ": 0})
        await create_product(session, slug="gone", stock={"HZ": 0})
        await create_product(session, slug="endless", stock={}, tracked=False)
    guest = front.guest()

    async def near(client: Client, slug: str, **address: str) -> dict[str, Any]:
        data = await client.get(NEAR, slug=slug, address=GUANGZHOU | address)
        found: dict[str, Any] = data["product"]["variants"][0]["availabilityNear"]
        return found

    both = await near(guest, "both")
    assert both | {"distanceKm": 0} == {
        "availability": {"inStock": True},
        "city": "深圳市",
        "province": "广东省",
        "distanceKm": 0,
        "warehouse": None,
        "units": None,
    }
    assert 90 < both["distanceKm"] < 130
    north = await near(guest, "north")
    assert (north["city"], north["distanceKm"]) == ("杭州市", pytest.approx(1_050, abs=60))
    assert (await near(guest, "endless"))["city"] == "深圳市"
    gone = await near(guest, "gone")
    assert (gone["availability"], gone["city"], gone["distanceKm"]) == ({"inStock": False}, None, None)
    seen = await near(keeper, "both")
    assert (seen["warehouse"], seen["units"]) == ({"code": "SZ"}, 3)


async def test_where_coordinates_are_not_known_the_own_province_is_near(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        await create_warehouse(session, code="HZ", position=1)
        await create_warehouse(
            session, code="B", province="Bavaria", city="Munich", position=2, located=False
        )
        await create_product(session, slug="tea", stock={"HZ": 7, "B": 3})

    data = await front.guest().get(NEAR, slug="tea", address={"countryCode": "CN", "province": "Bavaria"})
    near = data["product"]["variants"][0]["availabilityNear"]
    assert (near["city"], near["distanceKm"]) == ("Munich", None)
    nowhere = await front.guest().get(NEAR, slug="tea", address={"province": ""})
    assert nowhere["product"]["variants"][0]["availabilityNear"]["city"] == "杭州市"
    reply = await front.guest().ask(NEAR, slug="tea", address={"province": "x" * 201})
    assert reply["errors"][0]["extensions"]["code"] == "INVALID"


async def test_what_is_near_takes_as_many_statements_for_many_variants_as_for_one(
    shop: Shop, front: Front
) -> None:
    async with shop.database.writes.begin() as session:
        one = await create_product(session, slug="one", stock={"MAIN": 1})
        many = await create_product(session, slug="many", stock={"MAIN": 1})
        for size in range(9):
            await create_variant(session, many, options={"Size": str(size)}, stock={"MAIN": 1, "SOUTH": size})
    spent = []
    for slug in ("one", "many"):
        with statements(shop) as counted:
            await front.guest().get(NEAR, slug=slug, address=GUANGZHOU)
        spent.append(counted.total)

    assert one.slug == "one"
    assert spent == [3, 3]


async def test_twenty_customers_at_once_buy_the_last_five(shop: Shop, front: Front) -> None:
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, stock={"MAIN": 5}))
        south = await create_warehouse(session, code="SOUTH")
        await adjust(
            session,
            variant_id=variant.id,
            warehouse_id=south.id,
            kind=MovementKind.RECEIVED,
            quantity=1,
            reason="new",
            now=OPENING,
            by=None,
        )
        await reserve(session, [Allocation(variant.id, south.id, 1)], order_id=None, now=OPENING)
    buyers = [await front.customer() for _ in range(20)]
    async with shop.database.writes.begin() as session:
        homes = [await create_address(session, buyer.account) for buyer in buyers if buyer.account]

    replies = await asyncio.gather(
        *(buyer.do(PLACE, **order_of(variant.id, home.id)) for buyer, home in zip(buyers, homes, strict=True))
    )

    assert sorted(reply["order"] is not None for reply in replies) == [False] * 15 + [True] * 5
    assert {error["code"] for reply in replies for error in reply["userErrors"]} == {"OUT_OF_STOCK"}
    async with shop.database.reads() as session:
        assert await session.scalar(select(func.count()).select_from(Order)) == 5
        level = await session.get_one(StockLevel, (variant.id, 1))
        assert (level.on_hand, level.reserved) == (5, 5)
