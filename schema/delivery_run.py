from datetime import datetime

import strawberry

import models
from resolvers import delivery_run as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.cash import CashHandIn
from schema.connection import Connection
from schema.limits.sizes import FEW, MANY, REPORT, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, loaded, row_type, subscription
from schema.scalars import Money
from schema.shipment import Position, Shipment
from schema.stock import Warehouse

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
    note: str
    """What the courier wrote about it."""
    proof: str
    """Who took the parcel, or where its picture is."""
    completed_at: datetime | None
    """When it was completed."""


@row_type(models.DeliveryRun)
class DeliveryRun(Node):
    """A round of one of the shop's own couriers: parcels of one warehouse in the order of their stops."""

    status: models.DeliveryRunStatus
    """Where it stands."""
    courier: Account = loaded("account", key="courier_id")
    """Who drives."""
    vehicle: str
    """What is driven; empty when it was not given."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where it begins."""
    stops: list[DeliveryRunStop] = loaded("delivery_run_stops", key="id", size=MANY)
    """The stops in the order they are visited."""
    position: Position | None
    """Where the courier was last; null before the first report."""
    version: int
    """One higher with each recorded event; pass it as `after` to watch without a gap."""
    planned_at: datetime
    """When it was planned."""
    started_at: datetime | None
    """When the courier left."""
    ended_at: datetime | None
    """When the last stop was completed, or the run was cancelled."""
    cash_in_hand: list[Money] = loaded("delivery_run_cash", key="id", size=FEW)
    """What was collected on it and not handed in: one amount for each currency of which there is some."""
    cash_held_since: datetime | None
    """When the first of that cash was collected; null without any."""
    cash_overdue_at: datetime | None
    """Since when it should have been handed in; null while it is in time, and without any."""
    cash_hand_ins: list[CashHandIn] = loaded("delivery_run_hand_ins", key="id", size=SOME)
    """What was counted of its cash, the oldest first."""


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
        resolve.delivery_run_plan, returns=DeliveryRun, allow=Permission.DELIVERY_RUN_PLAN, price=REPORT
    )
    delivery_run_cancel = mutation(
        resolve.delivery_run_cancel, returns=DeliveryRun, allow=Permission.DELIVERY_RUN_PLAN
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
