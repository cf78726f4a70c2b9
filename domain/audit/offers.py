"""Offers against the orders that have used them."""

from typing import Any

from sqlalchemy import ColumnElement, Select, String, Subquery, cast, func, literal, or_, select, union_all

from domain.audit.comparing import differing, summed, total_of, wrong_rows
from models import Delivery, Offer, OfferBuyer, OfferUse, Order


def wrongly_saved() -> Select[Any]:
    """What the offers of an order give is what its lines and fees are cheaper."""
    given = summed(OfferUse.order_id, OfferUse.amount)
    fees = summed(Delivery.order_id, Delivery.discount_amount)
    saved = Order.discount_amount + total_of(fees)
    return (
        differing(Order.number, expected=total_of(given), found=saved)
        .outerjoin(given, given.c.order_id == Order.id)
        .outerjoin(fees, fees.c.order_id == Order.id)
    )


def wrongly_used() -> Select[Any]:
    """Where an offer may be used only so often, every use is counted."""
    used = standing(literal(1))
    return (
        differing(offer(Offer.id), expected=total_of(used), found=Offer.used)
        .outerjoin(used, used.c.offer_id == Offer.id)
        .where(Offer.usage_limit.is_not(None))
    )


def wrong_shares() -> Select[Any]:
    """What of a flash sale's share is sold is what orders have of it."""
    sold = standing(OfferUse.flash_units)
    return (
        differing(offer(Offer.id), expected=total_of(sold), found=Offer.sold)
        .outerjoin(sold, sold.c.offer_id == Offer.id)
        .where(Offer.share.is_not(None))
    )


def standing(amount: Any) -> Subquery:
    """What orders that stand have of each offer."""
    return summed(OfferUse.offer_id, amount, OfferUse.released_at.is_(None))


def wrongly_had() -> Select[Any]:
    """Where one customer may have only so much of an offer, what each has is counted."""
    orders = select(
        OfferUse.offer_id,
        OfferUse.account_id,
        literal(1).label("uses"),
        OfferUse.flash_units.label("units"),
        literal(0).label("counted_uses"),
        literal(0).label("counted_units"),
    ).where(OfferUse.released_at.is_(None))
    counted = select(
        OfferBuyer.offer_id,
        OfferBuyer.account_id,
        literal(0),
        literal(0),
        OfferBuyer.uses,
        OfferBuyer.flash_units,
    )
    both = union_all(orders, counted).subquery()
    uses, units = func.sum(both.c.uses), func.sum(both.c.units)
    counted_uses, counted_units = func.sum(both.c.counted_uses), func.sum(both.c.counted_units)
    limited = or_(Offer.usage_limit_per_buyer.is_not(None), Offer.share_per_buyer.is_not(None))
    row = offer(both.c.offer_id) + literal(" of account ") + cast(both.c.account_id, String)
    return (
        wrong_rows(row, expected=had(uses, units), found=had(counted_uses, counted_units))
        .join(Offer, Offer.id == both.c.offer_id)
        .where(limited)
        .group_by(both.c.offer_id, both.c.account_id)
        .having(or_(uses != counted_uses, units != counted_units))
    )


def had(uses: Any, units: Any) -> ColumnElement[str]:
    return cast(uses, String) + literal(" uses, ") + cast(units, String) + literal(" units")


def offer(id: Any) -> ColumnElement[str]:
    return literal("offer ") + cast(id, String)
