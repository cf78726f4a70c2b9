"""Several parcels on one waybill, from booking to the door: each is known by its own number."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from events.jobs.carrier_queues import scheduler_of
from events.shipment.folding import PushFolder
from events.shop import Shop
from gateways.carrier.protocol import CarrierEvent, TrackedParcel
from models import CarrierCode, CarrierConnection, Role, Shipment, UnhandledReport
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.carrier import connect_carrier, create_carrier
from tests.factories.shipment import confirmed_order, pack
from tests.gateways.carrier.toy import WORD, ToyCarrier
from tests.given import id_of
from tests.observe import run_until_idle

TOY = CarrierCode("TOY")
BOOK = "mutation ($input: ShipmentBookInput!) { shipmentBook(input: $input) { userErrors { code message } } }"
DISPATCH = """mutation ($input: ShipmentDispatchInput!) { shipmentDispatch(input: $input) {
  shipment { trackingNumber } userErrors { code message } } }"""
ORDER = "query ($id: ID!) { order(id: $id) { displayStatus shipments { trackingNumber status } } }"


@dataclass
class AskedToy(ToyCarrier):
    """A toy carrier that notes about which numbers it is asked."""

    connection: CarrierConnection = CarrierConnection.KUAIDI100
    asked: list[str] = field(default_factory=list)

    async def track(self, tracked: TrackedParcel) -> list[CarrierEvent]:
        self.asked.append(tracked.tracking_number)
        return []


async def send_three(clerk: Client, shop: Shop, session: AsyncSession) -> tuple[Any, list[str]]:
    """An order of three parcels that left on one waybill, and their numbers."""
    order = await confirmed_order(session, now=shop.clock())
    parcels = await pack(session, order, 1, 1, 1, now=shop.clock())
    await session.commit()
    first, *rest = [id_of(each) for each in parcels]
    booked = await clerk.do(BOOK, id=first, carrier=TOY, together=rest)
    assert booked["userErrors"] == []
    sent = [await clerk.do(DISPATCH, id=id_of(each), carrier=TOY) for each in parcels]
    return order, [each["shipment"]["trackingNumber"] for each in sent]


async def push(clients: Clients, number: str, code: str, clock: Clock) -> int:
    content = {"word": WORD, "number": number, "code": code, "at": clock().isoformat()}
    answer = await clients.http.post("/webhooks/carriers/kuaidi100", content=json.dumps(content))
    while await PushFolder(clients.shop, asyncio.Event()).run_once():
        pass
    await run_until_idle(clients.shop)
    clock.tick(timedelta(minutes=1))
    return answer.status_code


async def test_each_parcel_on_a_waybill_is_booked_asked_about_and_pushed_by_its_own_number(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    toy = AskedToy()
    connect_carrier(shop, toy)
    await create_carrier(session, TOY, CarrierConnection.KUAIDI100, company_code="toy")
    await session.commit()
    clerk = await clients.staff(Role.WAREHOUSE)
    order, numbers = await send_three(clerk, shop, session)
    assert numbers == ["TOY1", "TOY1-2", "TOY1-3"]

    async def statuses() -> tuple[str, dict[str, str]]:
        shown = (await clerk.get(ORDER, id=id_of(order)))["order"]
        return shown["displayStatus"], {each["trackingNumber"]: each["status"] for each in shown["shipments"]}

    await session.execute(update(Shipment).values(poll_at=shop.clock()))
    await session.commit()
    await scheduler_of(shop, TOY).run_once()
    assert sorted(toy.asked) == numbers

    assert await push(clients, "TOY1-2", "there", clock) == 200
    assert await statuses() == (
        "ON_THE_WAY",
        {"TOY1": "PENDING", "TOY1-2": "DELIVERED", "TOY1-3": "PENDING"},
    )
    # the mother number is that of the first parcel: what is pushed for it says nothing of the others
    assert await push(clients, "TOY1", "there", clock) == 200
    assert (await statuses())[1] == {"TOY1": "DELIVERED", "TOY1-2": "DELIVERED", "TOY1-3": "PENDING"}
    assert await push(clients, "TOY1-4", "there", clock) == 200
    unknown = (await session.scalars(select(UnhandledReport.tracking_number))).all()
    await session.commit()
    assert unknown == ["TOY1-4"]
    assert await push(clients, "TOY1-3", "there", clock) == 200
    assert await statuses() == ("DELIVERED", dict.fromkeys(numbers, "DELIVERED"))
