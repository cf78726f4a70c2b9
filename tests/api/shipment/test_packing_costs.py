"""What reading about packing costs, and what becomes of a wave whose orders change."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.shipment import unpack_shipment
from domain.shipment.open_parcels import Scan, cancel_open_parcel, scan_into_parcel
from events.shop import Shop
from models import Order, OrderLine, OrderStatus, Role
from tests.api.order.edit_documents import edit, lines_of, owner_of
from tests.clients import Clients
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import create_order
from tests.factories.packing import create_box_type, create_open_parcel, create_wave
from tests.factories.shipment import confirmed_order, delivery_of, pack
from tests.given import codes, id_of
from tests.observe import count_statements, run_until_idle

WAVES = """
query { waves { totalCount nodes {
  number status warehouse { code }
  parts { status delivery { id } order { number } }
  pickList { binPlace quantity variant { sku } orderLine { title }
    parts { quantity packed delivery { id } order { number } } }
  pickListDocument { url expiresAt } } } }
"""
PACKING = """
query ($id: ID!) {
  deliveryPacking(deliveryId: $id) {
    delivery { id }
    openParcels {
      status warehouse { code } lines { quantity variant { sku } orderLine { title } } shipment { number } }
    unpackedParcels { number waybills { status carrier } }
    proposal {
      parcels { boxType { name } warehouse { code } lines { quantity deliveryLine { id } }
        positions { xMm deliveryLine { id } } }
      left { quantity reason deliveryLine { id } }
    }
  }
}
"""
SHIPMENTS = """
query { shipments(first: 50) { nodes {
  number label { url carrierFormat } packingSlip { url } waybills { status number } } } }
"""
PICKED = """
query ($id: ID!) { wave(id: $id) { status parts { status reason } pickList { quantity } } }
"""
CANCEL_ORDER = "mutation ($input: OrderCancelInput!) { orderCancel(input: $input) { userErrors { code } } }"


async def test_a_page_of_waves_costs_the_same_however_much_is_picked(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)

    async def cost(orders: int) -> int:
        placed = [await confirmed_order(session) for _ in range(orders)]
        await create_wave(session, placed[0])
        await session.commit()
        with count_statements(shop) as counted:
            await clerk.get(WAVES)
        return counted.total

    assert [await cost(1), await cost(4)] == [10, 10]


async def test_what_is_seen_of_a_delivery_costs_the_same_however_much_lies_in_it(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    await create_box_type(session)

    async def cost(lines: int, parcels: int) -> int:
        order = await order_of_measured_lines(session, lines)
        for _ in range(parcels):
            opened = await create_open_parcel(session, order)
            sku = await session.scalar(select(OrderLine.sku).where(OrderLine.order_id == order.id).limit(1))
            await scan_into_parcel(session, opened.id, Scan(sku or ""), cause=Cause(shop.clock()))
            await cancel_open_parcel(session, opened.id, cause=Cause(shop.clock()))
            [shipment] = await pack(session, order)
            await unpack_shipment(session, shipment.id, cause=Cause(shop.clock()))
        await session.commit()
        with count_statements(shop) as counted:
            found = await clerk.get(PACKING, id=id_of(await delivery_of(session, order)))
        assert len(found["deliveryPacking"]["openParcels"]) == parcels
        assert len(found["deliveryPacking"]["unpackedParcels"]) == parcels
        return counted.total

    assert [await cost(1, 1), await cost(3, 3)] == [14, 14]


async def test_addresses_of_labels_cost_the_same_however_many_parcels_there_are(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)

    async def cost(parcels: int) -> int:
        for _ in range(parcels):
            await pack(session, await confirmed_order(session))
        await session.commit()
        with count_statements(shop) as counted:
            await clerk.get(SHIPMENTS)
        return counted.total

    assert [await cost(1), await cost(4)] == [2, 2]


async def test_orders_that_are_edited_or_cancelled_drop_out_of_the_wave_that_picks_them(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    variant = await variant_of(session, await create_product(session))
    await session.commit()
    customer, edited = await owner_of(clients, shop, [(variant, 3)])
    other, cancelled = await owner_of(clients, shop, [(variant, 2)])
    wave = await create_wave(session, edited)
    await session.commit()
    picking = {"status": "PICKING", "reason": None}
    assert (await clerk.get(PICKED, id=id_of(wave)))["wave"] == {
        "status": "OPEN",
        "parts": [picking] * 2,
        "pickList": [{"quantity": 5}],
    }

    [line] = await lines_of(shop, edited)
    changed = await edit(customer, edited, lines=[{"orderLineId": id_of(line), "quantity": 1}])
    gone = await other.do(CANCEL_ORDER, id=id_of(cancelled), reason="Changed my mind.")
    await run_until_idle(shop)

    assert codes(changed) == codes(gone) == []
    assert (await clerk.get(PICKED, id=id_of(wave)))["wave"] == {
        "status": "COMPLETED",
        "parts": [
            {"status": "DROPPED", "reason": "ORDER_CHANGED"},
            {"status": "DROPPED", "reason": "ORDER_CANCELLED"},
        ],
        "pickList": [],
    }
    async with shop.database.writes.begin() as session:
        again = await create_wave(session, edited)
    assert (await clerk.get(PICKED, id=id_of(again)))["wave"] == {
        "status": "OPEN",
        "parts": [picking],
        "pickList": [{"quantity": 1}],
    }


async def order_of_measured_lines(session: AsyncSession, count: int) -> Order:
    """A paid order of two units of each of so many things of which the size is known."""
    variants = [await variant_of(session, await create_product(session)) for _ in range(count)]
    for variant in variants:
        variant.length_mm, variant.width_mm, variant.height_mm = 100, 80, 50
    lines = [(variant, 2) for variant in variants]
    return await create_order(session, lines=lines, status=OrderStatus.CONFIRMED)
