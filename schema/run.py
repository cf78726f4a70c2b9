from datetime import datetime

import strawberry

import models
from resolvers import run as resolve
from resolvers.described import describe_enum
from resolvers.guard import DELIVERY, WAREHOUSE
from schema.account import Account
from schema.connection import Connection
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, loaded, row_type, subscription
from schema.shipment import Position, Shipment
from schema.stock import Warehouse

RunStatus = describe_enum(models.RunStatus)
StopOutcome = describe_enum(models.StopOutcome)

COURIERS = frozenset({models.Role.COURIER})


@row_type(models.RunStop)
class RunStop(Node):
    """One parcel's turn on a run."""

    position: int
    """Its place in the order of stops, from 1."""
    shipment: Shipment = loaded("shipment", key="shipment_id")
    """The parcel."""
    latitude: float | None
    """Where the door is, in degrees; null when nobody knows."""
    longitude: float | None
    """Where the door is, in degrees; null when nobody knows."""
    estimated_at: datetime
    """When the courier should have been there."""
    outcome: models.StopOutcome | None
    """How it ended; null while it is still ahead."""
    note: str
    """What the courier says of it."""
    proof: str
    """Who took the parcel, or where its picture is."""
    completed_at: datetime | None
    """When it was done."""


@row_type(models.DeliveryRun)
class DeliveryRun(Node):
    """A round of one of our own couriers."""

    status: models.RunStatus
    """Where it stands."""
    courier: Account = loaded("account", key="courier_id")
    """Who drives."""
    vehicle: str
    """What is driven; empty when nobody said."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where it begins."""
    stops: list[RunStop] = loaded("run_stops", key="id")
    """The parcels in the order they are brought."""
    position: Position | None
    """Where the courier last was."""
    version: int
    """One higher with each recorded event; pass it as `after` to watch without a gap."""
    planned_at: datetime
    """When it was planned."""
    started_at: datetime | None
    """When the courier left."""
    ended_at: datetime | None
    """When the last stop was done, or the run was called off."""


@row_type(models.Event)
class RunUpdate:
    """One thing that happened on a run."""

    version: int
    """The run's version this made; they follow each other without a gap."""
    name: str
    """What happened, such as "run.moved"."""
    status: models.RunStatus = field(resolve.status_told)
    occurred_at: datetime
    """When the shop recorded it."""
    run: DeliveryRun = loaded("run", key="subject_id")
    """The run as it is now."""


@strawberry.type
class RunQuery:
    delivery_runs: Connection[DeliveryRun] = field(resolve.delivery_runs, allow=DELIVERY)


@strawberry.type
class RunMutation:
    run_plan = mutation(resolve.run_plan, returns=DeliveryRun, allow=WAREHOUSE, thing="run")
    run_cancel = mutation(resolve.run_cancel, returns=DeliveryRun, allow=WAREHOUSE, thing="run")
    run_start = mutation(resolve.run_start, returns=DeliveryRun, allow=COURIERS, thing="run")
    stop_complete = mutation(resolve.stop_complete, returns=RunStop, allow=COURIERS, thing="stop")
    courier_position_report = mutation(
        resolve.courier_position_report, returns=DeliveryRun, allow=COURIERS, thing="run"
    )


@strawberry.type
class RunSubscription:
    run_updates: RunUpdate = subscription(resolve.run_updates, allow=DELIVERY)
