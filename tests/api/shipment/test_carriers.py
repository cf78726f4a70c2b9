"""Carriers are called when parcels are dispatched, and never inside a transaction."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.carrier.protocol import BookedWaybill
from models import Carrier, OrderStatus, PaymentMethod, Role, Shipment
from tests.api.shipment.documents import DISPATCH, Tick
from tests.clients import Clients
from tests.factories.carrier import ScriptedCarrier, WatchfulCarrier, connect_carrier
from tests.factories.order import create_order
from tests.factories.shipment import confirmed_order, pack, send
from tests.given import id_of
from tests.observe import run_until_idle


async def test_a_clerk_may_enter_an_existing_waybill(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    first, second = await pack(session, await confirmed_order(session), 1, 1)
    await session.commit()

    used = await clerk.do(DISPATCH, id=id_of(first), carrier="SIMULATED", trackingNumber=" W1 ")
    again = await clerk.do(DISPATCH, id=id_of(second), carrier="SIMULATED", trackingNumber="W1")
    blank = await clerk.do(DISPATCH, id=id_of(second), carrier="SIMULATED", trackingNumber=" ")
    own = await clerk.do(DISPATCH, id=id_of(second), carrier="OWN")

    assert (used["shipment"]["trackingNumber"], used["userErrors"]) == ("W1", [])
    assert [error["code"] for error in again["userErrors"]] == ["TAKEN"]
    assert [error["field"] for error in blank["userErrors"]] == [["trackingNumber"]]
    assert own["shipment"]["trackingNumber"] == second.number


async def test_a_carrier_that_does_not_answer_changes_no_parcel(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    first, second = await pack(session, await confirmed_order(session), 1, 1)
    await send(session, second, poll_at=shop.clock())
    await session.commit()
    connect_carrier(shop, ScriptedCarrier())

    refused = await clerk.do(DISPATCH, id=id_of(first), carrier="SIMULATED")
    await run_until_idle(shop)

    assert [error["code"] for error in refused["userErrors"]] == ["PROVIDER_UNAVAILABLE"]
    assert (await session.get_one(Shipment, first.id)).dispatched_at is None
    polled = await session.get_one(Shipment, second.id)
    await session.commit()
    assert polled.poll_at == shop.clock() + shop.settings.carriers.poll_interval


async def test_a_carrier_is_called_while_nothing_is_locked(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, carrier = await clients.staff(Role.WAREHOUSE), WatchfulCarrier(shop.database)
    [shipment] = await pack(session, await confirmed_order(session))
    await session.commit()
    connect_carrier(shop, carrier)

    sent = await clerk.do(DISPATCH, id=id_of(shipment), carrier="SIMULATED")
    again = await clerk.do(DISPATCH, id=id_of(shipment), carrier="SIMULATED")

    assert sent["shipment"]["trackingNumber"] == f"W-{shipment.number}"
    assert [error["code"] for error in again["userErrors"]] == ["WRONG_STATE"]
    [booking] = carrier.bookings
    [parcel] = booking.parcels
    assert (booking.reference, parcel.number, parcel.weight_grams) == (
        shipment.number,
        shipment.number,
        1_500,
    )
    assert (parcel.receiver.city, parcel.receiver.latitude) == ("杭州市", 30.259)


async def test_what_is_paid_at_the_door_goes_only_by_carriers_that_collect_cash(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    order = await create_order(
        session, payments={PaymentMethod.CASH_ON_DELIVERY: None}, status=OrderStatus.CONFIRMED
    )
    [shipment] = await pack(session, order)
    await session.commit()
    document = (
        "mutation ($input: ShipmentBookInput!) { shipmentBook(input: $input) { userErrors { field } } }"
    )

    refused = await clerk.do(document, id=id_of(shipment))
    async with shop.database.writes.begin() as write:
        await write.execute(update(Carrier).where(Carrier.code == "SIMULATED").values(takes_cash=True))
    carrier = ScriptedCarrier([BookedWaybill("N1")])
    connect_carrier(shop, carrier)
    taken = await clerk.do(document, id=id_of(shipment))

    assert [error["field"] for error in refused["userErrors"]] == [["carrier"]]
    assert taken["userErrors"] == []
    [booking] = carrier.bookings
    assert booking.cash == order.total
