"""Parcels as clerks and customers handle them, through the front door."""

from collections.abc import Callable, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select

from events.shop import Shop
from gateways.carrier import Carrier, CarrierError, CarrierEvent, Parcel, Waybill
from models import CarrierCode, Order, Role, Shipment, ShipmentStatus
from resolvers.ids import global_id
from tests.factories.order import create_order
from tests.factories.shipment import (
    confirmed_order,
    create_run,
    create_shipment,
    delivery_of,
    line_of,
    pack,
    said,
    send,
    track,
)
from tests.factories.stock import create_warehouse
from tests.front import Client, Front
from tests.observe import settle, statements

Tick = Callable[[timedelta], None]

TO_PACK = """
query ($warehouse: ID) {
  deliveriesToPack(warehouseId: $warehouse) {
    totalCount nodes { id address { city } order { number } lines { id quantity packed orderLine { title } } }
  }
}
"""
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
DISPATCH = """
mutation ($input: ShipmentDispatchInput!) {
  shipmentDispatch(input: $input) {
    shipment { status carrier trackingNumber estimatedAt order { fulfilmentStatus } }
    userErrors { code message field }
  }
}
"""
EVENT_ADD = """
mutation ($input: ShipmentEventAddInput!) {
  shipmentEventAdd(input: $input) {
    shipment { status events { description location } } userErrors { code field }
  }
}
"""
TRACK = """
query ($id: ID, $number: String) {
  shipment(id: $id, number: $number) {
    number status deliveredAt estimatedAt stopsAhead
    position { latitude longitude at }
    lines { quantity orderLine { title } }
    events { status description location occurredAt position { latitude } }
    delivery { address { city } }
    order { number fulfilmentStatus receiptDueAt }
  }
}
"""
LIST = """
query ($filter: ShipmentFilter, $first: Int! = 20, $after: String) {
  shipments(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes {
      number status estimatedAt stopsAhead position { latitude }
      lines { quantity orderLine { title } } events { status } warehouse { code }
      delivery { address { city } } order { number }
    }
  }
}
"""
WATCH = """
subscription ($id: ID!, $after: Int) {
  shipmentUpdates(id: $id, after: $after) { version name status shipment { status } }
}
"""


def id_of(row: Any) -> str:
    return global_id(type(row).__name__, row.id)


async def ordered(shop: Shop, **given: Any) -> tuple[Order, str, str]:
    """A paid order of three units, and the ids of its delivery and of its line."""
    async with shop.database.writes.begin() as session:
        await create_warehouse(session, code="MAIN")
        order = await confirmed_order(session, now=shop.clock(), **given)
        delivery, line = await delivery_of(session, order), await line_of(session, order)
    return order, id_of(delivery), id_of(line)


async def on_the_way(shop: Shop, **given: Any) -> Shipment:
    async with shop.database.writes.begin() as session:
        return await create_shipment(session, **given)


async def test_a_parcel_goes_from_the_packing_table_to_the_door(front: Front, shop: Shop, tick: Tick) -> None:
    customer, clerk = await front.customer(), await front.staff(Role.WAREHOUSE)
    order, delivery, line = await ordered(shop, account=customer.account)

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
    await settle(shop)
    tracked = (await customer.get(TRACK, number=packed["shipments"][0]["number"]))["shipment"]
    assert (tracked["status"], tracked["delivery"]["address"]["city"]) == ("PICKED_UP", "杭州市")
    assert tracked["lines"] == [{"quantity": 2, "orderLine": {"title": "Oolong tea"}}]
    at = tracked["events"][0]["occurredAt"]
    assert tracked["position"] == {"latitude": 30.29, "longitude": 120.0, "at": at}

    tick(timedelta(minutes=5))
    await settle(shop)
    tracked = (await customer.get(TRACK, id=packed["shipments"][1]["id"]))["shipment"]
    assert [event["status"] for event in tracked["events"]][-2:] == ["OUT_FOR_DELIVERY", "DELIVERED"]
    assert tracked["deliveredAt"] == tracked["events"][-1]["occurredAt"] == tracked["estimatedAt"]
    assert tracked["order"]["fulfilmentStatus"] == "DELIVERED"
    assert tracked["order"]["receiptDueAt"] is not None
    async with shop.database.reads() as session:
        polled = await session.get_one(Shipment, 1)
    assert polled.poll_at is None


async def test_more_than_is_left_is_refused_by_the_name_of_its_line(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.WAREHOUSE)
    _, delivery, line = await ordered(shop)

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


async def test_a_parcel_packed_by_mistake_is_unpacked(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.WAREHOUSE)
    async with shop.database.writes.begin() as session:
        [shipment] = await pack(session, await confirmed_order(session))

    answer = await clerk.do(UNPACK, id=id_of(shipment))

    assert answer == {"delivery": {"lines": [{"packed": 0}]}, "userErrors": []}
    assert (await clerk.get(TRACK, id=id_of(shipment)))["shipment"] is None


async def test_a_clerk_may_use_a_waybill_at_hand(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.WAREHOUSE)
    async with shop.database.writes.begin() as session:
        first, second = await pack(session, await confirmed_order(session), 1, 1)

    used = await clerk.do(DISPATCH, id=id_of(first), carrier="SIMULATED", trackingNumber=" W1 ")
    again = await clerk.do(DISPATCH, id=id_of(second), carrier="SIMULATED", trackingNumber="W1")
    blank = await clerk.do(DISPATCH, id=id_of(second), carrier="SIMULATED", trackingNumber=" ")
    own = await clerk.do(DISPATCH, id=id_of(second), carrier="OWN")

    assert (used["shipment"]["trackingNumber"], used["userErrors"]) == ("W1", [])
    assert [error["code"] for error in again["userErrors"]] == ["TAKEN"]
    assert [error["field"] for error in blank["userErrors"]] == [["trackingNumber"]]
    assert own["shipment"]["trackingNumber"] == second.number


class SilentCarrier:
    """A carrier whose line is dead."""

    code = CarrierCode.SIMULATED

    async def book(self, parcel: Parcel, *, now: datetime) -> Waybill:
        raise CarrierError("no answer")

    async def track(
        self, parcel: Parcel, *, tracking_number: str, dispatched_at: datetime, now: datetime
    ) -> Sequence[CarrierEvent]:
        raise CarrierError("no answer")


class WatchfulCarrier(SilentCarrier):
    """A carrier that finds out whether the shop holds its books open while it is on the phone."""

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


async def test_a_silent_carrier_leaves_the_parcel_where_it_is(front: Front, shop: Shop, tick: Tick) -> None:
    clerk = await front.staff(Role.WAREHOUSE)
    async with shop.database.writes.begin() as session:
        first, second = await pack(session, await confirmed_order(session), 1, 1)
        await send(session, second, poll_at=shop.clock())
    connect(shop, SilentCarrier())

    refused = await clerk.do(DISPATCH, id=id_of(first), carrier="SIMULATED")
    await settle(shop)

    assert [error["code"] for error in refused["userErrors"]] == ["PROVIDER_UNAVAILABLE"]
    async with shop.database.reads() as session:
        assert (await session.get_one(Shipment, first.id)).dispatched_at is None
        polled = await session.get_one(Shipment, second.id)
    assert polled.poll_at == shop.clock() + shop.settings.carrier_poll_every


async def test_a_carrier_is_called_while_nothing_is_locked(front: Front, shop: Shop) -> None:
    clerk, carrier = await front.staff(Role.WAREHOUSE), WatchfulCarrier(shop)
    async with shop.database.writes.begin() as session:
        [shipment] = await pack(session, await confirmed_order(session))
    connect(shop, carrier)

    sent = await clerk.do(DISPATCH, id=id_of(shipment), carrier="SIMULATED")
    again = await clerk.do(DISPATCH, id=id_of(shipment), carrier="SIMULATED")

    assert sent["shipment"]["trackingNumber"] == f"W-{shipment.number}"
    assert [error["code"] for error in again["userErrors"]] == ["WRONG_STATE"]
    [parcel] = carrier.parcels
    assert (parcel.number, parcel.weight_grams) == (shipment.number, 1_500)
    assert (parcel.receiver.city, parcel.receiver.latitude) == ("杭州市", 30.259)


async def test_a_parcel_is_seen_by_its_customer_and_by_those_who_handle_it(front: Front, shop: Shop) -> None:
    customer, stranger = await front.customer(), await front.customer()
    clerk, agent = await front.staff(Role.WAREHOUSE), await front.staff(Role.SUPPORT)
    courier, other = await front.staff(Role.COURIER), await front.staff(Role.COURIER)
    async with shop.database.writes.begin() as session:
        order = await confirmed_order(session, account=customer.account)
        [shipment] = await pack(session, order)
        await create_run(session, [shipment], courier=courier.account)

    async def sees(somebody: Client) -> bool:
        by_id = (await somebody.get(TRACK, id=id_of(shipment)))["shipment"]
        by_number = (await somebody.get(TRACK, number=shipment.number))["shipment"]
        as_node = await somebody.get("query ($id: ID!) { node(id: $id) { id } }", id=id_of(shipment))
        assert by_id == by_number
        assert (by_id is None) == (as_node["node"] is None)
        return by_id is not None

    assert [await sees(one) for one in (customer, clerk, agent, courier)] == [True] * 4
    assert [await sees(one) for one in (stranger, other)] == [False] * 2
    assert (await customer.get(TRACK, id=global_id("Shipment", 10_000)))["shipment"] is None
    assert (await customer.get(TRACK, id=id_of(order)))["shipment"] is None
    both = await customer.ask(TRACK, id=id_of(shipment), number=shipment.number)
    assert both["errors"][0]["extensions"]["code"] == "INVALID"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.GUEST, Role.WAREHOUSE, Role.MANAGER, Role.ADMIN}))
async def test_only_clerks_pack_and_dispatch(front: Front, shop: Shop, role: Role) -> None:
    _, delivery, line = await ordered(shop)
    somebody = await front.staff(role)

    refused = await somebody.do(
        PACK, deliveryId=delivery, parcels=[{"lines": [{"deliveryLineId": line, "quantity": 1}]}]
    )

    assert [error["code"] for error in refused["userErrors"]] == ["FORBIDDEN"]


async def test_a_proof_of_delivery_is_noted_by_hand(front: Front, shop: Shop, tick: Tick) -> None:
    clerk, courier = await front.staff(Role.WAREHOUSE), await front.staff(Role.COURIER)
    shipment = await on_the_way(shop)
    fact = {
        "id": id_of(shipment),
        "status": "DELIVERED",
        "description": "Signed by Mr Zhao",
        "location": "Gate 3",
    }

    foreign = await courier.do(EVENT_ADD, **fact)
    noted = await clerk.do(EVENT_ADD, **fact)
    again = await clerk.do(EVENT_ADD, **fact)
    future = await clerk.do(EVENT_ADD, **fact, occurredAt="2030-01-01T00:00:00Z")

    assert [error["code"] for error in foreign["userErrors"]] == ["NOT_FOUND"]
    assert noted["shipment"] == {
        "status": "DELIVERED",
        "events": [{"description": "Signed by Mr Zhao", "location": "Gate 3"}],
    }
    assert again == noted
    assert future["userErrors"] == [{"code": "INVALID", "field": ["occurredAt"]}]


async def test_shipments_are_found_by_where_they_are(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.WAREHOUSE)
    async with shop.database.writes.begin() as session:
        [waiting] = await pack(session, await confirmed_order(session))
        moving = await create_shipment(session)
        arrived = await create_shipment(session)
        await track(session, moving, said(ShipmentStatus.IN_TRANSIT))
        await track(session, arrived, said(ShipmentStatus.DELIVERED))

    async def found(**filter_: Any) -> list[str]:
        return [node["number"] for node in (await clerk.get(LIST, filter=filter_))["shipments"]["nodes"]]

    assert await found() == [arrived.number, moving.number, waiting.number]
    assert await found(status=["IN_TRANSIT", "DELIVERED"]) == [arrived.number, moving.number]
    assert await found(dispatched=False) == [waiting.number]
    assert await found(carrier="SIMULATED", status=["DELIVERED"]) == [arrived.number]
    assert await found(warehouseId=global_id("Warehouse", waiting.warehouse_id), dispatched=True) == [
        arrived.number,
        moving.number,
    ]
    assert await found(warehouseId=global_id("Warehouse", 10_000)) == []
    first = (await clerk.get(LIST, first=2))["shipments"]
    rest = (await clerk.get(LIST, first=2, after=first["pageInfo"]["endCursor"]))["shipments"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert [node["number"] for node in rest["nodes"]] == [waiting.number]


async def test_a_clerk_sees_what_there_is_to_pack_in_a_warehouse(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.WAREHOUSE)
    async with shop.database.writes.begin() as session:
        order = await confirmed_order(session)
        line = await line_of(session, order)
        await create_order(session)  # not paid

    async def waiting(warehouse: int | None) -> int:
        given = None if warehouse is None else global_id("Warehouse", warehouse)
        count: int = (await clerk.get(TO_PACK, warehouse=given))["deliveriesToPack"]["totalCount"]
        return count

    assert await waiting(None) == 1
    assert await waiting(line.warehouse_id) == 1
    assert await waiting(line.warehouse_id + 1_000) == 0


async def test_a_page_of_shipments_costs_the_same_however_long_it_is(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.WAREHOUSE)
    news = said(ShipmentStatus.PICKED_UP), said(ShipmentStatus.IN_TRANSIT, after=timedelta(hours=1))

    async def cost(many: int) -> int:
        for _ in range(many):
            shipment = await on_the_way(shop)
            async with shop.database.writes.begin() as session:
                await track(session, shipment, *news)
        with statements(shop) as counted:
            page = (await clerk.get(LIST))["shipments"]
        assert all(len(node["events"]) == 2 for node in page["nodes"])
        return counted.total

    assert [await cost(1), await cost(4)] == [8, 8]


async def test_a_customer_watches_a_parcel_come(front: Front, shop: Shop) -> None:
    customer, clerk, stranger = (
        await front.customer(),
        await front.staff(Role.WAREHOUSE),
        await front.customer(),
    )
    async with shop.database.writes.begin() as session:
        [shipment] = await pack(session, await confirmed_order(session, account=customer.account))

    async with customer.watch(WATCH, id=id_of(shipment), after=0) as watch:
        assert (await watch.next())["data"]["shipmentUpdates"] == {
            "version": 1,
            "name": "shipment.packed",
            "status": "PENDING",
            "shipment": {"status": "PENDING"},
        }
        await clerk.do(DISPATCH, id=id_of(shipment), carrier="SIMULATED")
        await settle(shop)
        sent = (await watch.next())["data"]["shipmentUpdates"]
        async with shop.database.writes.begin() as session:
            await track(session, shipment, said(ShipmentStatus.DELIVERED))
        await settle(shop)
        tracked = (await watch.next())["data"]["shipmentUpdates"]
        delivered = (await watch.next())["data"]["shipmentUpdates"]

    assert (sent["version"], sent["name"], sent["status"]) == (2, "shipment.dispatched", "PENDING")
    assert (tracked["version"], tracked["name"], tracked["status"]) == (3, "shipment.tracked", "DELIVERED")
    assert (delivered["version"], delivered["name"]) == (4, "shipment.delivered")
    async with customer.watch(WATCH, id=id_of(shipment), after=3) as watch:
        assert (await watch.next())["data"]["shipmentUpdates"]["version"] == 4
        assert await watch.quiet()
    async with stranger.watch(WATCH, id=id_of(shipment), after=0) as watch:
        assert "There is no such shipment" in str(await watch.receive())
