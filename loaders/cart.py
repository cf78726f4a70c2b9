from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, loader
from models import (
    Cart,
    CartLine,
    CartStatus,
    Category,
    Money,
    Price,
    Product,
    ProductStatus,
    SavedLine,
    StockLevel,
    Variant,
    in_active_warehouse,
)

if TYPE_CHECKING:
    from loaders import Loaders

S = TypeVar("S", bound="Shown")


@dataclass(frozen=True, slots=True)
class Shown:
    """Units of a variant as they stand now, with what their owner saw when they were added."""

    id: int
    cart_id: int
    variant_id: int
    product_id: int
    quantity: int
    wanted: int | None
    category_path: str | None
    brand: str
    seen_price: Money
    unit_price: Money | None
    """None when it is not sold any more."""
    left: int | None
    """None when there is no limit."""

    @property
    def total(self) -> Money | None:
        return None if self.unit_price is None else self.unit_price * self.quantity


class ShownLine(Shown):
    """A line of a cart."""


class ShownSavedLine(Shown):
    """What is saved for later."""


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
        return await shown(self.loaders, session, CartLine, ShownLine, keys)

    def nothing(self) -> Sequence[ShownLine]:
        return []


class SavedLinesByCart(Grouped[int, Sequence[ShownSavedLine]]):
    """What is saved for later, likewise."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[ShownSavedLine]]:
        return await shown(self.loaders, session, SavedLine, ShownSavedLine, keys)

    def nothing(self) -> Sequence[ShownSavedLine]:
        return []


async def shown(
    loaders: "Loaders",
    session: AsyncSession,
    table: type[CartLine] | type[SavedLine],
    kind: type[S],
    cart_ids: list[int],
) -> Mapping[int, Sequence[S]]:
    left = (
        select(func.coalesce(func.sum(StockLevel.on_hand - StockLevel.reserved), 0))
        .where(StockLevel.variant_id == Variant.id, in_active_warehouse())
        .scalar_subquery()
    )
    found = await session.execute(
        select(
            table, Cart.currency, Variant, Product.status, Product.brand, Category.path, Price.amount, left
        )
        .join(Cart, Cart.id == table.cart_id)
        .join(Variant, Variant.id == table.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Category, Category.id == Product.category_id)
        .outerjoin(Price, and_(Price.variant_id == Variant.id, Price.currency == Cart.currency))
        .where(table.cart_id.in_(cart_ids))
        .order_by(table.id)
    )
    lines: defaultdict[int, list[S]] = defaultdict(list)
    for line, currency, variant, status, brand, path, amount, units in found:
        loaders.variant.prime(variant.id, variant)
        sold = status is ProductStatus.ACTIVE and variant.archived_at is None and amount is not None
        lines[line.cart_id].append(
            kind(
                id=line.id,
                cart_id=line.cart_id,
                variant_id=line.variant_id,
                product_id=variant.product_id,
                quantity=line.quantity,
                wanted=line.wanted,
                category_path=path,
                brand=brand,
                seen_price=Money(line.seen_amount, currency),
                unit_price=Money(amount, currency) if sold else None,
                left=units if variant.limited else None,
            )
        )
    return lines


class CartLoaders:
    cart = loader(CartById)
    account_cart = loader(CartByAccount)
    token_cart = loader(CartByToken)
    cart_lines = loader(LinesByCart)
    cart_saved_lines = loader(SavedLinesByCart)
