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
from models.sql.upsert import upsert_into


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


@dataclass(frozen=True, slots=True)
class ChangedUse:
    """A promotion of which an order uses more or less than before."""

    use: RestatedUse
    rule: PromotionRule | None
    difference: UsageCount

    @property
    def promotion_id(self) -> int:
        return self.use.promotion_id

    def exceeds(self, after: UsageCount, use_limit: int | None, unit_limit: int | None) -> bool:
        """Whether more is used than these limits allow; what was used before stays. Without a rule the order
        only uses less."""
        too_many_uses = self.difference.uses > 0 and exceeds_limit(after.uses, use_limit)
        too_many_units = self.difference.units > 0 and exceeds_limit(after.units, unit_limit)
        return self.rule is not None and (too_many_uses or too_many_units)


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
    changed: list[ChangedUse] = []
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
            changed.append(ChangedUse(use, rules_by_id.get(use.promotion_id), after - before))
    await session.flush()
    if changed:
        await count_for_buyer(session, order, changed)
        await count_for_all(session, order, changed)
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


async def count_for_buyer(session: AsyncSession, order: Order, changed: Sequence[ChangedUse]) -> None:
    """Add to the counters of the buyer, or take off them: before those of the promotions, as placing does."""
    limited = await session.scalars(
        select(Promotion)
        .where(Promotion.id.in_([each.promotion_id for each in changed]))
        .where(Promotion.usage_limit_per_buyer.is_not(None) | Promotion.share_per_buyer.is_not(None))
        .execution_options(populate_existing=True)
    )
    promotions = {row.id: row for row in limited}
    if not promotions:
        return
    missing = [
        {"promotion_id": id, "account_id": order.account_id, "uses": 0, "flash_units": 0}
        for id in sorted(promotions)
    ]
    await session.execute(upsert_into(session, PromotionBuyer).values(missing).on_conflict_do_nothing())
    rows = await session.scalars(
        select(PromotionBuyer)
        .where(PromotionBuyer.account_id == order.account_id, PromotionBuyer.promotion_id.in_(promotions))
        .order_by(PromotionBuyer.promotion_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    buyers = {row.promotion_id: row for row in rows}
    for each in changed:
        if (promotion := promotions.get(each.promotion_id)) is None:
            continue
        buyer = buyers[each.promotion_id]
        after = UsageCount(buyer.uses, buyer.flash_units) + each.difference
        if each.exceeds(after, promotion.usage_limit_per_buyer, promotion.share_per_buyer):
            raise used_up(order, each)
        buyer.uses, buyer.flash_units = max(0, after.uses), max(0, after.units)


async def count_for_all(session: AsyncSession, order: Order, changed: Sequence[ChangedUse]) -> None:
    """Add to the counters of the promotions, or take off them."""
    rows = await session.scalars(
        select(Promotion)
        .where(Promotion.id.in_([each.promotion_id for each in changed]))
        .order_by(Promotion.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    promotions = {row.id: row for row in rows}
    for each in changed:
        promotion = promotions[each.promotion_id]
        after = UsageCount(promotion.used, promotion.sold) + each.difference
        if each.exceeds(after, promotion.usage_limit, promotion.share):
            raise used_up(order, each)
        if promotion.usage_limit is not None or promotion.share is not None:
            promotion.used, promotion.sold = max(0, after.uses), max(0, after.units)


def used_up(order: Order, changed: ChangedUse) -> PromotionUsedUp:
    use = changed.use
    if changed.rule is None:
        raise ValueError(f"promotion {use.promotion_id} has no rule")
    return PromotionUsedUp(
        [
            PromotionUseRequest(
                order_id=order.id,
                account_id=order.account_id,
                promotion=changed.rule,
                position=use.position,
                amount=order.money(use.amount),
                flash_units=use.flash_units,
            )
        ]
    )
