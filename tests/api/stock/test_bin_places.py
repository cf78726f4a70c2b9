"""Where variants lie in a warehouse, and pick lists in the order of the places."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import OrderStatus, Role
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.factories.packing import create_wave
from tests.given import codes, id_of, refusals

SET = """
mutation ($input: BinPlacesSetInput!) { binPlacesSet(input: $input) {
  stock { binPlace onHand variant { sku } } userErrors { code field } } }
"""
STOCK = "query ($id: ID!) { node(id: $id) { ... on Variant { stock { binPlace } } } }"
PICK_LIST = """
query ($id: ID!) { wave(id: $id) {
  pickList { binPlace variant { sku } } pickListDocument(format: HTML) { url } } }
"""
MAIN = global_id("Warehouse", 1)


def name_places(places: dict[int, str]) -> list[dict[str, Any]]:
    return [{"variantId": global_id("Variant", id), "place": place} for id, place in places.items()]


async def test_pick_lists_lead_from_place_to_place(
    shop: Shop, session: AsyncSession, clients: Clients, keeper: Client
) -> None:
    skus = ("TEN", "NONE", "TWO", "B")
    variants = [await variant_of(session, await create_product(session, sku=sku)) for sku in skus]
    lines = [(variant, 1) for variant in variants]
    order = await create_order(session, lines=lines, status=OrderStatus.CONFIRMED)
    wave = await create_wave(session, order)
    await session.commit()
    places = dict(zip([each.id for each in variants], (" a-10 ", "", "A-2", "B-1"), strict=True))

    saved = await keeper.do(SET, warehouseId=MAIN, places=name_places(places))

    assert [(each["variant"]["sku"], each["binPlace"], each["onHand"]) for each in saved["stock"]] == [
        ("TEN", "a-10", 10),
        ("NONE", "", 10),
        ("TWO", "A-2", 10),
        ("B", "B-1", 10),
    ]
    found = (await keeper.get(PICK_LIST, id=id_of(wave)))["wave"]
    assert [(each["variant"]["sku"], each["binPlace"]) for each in found["pickList"]] == [
        ("TWO", "A-2"),
        ("TEN", "a-10"),
        ("B", "B-1"),
        ("NONE", ""),
    ]
    path = "/documents/" + found["pickListDocument"]["url"].partition("/documents/")[2]
    page = (await clients.http.get(path)).text
    assert [page.index(place) for place in ("A-2", "a-10", "B-1")] == sorted(
        page.index(place) for place in ("A-2", "a-10", "B-1")
    )


async def test_places_are_set_all_or_none(shop: Shop, session: AsyncSession, keeper: Client) -> None:
    variant = await variant_of(session, await create_product(session))
    await session.commit()
    good = name_places({variant.id: "A-1"})

    refused = [
        await keeper.do(SET, warehouseId=MAIN, places=places)
        for places in (
            good + name_places({999: "B"}),
            good + good,
            name_places({variant.id: "x" * 51}),
            [],
            good * 501,
        )
    ]

    assert [refusals(each) for each in refused] == [
        [("NOT_FOUND", "places.1.variantId")],
        [("INVALID", "places.1.variantId")],
        [("INVALID", "places.0.place")],
        [("LIMIT_REACHED", "places")],
        [("LIMIT_REACHED", "places")],
    ]
    elsewhere = await keeper.do(SET, warehouseId=global_id("Warehouse", 99), places=good)
    assert refusals(elsewhere) == [("NOT_FOUND", "warehouseId")]
    stock = (await keeper.get(STOCK, id=id_of(variant)))["node"]["stock"]
    assert [each["binPlace"] for each in stock] == [""]


async def test_a_place_may_wait_for_its_first_units(
    shop: Shop, session: AsyncSession, keeper: Client
) -> None:
    await create_product(session, stock={"MAIN": 1})
    variant = await variant_of(session, await create_product(session, stock={"SOUTH": 1}))
    await session.commit()

    saved = await keeper.do(SET, warehouseId=MAIN, places=name_places({variant.id: "A-1"}))

    assert [(each["binPlace"], each["onHand"]) for each in saved["stock"]] == [("A-1", 0)]
    assert await keeper.get(STOCK, id=id_of(variant)) == {
        "node": {"stock": [{"binPlace": "A-1"}, {"binPlace": ""}]}
    }


async def test_only_those_who_keep_the_stock_set_places(
    shop: Shop, session: AsyncSession, clients: Clients
) -> None:
    variant = await variant_of(session, await create_product(session))
    await session.commit()
    places = name_places({variant.id: "A-1"})

    answers = [
        await client.do(SET, warehouseId=MAIN, places=places)
        for client in (await clients.customer(), await clients.staff(Role.COURIER))
    ]

    assert [codes(answer) for answer in answers] == [["FORBIDDEN"], ["FORBIDDEN"]]
