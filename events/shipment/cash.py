"""What is to be collected for parcels, before and after it is fixed."""

from collections.abc import Sequence

from domain.shipment import lock_shipment
from domain.shipment.asked_cash import expect_cash
from events.types import Resources
from loaders.shipment import ShipmentRoute
from models import Money, Waybill


def cash_of(waybill: Waybill, routes: Sequence[ShipmentRoute]) -> Money | None:
    """What the carrier of a waybill was asked to collect, so that a booking that is asked after is the same
    one; None for nothing."""
    return Money(waybill.cash_amount, routes[0].order.currency) if waybill.cash_amount and routes else None


async def preview_cash_of(resources: Resources, route: ShipmentRoute) -> Money | None:
    """What is to be collected for a parcel at the door, before and after it has left; None for nothing."""
    amount = route.shipment.cash_amount
    if route.shipment.cash_collected_at is not None or route.shipment.cash_written_off_at is not None:
        return None
    if amount is None:
        async with resources.database.writes() as session:  # never committed: fixed when it leaves
            order, shipment = await lock_shipment(session, route.shipment.id)
            amount = await expect_cash(session, order, [shipment])
            await session.rollback()
    return Money(amount, route.order.currency) if amount else None
