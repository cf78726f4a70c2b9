"""Vehicles and couriers of the shop."""

from collections.abc import Sequence
from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from domain.delivery_run import VehicleDraft, WorkShift, save_courier_profile, save_vehicle
from domain.stock import Weekday
from models import Account, CourierProfile, CurrencyCode, Money, Role, Vehicle
from tests.factories.account import create_account

SKILLS = ("AGE_CHECK", "COLD_CHAIN", "FRAGILE", "HEAVY")
ALL_WEEK = [WorkShift(day, "00:00", "23:59") for day in Weekday]
NUMBERS = count(1)


async def create_vehicle(
    session: AsyncSession,
    warehouse_id: int,
    *,
    name: str = "",
    capacity_parcels: int | None = 100,
    capacity_grams: int | None = None,
    shifts: Sequence[WorkShift] = (),
    skills: Sequence[str] = (),
) -> Vehicle:
    draft = VehicleDraft(
        name=name or f"Van {next(NUMBERS)}",
        warehouse_id=warehouse_id,
        currency=CurrencyCode.CNY,
        capacity_parcels=capacity_parcels,
        capacity_grams=capacity_grams,
        cost_per_km=Money(150, CurrencyCode.CNY),
        cost_per_hour=Money(30_00, CurrencyCode.CNY),
        shifts=shifts,
        skills=skills,
    )
    return await save_vehicle(session, draft, vehicle_id=None, version=None, known_skills=SKILLS)


async def create_courier(
    session: AsyncSession,
    *,
    account: Account | None = None,
    shifts: Sequence[WorkShift] = ALL_WEEK,
    skills: Sequence[str] = SKILLS,
) -> CourierProfile:
    """A courier who works all week and may bring anything, where nothing else is said."""
    courier = account or await create_account(session, role=Role.COURIER)
    return await save_courier_profile(
        session, courier.id, shifts=shifts, skills=skills, version=None, known_skills=SKILLS
    )
