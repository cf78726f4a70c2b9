"""Packing, dispatching and tracking parcels over the API."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from gateways.secrets import Secrets
from models import Order, Role, Shipment
from tests.api.shipment.documents import DISPATCH, TO_PACK, TRACK, Tick, ship_parcel
from tests.clients import Clients
from tests.factories.shipment import confirmed_order, delivery_of, line_of, pack
from tests.factories.stock import create_warehouse
from tests.given import id_of
from tests.observe import run_until_idle

PACK = """
mutation ($input: ShipmentPackInput!) {
  shipmentPack(input: $input) {
    shipments { id number status weightGrams size { lengthMm } lines { quantity orderLine { title } } }
    userErrors { code message field }
  }
}
"""
UNPACK = """
mutation ($input: ShipmentUnpackInput!) {
  shipmentUnpack(input: $input) { delivery { lines { packed } } userErrors { code } }
}
"""

EVENT_ADD = """
mutation ($input: ShipmentEventAddInput!) {
  shipmentEventAdd(input: $input) {
    shipment { status events { description location } } userErrors { code field }
  }
}
"""


async def place_order(shop: Shop, **given: Any) -> tuple[Order, str, str]:
    """A paid order of three units, and the ids of its delivery and of its line."""
    async with shop.database.writes.begin() as session:
        await create_warehouse(session, code="MAIN")
        order = await confirmed_order(session, now=shop.clock(), **given)
        delivery, line = await delivery_of(session, order), await line_of(session, order)
    return order, id_of(delivery), id_of(line)


@dataclass(frozen=True, slots=True)
class ScriptedNumbers(Secrets):
    """Draws given numbers."""

    numbers: list[str] = field(default_factory=list)

    def new_number(self, prefix: str, now: datetime) -> str:
        return self.numbers.pop(0)


async def test_a_parcel_draws_again_a_number_that_is_taken(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    _, delivery, line = await place_order(shop)
    shop.secrets = ScriptedNumbers(numbers=["S1", "S1", "S2"])
    one = {"lines": [{"deliveryLineId": line, "quantity": 1}]}

    packed = [await clerk.do(PACK, deliveryId=delivery, parcels=[one]) for _ in range(2)]

    assert [each["shipments"][0]["number"] for each in packed] == ["S1", "S2"]


async def test_a_parcel_is_packed_dispatched_and_delivered(clients: Clients, shop: Shop, tick: Tick) -> None:
    customer, clerk = await clients.customer(), await clients.staff(Role.WAREHOUSE)
    order, delivery, line = await place_order(shop, account=customer.account)

    waiting = (await clerk.get(TO_PACK))["deliveriesToPack"]
    assert waiting["totalCount"] == 1
    assert waiting["nodes"] == [
        {
            "id": delivery,
            "address": {"city": "杭州市"},
            "order": {"number": order.number},
            "lines": [{"id": line, "quantity": 3, "packed": 0, "orderLine": {"title": "Oolong tea"}}],
        }
    ]
    size = {"lengthMm": 300, "widthMm": 200, "heightMm": 100}
    two = {"lines": [{"deliveryLineId": line, "quantity": 2}], "weightGrams": 1_100, "size": size}
    one = {"lines": [{"deliveryLineId": line, "quantity": 1}]}
    packed = await clerk.do(PACK, deliveryId=delivery, parcels=[two, one])
    assert packed["userErrors"] == []
    assert [parcel["weightGrams"] for parcel in packed["shipments"]] == [1_100, 500]
    assert [parcel["size"] for parcel in packed["shipments"]] == [{"lengthMm": 300}, None]
    assert (await clerk.get(TO_PACK))["deliveriesToPack"]["totalCount"] == 0

    numbers = [parcel["id"] for parcel in packed["shipments"]]
    sent = [await clerk.do(DISPATCH, id=number, carrier="SIMULATED") for number in numbers]
    assert [answer["userErrors"] for answer in sent] == [[], []]
    assert all(answer["shipment"]["trackingNumber"].startswith("SIM") for answer in sent)
    reached = [answer["shipment"]["order"]["fulfilmentStatus"] for answer in sent]
    assert reached == ["PARTIALLY_SHIPPED", "SHIPPED"]
    tick(timedelta(seconds=20))
    await run_until_idle(shop)
    tracked = (await customer.get(TRACK, number=packed["shipments"][0]["number"]))["shipment"]
    assert (tracked["status"], tracked["delivery"]["address"]["city"]) == ("PICKED_UP", "杭州市")
    assert tracked["lines"] == [{"quantity": 2, "orderLine": {"title": "Oolong tea"}}]
    at = tracked["events"][0]["occurredAt"]
    assert tracked["position"] == {"latitude": 30.29, "longitude": 120.0, "at": at}

    tick(timedelta(minutes=5))
    await run_until_idle(shop)
    tracked = (await customer.get(TRACK, id=packed["shipments"][1]["id"]))["shipment"]
    assert [event["status"] for event in tracked["events"]][-2:] == ["OUT_FOR_DELIVERY", "DELIVERED"]
    assert tracked["deliveredAt"] == tracked["events"][-1]["occurredAt"] == tracked["estimatedAt"]
    assert tracked["order"]["fulfilmentStatus"] == "DELIVERED"
    assert tracked["order"]["receiptDueAt"] is not None
    async with shop.database.reads() as session:
        polled = await session.get_one(Shipment, 1)
    assert polled.poll_at is None


async def test_more_than_is_left_is_refused_by_the_name_of_its_line(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    _, delivery, line = await place_order(shop)

    refused = await clerk.do(
        PACK, deliveryId=delivery, parcels=[{"lines": [{"deliveryLineId": line, "quantity": 4}]}]
    )

    assert refused == {
        "shipments": None,
        "userErrors": [
            {
                "code": "CONFLICT",
                "message": "Only 3 of Oolong tea left to pack.",
                "field": ["parcels", "0", "lines", "0", "quantity"],
            }
        ],
    }
    assert (await clerk.get(TO_PACK))["deliveriesToPack"]["totalCount"] == 1


async def test_a_parcel_packed_by_mistake_is_unpacked(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    [shipment] = await pack(session, await confirmed_order(session))
    await session.commit()

    answer = await clerk.do(UNPACK, id=id_of(shipment))

    assert answer == {"delivery": {"lines": [{"packed": 0}]}, "userErrors": []}
    assert (await clerk.get(TRACK, id=id_of(shipment)))["shipment"] is None


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.GUEST, Role.WAREHOUSE, Role.MANAGER, Role.ADMIN}))
async def test_only_clerks_pack_and_dispatch(clients: Clients, shop: Shop, role: Role) -> None:
    _, delivery, line = await place_order(shop)
    other = await clients.staff(role)

    refused = await other.do(
        PACK, deliveryId=delivery, parcels=[{"lines": [{"deliveryLineId": line, "quantity": 1}]}]
    )

    assert [error["code"] for error in refused["userErrors"]] == ["FORBIDDEN"]


async def test_a_proof_of_delivery_is_added_by_hand(clients: Clients, shop: Shop, tick: Tick) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    shipment = await ship_parcel(shop)
    fact = {
        "id": id_of(shipment),
        "status": "DELIVERED",
        "description": "Signed by Mr Zhao",
        "location": "Gate 3",
    }

    foreign = await courier.do(EVENT_ADD, **fact)
    added = await clerk.do(EVENT_ADD, **fact)
    again = await clerk.do(EVENT_ADD, **fact)
    future = await clerk.do(EVENT_ADD, **fact, occurredAt="2030-01-01T00:00:00Z")

    assert [error["code"] for error in foreign["userErrors"]] == ["NOT_FOUND"]
    assert added["shipment"] == {
        "status": "DELIVERED",
        "events": [{"description": "Signed by Mr Zhao", "location": "Gate 3"}],
    }
    assert again == added
    assert future["userErrors"] == [{"code": "INVALID", "field": ["occurredAt"]}]
