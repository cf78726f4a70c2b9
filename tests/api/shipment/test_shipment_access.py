"""Who sees which parcels, in queries, lists and subscriptions."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Role, ShipmentStatus
from resolvers.ids import global_id
from tests.api.shipment.documents import DISPATCH, TO_PACK, TRACK, ship_parcel
from tests.clients import Client, Clients
from tests.factories.delivery_run import create_delivery_run
from tests.factories.order import create_order
from tests.factories.shipment import confirmed_order, create_shipment, line_of, pack, track, tracking_fact
from tests.given import id_of
from tests.observe import count_statements, run_until_idle

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
SEE = """query ($id: ID, $number: String) { shipment(id: $id, number: $number) {
  number delivery { address { recipient phone line1 } } order { number displayStatus } } }"""
WATCH = """
subscription ($id: ID!, $after: Int) {
  shipmentUpdates(id: $id, after: $after) { version name status shipment { status } }
}
"""


async def test_a_parcel_is_seen_by_its_customer_and_by_those_who_handle_it(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, stranger = await clients.customer(), await clients.customer()
    clerk, agent = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.SUPPORT)
    courier, other = await clients.staff(Role.COURIER), await clients.staff(Role.COURIER)
    order = await confirmed_order(session, account=customer.account)
    [shipment] = await pack(session, order)
    await create_delivery_run(session, [shipment], courier=courier.account)
    await session.commit()

    async def can_see(viewer: Client) -> bool:
        by_id = (await viewer.get(SEE, id=id_of(shipment)))["shipment"]
        by_number = (await viewer.get(SEE, number=shipment.number))["shipment"]
        as_node = await viewer.get("query ($id: ID!) { node(id: $id) { id } }", id=id_of(shipment))
        assert by_id == by_number
        assert (by_id is None) == (as_node["node"] is None)
        return by_id is not None

    assert [await can_see(one) for one in (customer, clerk, agent, courier)] == [True] * 4
    assert [await can_see(one) for one in (stranger, other)] == [False] * 2
    assert (await customer.get(TRACK, id=global_id("Shipment", 10_000)))["shipment"] is None
    assert (await customer.get(TRACK, id=id_of(order)))["shipment"] is None
    both = await customer.ask(TRACK, id=id_of(shipment), number=shipment.number)
    assert both["errors"][0]["extensions"]["code"] == "INVALID"


async def test_shipments_are_filtered_by_status_warehouse_and_carrier(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    [packed] = await pack(session, await confirmed_order(session))
    moving = await create_shipment(session)
    arrived = await create_shipment(session)
    await track(session, moving, tracking_fact(ShipmentStatus.IN_TRANSIT))
    await track(session, arrived, tracking_fact(ShipmentStatus.DELIVERED))
    await session.commit()

    async def numbers(**filter_: Any) -> list[str]:
        return [node["number"] for node in (await clerk.get(LIST, filter=filter_))["shipments"]["nodes"]]

    assert await numbers() == [arrived.number, moving.number, packed.number]
    assert await numbers(status=["IN_TRANSIT", "DELIVERED"]) == [arrived.number, moving.number]
    assert await numbers(dispatched=False) == [packed.number]
    assert await numbers(carrier="SIMULATED", status=["DELIVERED"]) == [arrived.number]
    assert await numbers(warehouseId=global_id("Warehouse", packed.warehouse_id), dispatched=True) == [
        arrived.number,
        moving.number,
    ]
    assert await numbers(warehouseId=global_id("Warehouse", 10_000)) == []
    first = (await clerk.get(LIST, first=2))["shipments"]
    rest = (await clerk.get(LIST, first=2, after=first["pageInfo"]["endCursor"]))["shipments"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert [node["number"] for node in rest["nodes"]] == [packed.number]


async def test_a_clerk_sees_what_is_to_be_packed_in_a_warehouse(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    order = await confirmed_order(session)
    line = await line_of(session, order)
    await create_order(session)  # not paid
    await session.commit()

    async def count_to_pack(warehouse: int | None) -> int:
        given = None if warehouse is None else global_id("Warehouse", warehouse)
        count: int = (await clerk.get(TO_PACK, warehouse=given))["deliveriesToPack"]["totalCount"]
        return count

    assert await count_to_pack(None) == 1
    assert await count_to_pack(line.warehouse_id) == 1
    assert await count_to_pack(line.warehouse_id + 1_000) == 0


async def test_a_page_of_shipments_costs_the_same_however_long_it_is(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    facts = (
        tracking_fact(ShipmentStatus.PICKED_UP),
        tracking_fact(ShipmentStatus.IN_TRANSIT, after=timedelta(hours=1)),
    )

    async def cost(many: int) -> int:
        for _ in range(many):
            shipment = await ship_parcel(shop)
            async with shop.database.writes.begin() as session:
                await track(session, shipment, *facts)
        with count_statements(shop) as counted:
            page = (await clerk.get(LIST))["shipments"]
        assert all(len(node["events"]) == 2 for node in page["nodes"])
        return counted.total

    assert [await cost(1), await cost(4)] == [10, 10]


async def test_a_customer_watches_a_parcel_until_it_is_delivered(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, clerk, stranger = (
        await clients.customer(),
        await clients.staff(Role.WAREHOUSE),
        await clients.customer(),
    )
    [shipment] = await pack(session, await confirmed_order(session, account=customer.account))
    await session.commit()

    async with customer.watch(WATCH, id=id_of(shipment), after=0) as watch:
        assert (await watch.next())["data"]["shipmentUpdates"] == {
            "version": 1,
            "name": "shipment.packed",
            "status": "PENDING",
            "shipment": {"status": "PENDING"},
        }
        await clerk.do(DISPATCH, id=id_of(shipment), carrier="SIMULATED")
        await run_until_idle(shop)
        sent = (await watch.next())["data"]["shipmentUpdates"]
        await track(session, shipment, tracking_fact(ShipmentStatus.DELIVERED))
        await session.commit()
        await run_until_idle(shop)
        tracked = (await watch.next())["data"]["shipmentUpdates"]
        delivered = (await watch.next())["data"]["shipmentUpdates"]

    assert (sent["version"], sent["name"], sent["status"]) == (2, "shipment.dispatched", "PENDING")
    assert (tracked["version"], tracked["name"], tracked["status"]) == (3, "shipment.tracked", "DELIVERED")
    assert (delivered["version"], delivered["name"]) == (4, "shipment.delivered")
    async with customer.watch(WATCH, id=id_of(shipment), after=3) as watch:
        assert (await watch.next())["data"]["shipmentUpdates"]["version"] == 4
        assert await watch.is_quiet()
    async with stranger.watch(WATCH, id=id_of(shipment), after=0) as watch:
        assert "There is no such shipment" in str(await watch.receive())
