"""How much of an order is refunded without a second person of the staff."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import CurrencyCode, Order, Refund, RefundStatus

APPROVAL_LIMITS: Mapping[CurrencyCode, int] = {
    CurrencyCode.CNY: 500_000,
    CurrencyCode.USD: 70_000,
    CurrencyCode.EUR: 65_000,
    CurrencyCode.GBP: 55_000,
    CurrencyCode.JPY: 100_000,
    CurrencyCode.HKD: 550_000,
}
"""The most that is refunded of an order without a second person, in minor units; without one, nothing is."""

APPROVAL_LIMITS_KEY = "refund_approval_limits"
"""The name in `session.info` of the limits that the settings choose."""


async def needs_approval(session: AsyncSession, order: Order, amount: int) -> bool:
    """Whether refunding this many minor units more of a locked order takes a second person."""
    return amount + await unapproved_amount(session, order) > find_limit(session, order.currency)


async def unapproved_amount(session: AsyncSession, order: Order) -> int:
    """How many minor units of an order were refunded without a second person, bonuses included."""
    total = await session.scalar(
        select(func.coalesce(func.sum(Refund.amount + Refund.bonus_amount), 0)).where(
            Refund.order_id == order.id,
            Refund.decided_by_id.is_(None),
            Refund.status != RefundStatus.WAITING,
        )
    )
    return int(total or 0)


def find_limit(session: AsyncSession, currency: CurrencyCode) -> int:
    """How many minor units one person of the staff may give away alone."""
    limits: Mapping[CurrencyCode, int] = session.info.get(APPROVAL_LIMITS_KEY, APPROVAL_LIMITS)
    return limits.get(currency, 0)
