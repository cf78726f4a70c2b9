"""Vehicles, and when couriers work and what they may bring."""

from collections.abc import Sequence

import strawberry

from domain.delivery_run import (
    WorkShift,
    archive_vehicle,
    read_shifts,
    restore_vehicle,
    save_courier_profile,
    save_vehicle,
)
from domain.stock import Weekday
from loaders.delivery_run.vehicles import BY_VEHICLE_NAME, select_vehicles
from loaders.page import FIRST_PAGE, Page, PageRequest
from models import CourierProfile, Vehicle
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.delivery_run import CourierProfileSaveInput, VehicleSaveInput
from resolvers.paging import query_page
from resolvers.shipment import warehouse_row_id

__all__ = ["Weekday", "WorkShift"]


async def vehicles(
    info: Info,
    warehouse_id: strawberry.ID | None = None,
    archived: bool = False,
    page: PageRequest = FIRST_PAGE,
) -> Page[Vehicle]:
    """Vehicles of the shop's own couriers, by name.

    warehouse_id: only those of this depot
    archived: also those for which nothing is planned any more
    """
    statement = select_vehicles(warehouse_id=warehouse_row_id(warehouse_id), archived=archived)
    return await query_page(info, statement, BY_VEHICLE_NAME, page)


async def find_vehicle(info: Info, vehicle_id: int) -> Vehicle | None:
    """The vehicle, for those who see delivery runs."""
    if not info.context.viewer.may(Permission.DELIVERY_RUN_VIEW):
        return None
    return await info.context.load.vehicle.load(vehicle_id)


async def courier_skills(info: Info) -> Sequence[str]:
    """All that couriers and vehicles may be able to do."""
    return info.context.shop.settings.routing.skills


async def courier_profile(info: Info, courier_id: strawberry.ID) -> CourierProfile | None:
    """When a courier works and what they may bring; null where nobody has said it.

    courier_id: the courier
    """
    courier = row_id(courier_id, "Account", field=("courier_id",))
    return await info.context.load.courier_profile.load(courier)


async def vehicle_save(info: Info, input: VehicleSaveInput) -> Vehicle:
    """Adds a vehicle, or replaces all that one is described by."""
    vehicle_id = None if input.id is None else row_id(input.id, "Vehicle")
    settings = info.context.shop.settings
    draft = input.draft(
        row_id(input.warehouse_id, "Warehouse", field=("warehouse_id",)), settings.locale.default_currency
    )
    async with info.context.transaction() as session:
        return await save_vehicle(
            session,
            draft,
            vehicle_id=vehicle_id,
            version=input.version,
            known_skills=settings.routing.skills,
        )


async def vehicle_archive(info: Info, id: strawberry.ID, version: int) -> Vehicle:
    """Plans no more runs for a vehicle.

    id: the vehicle
    version: the version that was read
    """
    async with info.context.transaction() as session:
        return await archive_vehicle(session, row_id(id, "Vehicle"), version=version, now=info.context.now)


async def vehicle_restore(info: Info, id: strawberry.ID, version: int) -> Vehicle:
    """Plans runs for an archived vehicle again.

    id: the vehicle
    version: the version that was read
    """
    async with info.context.transaction() as session:
        return await restore_vehicle(session, row_id(id, "Vehicle"), version=version)


async def courier_profile_save(info: Info, input: CourierProfileSaveInput) -> CourierProfile:
    """Says when a courier works and what they may bring."""
    async with info.context.transaction() as session:
        return await save_courier_profile(
            session,
            row_id(input.courier_id, "Account", field=("courier_id",)),
            shifts=input.work_shifts(),
            skills=input.skills,
            version=input.version,
            known_skills=info.context.shop.settings.routing.skills,
        )


def shifts(root: Vehicle | CourierProfile) -> list[WorkShift]:
    """From when to when, from Monday on, in the shop's time zone."""
    return read_shifts(root.shifts)


def skills(root: Vehicle | CourierProfile) -> list[str]:
    """What it takes to bring some parcels, such as COLD_CHAIN."""
    return root.skills
