"""Opening, moving and closing warehouses, and which of them is near."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Warehouse
from resolvers.ids import global_id
from tests.api.stock.documents import PLACE, order_of
from tests.clients import Client, Clients
from tests.factories.account import create_address
from tests.factories.catalog import create_product, create_variant, variant_of
from tests.factories.stock import create_warehouse
from tests.given import refusals
from tests.observe import count_statements

SAVE = """
mutation ($input: WarehouseSaveInput!) { warehouseSave(input: $input) {
  warehouse { code name province city latitude longitude position active } userErrors { code field } } }
"""

NEAR = """
query ($slug: String!, $address: ApproximateAddressInput!) { product(slug: $slug) { variants {
  availability { inStock quantity level }
  availabilityNear(address: $address) {
    availability { inStock } city province distanceKm warehouse { code } units } } } }
"""
ADD = """
mutation ($input: CartLineAddInput!) { cartLineAdd(input: $input) { cart { id } userErrors { code } } }
"""

HANGZHOU = {"code": "HZ", "name": "杭州仓", "province": "浙江省", "city": "杭州市", "district": "余杭区"}


async def codes(shop: Shop) -> list[tuple[str, bool]]:
    async with shop.database.reads() as session:
        rows = await session.execute(select(Warehouse.code, Warehouse.active).order_by(Warehouse.position))
        return [(code, active) for code, active in rows]


async def test_a_warehouse_is_opened_with_the_coordinates_of_its_district(keeper: Client) -> None:
    opened = (await keeper.do(SAVE, **HANGZHOU))["warehouse"]

    assert (opened["code"], opened["position"], opened["active"]) == ("HZ", 1, True)
    assert opened["latitude"] == pytest.approx(30.3, abs=0.2)
    assert opened["longitude"] == pytest.approx(120.0, abs=0.3)


async def test_a_warehouse_has_the_full_names_of_its_area_and_so_its_coordinates(keeper: Client) -> None:
    place = {"province": "上海", "city": "上海", "district": "徐汇"}

    opened = (await keeper.do(SAVE, **(HANGZHOU | place)))["warehouse"]

    assert (opened["province"], opened["city"]) == ("上海市", "上海市")
    assert (opened["latitude"], opened["longitude"]) == (31.188, 121.436)


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
        ({"latitude": 91.0, "longitude": 0.0}, "IMPOSSIBLE_COORDINATES", "latitude"),
        ({"latitude": 1.0}, "IMPOSSIBLE_COORDINATES", "latitude"),
        ({"latitude": 0.0, "longitude": 0.0}, "IMPOSSIBLE_COORDINATES", "latitude"),
        ({"latitude": 39.9, "longitude": 116.4}, "FAR_FROM_ADDRESS", "latitude"),
        ({"position": 0}, "INVALID", "position"),
        ({"id": global_id("Warehouse", 99)}, "NOT_FOUND", "id"),
        ({"id": global_id("Order", 1)}, "NOT_FOUND", "id"),
    ],
)
async def test_a_malformed_warehouse_is_refused_by_field(
    shop: Shop, keeper: Client, wrong: dict[str, Any], code: str, field: str
) -> None:
    await keeper.do(SAVE, **HANGZHOU)

    assert refusals(await keeper.do(SAVE, **(HANGZHOU | {"code": "NEW"} | wrong))) == [(code, field)]

    assert await codes(shop) == [("HZ", True)]


async def test_orders_take_nothing_from_a_closed_warehouse(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    await create_warehouse(session, code="OPEN", position=1)
    await create_warehouse(session, code="CLOSED", position=2, active=False)
    tea = await create_product(session, slug="tea", stock={"CLOSED": 9})
    cup = await create_product(session, slug="cup", stock={"OPEN": 1, "CLOSED": 9})
    variant = await variant_of(session, tea)
    cup_variant = await variant_of(session, cup)
    await session.commit()
    guest, customer = clients.guest(), await clients.customer()

    found = await guest.get(
        '{ product(slug: "tea") { availability { inStock } }'
        " products(filter: {inStock: true}) { nodes { slug } } }"
    )
    assert found["product"]["availability"]["inStock"] is False
    assert found["products"]["nodes"] == [{"slug": "cup"}]
    added = await guest.do(ADD, variantId=global_id("Variant", variant.id), quantity=1)
    assert [error["code"] for error in added["userErrors"]] == ["OUT_OF_STOCK"]
    assert customer.account
    address = await create_address(session, customer.account)
    await session.commit()
    placed = await customer.do(PLACE, **order_of(cup_variant.id, address.id, 2))
    assert [error["code"] for error in placed["userErrors"]] == ["OUT_OF_STOCK"]


GUANGZHOU = {"province": "广东省", "city": "广州市", "district": "天河区"}


async def test_a_product_page_says_which_warehouse_is_near(
    shop: Shop, session: AsyncSession, clients: Clients, keeper: Client
) -> None:
    await create_warehouse(session, code="HZ", position=1)
    await create_warehouse(session, code="SZ", province="广东省", city="深圳市", position=2, located=False)
    await create_product(session, slug="both", stock={"HZ": 7, "SZ": 3})
    await create_product(session, slug="north", stock={"HZ": 7, "SZ": 0})
    await create_product(session, slug="gone", stock={"HZ": 0})
    await create_product(session, slug="endless", stock={}, tracked=False)
    await session.commit()
    guest = clients.guest()

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


async def test_where_coordinates_are_not_known_the_same_province_is_near(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    await create_warehouse(session, code="HZ", position=1)
    await create_warehouse(session, code="B", province="Bavaria", city="Munich", position=2, located=False)
    await create_product(session, slug="tea", stock={"HZ": 7, "B": 3})
    await session.commit()

    data = await clients.guest().get(NEAR, slug="tea", address={"countryCode": "CN", "province": "Bavaria"})
    near = data["product"]["variants"][0]["availabilityNear"]
    assert (near["city"], near["distanceKm"]) == ("Munich", None)
    nowhere = await clients.guest().get(NEAR, slug="tea", address={"province": ""})
    assert nowhere["product"]["variants"][0]["availabilityNear"]["city"] == "杭州市"
    reply = await clients.guest().ask(NEAR, slug="tea", address={"province": "x" * 201})
    assert reply["errors"][0]["extensions"]["code"] == "INVALID"


async def test_the_nearest_warehouse_takes_as_many_statements_for_many_variants_as_for_one(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    one = await create_product(session, slug="one", stock={"MAIN": 1})
    many = await create_product(session, slug="many", stock={"MAIN": 1})
    for size in range(9):
        await create_variant(session, many, options={"Size": str(size)}, stock={"MAIN": 1, "SOUTH": size})
    await session.commit()
    spent = []
    for slug in ("one", "many"):
        with count_statements(shop) as counted:
            await clients.guest().get(NEAR, slug=slug, address=GUANGZHOU)
        spent.append(counted.total)

    assert one.slug == "one"
    assert spent == [3, 3]
