"""Vehicles of the shop's own couriers, and what couriers may bring and when they work."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.delivery_run.planning import may_drive
from domain.delivery_run.shifts import WorkShift, normalize_shifts
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState, collect_refusals
from domain.versions import check_version
from models import (
    Account,
    CourierProfile,
    CurrencyCode,
    DeliveryRun,
    DeliveryRunStatus,
    Money,
    Vehicle,
    Warehouse,
)

VEHICLES_LIMIT = 1_000
NAME_LIMIT = 100
SPEED_LIMIT_KMH = 130
GRAMS_LIMIT, LITRES_LIMIT, PARCELS_LIMIT = 40_000_000, 100_000, 200
COST_LIMIT = 10_000_000
"""The largest capacities, and the highest costs of a kilometre or an hour in minor units."""


@dataclass(frozen=True, slots=True)
class VehicleDraft:
    """All that is saved of a vehicle."""

    name: str
    warehouse_id: int
    currency: CurrencyCode
    capacity_grams: int | None = None
    capacity_litres: int | None = None
    capacity_parcels: int | None = None
    speed_kmh: int = 20
    cost_per_km: Money | None = None
    cost_per_hour: Money | None = None
    shifts: Sequence[WorkShift] = ()
    skills: Sequence[str] = ()


async def save_vehicle(
    session: AsyncSession,
    draft: VehicleDraft,
    *,
    vehicle_id: int | None,
    version: int | None,
    known_skills: Collection[str],
) -> Vehicle:
    """Add a vehicle, or replace all that is known of one; Conflict unless `version` is its current one."""
    vehicle = None if vehicle_id is None else await lock_vehicle(session, vehicle_id, version=version)
    if vehicle and vehicle.archived_at is not None:
        raise WrongState("This vehicle is archived; restore it first.", field=("id",))
    values = normalize_vehicle(draft, known_skills)
    warehouse = await session.get(Warehouse, draft.warehouse_id)
    if warehouse is None or warehouse.archived_at is not None:
        raise NotFound("warehouse", field=("warehouse_id",))
    same = select(Vehicle.id).where(Vehicle.name == values["name"])
    if await session.scalar(same if vehicle is None else same.where(Vehicle.id != vehicle.id)):
        raise Taken("There is a vehicle {name} already.", name=str(values["name"]), field=("name",))
    if vehicle is None:
        if (await session.scalar(select(func.count(Vehicle.id))) or 0) >= VEHICLES_LIMIT:
            raise LimitReached("A shop has at most {limit} vehicles.", limit=VEHICLES_LIMIT)
        vehicle = Vehicle(**values, version=1)
        session.add(vehicle)
    else:
        for name, value in values.items():
            setattr(vehicle, name, value)
        vehicle.version += 1
    await session.flush()
    return vehicle


def normalize_vehicle(draft: VehicleDraft, known_skills: Collection[str]) -> dict[str, object]:
    """The columns of a vehicle; Invalid with everything that is malformed."""
    name = " ".join(draft.name.split())
    with collect_refusals() as check:
        if not 1 <= len(name) <= NAME_LIMIT:
            check.add(Invalid("A name has 1 to {limit} characters.", limit=NAME_LIMIT, field=("name",)))
        with check:
            check_capacities(draft)
        if not 1 <= draft.speed_kmh <= SPEED_LIMIT_KMH:
            check.add(Invalid("A speed is 1 to {limit} km/h.", limit=SPEED_LIMIT_KMH, field=("speed_kmh",)))
        per_km = check.value(cost_in_minor, 0, draft.cost_per_km, draft.currency, "cost_per_km")
        per_hour = check.value(cost_in_minor, 0, draft.cost_per_hour, draft.currency, "cost_per_hour")
        shifts = check.value(normalize_shifts, list[dict[str, str]](), draft.shifts)
        skills = check.value(normalize_skills, list[str](), draft.skills, known_skills)
    return {
        "name": name,
        "warehouse_id": draft.warehouse_id,
        "capacity_grams": draft.capacity_grams,
        "capacity_litres": draft.capacity_litres,
        "capacity_parcels": draft.capacity_parcels,
        "speed_kmh": draft.speed_kmh,
        "currency": draft.currency,
        "cost_per_km_amount": per_km,
        "cost_per_hour_amount": per_hour,
        "shifts": shifts,
        "skills": skills,
    }


def check_capacities(draft: VehicleDraft) -> None:
    """Refuse a vehicle into which nothing fits, or of which nobody says what does."""
    given = {
        "capacity_grams": (draft.capacity_grams, GRAMS_LIMIT),
        "capacity_litres": (draft.capacity_litres, LITRES_LIMIT),
        "capacity_parcels": (draft.capacity_parcels, PARCELS_LIMIT),
    }
    if all(value is None for value, _ in given.values()):
        raise Invalid("Say what fits into it: by weight, volume or number.", field=("capacity_grams",))
    for name, (value, limit) in given.items():
        if value is not None and not 1 <= value <= limit:
            raise Invalid("A capacity is 1 to {limit}.", limit=limit, field=(name,))


def cost_in_minor(cost: Money | None, currency: CurrencyCode, field: str) -> int:
    if cost is None:
        return 0
    if cost.currency is not currency:
        raise Invalid("All costs of a vehicle are in {currency}.", currency=currency.value, field=(field,))
    if not 0 <= cost.minor <= COST_LIMIT:
        raise Invalid("This cost is out of its limits.", field=(field,))
    return cost.minor


def normalize_skills(skills: Sequence[str], known: Collection[str]) -> list[str]:
    """The skills, each once; Invalid for one that the shop does not know."""
    for index, skill in enumerate(skills):
        if skill not in known:
            raise Invalid(
                'There is no skill "{skill}"; there are {known}.',
                skill=skill[:NAME_LIMIT],
                known=", ".join(sorted(known)),
                field=("skills", index),
            )
    return sorted(set(skills))


async def archive_vehicle(session: AsyncSession, vehicle_id: int, *, version: int, now: datetime) -> Vehicle:
    """Plan no more runs for a vehicle; WrongState while one waits for it or is on the road."""
    vehicle = await lock_vehicle(session, vehicle_id, version=version)
    open_statuses = (DeliveryRunStatus.DRAFT, DeliveryRunStatus.PLANNED, DeliveryRunStatus.ACTIVE)
    used = select(DeliveryRun.id).where(
        DeliveryRun.vehicle_id == vehicle.id, DeliveryRun.status.in_(open_statuses)
    )
    if await session.scalar(used.limit(1)):
        raise WrongState("This vehicle is on a run that has not ended.", field=("id",))
    if vehicle.archived_at is None:
        vehicle.archived_at, vehicle.version = now, vehicle.version + 1
    return vehicle


async def restore_vehicle(session: AsyncSession, vehicle_id: int, *, version: int) -> Vehicle:
    """Plan runs for an archived vehicle again."""
    vehicle = await lock_vehicle(session, vehicle_id, version=version)
    if vehicle.archived_at is not None:
        vehicle.archived_at, vehicle.version = None, vehicle.version + 1
    return vehicle


async def lock_vehicle(session: AsyncSession, vehicle_id: int, *, version: int | None) -> Vehicle:
    vehicle = await session.get(Vehicle, vehicle_id, with_for_update=True, populate_existing=True)
    if vehicle is None:
        raise NotFound("vehicle", field=("id",))
    if version is None:
        raise Invalid("Say which version you have read.", field=("version",))
    check_version(vehicle, version)
    return vehicle


async def save_courier_profile(
    session: AsyncSession,
    courier_id: int,
    *,
    shifts: Sequence[WorkShift],
    skills: Sequence[str],
    version: int | None,
    known_skills: Collection[str],
) -> CourierProfile:
    """Say when a courier works and what they may bring; Conflict unless `version` is the current one."""
    courier = await session.get(Account, courier_id, with_for_update={"key_share": True})
    if courier is None or not may_drive(courier):
        raise NotFound("courier", field=("courier_id",))
    with collect_refusals() as check:
        stored_shifts = check.value(normalize_shifts, list[dict[str, str]](), shifts)
        stored_skills = check.value(normalize_skills, list[str](), skills, known_skills)
    profile = await session.get(CourierProfile, courier_id, with_for_update=True, populate_existing=True)
    if profile is None:
        profile = CourierProfile(account_id=courier_id, shifts=stored_shifts, skills=stored_skills, version=1)
        session.add(profile)
    else:
        if version is None:
            raise Invalid("Say which version you have read.", field=("version",))
        check_version(profile, version)
        profile.shifts, profile.skills = stored_shifts, stored_skills
        profile.version += 1
    await session.flush()
    return profile
