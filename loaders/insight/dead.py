"""What lies in the warehouses and is not bought."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, or_, select

from loaders.insight.figures import chosen
from loaders.insight.period import Selection
from loaders.page import Key, Sort
from models import CurrencyCode, Money, Order, OrderLine, OrderStatus, Price, Product, StockLevel, Variant


@dataclass(frozen=True, slots=True)
class DeadStock:
    """A variant nobody has bought for a long time."""

    variant: Variant
    on_hand: int
    amount: int | None
    last_sold_at: datetime | None
    currency: CurrencyCode
    now: datetime

    @property
    def value(self) -> Money | None:
        return None if self.amount is None else Money(self.amount * self.on_hand, self.currency)

    @property
    def days_unsold(self) -> int | None:
        return None if self.last_sold_at is None else (self.now - self.last_sold_at).days


def dead_stock(
    selection: Selection, *, currency: CurrencyCode, unsold_since: datetime
) -> tuple[Select[Any], Sort]:
    """Variants in stock that nobody ordered since then, though they were there; the most valuable first."""
    held = (
        select(StockLevel.variant_id, cast(func.sum(StockLevel.on_hand), BigInteger).label("on_hand"))
        .group_by(StockLevel.variant_id)
        .subquery("held")
    )
    sold = (
        select(OrderLine.variant_id, func.max(Order.placed_at).label("last_at"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.variant_id)
        .subquery("sold")
    )
    value: ColumnElement[int] = case(
        (Price.amount.is_(None), 0), else_=cast(held.c.on_hand * Price.amount, BigInteger)
    )
    wanted = (
        select(Variant, held.c.on_hand, Price.amount, sold.c.last_at)
        .join(Product, Product.id == Variant.product_id)
        .join(held, held.c.variant_id == Variant.id)
        .outerjoin(sold, sold.c.variant_id == Variant.id)
        .outerjoin(Price, and_(Price.variant_id == Variant.id, Price.currency == currency))
        .where(held.c.on_hand > 0, Product.created_at < unsold_since, *chosen(selection))
        .where(or_(sold.c.last_at.is_(None), sold.c.last_at < unsold_since))
    )
    return wanted, Sort(f"dead-{currency}", (Key(value, descending=True), Key(Variant.id)))
