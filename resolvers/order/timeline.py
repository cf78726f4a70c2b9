"""What has happened to an order: its timeline and its live updates."""

from collections.abc import AsyncIterator, Mapping, Sequence

import strawberry

from domain.errors import Invalid, NotFound
from domain.events import (
    EVENT_TYPES,
    CashCollected,
    CashWrittenOff,
    DisputeOpened,
    DisputeSettled,
    DomainEvent,
    OrderAddressChanged,
    OrderBackordersFilled,
    OrderCancelled,
    OrderClosed,
    OrderCompleted,
    OrderConfirmed,
    OrderDelivered,
    OrderEditDropped,
    OrderEdited,
    OrderEditRequested,
    OrderHeld,
    OrderLinesCancelled,
    OrderPacking,
    OrderPartiallyDelivered,
    OrderPartiallyShipped,
    OrderPaymentsChanged,
    OrderPickupCollected,
    OrderPickupEnded,
    OrderPickupReady,
    OrderPlaced,
    OrderReceiptConfirmed,
    OrderReleased,
    OrderReopened,
    OrderReturned,
    OrderShipped,
    OrderUnfulfilled,
    OrderWindowChanged,
    PaymentCaptured,
    PaymentFailed,
    PaymentsClosed,
    PaymentStarted,
    RefundAbnormal,
    RefundApprovalNeeded,
    RefundApproved,
    RefundDeclined,
    RefundFailed,
    RefundRequested,
    RefundSucceeded,
    type_of,
)
from models import Account, Event, FulfilmentStatus, Order, OrderPaymentStatus, OrderStatus, Subject
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.order.finding import find_order
from resolvers.reasons import read_reason
from resolvers.subscriptions import while_visible
from text.messages import Message

TIMELINE_MESSAGES: Mapping[type[DomainEvent], Message] = {
    OrderPlaced: Message("Order placed"),
    PaymentStarted: Message("Payment begun"),
    PaymentCaptured: Message("Payment received"),
    PaymentFailed: Message("Payment failed"),
    OrderConfirmed: Message("Order confirmed"),
    OrderPacking: Message("Being packed"),
    OrderUnfulfilled: Message("Waiting to be packed"),
    OrderPartiallyShipped: Message("Partly on its way"),
    OrderLinesCancelled: Message("Partly cancelled"),
    OrderAddressChanged: Message("Address changed"),
    OrderWindowChanged: Message("Time of delivery changed"),
    OrderEdited: Message("Order changed"),
    OrderEditRequested: Message("Change to be paid"),
    OrderEditDropped: Message("Change dropped"),
    OrderPaymentsChanged: Message("Payment methods changed"),
    OrderBackordersFilled: Message("What you waited for has come in"),
    OrderPickupReady: Message("Ready to be collected"),
    OrderPickupCollected: Message("Collected"),
    OrderPickupEnded: Message("No longer to be collected"),
    OrderHeld: Message("Being checked by us"),
    OrderReleased: Message("Checked, goes on"),
    OrderShipped: Message("On its way"),
    OrderPartiallyDelivered: Message("Partly delivered"),
    OrderDelivered: Message("Delivered"),
    OrderReturned: Message("Come back to us"),
    CashCollected: Message("Cash received"),
    CashWrittenOff: Message("Cash not expected any more"),
    OrderCompleted: Message("Completed"),
    OrderCancelled: Message("Order cancelled"),
    RefundRequested: Message("Refund on its way"),
    RefundSucceeded: Message("Refunded"),
    RefundApprovalNeeded: Message("Refund being checked"),
    RefundApproved: Message("Refund approved"),
    RefundDeclined: Message("Refund not granted"),
    RefundAbnormal: Message("Refund is transferred by us"),
    RefundFailed: Message("Refund delayed"),
    OrderReceiptConfirmed: Message("Receipt confirmed"),
    OrderReopened: Message("Opened again"),
    OrderClosed: Message("Closed, everything refunded"),
}
"""What a customer reads for each type of event."""
STAFF_MESSAGES: Mapping[type[DomainEvent], Message] = {
    PaymentsClosed: Message("Payment closed"),
    DisputeOpened: Message("Payment disputed at the provider"),
    DisputeSettled: Message("Dispute decided"),
}
"""What is in the timeline of the staff only; the other types of events are in none."""
MESSAGES = {**TIMELINE_MESSAGES, **STAFF_MESSAGES}


async def order_updates(info: Info, id: strawberry.ID, after: int | None = None) -> AsyncIterator[Event]:
    """Everything that happens to an order: first what came after a version, then live, each once, in order.

    id: the order
    after: the last version seen; later ones come first. Without it only what is to come. RELOAD_REQUIRED when
        later ones are archived: load it anew and watch from its version
    """
    found = await find_order(info, row_id(id, "Order"))
    if found is None:
        raise NotFound("order", field=("id",))
    if after is not None and not 0 <= after <= found.version:
        raise Invalid("This order is at version {version}.", version=found.version, field=("after",))
    events = info.context.shop.replay.follow(Subject.ORDER, found.id, after)
    async for event in while_visible(info, events, lambda: find_order(info, found.id)):
        yield event


async def timelines(orders: Sequence[Order], info: Info) -> list[list[Event]]:
    """What has happened to it, the oldest first; all that was done with its money for the staff."""
    shown = MESSAGES if info.context.viewer.may(Permission.ORDER_VIEW_ALL) else TIMELINE_MESSAGES
    found = await info.context.load.order_events.load_many([order.id for order in orders])
    return [[event for event in events if type_of(event) in shown] for events in found]


async def actors(events: Sequence[Event], info: Info) -> list[Account | None]:
    """Who caused it; null where it followed automatically, and for customers where it was the staff."""
    return await find_actors(info, events, sees_all=info.context.viewer.may(Permission.ORDER_VIEW_ALL))


async def find_actors(info: Info, events: Sequence[Event], *, sees_all: bool) -> list[Account | None]:
    """The account that caused each event, as far as the viewer may see it: all, or only their own."""
    viewer = info.context.viewer
    actor_ids = {event.actor_id for event in events if event.actor_id is not None}
    visible_ids = [actor_id for actor_id in actor_ids if sees_all or viewer.owns(actor_id)]
    accounts = await info.context.load.account.load_many(visible_ids)
    found = dict(zip(visible_ids, accounts, strict=True))
    return [found.get(event.actor_id or 0) for event in events]


def event_reason(root: Event, info: Info) -> str | None:
    """Why, as whoever did it or the provider said; null where nothing was said, and for customers."""
    sees_all = info.context.viewer_of(info).may(Permission.ORDER_VIEW_ALL)
    return read_reason(root.payload.get("reason"), info) if sees_all else None


def event_message(root: Event, info: Info) -> str:
    """What happened, in words for a customer."""
    return info.context.viewer_of(info).text_of(MESSAGES[EVENT_TYPES[root.name]])


def status_then(root: Event) -> OrderStatus:
    """The status of the order after this event."""
    return OrderStatus(root.payload["status"])


def payment_status_then(root: Event) -> OrderPaymentStatus:
    """The payment status of the order after this event."""
    return OrderPaymentStatus(root.payload["payment_status"])


def fulfilment_status_then(root: Event) -> FulfilmentStatus:
    """The fulfilment status of the order after this event."""
    return FulfilmentStatus(root.payload["fulfilment_status"])
