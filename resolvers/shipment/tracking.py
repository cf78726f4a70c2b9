"""Where parcels are, and what carriers report of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from itertools import takewhile

import strawberry

from domain.errors import NotFound
from domain.shipment.states import status_after
from loaders.delivery_run import ActiveStop
from models import (
    OWN_COURIERS,
    Event,
    Position,
    ReportedEvent,
    Shipment,
    ShipmentStatus,
    Subject,
    TrackingEvent,
)
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.shipment.finding import find_shipment
from resolvers.subscriptions import while_visible
from text.messages import Message

TRACKING_MESSAGES: Mapping[ShipmentStatus, Message] = {
    ShipmentStatus.PENDING: Message("The parcel is packed and waits for the carrier."),
    ShipmentStatus.PICKED_UP: Message("The carrier has the parcel."),
    ShipmentStatus.IN_TRANSIT: Message("The parcel is on its way."),
    ShipmentStatus.CUSTOMS: Message("The parcel is at the customs."),
    ShipmentStatus.OUT_FOR_DELIVERY: Message("The courier is bringing the parcel."),
    ShipmentStatus.READY_FOR_PICKUP: Message("The parcel can be collected."),
    ShipmentStatus.DELIVERED: Message("The parcel was delivered."),
    ShipmentStatus.DELIVERY_FAILED: Message("The parcel could not be delivered."),
    ShipmentStatus.ON_HOLD: Message("The parcel is held up."),
    ShipmentStatus.RETURNING: Message("The parcel is on its way back to us."),
    ShipmentStatus.RETURNED: Message("The parcel has come back to us."),
    ShipmentStatus.EXPIRED: Message("The carrier has not reported anything for a long time."),
}
"""What a customer reads of each status that a carrier reports."""
UNKNOWN_STEP = Message("The carrier has reported a step.")


async def active_stops(shipments: Sequence[Shipment], info: Info) -> list[ActiveStop | None]:
    """The stops on active delivery runs at which these parcels are brought; None for other carriers."""
    own = [shipment.id for shipment in shipments if shipment.carrier == OWN_COURIERS]
    found = dict(zip(own, await info.context.load.shipment_active_stop.load_many(own), strict=True))
    return [found.get(shipment.id) for shipment in shipments]


async def positions(shipments: Sequence[Shipment], info: Info) -> list[Position | None]:
    """Where it is: the courier who is bringing it, else the last position its carrier reported."""
    tracked = await info.context.load.shipment_events.load_many([shipment.id for shipment in shipments])
    last = [
        next((event.position for event in reversed(events) if event.position), None) for events in tracked
    ]
    live = [stop.run.position if stop else None for stop in await active_stops(shipments, info)]
    return [courier or carrier for courier, carrier in zip(live, last, strict=True)]


async def stops_ahead(shipments: Sequence[Shipment], info: Info) -> list[int | None]:
    """How many stops the courier makes before this one; null unless a courier of the shop is bringing it."""
    return [stop.stops_ahead if stop else None for stop in await active_stops(shipments, info)]


async def estimated_at(shipments: Sequence[Shipment], info: Info) -> list[datetime | None]:
    """When it should arrive; null when that is unknown."""
    live = await active_stops(shipments, info)
    return [
        active.stop.estimated_at if active else shipment.estimated_at
        for shipment, active in zip(shipments, live, strict=True)
    ]


async def shipment_updates(info: Info, id: strawberry.ID, after: int | None = None) -> AsyncIterator[Event]:
    """Everything that happens to a parcel: the events after a version first, then live ones, each once and in
    order.

    id: the shipment
    after: the last version seen; later ones come first. Without it only what is to come. RELOAD_REQUIRED when
        later ones are archived: load it anew and watch from its version
    """
    found = await find_shipment(info, row_id(id, "Shipment"))
    if found is None:
        raise NotFound("shipment", field=("id",))
    events = info.context.shop.replay.follow(Subject.SHIPMENT, found.id, after)
    async for event in while_visible(info, events, lambda: find_shipment(info, found.id)):
        yield event


def status_then(root: Event) -> ShipmentStatus:
    """Where the parcel was after this event."""
    return ShipmentStatus(root.payload["status"])


async def tracking_statuses(events: Sequence[TrackingEvent], info: Info) -> list[ShipmentStatus]:
    """Where this left the parcel."""
    unknown = sorted({event.shipment_id for event in events if event.status is None})
    histories = dict(zip(unknown, await info.context.load.shipment_events.load_many(unknown), strict=True))
    return [event.status or status_at(event, histories[event.shipment_id]) for event in events]


def status_at(event: TrackingEvent, history: Sequence[TrackingEvent]) -> ShipmentStatus:
    """The status of a parcel at an event that says nothing of it."""
    before = takewhile(lambda each: each.id != event.id, history)
    return status_after(each.status for each in before if each.status and each.revoked_at is None)


def tracking_message(root: ReportedEvent, info: Info) -> str:
    """What happened, in words for a customer and in their language."""
    message = TRACKING_MESSAGES[root.status] if root.status else UNKNOWN_STEP
    return info.context.viewer_of(info).text_of(message)
