"""What is known of an order when somebody claims something: gathered in five statements."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.rules import Case, Claim, Stage, Units, is_fault, stage_of
from domain.aftersales.states import REFUNDS, SETTLED, TURNED_DOWN, UNSETTLED
from domain.errors import DomainError, ErrorCode, Invalid, NotFound
from domain.payment import captured_legs
from models import (
    Delivery,
    DeliveryLine,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    Ticket,
    TicketLine,
)


class NothingClaimed(DomainError):
    code = ErrorCode.EMPTY

    def __init__(self) -> None:
        super().__init__("Name at least one line of the order.", field=("lines",))


@dataclass(frozen=True, slots=True)
class Facts:
    """A case, and the payments its money would go back to."""

    case: Case
    payments: Sequence[Payment]


async def facts_of(session: AsyncSession, order: Order, claim: Claim, *, own: int | None = None) -> Facts:
    """All that decides about a claim; `own` is the ticket it already has, which takes nothing from itself."""
    lines = await order_lines(session, order)
    well_formed(claim, lines)
    units = {line.id: Units(bought=line.quantity - line.cancelled) for line in lines.values()}
    await add_waiting(session, order, units)
    await add_sent(session, order, units)
    promised = await add_claimed(session, order, units, own=own)
    payments = await captured_legs(session, order)
    return Facts(
        Case(
            order=order,
            claim=claim,
            lines=lines,
            units=units,
            captured=sum(payment.captured_amount for payment in payments),
            refundable=max(0, refundable(payments) - promised),
        ),
        payments,
    )


def well_formed(claim: Claim, lines: dict[int, OrderLine]) -> None:
    if not claim.lines:
        raise NothingClaimed
    seen = set()
    for index, wanted in enumerate(claim.lines):
        if wanted.line_id not in lines:
            raise NotFound("order line", field=("lines", index, "line_id"))
        if wanted.line_id in seen:
            raise Invalid("Name each line once.", field=("lines", index, "line_id"))
        if wanted.quantity < 1:
            raise Invalid("A quantity is at least 1.", field=("lines", index, "quantity"))
        seen.add(wanted.line_id)


async def order_lines(session: AsyncSession, order: Order) -> dict[int, OrderLine]:
    """As they are under the lock of their order, whatever this session has seen of them before it."""
    rows = await session.scalars(
        select(OrderLine)
        .where(OrderLine.order_id == order.id)
        .order_by(OrderLine.position)
        .execution_options(populate_existing=True)
    )
    return {line.id: line for line in rows}


def refundable(payments: Sequence[Payment]) -> int:
    """What was taken and neither went back nor is on its way."""
    return sum(payment.captured_amount - payment.refunded_amount for payment in payments)


async def add_waiting(session: AsyncSession, order: Order, units: dict[int, Units]) -> None:
    rows = await session.execute(
        select(DeliveryLine.order_line_id, func.sum(DeliveryLine.quantity - DeliveryLine.packed))
        .join(Delivery, Delivery.id == DeliveryLine.delivery_id)
        .where(Delivery.order_id == order.id, Delivery.ticket_id.is_(None))
        .group_by(DeliveryLine.order_line_id)
    )
    for line_id, waiting in rows:
        units[line_id].waiting = int(waiting)


async def add_sent(session: AsyncSession, order: Order, units: dict[int, Units]) -> None:
    """A customer who has confirmed receipt has all that was sent, whatever the carrier says."""
    delivered = case((Shipment.status == ShipmentStatus.DELIVERED, ShipmentLine.quantity), else_=0)
    rows = await session.execute(
        select(ShipmentLine.order_line_id, func.sum(ShipmentLine.quantity), func.sum(delivered))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(
            Shipment.order_id == order.id,
            Shipment.dispatched_at.is_not(None),
            Delivery.ticket_id.is_(None),
        )
        .group_by(ShipmentLine.order_line_id)
    )
    for line_id, sent, arrived in rows:
        units[line_id].sent = int(sent)
        units[line_id].arrived = int(sent if order.status is OrderStatus.COMPLETED else arrived)


async def add_claimed(
    session: AsyncSession, order: Order, units: dict[int, Units], *, own: int | None
) -> int:
    """Note what other tickets have taken; returns the money promised to those not settled yet."""
    statement = (
        select(Ticket, TicketLine)
        .join(TicketLine, TicketLine.ticket_id == Ticket.id)
        .where(Ticket.order_id == order.id, Ticket.status.not_in(TURNED_DOWN))
        .execution_options(populate_existing=True)
    )
    if own is not None:
        statement = statement.where(Ticket.id != own)
    promised = {}
    for ticket, line in await session.execute(statement):
        take(units[line.order_line_id], ticket, line)
        if ticket.status in UNSETTLED:
            promised[ticket.id] = ticket.refund_amount
    return sum(promised.values())


def take(units: Units, ticket: Ticket, line: TicketLine) -> None:
    stage = stage_of(ticket.type, ticket.reason)
    units.claimed[stage] += line.quantity
    if stage is Stage.WAITING and ticket.status in UNSETTLED:
        units.withdrawing += line.quantity
    if ticket.type in REFUNDS:
        units.refunded += line.quantity
        units.refunded_amount += line.refund_amount
        if ticket.status in SETTLED and is_fault(ticket.reason):
            units.refunded_for_fault += line.quantity
