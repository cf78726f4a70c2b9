"""Our own couriers' runs, as dispatchers, couriers and customers see them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.run import ANNOUNCED_EVERY
from events.shop import Shop
from models import Account, OrderStatus, Role, Shipment
from resolvers.ids import global_id
from tests.factories.order import CHENGDU, create_order, deliver_to
from tests.factories.shipment import confirmed_order, create_run, pack
from tests.factories.stock import create_warehouse
from tests.front import Client, Front
from tests.observe import settle, statements

pytestmark = pytest.mark.usefixtures("audited")

Tick = Callable[[timedelta], None]

RUN = """
fragment Run on DeliveryRun {
  id status vehicle courier { name } warehouse { code } position { latitude }
  stops { id position estimatedAt outcome shipment { number } }
}
"""
PLAN = f"""
mutation ($input: RunPlanInput!) {{
  runPlan(input: $input) {{ run {{ ...Run }} userErrors {{ code field }} }}
}}
{RUN}
"""
CANCEL = f"""
mutation ($input: RunCancelInput!) {{ runCancel(input: $input) {{ run {{ ...Run }} userErrors {{ code }} }} }}
{RUN}
"""
START = f"""
mutation ($input: RunStartInput!) {{
  runStart(input: $input) {{ run {{ ...Run }} userErrors {{ code field }} }}
}}
{RUN}
"""
REPORT = """
mutation ($input: CourierPositionReportInput!) {
  courierPositionReport(input: $input) { run { position { latitude longitude } } userErrors { code field } }
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
WATCH = "subscription ($id: ID!) { runUpdates(id: $id, after: 0) { version name status run { status } } }"
WATCH_PARCEL = """
subscription ($id: ID!) {
  shipmentUpdates(id: $id, after: 0) { name shipment { stopsAhead position { latitude } } }
}
"""


def id_of(row: Any) -> str:
    return global_id(type(row).__name__, row.id)


async def parcels(shop: Shop, count: int, *, account: Account | None = None) -> list[Shipment]:
    async with shop.database.writes.begin() as session:
        return [
            (await pack(session, await confirmed_order(session, account=account), now=shop.clock()))[0]
            for _ in range(count)
        ]


async def planned(
    shop: Shop, courier: Client, count: int, *, account: Account | None = None
) -> tuple[str, list[Shipment]]:
    """A run of this courier's with so many stops, and its parcels."""
    found = await parcels(shop, count, account=account)
    async with shop.database.writes.begin() as session:
        run = await create_run(session, found, courier=courier.account, now=shop.clock())
    return id_of(run), found


async def test_a_run_goes_from_the_plan_to_the_last_door(front: Front, shop: Shop, tick: Tick) -> None:
    customer, clerk, courier = (
        await front.customer(),
        await front.staff(Role.WAREHOUSE),
        await front.staff(Role.COURIER),
    )
    found = await parcels(shop, 2, account=customer.account)
    assert courier.account

    answer = await clerk.do(
        PLAN,
        courierId=id_of(courier.account),
        warehouseId=global_id("Warehouse", found[0].warehouse_id),
        shipmentIds=[id_of(parcel) for parcel in found],
        vehicle="van",
    )
    assert answer["userErrors"] == []
    run = answer["run"]
    assert (run["status"], run["vehicle"], run["courier"]) == ("PLANNED", "van", {"name": "Lin Mei"})
    last = next(parcel for parcel in found if parcel.number == run["stops"][1]["shipment"]["number"])
    before = (await customer.get(SEEN, id=id_of(last)))["shipment"]
    assert (before["status"], before["stopsAhead"], before["estimatedAt"]) == ("PENDING", None, None)

    started = await courier.do(START, runId=run["id"])
    assert started["run"]["status"] == "ACTIVE"
    reported = await courier.do(REPORT, runId=run["id"], latitude=30.28, longitude=120.1)
    assert reported["run"] == {"position": {"latitude": 30.28, "longitude": 120.1}}
    seen = (await customer.get(SEEN, id=id_of(last)))["shipment"]
    assert (seen["status"], seen["stopsAhead"]) == ("OUT_FOR_DELIVERY", 1)
    assert seen["position"]["latitude"] == 30.28
    assert seen["estimatedAt"] == started["run"]["stops"][1]["estimatedAt"]

    tick(timedelta(minutes=9))
    done = await courier.do(COMPLETE, stopId=run["stops"][0]["id"], outcome="DELIVERED", proof="Mr Zhao")
    assert done["stop"]["shipment"] == {"status": "DELIVERED"}
    nearer = (await customer.get(SEEN, id=id_of(last)))["shipment"]
    assert nearer["stopsAhead"] == 0
    assert nearer["estimatedAt"] != seen["estimatedAt"]
    failed = await courier.do(COMPLETE, stopId=run["stops"][1]["id"], outcome="FAILED", note="Nobody home")
    assert failed["stop"]["note"] == "Nobody home"

    [over] = (await clerk.get(RUNS))["deliveryRuns"]["nodes"]
    assert (over["status"], [stop["outcome"] for stop in over["stops"]]) == (
        "COMPLETED",
        ["DELIVERED", "FAILED"],
    )
    after = (await customer.get(SEEN, id=id_of(last)))["shipment"]
    assert (after["status"], after["stopsAhead"]) == ("DELIVERY_FAILED", None)


async def test_the_shop_finds_the_order_of_the_stops(front: Front, shop: Shop) -> None:
    clerk, courier = await front.staff(Role.WAREHOUSE), await front.staff(Role.COURIER)
    assert courier.account
    async with shop.database.writes.begin() as session:
        await create_warehouse(session, code="MAIN")
        far = await create_order(session, status=OrderStatus.CONFIRMED, deliveries=[deliver_to(CHENGDU)])
        near = await confirmed_order(session)
        [there], [here] = await pack(session, far), await pack(session, near)

    answer = await clerk.do(
        PLAN,
        courierId=id_of(courier.account),
        warehouseId=global_id("Warehouse", here.warehouse_id),
        shipmentIds=[id_of(there), id_of(here)],
    )

    numbers = [stop["shipment"]["number"] for stop in answer["run"]["stops"]]
    assert numbers == [here.number, there.number]


async def test_a_courier_sees_and_drives_own_runs_only(front: Front, shop: Shop) -> None:
    courier, other, clerk = (
        await front.staff(Role.COURIER),
        await front.staff(Role.COURIER),
        await front.staff(Role.WAREHOUSE),
    )
    run, _ = await planned(shop, courier, 1)
    node = "query ($id: ID!) { node(id: $id) { id } }"

    async def sees(somebody: Client) -> tuple[int, bool]:
        count: int = (await somebody.get(RUNS))["deliveryRuns"]["totalCount"]
        return count, (await somebody.get(node, id=run))["node"] is not None

    assert [await sees(one) for one in (courier, clerk, other)] == [(1, True), (1, True), (0, False)]
    refused = await other.do(START, runId=run)
    assert refused["userErrors"] == [{"code": "NOT_FOUND", "field": ["runId"]}]
    assert [error["code"] for error in (await clerk.do(START, runId=run))["userErrors"]] == ["FORBIDDEN"]
    async with other.watch(WATCH, id=run) as watch:
        assert "There is no such run" in str(await watch.receive())


async def test_a_run_is_called_off_by_those_who_plan(front: Front, shop: Shop) -> None:
    clerk, courier = await front.staff(Role.WAREHOUSE), await front.staff(Role.COURIER)
    run, _ = await planned(shop, courier, 2)

    answer = await clerk.do(CANCEL, runId=run)

    assert (answer["run"]["status"], answer["run"]["stops"]) == ("CANCELLED", [])
    assert [error["code"] for error in (await courier.do(START, runId=run))["userErrors"]] == ["WRONG_STATE"]


async def test_what_cannot_be_planned_is_refused_by_name(front: Front, shop: Shop) -> None:
    clerk = await front.staff(Role.WAREHOUSE)
    [parcel] = await parcels(shop, 1)
    assert clerk.account
    given = {
        "courierId": id_of(clerk.account),
        "warehouseId": global_id("Warehouse", parcel.warehouse_id),
        "shipmentIds": [id_of(parcel)],
    }

    nobody = await clerk.do(PLAN, **given)
    nothing = await clerk.do(
        PLAN, **(given | {"shipmentIds": [id_of(parcel), global_id("Shipment", 10_000)]})
    )

    assert nobody["userErrors"] == [{"code": "NOT_FOUND", "field": ["courierId"]}]
    assert nothing["userErrors"] == [{"code": "NOT_FOUND", "field": ["shipmentIds", "1"]}]


async def test_a_run_is_watched_live(front: Front, shop: Shop) -> None:
    courier = await front.staff(Role.COURIER)
    run, _ = await planned(shop, courier, 1)

    async with courier.watch(WATCH, id=run) as watch:
        assert (await watch.next())["data"]["runUpdates"]["name"] == "run.planned"
        await courier.do(START, runId=run)
        await settle(shop)
        started = (await watch.next())["data"]["runUpdates"]

    assert started == {"version": 2, "name": "run.started", "status": "ACTIVE", "run": {"status": "ACTIVE"}}


async def test_a_customer_watches_the_courier_come_nearer(front: Front, shop: Shop, tick: Tick) -> None:
    customer, courier = await front.customer(), await front.staff(Role.COURIER)
    run, found = await planned(shop, courier, 2, account=customer.account)
    stops = (await courier.do(START, runId=run))["run"]["stops"]
    await settle(shop)

    async with customer.watch(WATCH_PARCEL, id=id_of(found[1])) as watch:
        before = [(await watch.next())["data"]["shipmentUpdates"]["name"] for _ in range(3)]
        await courier.do(REPORT, runId=run, latitude=30.1, longitude=120.0)
        await settle(shop)
        moved = (await watch.next())["data"]["shipmentUpdates"]
        tick(ANNOUNCED_EVERY)
        await courier.do(COMPLETE, stopId=stops[0]["id"], outcome="DELIVERED")
        await settle(shop)
        nearer = (await watch.next())["data"]["shipmentUpdates"]

    assert before == ["shipment.packed", "shipment.dispatched", "shipment.tracked"]
    assert moved == {"name": "shipment.moved", "shipment": {"stopsAhead": 1, "position": {"latitude": 30.1}}}
    assert (nearer["name"], nearer["shipment"]["stopsAhead"]) == ("shipment.rescheduled", 0)


async def test_a_page_of_runs_costs_the_same_however_long_it_is(front: Front, shop: Shop) -> None:
    clerk, courier = await front.staff(Role.WAREHOUSE), await front.staff(Role.COURIER)

    async def cost(runs: int, stops: int) -> int:
        for _ in range(runs):
            await planned(shop, courier, stops)
        with statements(shop) as counted:
            await clerk.get(RUNS)
        return counted.total

    assert [await cost(1, 1), await cost(2, 3)] == [6, 6]
