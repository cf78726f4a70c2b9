"""Which events a customer is told of, and the facts that the notices name: numbers and amounts only."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, tzinfo
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from domain.account.recipients import CustomerNotice, load_customers, queue_customer_notices
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
    ShipmentEvent,
    TicketAgreed,
    TicketCompleted,
    TicketDecided,
    TicketDifferenceDue,
    TicketDifferenceUnpaid,
    TicketMerged,
    TicketMessageAdded,
    TicketOpened,
    TicketRefused,
    TicketRepairFinished,
    TicketReplacementUnavailable,
    TicketReturnDelivered,
    TicketReturnOverdue,
    TicketReturnRefused,
)
from domain.pickup import find_pickup
from domain.shipment.parcel_numbers import load_parcel_numbers
from events.types import Resources
from models import (
    STAFF,
    Account,
    Delivery,
    Money,
    NoticeKind,
    Order,
    Refund,
    RepairOutcome,
    ReturnTask,
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
    TicketReturnDelivered: NoticeKind.RETURN_ARRIVED,
    TicketReturnOverdue: NoticeKind.RETURN_UNSEEN,
    TicketDecided: NoticeKind.TICKET_REFUSED,
    TicketMerged: NoticeKind.TICKET_MERGED,
    TicketMessageAdded: NoticeKind.TICKET_ANSWERED,
    TicketReplacementUnavailable: NoticeKind.TICKET_CHOICE,
    TicketRepairFinished: NoticeKind.TICKET_REPAIRED,
    TicketDifferenceDue: NoticeKind.TICKET_DIFFERENCE,
    TicketDifferenceUnpaid: NoticeKind.TICKET_UNPAID,
    TicketCompleted: NoticeKind.TICKET_COMPLETED,
}
"""What the customer of each event is told; a ticket that was decided in their favour is agreed to, and for
what cannot be repaired they choose."""


async def notify_customer(session: AsyncSession, event: DomainEvent, resources: Resources) -> None:
    """Queue the notices of an event, once: their keys name the version of the row that it made."""
    await notify_customers(session, [event], resources)


async def notify_customers(
    session: AsyncSession, events: Sequence[DomainEvent], resources: Resources
) -> None:
    """As `notify_customer`; of many parcels in a constant number of statements."""
    locale = resources.settings.locale
    parcels = await describe_parcels(
        session, {each.row.id for each in events if isinstance(each, ShipmentEvent)}
    )
    notified: list[tuple[DomainEvent, int, Facts]] = []
    for event in events:
        is_parcel = isinstance(event, ShipmentEvent)
        account_id, facts_of = parcels[event.row.id] if is_parcel else await describe_event(session, event)
        if facts_of is not None:
            notified.append((event, account_id, facts_of))
    accounts = await load_customers(session, {account_id for _, account_id, _ in notified})
    notices = []
    for event, account_id, facts_of in notified:
        account = accounts[account_id]
        if account.disabled_at:
            continue
        language = choose_language(account.language, locale.default_language)
        facts = facts_of(language, locale.zone)
        notices.append(CustomerNotice(account, kind_of(event), key_of(event), facts))
    await queue_customer_notices(session, notices, now=resources.clock())


def key_of(event: DomainEvent) -> str:
    """What makes a notice one; an order that is completed again after a claim is not told of again."""
    if isinstance(event, OrderCompleted):
        return f"{event.name}:{event.row.id}"
    return f"{event.name}:{event.row.id}:{event.row.version}"


def kind_of(event: DomainEvent) -> NoticeKind:
    if isinstance(event, TicketDecided) and event.agreed:
        return NoticeKind.TICKET_AGREED
    if isinstance(event, TicketRepairFinished) and event.outcome is RepairOutcome.UNREPAIRABLE:
        return NoticeKind.TICKET_UNREPAIRED
    return NOTICED[type(event)]


Facts = Callable[[str, tzinfo], Mapping[str, str]]
"""The facts of a notice in a language and time zone: amounts and moments are written differently in each."""


async def describe_event(session: AsyncSession, event: DomainEvent) -> tuple[int, Facts | None]:
    """The account of the customer whom an event concerns and its facts; None for what they are not told."""
    describe = DESCRIBE[event.row_type]
    return await describe(session, event)


async def describe_order(session: AsyncSession, event: DomainEvent) -> tuple[int, Facts | None]:
    order = await session.get_one(Order, event.row.id)
    if isinstance(event, OrderPickupReady | OrderPickupEnded):
        return await describe_pickup(session, order, event)
    if not isinstance(event, RefundSucceeded):
        return order.account_id, lambda language, _: {
            "number": order.number,
            "total": write_money(order.total, language),
        }
    refund = await session.get_one(Refund, event.refund_id)
    return order.account_id, lambda language, _: {
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
        return order.account_id, None
    pickup = await find_pickup(session, event.delivery_id)
    place = await session.get(Warehouse, pickup.warehouse_id) if pickup else None
    facts = {
        "number": order.number,
        "delivery": str(event.delivery_id),
        "place": place.name if place else "",
    }
    if isinstance(event, OrderPickupEnded):
        return order.account_id, lambda language, zone: facts
    return order.account_id, lambda language, zone: facts | {"due": format_fact(event.due_at, language, zone)}


async def describe_parcels(
    session: AsyncSession, shipment_ids: Collection[int]
) -> dict[int, tuple[int, Facts | None]]:
    """The accounts and the facts of parcels, by the ids of these."""
    described: dict[int, tuple[int, Facts | None]] = {}
    for parcel in await load_parcel_numbers(session, shipment_ids):
        facts = {
            "number": parcel.order_number,
            "tracking_number": parcel.tracking_number or parcel.number,
        }
        described[parcel.shipment_id] = parcel.account_id, partial(same_facts, facts)
    return described


def same_facts(facts: Mapping[str, str], language: str, zone: tzinfo) -> Mapping[str, str]:
    """Facts that are written the same everywhere."""
    return facts


async def describe_ticket(session: AsyncSession, event: DomainEvent) -> tuple[int, Facts | None]:
    ticket = await session.get_one(Ticket, event.row.id)
    if isinstance(event, TicketMessageAdded) and not await is_answer(session, event):
        return ticket.account_id, None
    if isinstance(event, TicketDifferenceDue):
        amount, due_at = ticket.money(event.amount), ticket.due_at
        return ticket.account_id, lambda language, zone: {
            "number": ticket.number,
            "amount": write_money(amount, language),
            "due": format_fact(due_at, language, zone) if due_at else "",
        }
    if isinstance(event, TicketReturnOverdue) and event.task is not ReturnTask.UNSEEN:
        return ticket.account_id, None
    facts = {"number": ticket.number}
    if isinstance(event, TicketMerged):
        facts["into"] = event.into_number
    return ticket.account_id, lambda language, zone: facts


async def is_answer(session: AsyncSession, event: TicketMessageAdded) -> bool:
    """Whether a message is by the staff and for the customer."""
    message = await session.get_one(TicketMessage, event.message_id)
    author = await session.get_one(Account, message.author_id)
    # not a question of permission: customers are not told of what they wrote themselves
    return not message.internal and author.role in STAFF


Describe = Callable[[AsyncSession, DomainEvent], Awaitable[tuple[int, Facts | None]]]
DESCRIBE: Mapping[type, Describe] = {
    Order: describe_order,
    Ticket: describe_ticket,
}


def write_money(money: Money, language: str) -> str:
    """An amount as all sentences write it: "99.00 CNY" in English."""
    return format_fact(money, language, UTC)
