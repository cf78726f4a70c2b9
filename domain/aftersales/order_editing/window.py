"""Wishing another time for a delivery: it costs nothing, and changes nothing else."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.address import check_window
from domain.cause import Cause
from domain.errors import NotFound, WrongState
from domain.events import OrderWindowChanged
from domain.order import lock_order
from domain.order.states import FINAL
from domain.outbox import record
from domain.state import status_text
from models import Delivery, DeliveryLine, DeliveryWindow, OrderStatus, ShippingMethod


async def change_window(
    session: AsyncSession, delivery_id: int, window: DeliveryWindow | None, *, cause: Cause
) -> Delivery:
    """Let a delivery come in another window, or at any time, as long as nothing of it is packed."""
    delivery = await session.get(Delivery, delivery_id)
    if delivery is None or delivery.method is ShippingMethod.NONE:
        raise NotFound("delivery", field=("id",))
    order = await lock_order(session, delivery.order_id)
    await session.refresh(delivery)
    ended = order.status in FINAL or (order.status is OrderStatus.COMPLETED and delivery.ticket_id is None)
    if ended:
        raise WrongState("This order is {status}.", status=status_text(order.status), field=("id",))
    if not delivery.method.has_rates:
        raise WrongState("This goes to no address.", field=("id",))
    packed = select(DeliveryLine.id).where(DeliveryLine.delivery_id == delivery.id, DeliveryLine.packed > 0)
    if await session.scalar(packed.limit(1)) is not None:
        raise WrongState("Part of this is packed already.", field=("id",))
    if window is not None:
        check_window(window, now=cause.now, field=("window",))
    if window == delivery.window:
        return delivery
    delivery.window_from = window.begins if window else None
    delivery.window_until = window.ends if window else None
    record(session, OrderWindowChanged(order, delivery_id=delivery.id), cause)
    await session.flush()
    return delivery
