"""Orders for which something falls due when nobody acts."""

from datetime import datetime

from sqlalchemy import select

from domain.order.lifecycle import is_unpaid_at
from domain.order.open_parts import has_open_part
from models import Order, OrderStatus
from models.sql.types import AnySelect


def select_unpaid_orders(now: datetime) -> AnySelect:
    """Select the ids of orders that were not paid in time, the longest due first."""
    return select(Order.id).where(is_unpaid_at(now)).order_by(Order.payment_due_at)


def select_unpaid_changes(now: datetime) -> AnySelect:
    """Select the ids of orders of which cash was to be paid in advance and was not, the longest due first."""
    return (
        select(Order.id)
        .where(Order.status == OrderStatus.CONFIRMED, Order.payment_due_at <= now, Order.held_at.is_(None))
        .order_by(Order.payment_due_at)
    )


def select_unconfirmed_receipts(now: datetime) -> AnySelect:
    """Select the ids of delivered orders whose customers did not confirm the receipt in time.

    One of which something is open waits for that, and completes when it has ended.
    """
    return (
        select(Order.id)
        .where(Order.status == OrderStatus.CONFIRMED, Order.receipt_due_at <= now, Order.held_at.is_(None))
        .where(~has_open_part())
        .order_by(Order.receipt_due_at)
    )
