"""Promotions against the orders that have used them."""

from sqlalchemy import ColumnElement, String, Subquery, cast, func, literal, or_, select, union_all

from domain.audit.comparison import select_differences, select_rows, sum_by, total_of
from models import Delivery, Order, Promotion, PromotionBuyer, PromotionUse
from models.sql.types import AnyColumn, AnySelect


def find_wrong_savings() -> AnySelect:
    """Orders whose promotions do not give what lines and fees are discounted by."""
    given = sum_by(PromotionUse.order_id, PromotionUse.amount)
    fees = sum_by(Delivery.order_id, Delivery.discount_amount)
    saved = Order.discount_amount + total_of(fees)
    return (
        select_differences(Order.number, expected=total_of(given), found=saved)
        .outerjoin(given, given.c.order_id == Order.id)
        .outerjoin(fees, fees.c.order_id == Order.id)
    )


def find_wrong_use_counts() -> AnySelect:
    """Promotions with a usage limit whose count is not the number of their uses."""
    used = sum_active_uses(literal(1))
    return (
        select_differences(promotion_label(Promotion.id), expected=total_of(used), found=Promotion.used)
        .outerjoin(used, used.c.promotion_id == Promotion.id)
        .where(Promotion.usage_limit.is_not(None))
    )


def find_wrong_flash_sales() -> AnySelect:
    """Flash sales whose sold units are not those of the orders."""
    sold = sum_active_uses(PromotionUse.flash_units)
    return (
        select_differences(promotion_label(Promotion.id), expected=total_of(sold), found=Promotion.sold)
        .outerjoin(sold, sold.c.promotion_id == Promotion.id)
        .where(Promotion.share.is_not(None))
    )


def sum_active_uses(amount: AnyColumn) -> Subquery:
    """Sums over the uses of each promotion that were not released."""
    return sum_by(PromotionUse.promotion_id, amount, PromotionUse.released_at.is_(None))


def find_wrong_buyer_counts() -> AnySelect:
    """Customers whose counted uses and units of a limited promotion are not those of their orders."""
    orders = select(
        PromotionUse.promotion_id,
        PromotionUse.account_id,
        literal(1).label("uses"),
        PromotionUse.flash_units.label("units"),
        literal(0).label("counted_uses"),
        literal(0).label("counted_units"),
    ).where(PromotionUse.released_at.is_(None))
    counted = select(
        PromotionBuyer.promotion_id,
        PromotionBuyer.account_id,
        literal(0),
        literal(0),
        PromotionBuyer.uses,
        PromotionBuyer.flash_units,
    )
    both = union_all(orders, counted).subquery()
    uses, units = func.sum(both.c.uses), func.sum(both.c.units)
    counted_uses, counted_units = func.sum(both.c.counted_uses), func.sum(both.c.counted_units)
    limited = or_(Promotion.usage_limit_per_buyer.is_not(None), Promotion.share_per_buyer.is_not(None))
    row = promotion_label(both.c.promotion_id) + literal(" of account ") + cast(both.c.account_id, String)
    return (
        select_rows(row, expected=use_label(uses, units), found=use_label(counted_uses, counted_units))
        .join(Promotion, Promotion.id == both.c.promotion_id)
        .where(limited)
        .group_by(both.c.promotion_id, both.c.account_id)
        .having(or_(uses != counted_uses, units != counted_units))
    )


def use_label(uses: AnyColumn, units: AnyColumn) -> ColumnElement[str]:
    return cast(uses, String) + literal(" uses, ") + cast(units, String) + literal(" units")


def promotion_label(id: AnyColumn) -> ColumnElement[str]:
    return literal("promotion ") + cast(id, String)
