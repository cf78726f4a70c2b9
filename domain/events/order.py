"""Events of orders."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.events.types import EventLine, OrderEvent
from models import FulfilmentStatus, RefundTarget


class OrderPlaced(OrderEvent, name="order.placed"):
    pass


class OrderConfirmed(OrderEvent, name="order.confirmed"):
    pass


class OrderCompleted(OrderEvent, name="order.completed"):
    pass


class OrderReceiptConfirmed(OrderEvent, name="order.receipt_confirmed"):
    """The customer has everything, but something is still open: the order is completed later."""


class OrderReopened(OrderEvent, name="order.reopened"):
    pass


class OrderCancelled(OrderEvent, name="order.cancelled"):
    reason: str
    refund_to: RefundTarget = RefundTarget.ORIGINAL


class OrderClosed(OrderEvent, name="order.closed"):
    pass


class OrderLinesCancelled(OrderEvent, name="order.lines_cancelled"):
    reason: str
    lines: Sequence[EventLine]


class OrderBackordersFilled(OrderEvent, name="order.backorders_filled"):
    lines: Sequence[EventLine]


class OrderPickupReady(OrderEvent, name="order.pickup_ready"):
    delivery_id: int
    due_at: datetime


class OrderPickupCollected(OrderEvent, name="order.pickup_collected"):
    delivery_id: int


class OrderPickupEnded(OrderEvent, name="order.pickup_ended"):
    delivery_id: int


class OrderAddressChanged(OrderEvent, name="order.address_changed"):
    delivery_id: int


class OrderWindowChanged(OrderEvent, name="order.window_changed"):
    """A delivery is wished at another time, or at any."""

    delivery_id: int


class OrderEdited(OrderEvent, name="order.edited"):
    """Lines, quantities, promotion codes or addresses were changed in one step."""


class OrderEditRequested(OrderEvent, name="order.edit_requested"):
    """An edit waits until the difference is paid; the order is as it was."""

    payment_id: int


class OrderEditDropped(OrderEvent, name="order.edit_dropped"):
    """An edit was not paid in time, or something else was changed first."""

    payment_id: int


class OrderPaymentsChanged(OrderEvent, name="order.payments_changed"):
    """What is still to be paid was divided anew."""


class OrderHeld(OrderEvent, name="order.held"):
    pass


class OrderReleased(OrderEvent, name="order.released"):
    pass


class OrderUnfulfilled(OrderEvent, name="order.unfulfilled"):
    pass


class OrderPacking(OrderEvent, name="order.packing"):
    pass


class OrderPartiallyShipped(OrderEvent, name="order.partially_shipped"):
    pass


class OrderShipped(OrderEvent, name="order.shipped"):
    pass


class OrderPartiallyDelivered(OrderEvent, name="order.partially_delivered"):
    pass


class OrderDelivered(OrderEvent, name="order.delivered"):
    pass


class OrderReturned(OrderEvent, name="order.returned"):
    pass


FULFILMENT_EVENTS: Mapping[FulfilmentStatus, type[OrderEvent]] = {
    FulfilmentStatus.UNFULFILLED: OrderUnfulfilled,
    FulfilmentStatus.PACKING: OrderPacking,
    FulfilmentStatus.PARTIALLY_SHIPPED: OrderPartiallyShipped,
    FulfilmentStatus.SHIPPED: OrderShipped,
    FulfilmentStatus.PARTIALLY_DELIVERED: OrderPartiallyDelivered,
    FulfilmentStatus.DELIVERED: OrderDelivered,
    FulfilmentStatus.RETURNED: OrderReturned,
}
