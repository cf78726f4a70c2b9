from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain.delivery_run import VehicleDraft, WorkShift
from domain.stock import Weekday
from models import CurrencyCode, DeliveryRunStatus
from resolvers.descriptions import input_type
from resolvers.inputs.money import MoneyInput


@input_type
class DeliveryRunFilter:
    """Which delivery runs; everything given must hold."""

    status: list[DeliveryRunStatus] | None = None
    """With one of these statuses."""
    warehouse_id: strawberry.ID | None = None
    """From this warehouse."""
    courier_id: strawberry.ID | None = None
    """Driven by this courier."""
    has_cash: bool | None = None
    """Whether its courier has cash of it in hand."""


@input_type
class PlanStopInput:
    """A parcel of a plan, and what is wished or needed at its door."""

    shipment_id: strawberry.ID
    """The parcel."""
    window_from: datetime | None = None
    """From when on the courier may come; any time when left out."""
    window_until: datetime | None = None
    """Until when the courier should be there; any time when left out."""
    priority: int = 0
    """0 to 3: where not everything fits, the highest are brought."""
    service_seconds: int | None = None
    """How long it takes at the door; as usual when left out."""
    skills: list[str] = strawberry.field(
        default_factory=list, description="What its courier and vehicle need, of `courierSkills`."
    )


@input_type
class LockedStopsInput:
    """Parcels that a vehicle brings first, whatever else is planned."""

    vehicle_id: strawberry.ID
    """The vehicle."""
    shipment_ids: list[strawberry.ID]
    """The parcels, in the order in which they are brought."""


@input_type
class DeliveryRunPlanInput:
    """What `deliveryRunPlan` needs: a courier, a warehouse and shipments for one run; or vehicles, or depots
    of which all drive, for a draft each."""

    courier_id: strawberry.ID | None = None
    """Who drives; the run of this courier is planned at once."""
    warehouse_id: strawberry.ID | None = None
    """Where the run begins."""
    shipment_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Parcels of which nothing else is wished."
    )
    vehicle: str = ""
    """What a courier drives, in words."""
    vehicle_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="The vehicles; a draft is planned for each."
    )
    warehouse_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="Depots: all their vehicles where none is named, and all that waits there.",
    )
    stops: list[PlanStopInput] = strawberry.field(
        default_factory=list, description="Parcels with what is wished for them."
    )
    locked: list[LockedStopsInput] = strawberry.field(
        default_factory=list, description="What vehicles bring first."
    )
    departs_at: datetime | None = None
    """When the runs may leave; now when left out."""


@input_type
class WorkShiftInput:
    """From when to when somebody or something works on a weekday, in the shop's time zone."""

    weekday: Weekday
    """The day."""
    begins: str
    """The first moment, such as "08:00"."""
    ends: str
    """The last moment, such as "17:30"."""

    def shift(self) -> WorkShift:
        return WorkShift(self.weekday, self.begins, self.ends)


@input_type
class VehicleSaveInput:
    """What `vehicleSave` needs."""

    name: str
    """What people call it; each has another name."""
    warehouse_id: strawberry.ID
    """Its depot, where its runs begin and end."""
    id: strawberry.ID | None = None
    """The vehicle to change; a new one is added when left out."""
    version: int | None = None
    """The version that was read; required with `id`."""
    capacity_grams: int | None = None
    """What it carries by weight; at least one of the three capacities is given."""
    capacity_litres: int | None = None
    """What fits in by volume."""
    capacity_parcels: int | None = None
    """How many parcels fit in."""
    speed_kmh: int = 20
    """How fast it drives on average."""
    cost_per_km: MoneyInput | None = None
    """What a kilometre costs."""
    cost_per_hour: MoneyInput | None = None
    """What an hour costs."""
    shifts: list[WorkShiftInput] = strawberry.field(
        default_factory=list, description="When it drives; without any it may at any time."
    )
    skills: list[str] = strawberry.field(
        default_factory=list, description="What it can do, of `courierSkills`."
    )

    def draft(self, warehouse_id: int, currency: CurrencyCode) -> VehicleDraft:
        per_km = self.cost_per_km.money(field=("cost_per_km",)) if self.cost_per_km else None
        per_hour = self.cost_per_hour.money(field=("cost_per_hour",)) if self.cost_per_hour else None
        cost = per_km or per_hour
        return VehicleDraft(
            name=self.name,
            warehouse_id=warehouse_id,
            currency=cost.currency if cost else currency,
            capacity_grams=self.capacity_grams,
            capacity_litres=self.capacity_litres,
            capacity_parcels=self.capacity_parcels,
            speed_kmh=self.speed_kmh,
            cost_per_km=per_km,
            cost_per_hour=per_hour,
            shifts=[each.shift() for each in self.shifts],
            skills=self.skills,
        )


@input_type
class CourierProfileSaveInput:
    """What `courierProfileSave` needs."""

    courier_id: strawberry.ID
    """The courier."""
    version: int | None = None
    """The version that was read; left out where there is none yet."""
    shifts: list[WorkShiftInput] = strawberry.field(
        default_factory=list, description="When they work; without any they never do."
    )
    skills: list[str] = strawberry.field(
        default_factory=list, description="What they may bring, of `courierSkills`."
    )

    def work_shifts(self) -> Sequence[WorkShift]:
        return [each.shift() for each in self.shifts]
