"""The rows that belong to an account through what it has: as conditions and selects in SQL."""

from sqlalchemy import ColumnElement, Select, String, cast, select

from models import Cart, Delivery, Order, QuizAttempt, Shipment, Ticket, TicketMessage
from models.sql.types import AnyColumn

# These selects name their own table in `correlate_except`: the account may be a column of a statement that
# encloses them more than one level above, and by itself SQLAlchemy looks one level up only.


def orders_of(account_id: int | AnyColumn) -> Select[int]:
    return select(Order.id).where(Order.account_id == account_id).correlate_except(Order)


def shipments_of(account_id: int | AnyColumn) -> Select[int]:
    return select(Shipment.id).where(Shipment.order_id.in_(orders_of(account_id))).correlate_except(Shipment)


def tickets_of(account_id: int | AnyColumn) -> Select[int]:
    return select(Ticket.id).where(Ticket.account_id == account_id).correlate_except(Ticket)


def messages_of(account_id: int | AnyColumn) -> Select[int]:
    of_tickets = TicketMessage.ticket_id.in_(tickets_of(account_id))
    return select(TicketMessage.id).where(of_tickets).correlate_except(TicketMessage)


def carts_of(account_id: int | AnyColumn) -> Select[int]:
    return select(Cart.id).where(Cart.account_id == account_id).correlate_except(Cart)


def deliveries_of(account_id: int | AnyColumn) -> Select[int]:
    return select(Delivery.id).where(Delivery.order_id.in_(orders_of(account_id))).correlate_except(Delivery)


def attempts_of(account_id: int | AnyColumn) -> Select[int]:
    return select(QuizAttempt.id).where(QuizAttempt.account_id == account_id).correlate_except(QuizAttempt)


def reader_key(account_id: int | AnyColumn) -> str | ColumnElement[str]:
    """How ratings of articles name an account."""
    prefix = "account:"
    return f"{prefix}{account_id}" if isinstance(account_id, int) else prefix + cast(account_id, String)
