"""Waves, scanning and proposals over the API."""

from typing import Any

from sqlalchemy import select

from events.shop import Shop
from models import Order, OrderLine, OrderStatus, Role, Variant, Warehouse
from tests.clients import Client, Clients
from tests.factories.order import create_order
from tests.factories.packing import create_box_type
from tests.factories.shipment import confirmed_order, delivery_of
from tests.given import codes, id_of, refusals

EAN = "6901234567892"

OPEN_WAVE = """
mutation ($input: WaveOpenInput!) {
  waveOpen(input: $input) {
    wave { id number status warehouse { code } parts { status reason order { number } }
      pickList { quantity orderLine { title } parts { quantity packed order { number } } } }
    userErrors { code field message }
  }
}
"""
CANCEL_WAVE = """
mutation ($input: WaveCancelInput!) {
  waveCancel(input: $input) { wave { status parts { status } } userErrors { code } }
}
"""
WAVES = "{ waves { totalCount nodes { status pickList { quantity parts { packed } } } } }"
OPEN = """
mutation ($input: ParcelOpenInput!) {
  parcelOpen(input: $input) { openParcel { id status } userErrors { code field } }
}
"""
SCAN = """
mutation ($input: ParcelScanInput!) {
  parcelScan(input: $input) { openParcel { lines { quantity } } userErrors { code field message } }
}
"""
CANCEL = """
mutation ($input: ParcelCancelInput!) {
  parcelCancel(input: $input) { openParcel { status } userErrors { code } }
}
"""
PACK = """
mutation ($input: ShipmentPackInput!) {
  shipmentPack(input: $input) {
    shipments { id number weightGrams size { lengthMm } lines { quantity } } userErrors { code field }
  }
}
"""
UNPACK = """
mutation ($input: ShipmentUnpackInput!) {
  shipmentUnpack(input: $input) { delivery { id } userErrors { code } }
}
"""
PACKING = """
query ($id: ID!) {
  deliveryPacking(deliveryId: $id) {
    delivery { id }
    openParcels { status lines { quantity } shipment { number } }
    unpackedParcels { number waybills { status } }
    proposal {
      parcels { weightGrams boxType { name } warehouse { code } lines { quantity } positions { xMm } }
      left { quantity reason }
    }
  }
}
"""
SAVE_BOX = """
mutation ($input: BoxTypeSaveInput!) {
  boxTypeSave(input: $input) { boxType { id version name } userErrors { code field } }
}
"""


async def place(shop: Shop, *, size: tuple[int, int, int] | None = None) -> tuple[Order, str, str]:
    """A paid order of three units with a barcode; it, its delivery and its warehouse."""
    async with shop.database.writes.begin() as session:
        order = await confirmed_order(session, now=shop.clock())
        delivery = await delivery_of(session, order)
        line = (await session.scalars(select(OrderLine).where(OrderLine.order_id == order.id))).one()
        variant = await session.get_one(Variant, line.variant_id)
        variant.barcode = EAN
        if size:
            variant.length_mm, variant.width_mm, variant.height_mm = size
        warehouse = (await session.scalars(select(Warehouse).where(Warehouse.code == "MAIN"))).one()
    return order, id_of(delivery), id_of(warehouse)


async def scan(clerk: Client, parcel: str, key: str, **terms: Any) -> dict[str, Any]:
    return await clerk.do(SCAN, id=parcel, barcode=EAN, idempotencyKey=key, **terms)


async def test_a_wave_is_opened_picked_and_completed(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    (first, delivery, warehouse), (second, other, _) = await place(shop), await place(shop)

    opened = await clerk.do(OPEN_WAVE, warehouseId=warehouse)

    wave = opened["wave"]
    assert (wave["status"], wave["warehouse"]) == ("OPEN", {"code": "MAIN"})
    assert [part["order"]["number"] for part in wave["parts"]] == [first.number, second.number]
    assert [line["quantity"] for line in wave["pickList"]] == [3, 3]
    assert wave["pickList"][0]["orderLine"] == {"title": "Oolong tea"}
    again = await clerk.do(OPEN_WAVE, warehouseId=warehouse)
    assert refusals(again) == [("CONFLICT", "warehouseId")]
    for each in (delivery, other):
        parcel = (await clerk.do(OPEN, deliveryId=each))["openParcel"]["id"]
        assert codes(await scan(clerk, parcel, f"{each}-3", quantity=3)) == []
        packed = await clerk.do(PACK, deliveryId=each, parcels=[{"openParcelId": parcel}])
        assert [line["quantity"] for line in packed["shipments"][0]["lines"]] == [3]
    nodes = (await clerk.get(WAVES))["waves"]["nodes"]
    assert [node["status"] for node in nodes] == ["COMPLETED"]
    assert [line["parts"][0]["packed"] for line in nodes[0]["pickList"]] == [True, True]
    assert codes(await clerk.do(CANCEL_WAVE, id=wave["id"])) == ["WRONG_STATE"]


async def test_a_scan_that_is_sent_again_counts_once(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    _, delivery, _ = await place(shop)
    parcel = (await clerk.do(OPEN, deliveryId=delivery))["openParcel"]["id"]

    answers = [await scan(clerk, parcel, "one") for _ in range(3)]

    assert [each["openParcel"]["lines"][0]["quantity"] for each in answers] == [1, 1, 1]
    assert codes(await scan(clerk, parcel, "one", quantity=2)) == ["KEY_REUSED"]
    assert refusals(await scan(clerk, parcel, "four", quantity=3)) == [("CONFLICT", "barcode")]
    assert (await scan(clerk, parcel, "four", quantity=2))["openParcel"]["lines"][0]["quantity"] == 3
    found = (await clerk.get(PACKING, id=delivery))["deliveryPacking"]
    assert found["openParcels"] == [{"status": "OPEN", "lines": [{"quantity": 3}], "shipment": None}]
    assert (await clerk.do(CANCEL, id=parcel))["openParcel"] == {"status": "CANCELLED"}


async def test_what_is_unpacked_twice_is_unpacked_once(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    _, delivery, _ = await place(shop)
    parcel = (await clerk.do(OPEN, deliveryId=delivery))["openParcel"]["id"]
    await scan(clerk, parcel, "all", quantity=3)
    [shipment] = (await clerk.do(PACK, deliveryId=delivery, parcels=[{"openParcelId": parcel}]))["shipments"]

    answers = [await clerk.do(UNPACK, id=shipment["id"]) for _ in range(2)]

    assert answers == [{"delivery": {"id": delivery}, "userErrors": []}] * 2
    found = (await clerk.get(PACKING, id=delivery))["deliveryPacking"]
    assert found["unpackedParcels"] == [{"number": shipment["number"], "waybills": []}]


async def test_parcels_are_proposed_by_dimensions_and_weight(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    async with shop.database.writes.begin() as session:
        await create_box_type(session, name="Small", max_weight_grams=1_200)
    _, delivery, _ = await place(shop, size=(150, 100, 100))

    found = (await clerk.get(PACKING, id=delivery))["deliveryPacking"]

    assert found["proposal"]["left"] == []
    parcels = found["proposal"]["parcels"]
    assert [(each["weightGrams"], each["lines"]) for each in parcels] == [
        (1_100, [{"quantity": 2}]),
        (600, [{"quantity": 1}]),
    ]
    assert {(each["boxType"]["name"], each["warehouse"]["code"]) for each in parcels} == {("Small", "MAIN")}
    assert len(parcels[0]["positions"]) == 2


async def test_units_without_dimensions_are_named(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    _, delivery, _ = await place(shop)

    proposal = (await clerk.get(PACKING, id=delivery))["deliveryPacking"]["proposal"]

    assert proposal == {"parcels": [], "left": [{"quantity": 3, "reason": "NOT_MEASURED"}]}
    assert await clerk.get(PACKING, id="x") == {"deliveryPacking": None}


async def test_box_types_are_saved_with_the_version_that_was_read(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    terms = {"name": " Box ", "lengthMm": 300, "widthMm": 200, "heightMm": 100}
    weights = {"maxWeightGrams": 5_000, "ownWeightGrams": 120}

    saved = (await clerk.do(SAVE_BOX, **terms, **weights))["boxType"]

    assert (saved["name"], saved["version"]) == ("Box", 1)
    wrong = await clerk.do(SAVE_BOX, **terms | {"lengthMm": 0}, maxWeightGrams=5, ownWeightGrams=5)
    assert refusals(wrong) == [("INVALID", "lengthMm"), ("INVALID", "maxWeightGrams")]
    changed = await clerk.do(SAVE_BOX, **terms, **weights, id=saved["id"], version=1)
    assert changed["boxType"]["version"] == 2
    assert codes(await clerk.do(SAVE_BOX, **terms, **weights, id=saved["id"], version=1)) == ["CONFLICT"]


async def test_customers_see_nothing_of_packing(clients: Clients, shop: Shop) -> None:
    customer = await clients.customer()
    async with shop.database.writes.begin() as session:
        order = await create_order(session, account=customer.account, status=OrderStatus.CONFIRMED)
        delivery = id_of(await delivery_of(session, order))

    answer = await customer.ask(PACKING, id=delivery)

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert codes(await customer.do(OPEN, deliveryId=delivery)) == ["FORBIDDEN"]
