"""Parcels under way: late and silent ones for the staff, and what a tracking link shows to anybody."""

from datetime import datetime

import strawberry

import models
from resolvers import shipment as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.connection import Connection
from schema.limits.sizes import JOURNEY_MAP, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.rows import batched, field, loaded, row_type
from schema.shipment import ArrivalEstimate, Shipment

ShipmentTaskKind = describe_enum(models.ShipmentTaskKind)


@row_type(models.ShipmentTask)
class ShipmentTask(Node):
    """A parcel that somebody of the staff should look after, until it moves or somebody has."""

    kind: models.ShipmentTaskKind
    """Why."""
    shipment: Shipment = loaded("shipment", key="shipment_id")
    """The parcel."""
    due_at: datetime
    """Since when it is late or silent."""
    opened_at: datetime
    """When the shop noticed it."""
    ended_at: datetime | None
    """When it moved, arrived or ended, or somebody resolved the task; null while it is open."""
    resolved_by: Account | None = loaded("account", key="resolved_by_id")
    """Who resolved it; null where it ended by itself."""
    note: str | None
    """What they found; null where it ended by itself."""


@row_type(models.Waybill)
class WaybillTask(Node):
    """A waybill that its carrier does not cancel, or of which it does not say what became: somebody of the
    staff settles that."""

    parcel_number: str = batched(resolve.parcel_numbers)
    carrier: models.CarrierCode
    """The code of the carrier."""
    number: str | None
    """The tracking number, where the carrier has given one."""
    reason: str | None
    """What the carrier said last, or why it said nothing."""
    ended_at: datetime | None
    """When the carrier said so."""
    settled_at: datetime | None
    """When it was settled; null while it waits for somebody."""
    settled_by: Account | None = loaded("account", key="settled_by_id")
    """Who has settled it."""
    settlement: str | None
    """What was settled with the carrier."""


@row_type(models.TrackingEvent)
class TrackedEvent:
    """Something that happened to a parcel, as far as everybody with its link may know it."""

    status: models.ShipmentStatus = batched(resolve.tracking_statuses)
    message: str = field(resolve.tracking_message)
    city: str | None = field(resolve.event_city)
    occurred_at: datetime
    """When it happened."""


@row_type(models.Shipment)
class TrackedShipment:
    """Where a parcel is, as far as everybody with its link may know it: no street, name or phone number."""

    status: models.ShipmentStatus
    """Where it is."""
    carrier_name: str | None = batched(resolve.carrier_names)
    tracking_number: str | None = field(resolve.masked_number)
    dispatched_at: datetime | None
    """When it left the warehouse."""
    delivered_at: datetime | None
    """When it arrived."""
    estimated_at: datetime | None = batched(resolve.estimated_at)
    eta: ArrivalEstimate | None
    """When it arrives, with a range, as of its last event or its courier's last position; null unless it is
    on its way to its customer.
    """
    events: list[TrackedEvent] = loaded("shipment_events", key="id", size=SOME)
    """What happened to it, the newest last."""
    journey_map: str = batched(resolve.tracked_journey_maps, price=JOURNEY_MAP)


@strawberry.type
class TrackingQuery:
    shipment_tasks: Connection[ShipmentTask] = field(resolve.shipment_tasks, allow=Permission.SHIPMENT_LIST)
    waybill_tasks: Connection[WaybillTask] = field(resolve.waybill_tasks, allow=Permission.SHIPMENT_LIST)
    tracked_shipment: TrackedShipment | None = field(resolve.tracked_shipment, allow=Permission.PUBLIC)


@strawberry.type
class TrackingMutation:
    shipment_task_resolve = mutation(
        resolve.shipment_task_resolve, returns=ShipmentTask, allow=Permission.RETURN_RECEIVE
    )
    waybill_task_resolve = mutation(
        resolve.waybill_task_resolve, returns=WaybillTask, allow=Permission.RETURN_RECEIVE
    )
    shipment_link_create = mutation(
        resolve.shipment_link_create,
        returns=Shipment,
        allow=Permission.ORDER_DETAILS,
        further_fields={
            "token": (
                str | None,
                "What opens the link, for `trackedShipment`, shown only now; null when the shop refused.",
            )
        },
    )
    shipment_link_revoke = mutation(
        resolve.shipment_link_revoke, returns=Shipment, allow=Permission.ORDER_DETAILS
    )
