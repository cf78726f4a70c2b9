"""Dead stock: variants in the warehouses that nobody buys."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func, or_, select

from loaders.analytics.period import ReportSelection
from loaders.analytics.sources import product_conditions
from loaders.page import Key, Sort
from models import CurrencyCode, Money, Order, OrderLine, OrderStatus, Price, Product, StockLevel, Variant
from models.sql.types import AnySelect


@dataclass(frozen=True, slots=True)
class DeadStock:
    """A variant in stock that nobody has ordered for a long time."""

    variant: Variant
    on_hand: int
    amount: int | None
    """The present price of one unit in `currency`, in minor units."""
    last_sold_at: datetime | None
    currency: CurrencyCode
    now: datetime

    @property
    def value(self) -> Money | None:
        return None if self.amount is None else Money(self.amount * self.on_hand, self.currency)

    @property
    def days_unsold(self) -> int | None:
        return None if self.last_sold_at is None else (self.now - self.last_sold_at).days


def select_dead_stock(
    selection: ReportSelection, *, currency: CurrencyCode, unsold_since: datetime
) -> tuple[AnySelect, Sort]:
    """Variants in stock of products created before `unsold_since`, not ordered since; most valuable first."""
    stock = (
        select(StockLevel.variant_id, cast(func.sum(StockLevel.on_hand), BigInteger).label("on_hand"))
        .group_by(StockLevel.variant_id)
        .subquery("stock")
    )
    sales = (
        select(OrderLine.variant_id, func.max(Order.placed_at).label("last_sold_at"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.status != OrderStatus.CANCELLED)
        .group_by(OrderLine.variant_id)
        .subquery("sales")
    )
    value: ColumnElement[int] = case(
        (Price.amount.is_(None), 0), else_=cast(stock.c.on_hand * Price.amount, BigInteger)
    )
    statement = (
        select(Variant, stock.c.on_hand, Price.amount, sales.c.last_sold_at)
        .join(Product, Product.id == Variant.product_id)
        .join(stock, stock.c.variant_id == Variant.id)
        .outerjoin(sales, sales.c.variant_id == Variant.id)
        .outerjoin(Price, and_(Price.variant_id == Variant.id, Price.currency == currency))
        .where(stock.c.on_hand > 0, Product.created_at < unsold_since, *product_conditions(selection))
        .where(or_(sales.c.last_sold_at.is_(None), sales.c.last_sold_at < unsold_since))
    )
    return statement, Sort(f"dead-{currency}", (Key(value, descending=True), Key(Variant.id)))
