"""Parcels join runs and runs are planned anew, through the front door; what is refused changes nothing."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Role
from resolvers.ids import global_id
from tests.api.test_delivery_run import CANCEL, START, pack_parcels, plan_run
from tests.clients import Client, Clients
from tests.factories.stock import create_warehouse
from tests.factories.vehicle import create_vehicle
from tests.given import id_of, refusals
from tests.observe import read_all_rows, run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

ADD = """
mutation ($input: DeliveryRunStopAddInput!) {
  deliveryRunStopAdd(input: $input) {
    deliveryRun { status stops { shipment { id status } } } userErrors { code field }
  }
}
"""
REPLAN = """
mutation ($input: DeliveryRunReplanInput!) {
  deliveryRunReplan(input: $input) { deliveryRun { solver stops { id } } userErrors { code field } }
}
"""
DRAFT = """
mutation ($input: DeliveryRunPlanInput!) {
  deliveryRunPlan(input: $input) { deliveryRuns { id } userErrors { code field } }
}
"""
UNKNOWN = 10_000


async def test_a_parcel_joins_a_run_that_is_planned_or_under_way(clients: Clients, shop: Shop) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    run, [first] = await plan_run(shop, courier, 1)
    second, third = await pack_parcels(shop, 2)

    planned = await clerk.do(ADD, id=run, stop={"shipmentId": id_of(second)})
    await courier.do(START, id=run)
    under_way = await clerk.do(ADD, id=run, stop={"shipmentId": id_of(third)})

    assert (planned["userErrors"], under_way["userErrors"]) == ([], [])
    waits = {stop["shipment"]["id"]: stop["shipment"]["status"] for stop in planned["deliveryRun"]["stops"]}
    assert waits == {id_of(first): "PENDING", id_of(second): "PENDING"}
    goes = {stop["shipment"]["id"]: stop["shipment"]["status"] for stop in under_way["deliveryRun"]["stops"]}
    assert goes == {id_of(each): "OUT_FOR_DELIVERY" for each in (first, second, third)}


async def test_a_parcel_that_cannot_join_is_refused_by_name(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    customer = await clients.customer()
    run, [own] = await plan_run(shop, courier, 1)
    over, _ = await plan_run(shop, courier, 1)
    await clerk.do(CANCEL, id=over)
    free, elsewhere = await pack_parcels(shop, 2)
    other = await create_warehouse(session, code="OTHER")
    (await session.merge(elsewhere)).warehouse_id = other.id
    await session.commit()
    before = await read_all_rows(shop)

    async def refusal(viewer: Client, run_id: str, **stop: Any) -> list[tuple[str, list[str] | None]]:
        answer = await viewer.do(ADD, id=run_id, stop=stop)
        assert answer["deliveryRun"] is None
        return [(error["code"], error["field"]) for error in answer["userErrors"]]

    parcel = id_of(free)
    no_run, no_parcel = global_id("DeliveryRun", UNKNOWN), global_id("Shipment", UNKNOWN)
    assert await refusal(clerk, no_run, shipmentId=parcel) == [("NOT_FOUND", ["id"])]
    assert await refusal(clerk, parcel, shipmentId=parcel) == [("NOT_FOUND", ["id"])]
    assert await refusal(clerk, run, shipmentId=no_parcel) == [("NOT_FOUND", ["stop", "shipmentId"])]
    assert await refusal(clerk, run, shipmentId=run) == [("NOT_FOUND", ["stop", "shipmentId"])]
    assert await refusal(clerk, over, shipmentId=parcel) == [("WRONG_STATE", ["id"])]
    assert await refusal(clerk, run, shipmentId=id_of(own)) == [("WRONG_STATE", ["stop", "shipmentId"])]
    assert await refusal(clerk, run, shipmentId=id_of(elsewhere)) == [("WRONG_STATE", ["stop", "shipmentId"])]
    assert await refusal(clerk, run, shipmentId=parcel, priority=4) == [("INVALID", ["stop", "priority"])]
    assert await refusal(clerk, run, shipmentId=parcel, skills=["COLD_CHAIN"]) == [
        ("SKILL_MISSING", ["stop", "skills"])
    ]
    for stranger in (courier, customer):
        assert [code for code, _ in await refusal(stranger, run, shipmentId=parcel)] == ["FORBIDDEN"]
    assert await read_all_rows(shop) == before


async def test_a_parcel_that_does_not_fit_joins_only_where_somebody_says_that_it_does(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    first, second, third = await pack_parcels(shop, 3)
    van = await create_vehicle(session, first.warehouse_id, capacity_parcels=1, capacity_grams=10_000)
    await session.commit()
    planned = await clerk.do(DRAFT, vehicleIds=[id_of(van)], stops=[{"shipmentId": id_of(first)}])
    [run] = [each["id"] for each in planned["deliveryRuns"]]
    await run_until_idle(shop)
    before = await read_all_rows(shop)

    full = await clerk.do(ADD, id=run, stop={"shipmentId": id_of(second)})
    unable = await clerk.do(
        ADD, id=run, stop={"shipmentId": id_of(second), "skills": ["COLD_CHAIN"]}, overload=True
    )

    assert refusals(full) == [("LIMIT_REACHED", "stop.shipmentId")]
    assert refusals(unable) == [("SKILL_MISSING", "stop.skills")]
    assert await read_all_rows(shop) == before
    joined = await clerk.do(ADD, id=run, stop={"shipmentId": id_of(second)}, overload=True)
    assert (refusals(joined), len(joined["deliveryRun"]["stops"])) == ([], 2)
    (await session.merge(van)).capacity_parcels = None
    (await session.merge(third)).weight_grams = 10_001
    await session.commit()
    heavy = await clerk.do(ADD, id=run, stop={"shipmentId": id_of(third)})
    assert refusals(heavy) == [("LIMIT_REACHED", "stop.shipmentId")]


async def test_a_run_is_planned_anew_by_those_who_plan_while_it_is_open(clients: Clients, shop: Shop) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    customer = await clients.customer()
    run, _ = await plan_run(shop, courier, 3)
    over, _ = await plan_run(shop, courier, 1)
    await clerk.do(CANCEL, id=over)
    before = await read_all_rows(shop)

    async def refusal(viewer: Client, run_id: str) -> list[tuple[str, list[str] | None]]:
        answer = await viewer.do(REPLAN, id=run_id)
        assert answer["deliveryRun"] is None
        return [(error["code"], error["field"]) for error in answer["userErrors"]]

    assert await refusal(clerk, global_id("DeliveryRun", UNKNOWN)) == [("NOT_FOUND", ["id"])]
    assert await refusal(clerk, global_id("Shipment", 1)) == [("NOT_FOUND", ["id"])]
    assert await refusal(clerk, over) == [("WRONG_STATE", ["id"])]
    for stranger in (courier, customer):
        assert [code for code, _ in await refusal(stranger, run)] == ["FORBIDDEN"]
    assert await read_all_rows(shop) == before

    done = await clerk.do(REPLAN, id=run)
    assert (done["userErrors"], done["deliveryRun"]["solver"]) == ([], "PYVRP")
    assert len(done["deliveryRun"]["stops"]) == 3
