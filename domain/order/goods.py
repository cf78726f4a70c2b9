"""What is wanted, as the shop has it now: one statement for the goods, however many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import take_cart
from domain.coupon import code_of
from domain.errors import Invalid, LimitReached
from domain.order.wish import WantedLine, Wish
from models import (
    Cart,
    CartLine,
    Coupon,
    CurrencyCode,
    Media,
    Money,
    Price,
    Product,
    ProductMedia,
    ProductStatus,
    StockLevel,
    Variant,
    Warehouse,
)

LINES_LIMIT = 200
QUANTITY_LIMIT = 10_000
"""Units of one variant on one order."""


@dataclass(slots=True)
class Good:
    """A variant somebody wants, what one of it costs now, and where it lies."""

    variant: Variant
    product: Product
    quantity: int
    unit: Money | None
    picture_url: str | None
    shelves: dict[int, int] = field(default_factory=dict)
    """Id of a warehouse -> units nobody has reserved."""

    @property
    def for_sale(self) -> bool:
        shown = self.product.status is ProductStatus.ACTIVE and self.variant.archived_at is None
        return shown and self.unit is not None

    @property
    def name(self) -> str:
        return f"{self.product.title} ({self.variant.name})" if self.variant.options else self.product.title

    @property
    def available(self) -> int:
        return sum(self.shelves.values())


@dataclass(frozen=True, slots=True)
class Basket:
    """Everything an order would be made of."""

    currency: CurrencyCode
    goods: Sequence[Good]
    warehouses: Sequence[Warehouse]
    coupon: Coupon | None
    coupon_code: str | None
    cart: Cart | None


async def look(session: AsyncSession, wish: Wish) -> Basket:
    """What is wanted, without touching it."""
    if wish.lines is not None:
        return await basket_of_lines(session, wish, wish.lines)
    cart = await session.scalar(select(Cart).where(wish.owner.owns()))
    return await basket_of_cart(session, wish, cart)


async def take(session: AsyncSession, wish: Wish, *, now: datetime) -> Basket:
    """What is wanted, with the cart held: a second order waits here and then finds it empty."""
    if wish.lines is not None:
        return await basket_of_lines(session, wish, wish.lines)
    return await basket_of_cart(session, wish, await take_cart(session, wish.owner, now=now))


async def basket_of_cart(session: AsyncSession, wish: Wish, cart: Cart | None) -> Basket:
    if cart is None:
        return Basket(wish.currency, (), (), None, wish.coupon_code, None)
    statement = (
        goods_in(cart.currency)
        .add_columns(CartLine.quantity)
        .join(CartLine, CartLine.variant_id == Variant.id)
        .where(CartLine.cart_id == cart.id)
        .order_by(CartLine.id)
    )
    goods, warehouses = gather((await session.execute(statement)).all(), cart.currency, {})
    coupon = await wanted_coupon(session, wish.coupon_code, cart.coupon_id)
    return Basket(cart.currency, goods, warehouses, coupon, wish.coupon_code, cart)


async def basket_of_lines(session: AsyncSession, wish: Wish, lines: Sequence[WantedLine]) -> Basket:
    quantities = well_formed(lines)
    statement = goods_in(wish.currency).where(Variant.id.in_(quantities))
    goods, warehouses = gather((await session.execute(statement)).all(), wish.currency, quantities)
    found = {good.variant.id: good for good in goods}
    for index, line in enumerate(lines):
        if line.variant_id not in found:
            raise Invalid("There is no such variant.", field=("lines", index, "variant_id"))
    coupon = await wanted_coupon(session, wish.coupon_code, None)
    in_order = [found[line.variant_id] for line in lines]
    return Basket(wish.currency, in_order, warehouses, coupon, wish.coupon_code, None)


def goods_in(currency: CurrencyCode) -> Select[Variant, Product, int, Any, StockLevel, Warehouse]:
    """Variants with all that is needed to sell them; one row per warehouse that knows them."""
    own = select(Media.url).where(Media.id == Variant.media_id).scalar_subquery()
    first = (
        select(Media.url)
        .join(ProductMedia, ProductMedia.media_id == Media.id)
        .where(ProductMedia.product_id == Variant.product_id)
        .order_by(ProductMedia.position)
        .limit(1)
        .correlate(Variant)
        .scalar_subquery()
    )
    return (
        select(Variant, Product, Price.amount, func.coalesce(own, first), StockLevel, Warehouse)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Price, and_(Price.variant_id == Variant.id, Price.currency == currency))
        .outerjoin(StockLevel, StockLevel.variant_id == Variant.id)
        .outerjoin(Warehouse, and_(Warehouse.id == StockLevel.warehouse_id, Warehouse.active))
        .execution_options(populate_existing=True)
    )


def gather(
    rows: Sequence[Any], currency: CurrencyCode, quantities: Mapping[int, int]
) -> tuple[list[Good], list[Warehouse]]:
    """Goods and warehouses out of rows; the quantity is the last column where `quantities` has none."""
    goods: dict[int, Good] = {}
    warehouses: dict[int, Warehouse] = {}
    for variant, product, amount, picture_url, level, warehouse, *quantity in rows:
        good = goods.setdefault(
            variant.id,
            Good(
                variant=variant,
                product=product,
                quantity=quantity[0] if quantity else quantities[variant.id],
                unit=None if amount is None else Money(amount, currency),
                picture_url=picture_url,
            ),
        )
        if warehouse is not None:
            good.shelves[warehouse.id] = level.available
            warehouses[warehouse.id] = warehouse
    return list(goods.values()), list(warehouses.values())


async def wanted_coupon(session: AsyncSession, code: str | None, coupon_id: int | None) -> Coupon | None:
    """The coupon of this code, else the one on the cart."""
    if code is not None:
        return await session.scalar(select(Coupon).where(Coupon.code == code_of(code)))
    return None if coupon_id is None else await session.get(Coupon, coupon_id, populate_existing=True)


def well_formed(lines: Sequence[WantedLine]) -> dict[int, int]:
    """Quantities by variant, each variant named once."""
    if len(lines) > LINES_LIMIT:
        raise LimitReached(f"An order has at most {LINES_LIMIT} lines.", field=("lines",))
    quantities: dict[int, int] = {}
    for index, line in enumerate(lines):
        if line.variant_id in quantities:
            raise Invalid("Name each variant once.", field=("lines", index, "variant_id"))
        if not 1 <= line.quantity <= QUANTITY_LIMIT:
            raise Invalid(
                f"A quantity is between 1 and {QUANTITY_LIMIT:,}.", field=("lines", index, "quantity")
            )
        quantities[line.variant_id] = line.quantity
    return quantities
