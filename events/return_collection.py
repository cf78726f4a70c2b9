"""Carriers are asked to collect what customers send back, as they are asked for any waybill."""

from domain.aftersales.return_collection import CollectionRequest, open_collection
from domain.cause import Cause
from domain.shipment import CarrierRefusal
from domain.shipment.booking import WaybillRequest
from events.shipment.booking import ask_unless_booked, check_booked, why_not
from events.types import Resources
from models import Carrier, Waybill


async def book_collection(
    resources: Resources,
    ticket_id: int,
    request: CollectionRequest,
    carrier: Carrier,
    *,
    limit: int | None,
    cause: Cause,
) -> Waybill:
    """The booked waybill of what a carrier collects for a ticket.

    CarrierRefusal where it does not come, and nothing is left of it; CarrierUnavailable where it has not
    answered: it is asked what became of it, and the same request asks again.
    """
    obstacle = why_not(resources, carrier, WaybillRequest((), pickup=request.pickup))
    if obstacle is not None:
        raise CarrierRefusal(carrier.name, obstacle)
    async with resources.database.writes.begin() as session:
        waybill = await open_collection(session, ticket_id, request, limit=limit, cause=cause)
    waybill = await ask_unless_booked(resources, carrier, waybill, cause=cause)
    resources.wake_relay()
    return check_booked(carrier, waybill)


def can_collect(resources: Resources, carrier: Carrier) -> bool:
    """Whether a carrier can be asked to come to a customer."""
    gateway = resources.carriers.get(carrier.connection)
    return gateway is not None and gateway.capabilities.books and gateway.capabilities.picks_up
