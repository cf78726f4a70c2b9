"""What is to be collected for parcels, before and after it is fixed."""

from collections.abc import Sequence

from domain.order.cash import fix_cash
from domain.shipment import lock_shipment
from events.types import Resources
from loaders.shipment import ShipmentRoute
from models import Carrier, Money, Waybill


async def cash_of(
    resources: Resources, waybill: Waybill, routes: Sequence[ShipmentRoute], carrier: Carrier
) -> Money | None:
    """What the carrier of a waybill is to collect: what it was asked first, so that a booking that is asked
    after is the same one; None for nothing.
    """
    if waybill.cash_amount is None or not routes:
        return await preview_cash(resources, routes, carrier)
    return Money(waybill.cash_amount, routes[0].order.currency) if waybill.cash_amount else None


async def preview_cash(
    resources: Resources, routes: Sequence[ShipmentRoute], carrier: Carrier
) -> Money | None:
    """What the carrier is to collect, as it is fixed when the parcels leave; None for nothing."""
    if not carrier.takes_cash or not routes:
        return None
    total = 0
    async with resources.database.writes() as session:  # never committed: it is fixed when the parcels leave
        for route in sorted(routes, key=lambda route: route.shipment.id):
            order, shipment = await lock_shipment(session, route.shipment.id)
            total += await fix_cash(session, order, shipment)
        await session.rollback()
    return Money(total, routes[0].order.currency) if total else None


async def preview_cash_of(resources: Resources, route: ShipmentRoute) -> Money | None:
    """What is to be collected for a parcel at the door, before and after it has left; None for nothing."""
    amount = route.shipment.cash_amount
    if route.shipment.cash_collected_at is not None or route.shipment.cash_written_off_at is not None:
        return None
    if amount is None:
        async with resources.database.writes() as session:  # never committed: fixed when it leaves
            order, shipment = await lock_shipment(session, route.shipment.id)
            amount = await fix_cash(session, order, shipment)
            await session.rollback()
    return Money(amount, route.order.currency) if amount else None
