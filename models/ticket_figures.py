"""What is kept for the figures of tickets: what was counted of each day, and what customers rate."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    and_,
    case,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.aftersales import Ticket, TicketLine, TicketStatus, TicketType, TicketUnits
from models.base import Base, BigId, JsonObject, Minor
from models.money import CurrencyCode
from models.order import Delivery, DeliveryLine, OrderLine
from models.shipment import Shipment, ShipmentLine
from models.sql.dialects import epoch_seconds
from models.sql.types import AnyColumn, AnySelect

QUARTER_SECONDS = 900
"""Days begin on a quarter of an hour everywhere: what left within one left on the same day."""

Span = tuple[datetime, datetime]
"""From a moment until before another one."""


class RefundDimension(StrEnum):
    """What refunds are counted by."""

    REASON = "REASON"
    """Why the customer asked."""
    PRODUCT = "PRODUCT"
    """What was bought."""
    WAREHOUSE = "WAREHOUSE"
    """Where it was packed."""
    CARRIER = "CARRIER"
    """Who has carried it."""


class TicketRating(Base):
    """That a customer was asked how a ticket went, and what they say."""

    __tablename__ = "ticket_ratings"
    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    asked_at: Mapped[datetime]
    open_until: Mapped[datetime]
    """Until when it can be rated, and the rating changed."""
    rating: Mapped[int | None]
    """From 1 to 5; None before it is rated."""
    note: Mapped[str]
    rated_at: Mapped[datetime | None]


class TicketDay(Base):
    """What was counted of the tickets that were opened on one day of the shop."""

    __tablename__ = "ticket_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    opened: Mapped[int]
    resolved: Mapped[int]
    """Tickets that were resolved or have come back since."""
    reopened: Mapped[int]
    """Tickets that have come back at least once."""
    asked: Mapped[int]
    """Tickets whose customers were asked to rate them."""
    ratings: Mapped[list[int]]
    """How many rated 1, 2, 3, 4 and 5."""
    answered: Mapped[int]
    answer_seconds: Mapped[int] = mapped_column(BigInteger)
    """All times until the first answer together."""
    answer_times: Mapped[bytes] = mapped_column(LargeBinary)
    """The same one by one, from the shortest: four bytes each, the lowest first."""
    settled: Mapped[int]
    """Tickets that are resolved and were not cancelled."""
    resolution_seconds: Mapped[int] = mapped_column(BigInteger)
    resolution_times: Mapped[bytes] = mapped_column(LargeBinary)
    agents: Mapped[JsonObject]
    """By the id of who has them: tickets, those resolved, those reopened, those rated, the sum of ratings."""


class RefundDay(Base):
    """Units that left on one day, and units that came back in money by tickets opened on it."""

    __tablename__ = "refund_days"

    dimension: Mapped[RefundDimension] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(ForeignKey("ticket_days.day"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    """The reason, the id of the product or of the warehouse, or the code of the carrier."""
    currency: Mapped[CurrencyCode] = mapped_column(primary_key=True)
    sent: Mapped[int] = mapped_column(BigId)
    refunded: Mapped[int] = mapped_column(BigId)
    amount: Mapped[Minor]
    """What was refunded for them."""


def is_within(moment: AnyColumn, spans: Sequence[Span]) -> ColumnElement[bool]:
    return or_(*(and_(moment >= starts_at, moment < ends_at) for starts_at, ends_at in spans))


def seconds_of(moment: AnyColumn) -> ColumnElement[int]:
    """Whole seconds since 1970."""
    return cast(epoch_seconds(moment), BigInteger)


def quarter_of(moment: AnyColumn) -> ColumnElement[int]:
    """Which quarter of an hour since 1970 it is."""
    return seconds_of(moment) // QUARTER_SECONDS


IS_COUNTED = Ticket.merged_into_id.is_(None)
"""Whether a ticket counts: a duplicate that was merged goes on as the other one, which does."""

IS_OF_CUSTOMER = and_(Ticket.part_of_id.is_(None), Ticket.split_from_id.is_(None))
"""Whether it is what was asked: units that are decided apart later were answered with the others."""


def select_counted_tickets(spans: Sequence[Span]) -> AnySelect:
    """What is counted of the tickets opened within the spans, each a row; times in whole seconds."""
    opened = seconds_of(Ticket.opened_at)
    is_settled = Ticket.status != TicketStatus.CANCELLED
    return (
        select(
            quarter_of(Ticket.opened_at),
            Ticket.assignee_id,
            case((IS_OF_CUSTOMER, seconds_of(Ticket.first_answered_at) - opened)),
            case((is_settled, seconds_of(Ticket.resolved_at) - opened)),
            or_(Ticket.resolved_at.is_not(None), Ticket.reopens > 0),
            Ticket.reopens > 0,
            TicketRating.asked_at.is_not(None),
            TicketRating.rating,
        )
        .outerjoin(TicketRating, TicketRating.ticket_id == Ticket.id)
        .where(is_within(Ticket.opened_at, spans), IS_COUNTED)
    )


REFUNDED_UNITS = case(
    (Ticket.type.in_([TicketType.REFUND_ONLY, TicketType.RETURN_REFUND]), TicketLine.quantity),
    else_=TicketLine.refunded_in_place,
)
"""Units of a TicketLine for which money came back: refused ones are of another ticket."""

REFUNDED_AMOUNT = TicketLine.refund_amount - TicketLine.difference_amount
"""That money, without what cheaper variants cost less."""

IS_REFUNDED = and_(
    Ticket.status == TicketStatus.COMPLETED, TicketLine.cancelled.is_(False), REFUNDED_UNITS > 0
)
"""Whether a line of a ticket was refunded; what was withdrawn before it left was never sent."""


def select_refunded_lines(spans: Sequence[Span]) -> AnySelect:
    """Refunded units of tickets opened within the spans: by moment, reason, product and currency."""
    quarter = quarter_of(Ticket.opened_at).label("quarter")
    by = (quarter, Ticket.reason, OrderLine.product_id, TicketLine.currency)
    return select_lines_refunded(*by).where(is_within(Ticket.opened_at, spans))


def select_lines_refunded(*by: AnyColumn) -> AnySelect:
    """Refunded units, whenever their tickets were opened."""
    return (
        select(*by, REFUNDED_UNITS.label("units"), REFUNDED_AMOUNT.label("amount"))
        .select_from(TicketLine)
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .join(OrderLine, OrderLine.id == TicketLine.order_line_id)
        .where(IS_REFUNDED)
    )


def select_refunded_parcels(spans: Sequence[Span]) -> AnySelect:
    """The same units by the warehouse and the carrier of their parcels, as far as the parcels are known."""
    quarter = quarter_of(Ticket.opened_at).label("quarter")
    by = (quarter, Shipment.warehouse_id, Shipment.carrier, TicketLine.currency)
    return select_parcels_refunded(*by).where(is_within(Ticket.opened_at, spans))


def select_parcels_refunded(*by: AnyColumn) -> AnySelect:
    """Refunded units whose parcels are known, whenever their tickets were opened.

    Of a line that is about several parcels each has its part of the amount.
    """
    is_whole = TicketLine.quantity == REFUNDED_UNITS
    amount = REFUNDED_AMOUNT * TicketUnits.quantity // TicketLine.quantity
    return (
        select(*by, TicketUnits.quantity.label("units"), amount.label("amount"))
        .select_from(TicketUnits)
        .join(Ticket, Ticket.id == TicketUnits.ticket_id)
        .join(DeliveryLine, DeliveryLine.id == TicketUnits.delivery_line_id)
        .join(
            TicketLine,
            and_(
                TicketLine.ticket_id == TicketUnits.ticket_id,
                TicketLine.order_line_id == DeliveryLine.order_line_id,
            ),
        )
        .join(Shipment, Shipment.id == TicketUnits.shipment_id)
        .where(IS_REFUNDED, is_whole)
    )


def select_sent_units(spans: Sequence[Span]) -> AnySelect:
    """Units that left within the spans, by quarter of an hour since 1970, product, warehouse and carrier."""
    quarter = quarter_of(Shipment.dispatched_at).label("quarter")
    by = (quarter, OrderLine.product_id, Shipment.warehouse_id, Shipment.carrier, OrderLine.currency)
    return select_units_sent(*by).where(is_within(Shipment.dispatched_at, spans))


def select_units_sent(*by: AnyColumn) -> AnySelect:
    """Units that left, whenever that was.

    What only goes back to its customer, because it was refused, was sent before.
    """
    units = cast(func.sum(ShipmentLine.quantity), BigInteger).label("units")
    return (
        select(*by, units)
        .select_from(Shipment)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
        .join(Delivery, Delivery.id == Shipment.delivery_id)
        .where(~Delivery.sends_back)
        .group_by(*by)
    )
