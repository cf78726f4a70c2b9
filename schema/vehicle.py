from datetime import datetime

import strawberry

import models
from resolvers.delivery_run import vehicles as resolve
from resolvers.guard import Permission
from schema.account import Account
from schema.connection import Connection
from schema.limits.sizes import FEW, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, loaded, row_type
from schema.scalars import Money
from schema.stock import Warehouse


@row_type(resolve.WorkShift)
class WorkShift:
    """From when to when somebody or something works on a weekday, in the shop's time zone."""

    weekday: resolve.Weekday
    """The day."""
    begins: str
    """The first moment, such as "08:00"."""
    ends: str
    """The last moment, such as "17:30"."""


@row_type(models.Vehicle)
class Vehicle(Node):
    """What couriers of the shop drive: where it stands, what fits in, when it drives and what that costs."""

    name: str
    """What people call it."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Its depot, where its runs begin and end."""
    capacity_grams: int | None
    """What it carries by weight; null where that does not limit it."""
    capacity_litres: int | None
    """What fits in by volume; null where that does not limit it."""
    capacity_parcels: int | None
    """How many parcels fit in; null where that does not limit it."""
    speed_kmh: int
    """How fast it drives on average."""
    cost_per_km: Money
    """What a kilometre costs."""
    cost_per_hour: Money
    """What an hour costs."""
    shifts: list[WorkShift] = field(resolve.shifts, size=SOME)
    skills: list[str] = field(resolve.skills, size=FEW)
    version: int
    """One higher with each change; pass it back when you save."""
    archived_at: datetime | None
    """When it was archived: nothing is planned for it any more; null while it drives."""


@row_type(models.CourierProfile)
class CourierProfile:
    """When a courier works, and what they may bring."""

    courier: Account = loaded("account", key="account_id")
    """The courier."""
    shifts: list[WorkShift] = field(resolve.shifts, size=SOME)
    skills: list[str] = field(resolve.skills, size=FEW)
    version: int
    """One higher with each change; pass it back when you save."""


@strawberry.type
class VehicleQuery:
    vehicles: Connection[Vehicle] = field(resolve.vehicles, allow=Permission.DELIVERY_RUN_PLAN)
    courier_profile: CourierProfile | None = field(
        resolve.courier_profile, allow=Permission.DELIVERY_RUN_PLAN
    )
    courier_skills: list[str] = field(resolve.courier_skills, allow=Permission.DELIVERY_RUN_PLAN, size=SOME)


@strawberry.type
class VehicleMutation:
    vehicle_save = mutation(resolve.vehicle_save, returns=Vehicle, allow=Permission.DELIVERY_RUN_PLAN)
    vehicle_archive = mutation(resolve.vehicle_archive, returns=Vehicle, allow=Permission.DELIVERY_RUN_PLAN)
    vehicle_restore = mutation(resolve.vehicle_restore, returns=Vehicle, allow=Permission.DELIVERY_RUN_PLAN)
    courier_profile_save = mutation(
        resolve.courier_profile_save, returns=CourierProfile, allow=Permission.DELIVERY_RUN_PLAN
    )
