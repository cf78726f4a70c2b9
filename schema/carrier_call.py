"""Calls to carriers."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import carrier_call as resolve
from resolvers.descriptions import describe_enum
from schema.account import Account
from schema.rows import batched, loaded, row_type

if TYPE_CHECKING:
    from schema.shipment import Shipment, Waybill

CarrierCallKind = describe_enum(models.CarrierCallKind)
CarrierCallOutcome = describe_enum(models.CarrierCallOutcome)

LaterShipment = Annotated["Shipment", strawberry.lazy("schema.shipment")]
LaterWaybill = Annotated["Waybill", strawberry.lazy("schema.shipment")]


@row_type(models.CarrierCall)
class CarrierCall:
    """A call to a carrier; several alike in a row are one. It is deleted after 90 days."""

    carrier: models.CarrierCode
    """The code of the carrier."""
    kind: models.CarrierCallKind
    """What it was asked."""
    outcome: models.CarrierCallOutcome
    """Whether it answered."""
    status_code: int | None
    """The status of HTTP; null without an answer, and where the connection does not say it."""
    answer: str | None
    """Its answer in short, such as a number or the status of the newest event; null without one."""
    reason: str | None
    """What it gave as the reason, or why there is no answer; without keys, addresses and people."""
    body: str | None
    """The codes, states, counts and times of its last answer, as JSON; null where it gave none."""
    called_at: datetime
    """When the first of them ended."""
    last_called_at: datetime
    """When the last of them ended."""
    times: int
    """How many alike there were in a row."""
    milliseconds: int
    """How long the longest of them took."""
    actor: Account | None = batched(resolve.carrier_call_actors)
    waybill: LaterWaybill | None = loaded("waybill", key="waybill_id")
    """The waybill that it was about; null where it was about a parcel."""
    shipment: LaterShipment | None = loaded("shipment", key="shipment_id")
    """The parcel that it was about; null where it was about a waybill, or the parcel was unpacked."""
