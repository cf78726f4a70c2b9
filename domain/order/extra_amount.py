"""What payments of an order come to beyond its price: invoiced when asked for, credited when not paid."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.ledger import write_posting
from models import Money, Order, PostingKind


async def add_extra(session: AsyncSession, order: Order, amount: Money, *, key: str, now: datetime) -> None:
    """Invoice an amount of a locked order that a payment is added for."""
    order.total_amount += amount.minor
    order.extra_amount += amount.minor
    await post_extra(session, order, amount, PostingKind.INVOICED, key=key, now=now)


async def take_extra_off(
    session: AsyncSession, order: Order, amount: Money, *, key: str, now: datetime
) -> None:
    """Credit such an amount again, which is not to be paid any more."""
    order.total_amount -= amount.minor
    order.extra_amount -= amount.minor
    order.credited_amount += amount.minor
    await post_extra(session, order, amount, PostingKind.CREDITED, key=key, now=now)


async def post_extra(
    session: AsyncSession, order: Order, amount: Money, kind: PostingKind, *, key: str, now: datetime
) -> None:
    await write_posting(
        session, order_id=order.id, payment_id=None, kind=kind, amount=amount, key=key, now=now
    )
