"""Restating which promotions an edited order uses, within the limits of those it uses more of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.promotion.engine import PromotionRule
from domain.promotion.refusals import PromotionUsedUp
from domain.promotion.usage import exceeds_limit
from domain.promotion.usage_counts import UsageCount
from domain.promotion.use_request import PromotionUseRequest
from models import Order, Promotion, PromotionBuyer, PromotionUse


@dataclass(frozen=True, slots=True, kw_only=True)
class RestatedUse:
    """What an order uses of a promotion from now on."""

    promotion_id: int
    title: str
    code: str | None
    position: int
    amount: int
    """What it takes off, those of cancelled units included, in minor units."""
    flash_units: int
    applies: bool
    """Whether it takes anything off what is kept; else others may use it."""


async def restate_uses(
    session: AsyncSession,
    order: Order,
    uses: Sequence[RestatedUse],
    rules: Sequence[PromotionRule],
    *,
    now: datetime,
) -> None:
    """Record the uses of a locked order in place of those it had, and count the difference.

    A promotion that has ended meanwhile may be used more, since the order was placed while it ran. Raises
    PromotionUsedUp where a limit would be exceeded.
    """
    rows = await session.scalars(
        select(PromotionUse)
        .where(PromotionUse.order_id == order.id)
        .execution_options(populate_existing=True)
    )
    known = {row.promotion_id: row for row in rows}
    rules_by_id = {rule.id: rule for rule in rules}
    for use in sorted(uses, key=lambda each: each.promotion_id):
        row = known.get(use.promotion_id)
        before = UsageCount(1, row.flash_units) if row and row.released_at is None else UsageCount()
        after = UsageCount(1, use.flash_units) if use.applies else UsageCount()
        if row is None:
            row = new_use(order, use, now)
            session.add(row)
        row.amount, row.position = use.amount, use.position
        row.flash_units = use.flash_units if use.applies else 0
        row.released_at = None if use.applies else (row.released_at or now)
        if after != before:
            rule = rules_by_id.get(use.promotion_id)
            await count_difference(session, order, use, rule, after - before)
    await session.flush()


def new_use(order: Order, use: RestatedUse, now: datetime) -> PromotionUse:
    return PromotionUse(
        order_id=order.id,
        promotion_id=use.promotion_id,
        account_id=order.account_id,
        title=use.title,
        code=use.code,
        currency=order.currency,
        used_at=now,
    )


async def count_difference(
    session: AsyncSession,
    order: Order,
    use: RestatedUse,
    rule: PromotionRule | None,
    difference: UsageCount,
) -> None:
    """Add to the counters of a promotion and of its buyer, or take off them."""
    promotion = await session.get_one(
        Promotion, use.promotion_id, with_for_update={"key_share": True}, populate_existing=True
    )
    used, sold = promotion.used + difference.uses, promotion.sold + difference.units
    too_many = (difference.uses > 0 and exceeds_limit(used, promotion.usage_limit)) or (
        difference.units > 0 and exceeds_limit(sold, promotion.share)
    )
    if too_many and rule is not None:
        raise used_up(order, use, rule)
    if promotion.usage_limit is not None or promotion.share is not None:
        promotion.used, promotion.sold = max(0, used), max(0, sold)
    if promotion.usage_limit_per_buyer is not None or promotion.share_per_buyer is not None:
        await count_buyer_difference(session, order, promotion, use, rule, difference)


async def count_buyer_difference(
    session: AsyncSession,
    order: Order,
    promotion: Promotion,
    use: RestatedUse,
    rule: PromotionRule | None,
    difference: UsageCount,
) -> None:
    key = (promotion.id, order.account_id)
    buyer = await session.get(PromotionBuyer, key, with_for_update=True, populate_existing=True)
    if buyer is None:
        buyer = PromotionBuyer(promotion_id=key[0], account_id=key[1], uses=0, flash_units=0)
        session.add(buyer)
    uses, units = buyer.uses + difference.uses, buyer.flash_units + difference.units
    too_many = (difference.uses > 0 and exceeds_limit(uses, promotion.usage_limit_per_buyer)) or (
        difference.units > 0 and exceeds_limit(units, promotion.share_per_buyer)
    )
    if too_many and rule is not None:
        raise used_up(order, use, rule)
    buyer.uses, buyer.flash_units = max(0, uses), max(0, units)


def used_up(order: Order, use: RestatedUse, rule: PromotionRule) -> PromotionUsedUp:
    return PromotionUsedUp(
        [
            PromotionUseRequest(
                order_id=order.id,
                account_id=order.account_id,
                promotion=rule,
                position=use.position,
                amount=order.money(use.amount),
                flash_units=use.flash_units,
            )
        ]
    )
