"""Vehicles, couriers' shifts and skills, and drafts of runs, through the front door."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import PostalAddress
from events.delivery_run import ENDED_DRAFTS
from events.jobs.scheduler import Scheduler
from events.shop import Shop
from models import DeliveryRun, DeliveryRunStop, OrderStatus, Role, Shipment, Vehicle
from resolvers.ids import global_id
from tests.clients import Client, Clients
from tests.factories.order import CHENGDU, create_order, deliver_to
from tests.factories.shipment import confirmed_order, pack
from tests.factories.stock import create_warehouse
from tests.factories.vehicle import create_courier, create_vehicle
from tests.given import id_of

pytestmark = pytest.mark.usefixtures("audit_at_end")

Tick = Callable[[timedelta], None]

SAVE = """
mutation ($input: VehicleSaveInput!) {
  vehicleSave(input: $input) {
    vehicle { id name capacityGrams speedKmh costPerKm { amount } shifts { weekday begins } skills version }
    userErrors { code field }
  }
}
"""
PROFILE = """
mutation ($input: CourierProfileSaveInput!) {
  courierProfileSave(input: $input) {
    courierProfile { courier { name } shifts { weekday ends } skills version } userErrors { code field }
  }
}
"""
PLAN = """
mutation ($input: DeliveryRunPlanInput!) {
  deliveryRunPlan(input: $input) {
    deliveryRuns {
      id status courier { id } plannedVehicle { name } departsAt returnsAt draftUntil
      stops { shipment { id } position windowUntil locked }
    }
    unplanned { shipment { id } reason message }
    solver distanceSource planNote
    userErrors { code field }
  }
}
"""
ASSIGN = """
mutation ($input: DeliveryRunAssignInput!) {
  deliveryRunAssign(input: $input) {
    deliveryRun { status courier { id } draftUntil } userErrors { code field }
  }
}
"""
START = """
mutation ($input: DeliveryRunStartInput!) {
  deliveryRunStart(input: $input) { deliveryRun { status } userErrors { code field } }
}
"""
VEHICLES = "{ vehicles(first: 10) { nodes { name } } courierSkills }"


async def pack_for(session: AsyncSession, shop: Shop, *addresses: PostalAddress | None) -> list[Shipment]:
    """A packed parcel for each address; None for one in Hangzhou."""
    parcels = []
    for address in addresses:
        order = (
            await create_order(session, status=OrderStatus.CONFIRMED, deliveries=[deliver_to(address)])
            if address
            else await confirmed_order(session)
        )
        parcels += await pack(session, order, now=shop.clock())
    await session.commit()
    return parcels


async def plan_for_one_van(
    clients: Clients, shop: Shop, session: AsyncSession, count: int = 2
) -> tuple[Client, dict[str, Any], list[Shipment], Vehicle]:
    """A draft for a van of the parcels' warehouse: who planned it, and the answer."""
    clerk = await clients.staff(Role.WAREHOUSE)
    parcels = await pack_for(session, shop, *[None] * count)
    van = await create_vehicle(session, parcels[0].warehouse_id)
    await session.commit()
    answer = await clerk.do(
        PLAN, vehicleIds=[id_of(van)], stops=[{"shipmentId": id_of(parcel)} for parcel in parcels]
    )
    return clerk, answer, parcels, van


async def test_staff_describe_vehicles_and_couriers(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, courier = await clients.staff(Role.WAREHOUSE), await clients.staff(Role.COURIER)
    depot = await create_warehouse(session, code="MAIN")
    await session.commit()
    assert courier.account

    saved = await clerk.do(
        SAVE,
        name="Van  1",
        warehouseId=id_of(depot),
        capacityGrams=800_000,
        speedKmh=30,
        costPerKm={"amount": "1.50", "currencyCode": "CNY"},
        shifts=[{"weekday": "MONDAY", "begins": "08:00", "ends": "18:00"}],
        skills=["HEAVY", "COLD_CHAIN"],
    )
    profile = await clerk.do(
        PROFILE,
        courierId=id_of(courier.account),
        shifts=[{"weekday": "TUESDAY", "begins": "08:00", "ends": "12:00"}],
        skills=["HEAVY"],
    )

    assert saved["vehicle"] | {"id": ""} == {
        "id": "",
        "name": "Van 1",
        "capacityGrams": 800_000,
        "speedKmh": 30,
        "costPerKm": {"amount": "1.50"},
        "shifts": [{"weekday": "MONDAY", "begins": "08:00"}],
        "skills": ["COLD_CHAIN", "HEAVY"],
        "version": 1,
    }
    assert profile["courierProfile"] == {
        "courier": {"name": "Lin Mei"},
        "shifts": [{"weekday": "TUESDAY", "ends": "12:00"}],
        "skills": ["HEAVY"],
        "version": 1,
    }
    assert (await clerk.get(VEHICLES))["vehicles"] == {"nodes": [{"name": "Van 1"}]}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"capacityParcels": None}, "INVALID", ["capacityGrams"]),
        ({"capacityParcels": 0}, "INVALID", ["capacityParcels"]),
        ({"capacityParcels": 100_000}, "INVALID", ["capacityParcels"]),
        ({"speedKmh": 5_000}, "INVALID", ["speedKmh"]),
        ({"name": " "}, "INVALID", ["name"]),
        ({"name": "Taken"}, "TAKEN", ["name"]),
        ({"skills": ["FLYING"]}, "INVALID", ["skills", "0"]),
        (
            {"shifts": [{"weekday": "MONDAY", "begins": "18:00", "ends": "08:00"}]},
            "INVALID",
            ["shifts", "0"],
        ),
        ({"shifts": [{"weekday": "MONDAY", "begins": "8", "ends": "9"}]}, "INVALID", ["shifts", "0"]),
        ({"costPerKm": {"amount": "-1", "currencyCode": "CNY"}}, "INVALID", ["costPerKm"]),
        ({"warehouseId": global_id("Warehouse", 10_000)}, "NOT_FOUND", ["warehouseId"]),
    ],
)
async def test_a_vehicle_that_cannot_be_is_refused_by_name(
    clients: Clients,
    shop: Shop,
    session: AsyncSession,
    change: dict[str, Any],
    code: str,
    field: list[str],
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    depot = await create_warehouse(session, code="MAIN")
    await create_vehicle(session, depot.id, name="Taken")
    await session.commit()

    answer = await clerk.do(
        SAVE, **({"name": "Van", "warehouseId": id_of(depot), "capacityParcels": 5} | change)
    )

    assert answer == {"vehicle": None, "userErrors": [{"code": code, "field": field}]}
    assert await session.scalar(select(func.count(Vehicle.id))) == 1


async def test_a_vehicle_is_edited_by_the_version_that_was_read(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    van = await create_vehicle(session, (await create_warehouse(session, code="MAIN")).id)
    await session.commit()
    given = {
        "id": id_of(van),
        "name": "Renamed",
        "warehouseId": global_id("Warehouse", van.warehouse_id),
        "capacityParcels": 5,
    }

    first = await clerk.do(SAVE, version=1, **given)
    second = await clerk.do(SAVE, version=1, **given)

    assert (first["vehicle"]["version"], second["userErrors"]) == (
        2,
        [{"code": "CONFLICT", "field": ["version"]}],
    )


async def test_a_plan_is_a_draft_until_a_courier_takes_it(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, answer, parcels, van = await plan_for_one_van(clients, shop, session)
    courier = await clients.staff(Role.COURIER)
    await create_courier(session, account=courier.account)
    await session.commit()
    assert courier.account

    [draft] = answer["deliveryRuns"]
    assert (answer["userErrors"], answer["unplanned"], answer["planNote"]) == ([], [], "")
    assert (answer["solver"], answer["distanceSource"]) == ("PYVRP", "STRAIGHT_LINES")
    assert (draft["status"], draft["courier"], draft["plannedVehicle"]) == ("DRAFT", None, {"name": van.name})
    assert sorted(stop["shipment"]["id"] for stop in draft["stops"]) == sorted(map(id_of, parcels))
    early = await courier.do(START, id=draft["id"])
    assigned = await clerk.do(ASSIGN, id=draft["id"], courierId=id_of(courier.account))
    started = await courier.do(START, id=draft["id"])

    assert early["userErrors"] == [{"code": "NOT_FOUND", "field": ["id"]}]
    assert assigned["deliveryRun"] == {
        "status": "PLANNED",
        "courier": {"id": id_of(courier.account)},
        "draftUntil": None,
    }
    assert started["deliveryRun"] == {"status": "ACTIVE"}
    assert [error["code"] for error in (await courier.do(START, id=draft["id"]))["userErrors"]] == [
        "WRONG_STATE"
    ]


async def test_only_a_courier_on_shift_with_the_skills_takes_a_draft(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    [parcel] = await pack_for(session, shop, None)
    van = await create_vehicle(session, parcel.warehouse_id, skills=["COLD_CHAIN"])
    off_shift = await create_courier(session, shifts=[])
    unskilled = await create_courier(session, skills=["HEAVY"])
    await session.commit()
    answer = await clerk.do(
        PLAN,
        vehicleIds=[id_of(van)],
        stops=[{"shipmentId": id_of(parcel), "skills": ["COLD_CHAIN"]}],
    )
    [draft] = answer["deliveryRuns"]

    refused = [
        (await clerk.do(ASSIGN, id=draft["id"], courierId=global_id("Account", account_id)))["userErrors"]
        for account_id in (
            off_shift.account_id,
            unskilled.account_id,
            clerk.account.id if clerk.account else 0,
        )
    ]

    assert refused == [
        [{"code": "OFF_SHIFT", "field": ["courierId"]}],
        [{"code": "SKILL_MISSING", "field": ["courierId"]}],
        [{"code": "NOT_FOUND", "field": ["courierId"]}],
    ]
    run = (await session.scalars(select(DeliveryRun))).one()
    assert (run.status.value, run.courier_id) == ("DRAFT", None)


async def test_a_draft_that_nobody_takes_ends_and_its_parcels_are_free(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    clerk, _, parcels, van = await plan_for_one_van(clients, shop, session)
    again = await clerk.do(PLAN, vehicleIds=[id_of(van)], shipmentIds=[id_of(parcel) for parcel in parcels])
    assert {each["reason"] for each in again["unplanned"]} == {"ALREADY_PLANNED"}

    tick(shop.settings.routing.draft_lifetime - timedelta(minutes=1))
    await Scheduler(shop, [ENDED_DRAFTS]).run_once()
    still = (await session.scalars(select(DeliveryRun.status))).all()
    await session.commit()
    tick(timedelta(minutes=30))
    await Scheduler(shop, [ENDED_DRAFTS]).run_once()

    run = (await session.scalars(select(DeliveryRun).execution_options(populate_existing=True))).one()
    assert ([each.value for each in still], run.status.value) == (["DRAFT"], "CANCELLED")
    assert await session.scalar(select(func.count(DeliveryRunStop.id))) == 0
    await session.commit()
    clerk = await clients.staff(Role.WAREHOUSE)
    free = await clerk.do(PLAN, vehicleIds=[id_of(van)], shipmentIds=[id_of(parcel) for parcel in parcels])
    assert (len(free["deliveryRuns"]), free["unplanned"]) == (1, [])


async def test_what_cannot_be_planned_comes_back_with_the_reason(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    near, cold, far, late = await pack_for(session, shop, None, None, CHENGDU, None)
    heavy = (await pack_for(session, shop, None))[0]
    heavier = update(Shipment).where(Shipment.id == heavy.id).values(weight_grams=90_000)
    await session.execute(heavier)
    van = await create_vehicle(session, near.warehouse_id, capacity_grams=50_000)
    await session.commit()
    now = shop.clock()
    stops = [
        {"shipmentId": id_of(near)},
        {"shipmentId": id_of(cold), "skills": ["COLD_CHAIN"]},
        {"shipmentId": id_of(far), "windowUntil": (now + timedelta(hours=1)).isoformat()},
        {
            "shipmentId": id_of(late),
            "windowFrom": (now - timedelta(hours=3)).isoformat(),
            "windowUntil": (now - timedelta(hours=2)).isoformat(),
        },
        {"shipmentId": id_of(heavy)},
    ]

    answer = await clerk.do(PLAN, vehicleIds=[id_of(van)], stops=stops)

    [draft] = answer["deliveryRuns"]
    assert [stop["shipment"]["id"] for stop in draft["stops"]] == [id_of(near)]
    assert {each["shipment"]["id"]: each["reason"] for each in answer["unplanned"]} == {
        id_of(cold): "NO_SKILL",
        id_of(far): "WINDOW_UNREACHABLE",
        id_of(late): "WINDOW_UNREACHABLE",
        id_of(heavy): "TOO_HEAVY",
    }
    assert answer["unplanned"][0]["message"].endswith(".")


async def test_nonsense_is_refused_before_anything_is_planned(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    [parcel] = await pack_for(session, shop, None)
    van = await create_vehicle(session, parcel.warehouse_id)
    await session.commit()
    idle = await create_vehicle(session, parcel.warehouse_id)
    await session.commit()
    assert clerk.account
    clerk_id, depot = id_of(clerk.account), global_id("Warehouse", parcel.warehouse_id)
    too_far = (shop.clock() + timedelta(days=30, seconds=1)).isoformat()
    vehicles, now, unknown = [id_of(van)], shop.clock().isoformat(), global_id("Shipment", 10_000)
    one = {"shipmentId": id_of(parcel)}
    refused = [
        await clerk.do(PLAN, vehicleIds=vehicles, stops=[one, one]),
        await clerk.do(PLAN, vehicleIds=vehicles, shipmentIds=[unknown]),
        await clerk.do(PLAN, vehicleIds=[global_id("Vehicle", 10_000)], stops=[one]),
        await clerk.do(PLAN, vehicleIds=vehicles, stops=[one | {"windowFrom": now, "windowUntil": now}]),
        await clerk.do(PLAN, vehicleIds=vehicles, stops=[one | {"skills": ["FLYING"]}]),
        await clerk.do(PLAN, vehicleIds=vehicles, stops=[one | {"priority": 9}]),
        await clerk.do(PLAN, vehicleIds=vehicles, shipmentIds=[unknown] * 1_001),
        await clerk.do(
            PLAN,
            vehicleIds=vehicles,
            stops=[one],
            locked=[{"vehicleId": id_of(van), "shipmentIds": [unknown]}],
        ),
        await clerk.do(PLAN, stops=[one]),
        await clerk.do(PLAN, vehicleIds=vehicles * 2, stops=[one]),
        await clerk.do(
            PLAN,
            vehicleIds=vehicles,
            stops=[one],
            locked=[{"vehicleId": id_of(idle), "shipmentIds": [id_of(parcel)]}],
        ),
        await clerk.do(PLAN, vehicleIds=vehicles, stops=[one], departsAt=too_far),
        await clerk.do(
            PLAN, courierId=clerk_id, warehouseId=depot, shipmentIds=[id_of(parcel)], departsAt=now
        ),
    ]

    assert [answer["userErrors"][0]["code"] for answer in refused] == [
        "INVALID",
        "NOT_FOUND",
        "NOT_FOUND",
        "INVALID",
        "INVALID",
        "INVALID",
        "LIMIT_REACHED",
        "INVALID",
        "INVALID",
        "INVALID",
        "NOT_FOUND",
        "INVALID",
        "INVALID",
    ]
    assert [answer["userErrors"][0]["field"] for answer in refused[-4:]] == [
        ["vehicleIds"],
        ["locked", "0", "vehicleId"],
        ["departsAt"],
        ["courierId"],
    ]
    assert await session.scalar(select(func.count(DeliveryRun.id))) == 0


async def test_a_vehicle_leaves_before_the_run_that_is_planned_for_it_tomorrow(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk, _, _, van = await plan_for_one_van(clients, shop, session, count=1)
    first, second, third = await pack_for(session, shop, None, None, None)

    async def departure(parcel: Shipment, **given: Any) -> datetime:
        answer = await clerk.do(PLAN, vehicleIds=[id_of(van)], stops=[{"shipmentId": id_of(parcel)}], **given)
        [run] = answer["deliveryRuns"]
        return datetime.fromisoformat(run["departsAt"])

    now = shop.clock()
    tomorrow = await departure(first, departsAt=(now + timedelta(days=1)).isoformat())
    today = await departure(second)
    then = await departure(third, departsAt=(now + timedelta(days=30)).isoformat())

    assert tomorrow - now >= timedelta(days=1)
    assert timedelta() <= today - now < timedelta(hours=12)
    assert then - now >= timedelta(days=30)


async def test_depots_bring_all_that_waits_in_them(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    clerk = await clients.staff(Role.WAREHOUSE)
    parcels = await pack_for(session, shop, None, None, None)
    await create_vehicle(session, parcels[0].warehouse_id, capacity_parcels=2)
    await create_vehicle(session, parcels[0].warehouse_id, capacity_parcels=2)
    await session.commit()

    answer = await clerk.do(PLAN, warehouseIds=[global_id("Warehouse", parcels[0].warehouse_id)])

    sizes = sorted(len(run["stops"]) for run in answer["deliveryRuns"])
    assert (sizes, answer["unplanned"]) == ([1, 2], [])
