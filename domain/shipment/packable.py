"""What may be packed: deliveries of orders that are confirmed, not held and not being paid."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import NotFound, WrongState
from domain.order import lock_order
from models import Delivery, Order, OrderStatus, ShippingMethod


async def lock_delivery(session: AsyncSession, delivery_id: int) -> tuple[Order, Delivery]:
    """A delivery and its order, which is locked until the transaction ends."""
    delivery = await session.get(Delivery, delivery_id)
    if delivery is None or delivery.method is ShippingMethod.NONE:
        raise NotFound("delivery", field=("delivery_id",))
    return await lock_order(session, delivery.order_id), delivery


def check_packable(order: Order, delivery: Delivery) -> None:
    """Refuse what is not confirmed or is held; a replacement may be due on an order completed long ago."""
    packable = {OrderStatus.CONFIRMED}
    if delivery.ticket_id is not None:
        packable.add(OrderStatus.COMPLETED)
    if order.status not in packable:
        raise WrongState(
            "Order {number} is {status}: nothing of it may leave.", number=order.number, status=order.status
        )
    if order.held_at is not None:
        raise WrongState("Order {number} is held: nothing of it may leave.", number=order.number)
    if order.awaits_payment:
        raise WrongState("Order {number} is still being paid: nothing of it may leave.", number=order.number)
