from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, loader
from loaders.page import Key, Sort
from models import (
    Cart,
    CartLine,
    CartStatus,
    Coupon,
    Money,
    Price,
    Product,
    ProductStatus,
    StockLevel,
    Variant,
    in_active_warehouse,
)


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of a cart as it stands now, with what its owner saw when it was added."""

    id: int
    cart_id: int
    variant_id: int
    quantity: int
    weight_grams: int
    seen_price: Money
    unit_price: Money | None
    """None when it is not sold any more."""
    left: int | None
    """None when there is no limit."""

    @property
    def total(self) -> Money | None:
        return None if self.unit_price is None else self.unit_price * self.quantity


class CartById(ByKey[int, Cart]):
    key = Cart.id


class CartByAccount(ByKey[int, Cart]):
    key = Cart.account_id

    def statement(self) -> Select[Any]:
        return select(Cart).where(Cart.status == CartStatus.ACTIVE)


class CartByToken(ByKey[str, Cart]):
    key = Cart.token_hash

    def statement(self) -> Select[Any]:
        return select(Cart).where(Cart.status == CartStatus.ACTIVE)


class LinesByCart(Grouped[int, Sequence[ShownLine]]):
    """Lines with price and stock of the moment: one statement, however many carts."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[ShownLine]]:
        left = (
            select(func.coalesce(func.sum(StockLevel.on_hand - StockLevel.reserved), 0))
            .where(StockLevel.variant_id == Variant.id, in_active_warehouse())
            .scalar_subquery()
        )
        found = await session.execute(
            select(CartLine, Cart.currency, Variant, Product.status, Price.amount, left)
            .join(Cart, Cart.id == CartLine.cart_id)
            .join(Variant, Variant.id == CartLine.variant_id)
            .join(Product, Product.id == Variant.product_id)
            .outerjoin(Price, and_(Price.variant_id == Variant.id, Price.currency == Cart.currency))
            .where(CartLine.cart_id.in_(keys))
            .order_by(CartLine.id)
        )
        lines: defaultdict[int, list[ShownLine]] = defaultdict(list)
        for line, currency, variant, status, amount, units in found:
            self.loaders.variant.prime(variant.id, variant)
            sold = status is ProductStatus.ACTIVE and variant.archived_at is None and amount is not None
            lines[line.cart_id].append(
                ShownLine(
                    id=line.id,
                    cart_id=line.cart_id,
                    variant_id=line.variant_id,
                    quantity=line.quantity,
                    weight_grams=variant.weight_grams,
                    seen_price=Money(line.seen_amount, currency),
                    unit_price=Money(amount, currency) if sold else None,
                    left=units if variant.limited else None,
                )
            )
        return lines

    def nothing(self) -> Sequence[ShownLine]:
        return []


COUPONS = select(Coupon)
NEWEST_COUPON = Sort("newest", (Key(Coupon.id, descending=True),))


class CouponById(ByKey[int, Coupon]):
    key = Coupon.id


class CartLoaders:
    cart = loader(CartById)
    account_cart = loader(CartByAccount)
    token_cart = loader(CartByToken)
    cart_lines = loader(LinesByCart)
    coupon = loader(CouponById)
