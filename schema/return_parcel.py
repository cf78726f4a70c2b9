"""Parcels in which customers send goods back, as they are followed."""

from datetime import datetime

import models
from resolvers import aftersales as resolve
from resolvers import reasons
from resolvers import shipment as resolve_shipment
from schema.limits.sizes import SOME
from schema.order.address import PostalAddress
from schema.rows import batched, field, loaded, row_type
from schema.shipment import PickupTime, Position


@row_type(models.ReturnEvent)
class ReturnEvent:
    """Something that was reported of a parcel that comes back."""

    status: models.ShipmentStatus | None
    """Where this left the parcel; null where its carrier did not say it."""
    message: str = field(resolve_shipment.tracking_message)
    description: str = field(reasons.tracking_description)
    location: str
    """The name of the place; empty when the carrier gave none."""
    position: Position | None
    """Where it was; null when that is unknown."""
    occurred_at: datetime
    """When it happened."""


@row_type(models.ReturnParcel)
class ReturnParcel:
    """The parcel in which goods come back, followed like any other."""

    carrier: models.CarrierCode
    """The code of its carrier."""
    carrier_name: str = batched(resolve.return_carrier_names)
    tracking_number: str
    """Its number there."""
    status: models.ShipmentStatus
    """Where it is."""
    given_at: datetime
    """When its number was given."""
    estimated_at: datetime | None
    """When it arrives, as its carrier promised; null where it has not."""
    taken_at: datetime | None
    """When its carrier first had it; null before."""
    delivered_at: datetime | None
    """When the warehouse had it; null before."""
    contested_at: datetime | None
    """Since when another customer has given the same number: then it is followed for neither, and shown to
    the staff only, until they give it for the right ticket."""
    events: list[ReturnEvent] = loaded("return_events", key="id", size=SOME)
    """What was reported of it, the newest last."""


@row_type(models.Waybill)
class CollectionWaybill:
    """What a carrier was asked to collect, and what it answered."""

    carrier: models.CarrierCode
    """The code of the carrier."""
    status: models.WaybillStatus
    """How the booking stands."""
    number: str | None
    """The number of the parcel, which the courier brings along; null until the carrier has given one."""
    pickup: PickupTime | None = field(resolve_shipment.waybill_pickup)
    requested_at: datetime
    """When it was asked."""
    ended_at: datetime | None
    """When it was refused or cancelled; null while it is not."""


@row_type(models.ReturnCollection)
class ReturnCollection:
    """That a carrier comes to a customer and collects what they send back."""

    address: PostalAddress
    """Where it comes to."""
    waybill: CollectionWaybill = batched(resolve.collection_waybills)
