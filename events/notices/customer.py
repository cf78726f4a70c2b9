"""Which events a customer is told of, and the facts that the notices name: numbers and amounts only."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, tzinfo

from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.recipients import queue_customer_notice
from domain.events import (
    DomainEvent,
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    OrderPickupEnded,
    OrderPickupReady,
    RefundSucceeded,
    ShipmentDelivered,
    ShipmentDispatched,
    TicketAgreed,
    TicketCompleted,
    TicketDecided,
    TicketMessageAdded,
    TicketOpened,
    TicketRefused,
    TicketReplacementUnavailable,
    TicketReturnRefused,
)
from domain.pickup import find_pickup
from events.types import Resources
from models import (
    STAFF,
    Account,
    Delivery,
    Money,
    NoticeKind,
    Order,
    Refund,
    Shipment,
    Ticket,
    TicketMessage,
    Warehouse,
)
from text.messages import choose_language
from text.messages.facts import format_fact

NOTICED: Mapping[type[DomainEvent], NoticeKind] = {
    OrderConfirmed: NoticeKind.ORDER_CONFIRMED,
    OrderCancelled: NoticeKind.ORDER_CANCELLED,
    OrderCompleted: NoticeKind.ORDER_COMPLETED,
    OrderPickupEnded: NoticeKind.PICKUP_ENDED,
    OrderPickupReady: NoticeKind.PICKUP_READY,
    ShipmentDispatched: NoticeKind.SHIPMENT_DISPATCHED,
    ShipmentDelivered: NoticeKind.SHIPMENT_DELIVERED,
    RefundSucceeded: NoticeKind.REFUND_SUCCEEDED,
    TicketOpened: NoticeKind.TICKET_OPENED,
    TicketAgreed: NoticeKind.TICKET_AGREED,
    TicketRefused: NoticeKind.TICKET_REFUSED,
    TicketReturnRefused: NoticeKind.TICKET_REFUSED,
    TicketDecided: NoticeKind.TICKET_REFUSED,
    TicketMessageAdded: NoticeKind.TICKET_ANSWERED,
    TicketReplacementUnavailable: NoticeKind.TICKET_CHOICE,
    TicketCompleted: NoticeKind.TICKET_COMPLETED,
}
"""What the customer of each event is told; a ticket that was decided in their favour is agreed to."""


async def notify_customer(session: AsyncSession, event: DomainEvent, resources: Resources) -> None:
    """Queue the notices of an event, once: their keys name the version of the row that it made."""
    order_id, facts_of = await describe_event(session, event)
    account = await session.get(Account, await customer_of(session, order_id)) if facts_of else None
    if facts_of is None or account is None or account.disabled_at:
        return
    language = choose_language(account.language, resources.settings.locale.default_language)
    await queue_customer_notice(
        session,
        account,
        kind_of(event),
        key=key_of(event),
        facts=facts_of(language, resources.settings.locale.zone),
        now=resources.clock(),
    )


def key_of(event: DomainEvent) -> str:
    """What makes a notice one; an order that is completed again after a claim is not told of again."""
    if isinstance(event, OrderCompleted):
        return f"{event.name}:{event.row.id}"
    return f"{event.name}:{event.row.id}:{event.row.version}"


def kind_of(event: DomainEvent) -> NoticeKind:
    if isinstance(event, TicketDecided) and event.agreed:
        return NoticeKind.TICKET_AGREED
    return NOTICED[type(event)]


async def customer_of(session: AsyncSession, order_id: int) -> int:
    return (await session.get_one(Order, order_id)).account_id


Facts = Callable[[str, tzinfo], Mapping[str, str]]
"""The facts of a notice in a language and time zone: amounts and moments are written differently in each."""


async def describe_event(session: AsyncSession, event: DomainEvent) -> tuple[int, Facts | None]:
    """The order that an event belongs to and its facts; None for what the customer is not told."""
    describe = DESCRIBE[event.row_type]
    return await describe(session, event)


async def describe_order(session: AsyncSession, event: DomainEvent) -> tuple[int, Facts | None]:
    order = await session.get_one(Order, event.row.id)
    if isinstance(event, OrderPickupReady | OrderPickupEnded):
        return await describe_pickup(session, order, event)
    if not isinstance(event, RefundSucceeded):
        return order.id, lambda language, _: {
            "number": order.number,
            "total": write_money(order.total, language),
        }
    refund = await session.get_one(Refund, event.refund_id)
    return order.id, lambda language, _: {
        "number": order.number,
        "amount": write_money(refund.money(refund.amount), language),
    }


async def describe_pickup(
    session: AsyncSession, order: Order, event: OrderPickupReady | OrderPickupEnded
) -> tuple[int, Facts | None]:
    """Where and until when it can be collected; the code is found again when the notice is sent.

    Of a replacement that was not collected the ticket tells: nothing of it is refunded yet.
    """
    delivery = await session.get_one(Delivery, event.delivery_id)
    if isinstance(event, OrderPickupEnded) and delivery.ticket_id is not None:
        return order.id, None
    pickup = await find_pickup(session, event.delivery_id)
    place = await session.get(Warehouse, pickup.warehouse_id) if pickup else None
    facts = {
        "number": order.number,
        "delivery": str(event.delivery_id),
        "place": place.name if place else "",
    }
    if isinstance(event, OrderPickupEnded):
        return order.id, lambda language, zone: facts
    return order.id, lambda language, zone: facts | {"due": format_fact(event.due_at, language, zone)}


async def describe_shipment(session: AsyncSession, event: DomainEvent) -> tuple[int, Facts | None]:
    shipment = await session.get_one(Shipment, event.row.id)
    order = await session.get_one(Order, shipment.order_id)
    facts = {"number": order.number, "tracking_number": shipment.tracking_number or shipment.number}
    return order.id, lambda language, zone: facts


async def describe_ticket(session: AsyncSession, event: DomainEvent) -> tuple[int, Facts | None]:
    ticket = await session.get_one(Ticket, event.row.id)
    if isinstance(event, TicketMessageAdded) and not await is_answer(session, event):
        return ticket.order_id, None
    return ticket.order_id, lambda language, zone: {"number": ticket.number}


async def is_answer(session: AsyncSession, event: TicketMessageAdded) -> bool:
    """Whether a message is by the staff and for the customer."""
    message = await session.get_one(TicketMessage, event.message_id)
    author = await session.get_one(Account, message.author_id)
    # not a question of permission: customers are not told of what they wrote themselves
    return not message.internal and author.role in STAFF


Describe = Callable[[AsyncSession, DomainEvent], Awaitable[tuple[int, Facts | None]]]
DESCRIBE: Mapping[type, Describe] = {
    Order: describe_order,
    Shipment: describe_shipment,
    Ticket: describe_ticket,
}


def write_money(money: Money, language: str) -> str:
    """An amount as all sentences write it: "99.00 CNY" in English."""
    return format_fact(money, language, UTC)
