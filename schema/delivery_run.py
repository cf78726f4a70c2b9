from datetime import datetime

import strawberry

import models
from resolvers import delivery_run as resolve
from resolvers.delivery_run import planning
from resolvers.delivery_run.run_map import run_maps
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.cash import CashHandIn
from schema.catalog.product import Media
from schema.connection import Connection
from schema.limits.sizes import FEW, MANY, REPORT, RUN_MAP, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.rows import batched, field, loaded, row_type, subscription
from schema.scalars import Money
from schema.shipment import Position, Shipment
from schema.stock import Warehouse
from schema.vehicle import Vehicle

UnplannedReason = describe_enum(models.UnplannedReason)
RouteSolver = describe_enum(models.RouteSolver)
DistanceSource = describe_enum(models.DistanceSource)
DeliveryRunStatus = describe_enum(models.DeliveryRunStatus)
StopOutcome = describe_enum(models.StopOutcome)


@row_type(models.DeliveryRunStop)
class DeliveryRunStop(Node):
    """One parcel's place in a delivery run."""

    position: int
    """Its place in the order of stops, from 1."""
    shipment: Shipment = loaded("shipment", key="shipment_id")
    """The parcel."""
    latitude: float | None
    """Where the door is, in degrees; null when it is unknown."""
    longitude: float | None
    """Where the door is, in degrees; null when it is unknown."""
    estimated_at: datetime
    """When the courier is expected there, or was."""
    outcome: models.StopOutcome | None
    """How it ended; null while it is still ahead."""
    skipped: bool
    """Whether the parcel was not taken along, because it had come back or its order was cancelled or is held;
    the note says why."""
    window_from: datetime | None
    """From when on the courier may come; null for any time."""
    window_until: datetime | None
    """Until when the courier should be there; null for any time."""
    priority: int
    """0 to 3: what is brought rather than others, where not everything fits."""
    skills: list[str] = field(resolve.stop_skills, size=FEW)
    locked: bool
    """Whether it stays in its place when the rest is planned anew."""
    distance_metres: int | None
    """From the stop before, as planned."""
    note: str
    """What the courier wrote about it."""
    proof: str
    """Who took the parcel, or where its picture is."""
    signature: Media | None = batched(resolve.signatures)
    photo: Media | None = batched(resolve.photos)
    completed_at: datetime | None
    """When it was completed."""


@row_type(models.DeliveryRun)
class DeliveryRun(Node):
    """A round of one of the shop's own couriers: parcels of one warehouse in the order of their stops."""

    status: models.DeliveryRunStatus
    """Where it stands."""
    courier: Account | None = loaded("account", key="courier_id")
    """Who drives; null for a draft that nobody has taken."""
    vehicle: str
    """What is driven; empty when it was not given."""
    planned_vehicle: Vehicle | None = loaded("vehicle", key="vehicle_id")
    """The vehicle it was planned for; null where only a name was given."""
    solver: models.RouteSolver | None
    """Who found the order of its stops last; null where nobody says."""
    distance_source: models.DistanceSource | None
    """Where the distances came from; null where nobody says."""
    plan_note: str
    """Why not the best solver or the best distances were used; empty where they were."""
    departs_at: datetime | None
    """When it should leave, as planned."""
    returns_at: datetime | None
    """When it should be back, as planned."""
    distance_metres: int | None
    """How far it is in all, as planned."""
    draft_until: datetime | None
    """Until when a draft waits for a courier; null for anything else."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where it begins."""
    stops: list[DeliveryRunStop] = loaded("delivery_run_stops", key="id", size=MANY)
    """The stops in the order they are visited."""
    position: Position | None
    """Where the courier was last; null before the first report, and a day later."""
    trail: list[Position] | None = batched(resolve.trails, size=MANY)
    map: str = batched(run_maps, price=RUN_MAP)
    version: int
    """One higher with each recorded event; pass it as `after` to watch without a gap."""
    planned_at: datetime
    """When it was planned."""
    started_at: datetime | None
    """When the courier left."""
    stalled_at: datetime | None
    """When the staff were told that it does not go on; null while it does."""
    ended_at: datetime | None
    """When the last stop was completed, the staff ended it, or it was cancelled."""
    cash_in_hand: list[Money] = loaded("delivery_run_cash", key="id", size=FEW)
    """What was collected on it and not handed in: one amount for each currency of which there is some."""
    cash_held_since: datetime | None
    """When the first of that cash was collected; null without any."""
    cash_overdue_at: datetime | None
    """Since when it should have been handed in; null while it is in time, and without any."""
    cash_hand_ins: list[CashHandIn] = loaded("delivery_run_hand_ins", key="id", size=SOME)
    """What was counted of its cash, the oldest first."""


@row_type(planning.UnplannedParcel)
class UnplannedParcel:
    """A parcel that is on no run of a plan."""

    shipment: Shipment = loaded("shipment", key="shipment_id")
    """The parcel."""
    reason: models.UnplannedReason
    """Why it is on none, for programs."""
    message: str = field(planning.unplanned_message)


@row_type(models.Event)
class DeliveryRunUpdate:
    """One thing that happened on a delivery run."""

    version: int
    """The run's version this made; they follow each other without a gap."""
    name: str
    """What happened, such as "delivery_run.moved"."""
    status: models.DeliveryRunStatus = field(resolve.status_then)
    occurred_at: datetime
    """When the shop recorded it."""
    delivery_run: DeliveryRun = loaded("delivery_run", key="subject_id")
    """The delivery run as it is now."""


@strawberry.type
class DeliveryRunQuery:
    delivery_runs: Connection[DeliveryRun] = field(resolve.delivery_runs, allow=Permission.DELIVERY_RUN_VIEW)


@strawberry.type
class DeliveryRunMutation:
    delivery_run_plan = mutation(
        planning.delivery_run_plan,
        returns=DeliveryRun,
        field_name="delivery_run",
        field_description="The first of the runs; null without one, and when the shop refused.",
        further_fields={
            "delivery_runs": (list[DeliveryRun], "The runs, one for each vehicle that brings something."),
            "unplanned": (list[UnplannedParcel], "What is on none of them, with the reason."),
            "solver": (models.RouteSolver, "Who found the order of the stops."),
            "distance_source": (models.DistanceSource, "Where the distances came from."),
            "plan_note": (
                str,
                "Why not the best solver or the best distances were used; empty where they were.",
            ),
        },
        allow=Permission.DELIVERY_RUN_PLAN,
        price=REPORT,
    )
    delivery_run_assign = mutation(
        planning.delivery_run_assign, returns=DeliveryRun, allow=Permission.DELIVERY_RUN_PLAN
    )
    delivery_run_stop_add = mutation(
        planning.delivery_run_stop_add, returns=DeliveryRun, allow=Permission.DELIVERY_RUN_PLAN, price=REPORT
    )
    delivery_run_replan = mutation(
        planning.delivery_run_replan, returns=DeliveryRun, allow=Permission.DELIVERY_RUN_PLAN, price=REPORT
    )
    delivery_run_cancel = mutation(
        resolve.delivery_run_cancel, returns=DeliveryRun, allow=Permission.DELIVERY_RUN_PLAN
    )
    delivery_run_end = mutation(
        resolve.delivery_run_end, returns=DeliveryRun, allow=Permission.DELIVERY_RUN_PLAN
    )
    delivery_run_start = mutation(
        resolve.delivery_run_start, returns=DeliveryRun, allow=Permission.DELIVERY_RUN_DRIVE
    )
    stop_complete = mutation(
        resolve.stop_complete, returns=DeliveryRunStop, allow=Permission.DELIVERY_RUN_DRIVE, field_name="stop"
    )
    courier_position_report = mutation(
        resolve.courier_position_report, returns=DeliveryRun, allow=Permission.DELIVERY_RUN_DRIVE
    )


@strawberry.type
class DeliveryRunSubscription:
    delivery_run_updates: DeliveryRunUpdate = subscription(
        resolve.delivery_run_updates, allow=Permission.DELIVERY_RUN_VIEW
    )
