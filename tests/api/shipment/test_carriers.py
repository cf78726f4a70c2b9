"""Carriers are called when parcels are dispatched, and never inside a transaction."""

from collections.abc import MutableMapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.carrier import Carrier, CarrierError, CarrierEvent, Parcel, Waybill
from models import CarrierCode, Role, Shipment
from tests.api.shipment.documents import DISPATCH, Tick
from tests.clients import Clients
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


class SilentCarrier:
    """A carrier that never answers."""

    code = CarrierCode.SIMULATED

    async def book(self, parcel: Parcel, *, now: datetime) -> Waybill:
        raise CarrierError("no answer")

    async def track(
        self, parcel: Parcel, *, tracking_number: str, dispatched_at: datetime, now: datetime
    ) -> Sequence[CarrierEvent]:
        raise CarrierError("no answer")


class WatchfulCarrier(SilentCarrier):
    """A carrier that fails when the shop holds a lock during the call."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.parcels: list[Parcel] = []

    async def book(self, parcel: Parcel, *, now: datetime) -> Waybill:
        async with self.shop.database.writes.begin() as session:
            await session.execute(select(Shipment).with_for_update(nowait=True))
        self.parcels.append(parcel)
        return Waybill(f"W-{parcel.number}", None)


def connect(shop: Shop, carrier: Carrier) -> None:
    cast(MutableMapping[CarrierCode, Carrier], shop.carriers)[CarrierCode.SIMULATED] = carrier


async def test_a_carrier_that_does_not_answer_changes_no_parcel(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    first, second = await pack(session, await confirmed_order(session), 1, 1)
    await send(session, second, poll_at=shop.clock())
    await session.commit()
    connect(shop, SilentCarrier())

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
    clerk, carrier = await clients.staff(Role.WAREHOUSE), WatchfulCarrier(shop)
    [shipment] = await pack(session, await confirmed_order(session))
    await session.commit()
    connect(shop, carrier)

    sent = await clerk.do(DISPATCH, id=id_of(shipment), carrier="SIMULATED")
    again = await clerk.do(DISPATCH, id=id_of(shipment), carrier="SIMULATED")

    assert sent["shipment"]["trackingNumber"] == f"W-{shipment.number}"
    assert [error["code"] for error in again["userErrors"]] == ["WRONG_STATE"]
    [parcel] = carrier.parcels
    assert (parcel.number, parcel.weight_grams) == (shipment.number, 1_500)
    assert (parcel.receiver.city, parcel.receiver.latitude) == ("杭州市", 30.259)
