"""Variants as they are sold at this moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.batches import batches
from domain.offer import category_ids
from domain.promotion import BasketLine
from models import (
    Cart,
    CartLine,
    Category,
    CurrencyCode,
    Money,
    Price,
    Product,
    ProductStatus,
    StockLevel,
    Variant,
    in_active_warehouse,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant as it is sold now: `unit` is None when it is not, `left` is None when there is no limit."""

    variant: Variant
    product: Product
    unit: Money | None
    left: int | None
    category_path: str | None = None

    @property
    def name(self) -> str:
        return f"{self.product.title} ({self.variant.name})" if self.variant.options else self.product.title


@dataclass(frozen=True, slots=True)
class CartItem:
    """A line of a cart and what it holds."""

    line: CartLine
    offer: Offer

    @property
    def priced(self) -> BasketLine | None:
        """The line as sums need it; None when it is not sold any more."""
        if self.offer.unit is None:
            return None
        return BasketLine(
            variant_id=self.line.variant_id,
            product_id=self.offer.product.id,
            quantity=self.line.quantity,
            unit=self.offer.unit,
            category_ids=category_ids(self.offer.category_path),
            brand=self.offer.product.brand,
        )


async def offers_of(
    session: AsyncSession, variant_ids: Iterable[int], currency: CurrencyCode
) -> dict[int, Offer]:
    """Variants as they are sold, by id; a draft is not found, like one that does not exist."""
    found: dict[int, Offer] = {}
    for batch in batches(sorted(variant_ids)):
        rows = await session.execute(
            offered(currency).where(Variant.id.in_(batch), Product.status != ProductStatus.DRAFT)
        )
        for variant, product, amount, left, path in rows:
            found[variant.id] = as_offer(variant, product, amount, left, path, currency)
    return found


async def cart_items(session: AsyncSession, cart_id: int, *, lock: bool = True) -> Sequence[CartItem]:
    """What a cart holds, in the order it was added; `lock` keeps it so until the transaction ends."""
    currency = select(Cart.currency).where(Cart.id == cart_id)
    found = await session.scalar(currency.with_for_update() if lock else currency)
    return await items_in(session, cart_id, found) if found else []


async def items_in(session: AsyncSession, cart_id: int, currency: CurrencyCode) -> Sequence[CartItem]:
    found = await session.execute(
        offered(currency)
        .join(CartLine, CartLine.variant_id == Variant.id)
        .add_columns(CartLine)
        .where(CartLine.cart_id == cart_id)
        .order_by(CartLine.id)
    )
    return [
        CartItem(line, as_offer(variant, product, amount, left, path, currency))
        for variant, product, amount, left, path, line in found
    ]


def offered(currency: CurrencyCode) -> Select[Variant, Product, int | None, int, str | None]:
    """Variants with their product, their price in a currency and how many of them can be had."""
    left = (
        select(func.coalesce(func.sum(StockLevel.on_hand - StockLevel.reserved), 0))
        .where(StockLevel.variant_id == Variant.id, in_active_warehouse())
        .scalar_subquery()
    )
    return (
        select(Variant, Product, Price.amount, left, Category.path)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Category, Category.id == Product.category_id)
        .outerjoin(Price, and_(Price.variant_id == Variant.id, Price.currency == currency))
        .execution_options(populate_existing=True)
    )


def as_offer(
    variant: Variant,
    product: Product,
    amount: int | None,
    left: int,
    path: str | None,
    currency: CurrencyCode,
) -> Offer:
    sold = product.status is ProductStatus.ACTIVE and variant.archived_at is None and amount is not None
    return Offer(
        variant=variant,
        product=product,
        unit=Money(amount, currency) if sold and amount is not None else None,
        left=left if variant.limited else None,
        category_path=path,
    )
