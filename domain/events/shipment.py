"""Events of shipments. `account_id` is the customer of the order."""

from collections.abc import Sequence
from datetime import datetime

from domain.events.types import ShipmentEvent
from models import CarrierCode, ShipmentEnding, ShipmentTaskKind


class ShipmentPacked(ShipmentEvent, name="shipment.packed"):
    account_id: int | None


class ShipmentUnpacked(ShipmentEvent, name="shipment.unpacked"):
    account_id: int | None


class ShipmentDispatched(ShipmentEvent, name="shipment.dispatched"):
    account_id: int | None
    carrier: CarrierCode
    tracking_number: str


class ShipmentTracked(ShipmentEvent, name="shipment.tracked"):
    account_id: int | None
    statuses: Sequence[str]


class ShipmentDelivered(ShipmentEvent, name="shipment.delivered"):
    account_id: int | None


class ShipmentInspected(ShipmentEvent, name="shipment.inspected"):
    account_id: int | None


class ShipmentEnded(ShipmentEvent, name="shipment.ended"):
    account_id: int | None
    ending: ShipmentEnding


class ShipmentReturned(ShipmentEvent, name="shipment.returned"):
    """It is back or lost: it waits to be inspected, and its part of the order to be ended."""

    account_id: int | None


class ShipmentOverdue(ShipmentEvent, name="shipment.overdue"):
    """It is late, or nothing has been reported of it for long: somebody of the staff should look."""

    account_id: int | None
    kind: ShipmentTaskKind


class ShipmentCorrected(ShipmentEvent, name="shipment.corrected"):
    """It was marked as delivered or returned by mistake."""

    account_id: int | None


class ShipmentRescheduled(ShipmentEvent, name="shipment.rescheduled"):
    estimated_at: datetime
    stops_ahead: int


class ShipmentMoved(ShipmentEvent, name="shipment.moved"):
    """The courier who has the shipment next was seen at another place."""
