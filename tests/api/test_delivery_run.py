"""Delivery runs over the API, as staff, couriers and customers see them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from domain.delivery_run import POSITION_EVENT_INTERVAL, STOPS_LIMIT
from events.shop import Shop
from models import Account, OrderStatus, Role, Shipment
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.factories.delivery_run import LEG_TIME, create_delivery_run
from tests.factories.order import CHENGDU, create_order, deliver_to
from tests.factories.shipment import confirmed_order, pack, send
from tests.factories.stock import create_warehouse
from tests.given import id_of
from tests.observe import count_statements, run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

Tick = Callable[[timedelta], None]

RUN = """
fragment Run on DeliveryRun {
  id status vehicle courier { name } warehouse { code } position { latitude }
  stops { id position estimatedAt outcome shipment { number } }
}
"""
PLAN = f"""
mutation ($input: DeliveryRunPlanInput!) {{
  deliveryRunPlan(input: $input) {{ deliveryRun {{ ...Run }} userErrors {{ code field }} }}
}}
{RUN}
"""
CANCEL = f"""
mutation ($input: DeliveryRunCancelInput!) {{
  deliveryRunCancel(input: $input) {{ deliveryRun {{ ...Run }} userErrors {{ code }} }}
}}
{RUN}
"""
START = f"""
mutation ($input: DeliveryRunStartInput!) {{
  deliveryRunStart(input: $input) {{ deliveryRun {{ ...Run }} userErrors {{ code field }} }}
}}
{RUN}
"""
REPORT = """
mutation ($input: CourierPositionReportInput!) {
  courierPositionReport(input: $input) {
    deliveryRun { position { latitude longitude } } userErrors { code field }
  }
}
"""
COMPLETE = """
mutation ($input: StopCompleteInput!) {
  stopComplete(input: $input) {
    stop { outcome note proof completedAt shipment { status } } userErrors { code field }
  }
}
"""
RUNS = f"""
query ($filter: DeliveryRunFilter) {{ deliveryRuns(filter: $filter) {{ totalCount nodes {{ ...Run }} }} }}
{RUN}
"""
SEEN = """
query ($id: ID!) { shipment(id: $id) { status stopsAhead estimatedAt position { latitude at } } }
"""
WATCH = """
subscription ($id: ID!) {
  deliveryRunUpdates(id: $id, after: 0) { version name status deliveryRun { status } }
}
"""
WATCH_PARCEL = """
subscription ($id: ID!) {
  shipmentUpdates(id: $id, after: 0) {
    name shipment { stopsAhead position { latitude } eta { earliestAt expectedAt latestAt } }
  }
}
"""


async def pack_parcels(shop: Shop, count: int, *, account: Account | None = None) -> list[Shipment]:
    async with shop.database.writes.begin() as session:
        return [
            (await pack(session, await confirmed_order(session, account=account), now=shop.clock()))[0]
            for _ in range(count)
        ]


async def plan_run(
    shop: Shop, courier: Client, count: int, *, account: Account | None = None
) -> tuple[str, list[Shipment]]:
    """A run of this courier's with so many stops, and its parcels."""
    shipments = await pack_parcels(shop, count, account=account)
    async with shop.database.writes.begin() as session:
        run = await create_delivery_run(session, shipments, courier=courier.account, now=shop.clock())
    return id_of(run), shipments


async def test_a_run_goes_from_the_plan_to_the_last_stop(clients: Clients, shop: Shop, tick: Tick) -> None:
    customer, clerk, courier = (
        await clients.customer(),
        await clients.staff(Role.WAREHOUSE),
        await clients.staff(Role.COURIER),
    )
    shipments = await pack_parcels(shop, 2, account=customer.account)
    assert courier.account

    answer = await clerk.do(
        PLAN,
        courierId=id_of(courier.account),
        warehouseId=global_id("Warehouse", shipments[0].warehouse_id),
        shipmentIds=[id_of(parcel) for parcel in shipments],
        vehicle="van",
    )
    assert answer["userErrors"] == []
    run = answer["deliveryRun"]
    assert (run["status"], run["vehicle"], run["courier"]) == ("PLANNED", "van", {"name": "Lin Mei"})
    last = next(parcel for parcel in shipments if parcel.number == run["stops"][1]["shipment"]["number"])
    before = (await customer.get(SEEN, id=id_of(last)))["shipment"]
    assert (before["status"], before["stopsAhead"], before["estimatedAt"]) == ("PENDING", None, None)

    started = await courier.do(START, id=run["id"])
    assert started["deliveryRun"]["status"] == "ACTIVE"
    reported = await courier.do(REPORT, deliveryRunId=run["id"], latitude=30.28, longitude=120.1)
    assert reported["deliveryRun"] == {"position": {"latitude": 30.28, "longitude": 120.1}}
    seen = (await customer.get(SEEN, id=id_of(last)))["shipment"]
    assert (seen["status"], seen["stopsAhead"]) == ("OUT_FOR_DELIVERY", 1)
    assert seen["position"]["latitude"] == 30.28
    [driven] = (await clerk.get(RUNS))["deliveryRuns"]["nodes"]
    assert seen["estimatedAt"] == driven["stops"][1]["estimatedAt"]
    # the position is farther from the first stop than planned
    assert seen["estimatedAt"] > started["deliveryRun"]["stops"][1]["estimatedAt"]

    tick(timedelta(minutes=9))
    completed = await courier.do(COMPLETE, id=run["stops"][0]["id"], outcome="DELIVERED", proof="Mr Zhao")
    assert completed["stop"]["shipment"] == {"status": "DELIVERED"}
    nearer = (await customer.get(SEEN, id=id_of(last)))["shipment"]
    assert nearer["stopsAhead"] == 0
    assert nearer["estimatedAt"] != seen["estimatedAt"]
    failed = await courier.do(COMPLETE, id=run["stops"][1]["id"], outcome="FAILED", note="Nobody home")
    assert failed["stop"]["note"] == "Nobody home"

    [over] = (await clerk.get(RUNS))["deliveryRuns"]["nodes"]
    assert (over["status"], [stop["outcome"] for stop in over["stops"]]) == (
        "COMPLETED",
        ["DELIVERED", "FAILED"],
    )
    after = (await customer.get(SEEN, id=id_of(last)))["shipment"]
    assert (after["status"], after["stopsAhead"]) == ("DELIVERY_FAILED", None)


async def test_the_shop_finds_the_order_of_the_stops(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    assert courier.account
    await create_warehouse(session, code="MAIN")
    far = await create_order(session, status=OrderStatus.CONFIRMED, deliveries=[deliver_to(CHENGDU)])
    near = await confirmed_order(session)
    [there], [here] = await pack(session, far), await pack(session, near)
    await session.commit()

    answer = await clerk.do(
        PLAN,
        courierId=id_of(courier.account),
        warehouseId=global_id("Warehouse", here.warehouse_id),
        shipmentIds=[id_of(there), id_of(here)],
    )

    numbers = [stop["shipment"]["number"] for stop in answer["deliveryRun"]["stops"]]
    assert numbers == [here.number, there.number]


async def test_a_courier_sees_and_drives_own_runs_only(clients: Clients, shop: Shop) -> None:
    courier, other, clerk = (
        await clients.staff(Role.COURIER),
        await clients.staff(Role.COURIER),
        await clients.staff(Role.WAREHOUSE),
    )
    run, _ = await plan_run(shop, courier, 1)
    node = "query ($id: ID!) { node(id: $id) { id } }"

    async def can_see(viewer: Client) -> tuple[int, bool]:
        count: int = (await viewer.get(RUNS))["deliveryRuns"]["totalCount"]
        return count, (await viewer.get(node, id=run))["node"] is not None

    assert [await can_see(one) for one in (courier, clerk, other)] == [(1, True), (1, True), (0, False)]
    refused = await other.do(START, id=run)
    assert refused["userErrors"] == [{"code": "NOT_FOUND", "field": ["id"]}]
    assert [error["code"] for error in (await clerk.do(START, id=run))["userErrors"]] == ["FORBIDDEN"]
    async with other.watch(WATCH, id=run) as watch:
        assert "There is no such delivery run" in str(await watch.receive())


async def test_a_run_is_cancelled_by_those_who_plan(clients: Clients, shop: Shop) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    run, _ = await plan_run(shop, courier, 2)

    answer = await clerk.do(CANCEL, id=run)

    assert (answer["deliveryRun"]["status"], answer["deliveryRun"]["stops"]) == ("CANCELLED", [])
    assert [error["code"] for error in (await courier.do(START, id=run))["userErrors"]] == ["WRONG_STATE"]


async def test_what_cannot_be_planned_is_refused_by_name(clients: Clients, shop: Shop) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    [parcel] = await pack_parcels(shop, 1)
    assert clerk.account
    given = {
        "courierId": id_of(clerk.account),
        "warehouseId": global_id("Warehouse", parcel.warehouse_id),
        "shipmentIds": [id_of(parcel)],
    }

    no_courier = await clerk.do(PLAN, **given)
    no_shipment = await clerk.do(
        PLAN, **(given | {"shipmentIds": [id_of(parcel), global_id("Shipment", 10_000)]})
    )

    unknown = [global_id("Shipment", 10_000 + number) for number in range(STOPS_LIMIT + 1)]
    too_many = await clerk.do(PLAN, **(given | {"shipmentIds": unknown}))

    assert too_many["userErrors"] == [{"code": "LIMIT_REACHED", "field": ["shipmentIds"]}]  # before any route
    assert no_courier["userErrors"] == [{"code": "NOT_FOUND", "field": ["courierId"]}]
    assert no_shipment["userErrors"] == [{"code": "NOT_FOUND", "field": ["shipmentIds", "1"]}]


async def test_a_run_is_watched_live(clients: Clients, shop: Shop) -> None:
    courier = await clients.staff(Role.COURIER)
    run, _ = await plan_run(shop, courier, 1)

    async with courier.watch(WATCH, id=run) as watch:
        assert (await watch.next())["data"]["deliveryRunUpdates"]["name"] == "delivery_run.planned"
        await courier.do(START, id=run)
        await run_until_idle(shop)
        started = (await watch.next())["data"]["deliveryRunUpdates"]

    assert started == {
        "version": 2,
        "name": "delivery_run.started",
        "status": "ACTIVE",
        "deliveryRun": {"status": "ACTIVE"},
    }


async def test_a_customer_watches_the_courier_come_nearer(clients: Clients, shop: Shop, tick: Tick) -> None:
    customer, courier = await clients.customer(), await clients.staff(Role.COURIER)
    run, shipments = await plan_run(shop, courier, 2, account=customer.account)
    stops = (await courier.do(START, id=run))["deliveryRun"]["stops"]
    await run_until_idle(shop)
    began = shop.clock()

    async with customer.watch(WATCH_PARCEL, id=id_of(shipments[1])) as watch:
        before = [(await watch.next())["data"]["shipmentUpdates"]["name"] for _ in range(3)]
        await courier.do(REPORT, deliveryRunId=run, latitude=30.1, longitude=120.0)
        await run_until_idle(shop)
        moved, rescheduled = [(await watch.next())["data"]["shipmentUpdates"] for _ in range(2)]
        tick(POSITION_EVENT_INTERVAL)
        await courier.do(COMPLETE, id=stops[0]["id"], outcome="DELIVERED")
        await run_until_idle(shop)
        nearer = (await watch.next())["data"]["shipmentUpdates"]

    assert before == ["shipment.packed", "shipment.dispatched", "shipment.tracked"]
    assert [each["name"] for each in (moved, rescheduled)] == ["shipment.moved", "shipment.rescheduled"]
    assert (moved["shipment"]["stopsAhead"], moved["shipment"]["position"]) == (1, {"latitude": 30.1})
    # 11.1 km beside the first stop, 15.6 on roads at 20 km/h, and ten minutes from there
    eta = {name: datetime.fromisoformat(moment) for name, moment in rescheduled["shipment"]["eta"].items()}
    assert (eta["expectedAt"] - began).total_seconds() / 60 == pytest.approx(46.7 + 10, abs=0.2)
    assert eta["latestAt"] - eta["expectedAt"] == eta["expectedAt"] - eta["earliestAt"]
    assert (nearer["name"], nearer["shipment"]["stopsAhead"]) == ("shipment.rescheduled", 0)
    assert datetime.fromisoformat(nearer["shipment"]["eta"]["expectedAt"]) == shop.clock() + LEG_TIME


async def test_a_page_of_runs_costs_the_same_however_long_it_is(clients: Clients, shop: Shop) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)

    async def cost(runs: int, stops: int) -> int:
        for _ in range(runs):
            await plan_run(shop, courier, stops)
        with count_statements(shop) as counted:
            await clerk.get(RUNS)
        return counted.total

    assert [await cost(1, 1), await cost(2, 3)] == [6, 6]


async def test_a_courier_watches_a_parcel_no_longer_than_they_bring_it(clients: Clients, shop: Shop) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    run, [parcel] = await plan_run(shop, courier, 1)

    async with courier.watch(WATCH_PARCEL, id=id_of(parcel)) as watch:
        assert (await watch.next())["data"]["shipmentUpdates"]["name"] == "shipment.packed"
        await clerk.do(CANCEL, id=run)
        async with shop.database.writes.begin() as session:
            await send(session, await session.get_one(Shipment, parcel.id), now=shop.clock())
        shop.wake_relay()
        await run_until_idle(shop)
        ended = await watch.receive()

    assert ended == {"id": "1", "type": "complete"}
