from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import strawberry

from domain.delivery_run import StopTerms, VehicleDraft, WorkShift
from domain.errors import Invalid, LimitReached, collect_refusals
from domain.stock import Weekday
from models import CurrencyCode, DeliveryRunStatus
from resolvers.descriptions import input_type
from resolvers.ids import row_id
from resolvers.inputs.money import MoneyInput
from settings.routing import RoutingSettings

VEHICLES_LIMIT = 100
SKILLS_LIMIT = 20
SERVICE_LIMIT_SECONDS = 7_200
PRIORITY_LIMIT = 3
PLANNED_AHEAD = timedelta(days=30)
"""How far ahead runs are planned for vehicles."""

FieldPath = tuple[str | int, ...]


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
    stalled: bool | None = None
    """Whether the staff were told that it does not go on."""


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

    def terms(self, settings: RoutingSettings, path: FieldPath) -> StopTerms:
        """What is wished at the door; refused for a window upside down or an unknown skill."""
        with collect_refusals() as check:
            if self.window_from and self.window_until and self.window_until <= self.window_from:
                check.add(Invalid("A window ends after it begins.", field=(*path, "window_until")))
            if not 0 <= self.priority <= PRIORITY_LIMIT:
                field = (*path, "priority")
                check.add(Invalid("A priority is 0 to {limit}.", limit=PRIORITY_LIMIT, field=field))
            seconds, limit = self.service_seconds, SERVICE_LIMIT_SECONDS
            if seconds is not None and not 0 <= seconds <= limit:
                template = "At a door a courier is 0 to {limit} seconds."
                check.add(Invalid(template, limit=limit, field=(*path, "service_seconds")))
            with check:
                self.check_skills(settings.skills, path)
        return StopTerms(
            self.window_from,
            self.window_until,
            settings.service_time if seconds is None else timedelta(seconds=seconds),
            self.priority,
            tuple(sorted(set(self.skills))),
        )

    def check_skills(self, known: Collection[str], path: FieldPath) -> None:
        if len(self.skills) > SKILLS_LIMIT:
            template = "A stop needs at most {limit} skills."
            raise LimitReached(template, limit=SKILLS_LIMIT, field=(*path, "skills"))
        for index, skill in enumerate(self.skills):
            if skill not in known:
                raise Invalid(
                    'There is no skill "{skill}"; there are {known}.',
                    skill=skill[:100],
                    known=", ".join(sorted(known)),
                    field=(*path, "skills", index),
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
    """When the runs may leave, within 30 days; now when left out."""

    def departure(self, now: datetime) -> datetime:
        """From when on the runs may leave; Invalid beyond PLANNED_AHEAD."""
        start = max(self.departs_at or now, now)
        if start - now > PLANNED_AHEAD:
            raise Invalid(
                "Runs are planned at most {days} days ahead.", days=PLANNED_AHEAD.days, field=("departs_at",)
            )
        return start

    def courier_and_warehouse(self) -> tuple[int, int]:
        """Who drives the run of one courier, and where it begins; Invalid beside what is for vehicles."""
        if self.vehicle_ids or self.warehouse_ids or self.stops or self.locked or self.departs_at:
            raise Invalid("A run for one courier has a warehouse and shipments.", field=("courier_id",))
        if self.warehouse_id is None:
            raise Invalid("Say where the run begins.", field=("warehouse_id",))
        courier = row_id(self.courier_id or "", "Account", field=("courier_id",))
        return courier, row_id(self.warehouse_id, "Warehouse", field=("warehouse_id",))

    def warehouse_row_ids(self) -> list[int]:
        """The depots."""
        found = [
            row_id(each, "Warehouse", field=("warehouse_ids", index))
            for index, each in enumerate(self.warehouse_ids)
        ]
        if self.warehouse_id is not None:
            found.append(row_id(self.warehouse_id, "Warehouse", field=("warehouse_id",)))
        return found

    def shipment_row_ids(self) -> list[int]:
        return [
            row_id(each, "Shipment", field=("shipment_ids", index))
            for index, each in enumerate(self.shipment_ids)
        ]

    def vehicle_row_ids(self) -> list[int]:
        """The vehicles that are named; refused where neither they nor depots are."""
        if len(self.vehicle_ids) > VEHICLES_LIMIT:
            template = "A plan has at most {limit} vehicles."
            raise LimitReached(template, limit=VEHICLES_LIMIT, field=("vehicle_ids",))
        if not self.vehicle_ids and not self.warehouse_ids and self.warehouse_id is None:
            raise Invalid("Name vehicles, or depots whose vehicles drive.", field=("vehicle_ids",))
        found = [
            row_id(each, "Vehicle", field=("vehicle_ids", index))
            for index, each in enumerate(self.vehicle_ids)
        ]
        if len(set(found)) < len(found):
            raise Invalid("A plan names each vehicle once.", field=("vehicle_ids",))
        return found

    def stop_terms(self, settings: RoutingSettings) -> dict[int, StopTerms]:
        """What is wished for each parcel that is named; refused for too many, and for one twice."""
        limit = settings.stops_limit
        if len(self.shipment_ids) + len(self.stops) > limit:
            raise LimitReached("A plan has at most {limit} parcels.", limit=limit, field=("stops",))
        usual = StopTerms(service=settings.service_time)
        given = dict.fromkeys(self.shipment_row_ids(), usual)
        if len(given) < len(self.shipment_ids):
            raise Invalid("A plan brings each shipment once.", field=("shipment_ids",))
        for index, stop in enumerate(self.stops):
            id = row_id(stop.shipment_id, "Shipment", field=("stops", index, "shipment_id"))
            if id in given:
                raise Invalid("A plan brings each shipment once.", field=("stops", index))
            given[id] = stop.terms(settings, ("stops", index))
        return given

    def locked_row_ids(self, planned: Collection[int]) -> dict[int, list[int]]:
        """Which vehicle brings which parcels first; Invalid for one that is not planned, or locked twice."""
        locked: dict[int, list[int]] = {}
        seen: set[int] = set()
        for index, each in enumerate(self.locked):
            vehicle = row_id(each.vehicle_id, "Vehicle", field=("locked", index, "vehicle_id"))
            ids = [
                row_id(id, "Shipment", field=("locked", index, "shipment_ids", at))
                for at, id in enumerate(each.shipment_ids)
            ]
            if (
                vehicle in locked
                or not set(ids) <= set(planned)
                or seen & set(ids)
                or len(set(ids)) < len(ids)
            ):
                raise Invalid(
                    "What is locked is one of the planned shipments, once, and each vehicle is named once.",
                    field=("locked", index),
                )
            locked[vehicle] = ids
            seen |= set(ids)
        return locked


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
