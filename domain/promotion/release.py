"""Releasing promotions when orders are cancelled, so that others may use them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.promotion.engine import refund_share
from domain.promotion.usage_counts import UsageCount, counts_by_buyer, counts_by_promotion, sum_by_key
from models import Promotion, PromotionBuyer, PromotionUse
from models.sql.dialects import dialect_of

ReleasedUse = tuple[tuple[int, int], UsageCount]
"""Promotion id and account id, and what is released."""


@dataclass(frozen=True, slots=True)
class CancelledUnits:
    """Units of a variant that are cancelled before they are sent, out of those still on the order."""

    variant_id: int
    _: KW_ONLY
    units: int
    out_of: int


async def release_promotions(session: AsyncSession, order_ids: Collection[int], *, now: datetime) -> None:
    """Release all that cancelled orders used; a second time changes nothing."""
    await release_uses(session, PromotionUse.order_id.in_(order_ids), now=now)


async def release_promotions_but(
    session: AsyncSession, order_id: int, kept: Collection[int], *, now: datetime
) -> None:
    """Release what an order used of all promotions but those that give a discount on what is `kept`."""
    gave_discounts = PromotionUse.promotion_id.not_in(kept), PromotionUse.amount > 0
    await release_uses(session, PromotionUse.order_id == order_id, *gave_discounts, now=now)


async def release_uses(session: AsyncSession, *conditions: ColumnElement[bool], now: datetime) -> None:
    released = await session.execute(
        update(PromotionUse)
        .where(PromotionUse.released_at.is_(None), *conditions)
        .values(released_at=now)
        .returning(PromotionUse.promotion_id, PromotionUse.account_id, PromotionUse.flash_units)
        .execution_options(synchronize_session=False)
    )
    await subtract_uses(
        session,
        [((promotion_id, account_id), UsageCount(1, units)) for promotion_id, account_id, units in released],
    )


async def release_promotion_units(
    session: AsyncSession, order_id: int, cancelled: Sequence[CancelledUnits], *, now: datetime
) -> None:
    """Release the flash sale units of the part of a locked order that is cancelled.

    A line that is only partly at the special price costs each of its units the same part of it, so special
    units are released in the proportion the money is; the last unit releases the last. A flash sale of which
    an order has nothing left counts as not used.
    """
    by_variant: Mapping[int | None, CancelledUnits] = {each.variant_id: each for each in cancelled}
    rows = await session.execute(
        select(Promotion.variant_id, PromotionUse)
        .join(Promotion, Promotion.id == PromotionUse.promotion_id)
        .where(PromotionUse.order_id == order_id, PromotionUse.released_at.is_(None))
        .where(PromotionUse.flash_units > 0, Promotion.variant_id.in_(by_variant))
        .execution_options(populate_existing=True)
    )
    released: list[ReleasedUse] = []
    for variant_id, use in rows:
        part = by_variant[variant_id]
        units = refund_share(use.flash_units, part.out_of, 0, part.units)
        is_whole = units == use.flash_units
        if is_whole:
            use.released_at = now
        else:
            use.flash_units -= units
        released.append(((use.promotion_id, use.account_id), UsageCount(int(is_whole), units)))
    await session.flush()
    await subtract_uses(session, released)


async def subtract_uses(session: AsyncSession, released: Sequence[ReleasedUse]) -> None:
    """Subtract released uses from the counters of buyers and promotions, at most one statement each."""
    if released:
        await subtract_for_buyers(session, sum_by_key(released))
        by_promotion = sum_by_key((promotion_id, count) for (promotion_id, _), count in released)
        await subtract_for_promotions(session, by_promotion)


async def subtract_for_buyers(session: AsyncSession, sums: Mapping[tuple[int, int], UsageCount]) -> None:
    counts = counts_by_buyer(sums, dialect_of(session))
    is_same = and_(
        counts.c.promotion_id == PromotionBuyer.promotion_id, counts.c.account_id == PromotionBuyer.account_id
    )
    locked = (
        select(PromotionBuyer.promotion_id, PromotionBuyer.account_id, counts.c.uses, counts.c.units)
        .join(counts, is_same)
        .order_by(PromotionBuyer.promotion_id, PromotionBuyer.account_id)
        .with_for_update(of=PromotionBuyer)
        .cte("locked")
    )
    await session.execute(
        update(PromotionBuyer)
        .where(
            PromotionBuyer.promotion_id == locked.c.promotion_id,
            PromotionBuyer.account_id == locked.c.account_id,
        )
        .values(
            uses=floor_at_zero(PromotionBuyer.uses - locked.c.uses),
            flash_units=floor_at_zero(PromotionBuyer.flash_units - locked.c.units),
        )
        .execution_options(synchronize_session=False)
    )


async def subtract_for_promotions(session: AsyncSession, sums: Mapping[int, UsageCount]) -> None:
    counts = counts_by_promotion(sums, dialect_of(session))
    is_counted = or_(Promotion.usage_limit.is_not(None), Promotion.share.is_not(None))
    locked = (
        select(Promotion.id, counts.c.uses, counts.c.units)
        .join(counts, counts.c.promotion_id == Promotion.id)
        .where(is_counted)
        .order_by(Promotion.id)
        .with_for_update(of=Promotion, key_share=True)
        .cte("locked")
    )
    await session.execute(
        update(Promotion)
        .where(Promotion.id == locked.c.id)
        .values(
            used=floor_at_zero(Promotion.used - locked.c.uses),
            sold=floor_at_zero(Promotion.sold - locked.c.units),
        )
        .execution_options(synchronize_session=False)
    )


def floor_at_zero(count: ColumnElement[int]) -> ColumnElement[int]:
    """The count, or 0: one that began before there was a limit may be lower than what is released."""
    return case((count > 0, count), else_=0)
