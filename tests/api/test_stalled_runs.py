"""Runs that do not go on: the staff are told, and end what their couriers do not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from events.delivery_run import STALLED_RUNS
from events.jobs.scheduler import Scheduler
from events.shop import Shop
from models import DeliveryRunStop, Role
from tests.api.test_account import DISABLE
from tests.api.test_delivery_run import CANCEL, COMPLETE, PLAN, RUNS, SEEN, START, plan_run
from tests.api.test_sign_ins import CHANGE_ROLE
from tests.clients import Client, Clients
from tests.given import codes, id_of, refusals
from tests.observe import read_all_rows, run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

Tick = Callable[[timedelta], None]

END = """
mutation ($input: DeliveryRunEndInput!) {
  deliveryRunEnd(input: $input) {
    deliveryRun { status stalledAt endedAt stops { outcome skipped note } } userErrors { code field }
  }
}
"""
STALLED = "{ deliveryRuns(filter: { stalled: true }) { totalCount nodes { id stalledAt status } } }"
EVENTS = "query ($id: ID!) { shipment(id: $id) { status events { description } } }"
WORK = "subscription { workQueue { name } }"
MINUTE = timedelta(minutes=1)


async def stalled(clerk: Client, shop: Shop) -> list[str]:
    """The runs of which the staff have been told, after the timer has run."""
    await Scheduler(shop, [STALLED_RUNS]).run_once()
    return [node["id"] for node in (await clerk.get(STALLED))["deliveryRuns"]["nodes"]]


async def expect_next_stop(shop: Shop, *, ago: timedelta) -> None:
    """The first stop that is open was expected so long ago, and the others after it."""
    async with shop.database.writes.begin() as session:
        is_open = DeliveryRunStop.outcome.is_(None)
        stops = await session.scalars(select(DeliveryRunStop).where(is_open).order_by(DeliveryRunStop.id))
        for place, stop in enumerate(stops):
            stop.estimated_at = shop.clock() - ago + place * MINUTE


async def test_a_run_whose_courier_disappears_is_told_and_ended_by_the_staff(
    clients: Clients, shop: Shop, tick: Tick
) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    customer = await clients.customer()
    run, [_, second, third] = await plan_run(shop, courier, 3, account=customer.account)
    stops = (await courier.do(START, id=run))["deliveryRun"]["stops"]
    await courier.do(COMPLETE, id=stops[0]["id"], outcome="DELIVERED")
    await expect_next_stop(shop, ago=shop.settings.routing.run_stalls_after - MINUTE)
    assert await stalled(clerk, shop) == []

    async with clerk.watch(WORK) as watch:
        tick(MINUTE)
        assert [await stalled(clerk, shop), await stalled(clerk, shop)] == [[run], [run]]
        await run_until_idle(shop)
        assert (await watch.next())["data"]["workQueue"] == {"name": "delivery_run.stalled"}
    ended = await clerk.do(END, id=run, reason=" The bicycle was found without him. ")

    assert ended["deliveryRun"] == {
        "status": "COMPLETED",
        "stalledAt": None,
        "endedAt": ended["deliveryRun"]["endedAt"],
        "stops": [
            {"outcome": "DELIVERED", "skipped": False, "note": ""},
            *[{"outcome": "FAILED", "skipped": False, "note": "The bicycle was found without him."}] * 2,
        ],
    }
    assert await stalled(clerk, shop) == []
    seen = (await customer.get(SEEN, id=id_of(second)))["shipment"]
    assert (seen["status"], seen["stopsAhead"], seen["position"]) == ("DELIVERY_FAILED", None, None)
    found = (await customer.get(EVENTS, id=id_of(third)))["shipment"]["events"]
    assert [event["description"] for event in found][-1] == "Our courier could not bring it."
    late = await courier.do(COMPLETE, id=stops[1]["id"], outcome="DELIVERED")
    assert codes(late) == ["WRONG_STATE"]
    again, _ = await plan_run(shop, courier, 1)
    assert codes(await courier.do(START, id=again)) == []
    assert courier.account
    goes_out = await clerk.do(
        PLAN,
        courierId=id_of(courier.account),
        warehouseId=(await warehouse_of(clerk, run)),
        shipmentIds=[id_of(second), id_of(third)],
    )
    assert codes(goes_out) == []


async def warehouse_of(clerk: Client, run: str) -> str:
    answer = await clerk.get(
        "query ($id: ID!) { node(id: $id) { ... on DeliveryRun { warehouse { id } } } }", id=run
    )
    found: str = answer["node"]["warehouse"]["id"]
    return found


async def test_a_run_that_goes_on_is_no_task_any_more(clients: Clients, shop: Shop) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    run, _ = await plan_run(shop, courier, 3)
    await expect_next_stop(shop, ago=shop.settings.routing.run_stalls_after)
    assert await stalled(clerk, shop) == [run]  # planned, and never started

    stops = (await courier.do(START, id=run))["deliveryRun"]["stops"]
    assert await stalled(clerk, shop) == []
    await expect_next_stop(shop, ago=shop.settings.routing.run_stalls_after)
    assert await stalled(clerk, shop) == [run]
    await courier.do(COMPLETE, id=stops[0]["id"], outcome="DELIVERED")

    assert await stalled(clerk, shop) == []


@pytest.mark.parametrize("command", [DISABLE, CHANGE_ROLE])
async def test_a_run_of_a_courier_who_may_not_drive_any_more_is_told_at_once(
    clients: Clients, shop: Shop, command: str
) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    admin = await clients.staff(Role.ADMIN)
    waiting, _ = await plan_run(shop, courier, 1)
    driven, _ = await plan_run(shop, courier, 1)
    over, _ = await plan_run(shop, courier, 1)
    await clerk.do(CANCEL, id=over)
    await courier.do(START, id=driven)
    assert courier.account
    given = {"role": "CATALOGUE"} if command == CHANGE_ROLE else {}

    assert codes(await admin.do(command, id=id_of(courier.account), **given)) == []

    found = (await clerk.get(STALLED))["deliveryRuns"]["nodes"]
    assert [node["id"] for node in found] == [driven, waiting]
    assert await stalled(clerk, shop) == [driven, waiting]
    assert codes(await clerk.do(CANCEL, id=waiting)) == []
    assert codes(await clerk.do(END, id=driven, reason="He has left us.")) == []
    assert await stalled(clerk, shop) == []


async def test_only_a_run_under_way_is_ended_by_those_who_plan_with_a_reason(
    clients: Clients, shop: Shop
) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    customer = await clients.customer()
    planned, _ = await plan_run(shop, courier, 1)
    driven, _ = await plan_run(shop, courier, 1)
    await courier.do(START, id=driven)
    await run_until_idle(shop)
    before = await read_all_rows(shop)

    assert refusals(await clerk.do(END, id=planned, reason="x")) == [("WRONG_STATE", "id")]
    for reason in (" ", "x" * 501):
        assert refusals(await clerk.do(END, id=driven, reason=reason)) == [("INVALID", "reason")]
    for stranger in (courier, customer):
        assert codes(await stranger.do(END, id=driven, reason="x")) == ["FORBIDDEN"]

    assert await read_all_rows(shop) == before
    assert codes(await clerk.do(END, id=driven, reason="x")) == []
    assert refusals(await clerk.do(END, id=driven, reason="x")) == [("WRONG_STATE", "id")]
    [over] = [run for run in (await clerk.get(RUNS))["deliveryRuns"]["nodes"] if run["id"] == driven]
    assert over["status"] == "COMPLETED"


async def test_what_was_noted_as_delivered_stays_so_when_its_run_is_ended(
    clients: Clients, shop: Shop
) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    run, [first, _] = await plan_run(shop, courier, 2)
    await courier.do(START, id=run)
    noted = await clerk.do(
        "mutation ($input: ShipmentEventAddInput!) { shipmentEventAdd(input: $input) {"
        " shipment { status } userErrors { code } } }",
        id=id_of(first),
        status="DELIVERED",
        description="The customer has called.",
    )
    assert noted["shipment"] == {"status": "DELIVERED"}

    ended = await clerk.do(END, id=run, reason="No battery.")

    assert [stop["outcome"] for stop in ended["deliveryRun"]["stops"]] == ["DELIVERED", "FAILED"]
    assert (await clerk.get(SEEN, id=id_of(first)))["shipment"]["status"] == "DELIVERED"
