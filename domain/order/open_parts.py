"""What of an order is still open: the one definition for its end, for the timers and for the audit."""

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import WrongState
from domain.order.states import OPEN_REFUNDS, OPEN_TICKETS, UNDER_WAY
from models import (
    Delivery,
    DeliveryLine,
    Order,
    Payment,
    PaymentStatus,
    Refund,
    Shipment,
    Ticket,
    TicketStatus,
    TicketType,
)


def has_open_ticket() -> ColumnElement[bool]:
    """Whether a ticket of the order is still to be answered, inspected, paid or sent; a question is not."""
    return (
        select(Ticket.id)
        .where(Ticket.order_id == Order.id, Ticket.status.in_(OPEN_TICKETS))
        .where(Ticket.type != TicketType.QUESTION)
        .exists()
    )


def has_units_to_pack() -> ColumnElement[bool]:
    """Whether units of the order, replacements included, wait to be packed."""
    return (
        select(DeliveryLine.id)
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id == Order.id, DeliveryLine.packed < DeliveryLine.quantity)
        .exists()
    )


def has_parcel_under_way() -> ColumnElement[bool]:
    """Whether a parcel of the order has neither arrived nor ended; one that came back is inspected first."""
    return (
        select(Shipment.id)
        .where(Shipment.order_id == Order.id, Shipment.status.in_(UNDER_WAY), Shipment.ended_at.is_(None))
        .exists()
    )


def has_open_refund() -> ColumnElement[bool]:
    """Whether a refund of the order is on its way, or has failed and is retried or transferred by staff."""
    return select(Refund.id).where(Refund.order_id == Order.id, Refund.status.in_(OPEN_REFUNDS)).exists()


def has_money_due() -> ColumnElement[bool]:
    """Whether money is still expected for the order, cash included."""
    captured_or_closed = (PaymentStatus.CAPTURED, PaymentStatus.CLOSED)
    return (
        select(Payment.id)
        .where(Payment.order_id == Order.id, Payment.status.not_in(captured_or_closed))
        .exists()
    )


OPEN_PARTS: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    "a ticket": has_open_ticket,
    "units to pack": has_units_to_pack,
    "a parcel under way": has_parcel_under_way,
    "a refund": has_open_refund,
    "money due": has_money_due,
}
"""What keeps an order from ending, by the name that the audit calls it."""


def has_open_part() -> ColumnElement[bool]:
    """Whether anything of the order is open, as a condition on its row."""
    return or_(*(is_open() for is_open in OPEN_PARTS.values()))


async def is_anything_open(session: AsyncSession, order: Order) -> bool:
    """Whether anything of a locked order is open."""
    return bool(await find_open_orders(session, [order.id]))


async def find_open_orders(session: AsyncSession, order_ids: Sequence[int]) -> set[int]:
    """Those of these locked orders of which anything is open."""
    await session.flush()
    return set(await session.scalars(select(Order.id).where(Order.id.in_(order_ids), has_open_part())))


async def check_no_open_ticket(
    session: AsyncSession, order: Order, statuses: Collection[TicketStatus] = OPEN_TICKETS
) -> None:
    """WrongState while a ticket about a locked order is in one of these: what is claimed may not change."""
    opened = select(Ticket.id).where(Ticket.order_id == order.id, Ticket.status.in_(statuses))
    if await session.scalar(opened.where(Ticket.type != TicketType.QUESTION).limit(1)) is not None:
        raise WrongState("A ticket about this order is open; it comes first.", field=("id",))
