from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money


class TicketType(StrEnum):
    """What a customer asks for after the sale."""

    REFUND_ONLY = "REFUND_ONLY"
    RETURN_REFUND = "RETURN_REFUND"
    EXCHANGE = "EXCHANGE"
    RESHIP = "RESHIP"


class TicketReason(StrEnum):
    """Why a customer asks."""

    NO_REASON = "NO_REASON"
    QUALITY_FAULT = "QUALITY_FAULT"
    WRONG_ITEM = "WRONG_ITEM"
    MISSING_ITEM = "MISSING_ITEM"
    DAMAGED = "DAMAGED"
    NOT_AS_DESCRIBED = "NOT_AS_DESCRIBED"
    NOT_RECEIVED = "NOT_RECEIVED"


class TicketStatus(StrEnum):
    """Where an after-sales ticket stands."""

    APPLIED = "APPLIED"
    AWAITING_RETURN = "AWAITING_RETURN"
    RETURN_SHIPPED = "RETURN_SHIPPED"
    RETURN_REFUSED = "RETURN_REFUSED"
    RESHIPPING = "RESHIPPING"
    REFUNDING = "REFUNDING"
    REFUND_FAILED = "REFUND_FAILED"
    REFUSED = "REFUSED"
    ARBITRATION = "ARBITRATION"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


class Ticket(HasCurrency, Base):
    """A customer's request about goods they bought."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index("ix_tickets_order_id", "order_id"),
        Index("ix_tickets_account_id_id", "account_id", "id"),
        Index("ix_tickets_status_id", "status", "id"),
        Index("ix_tickets_due_at", "due_at"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    type: Mapped[TicketType]
    reason: Mapped[TicketReason]
    status: Mapped[TicketStatus]
    description: Mapped[str]
    currency: Mapped[CurrencyCode]
    refund_amount: Mapped[Minor]
    return_carrier: Mapped[str | None]
    return_tracking_number: Mapped[str | None]
    refusal: Mapped[str | None]
    version: Mapped[int]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    @property
    def refund(self) -> Money:
        return self.money(self.refund_amount)


class TicketLine(HasCurrency, Base):
    """Units of an order line that a ticket is about."""

    __tablename__ = "ticket_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True, index=True)
    quantity: Mapped[int]
    currency: Mapped[CurrencyCode]
    refund_amount: Mapped[Minor]

    @property
    def refund(self) -> Money:
        return self.money(self.refund_amount)


class TicketMessage(Base):
    """A line of the conversation; an internal one is for staff only."""

    __tablename__ = "ticket_messages"
    __table_args__ = (Index("ix_ticket_messages_ticket_id_id", "ticket_id", "id"),)

    id: Mapped[Id]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    body: Mapped[str]
    internal: Mapped[bool]
    created_at: Mapped[datetime]


class TicketMedia(Base):
    """A picture that shows what a ticket is about."""

    __tablename__ = "ticket_media"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey("media.id"), primary_key=True)
