"""What is wanted, as the shop has it now: one statement for the goods, however many there are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, String, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.bulk import dialect_of, ids_of, packed, packed_ids, table_of
from domain.cart import take_carts
from domain.errors import DomainError, Invalid, LimitReached, NotFound
from domain.offer import codes_of
from domain.order.wish import Wish
from domain.stock import lock_levels
from models import (
    Cart,
    CartLine,
    Category,
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
    category_path: str | None = None
    shelves: dict[int, int] = field(default_factory=dict)
    """Id of a warehouse -> units nobody has reserved; the same for all who want this variant."""

    @property
    def sold(self) -> bool:
        """Whether it is sold at all; what has no price in a currency is not sold in that."""
        return self.product.status is ProductStatus.ACTIVE and self.variant.archived_at is None

    @property
    def for_sale(self) -> bool:
        return self.sold and self.unit is not None

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
    codes: Sequence[str]
    cart: Cart | None


async def look(session: AsyncSession, wish: Wish) -> Basket:
    """What is wanted, without touching it."""
    cart = None
    if wish.lines is None:
        cart = await session.scalar(select(Cart).where(wish.owner.owns()))
    [basket] = await baskets(session, [wish], [cart])
    if isinstance(basket, DomainError):
        raise basket
    return basket


async def take(
    session: AsyncSession, wishes: Sequence[Wish], *, hold: bool = False
) -> list[Basket | DomainError]:
    """What everybody wants, with their carts held: a second order waits here and then finds its cart empty.

    `hold` keeps the shelves as they are, too.
    """
    owners = [wish.owner.account_id for wish in wishes if wish.lines is None and wish.owner.account_id]
    held = await take_carts(session, owners) if owners else {}
    carts = [held.get(wish.owner.account_id or 0) if wish.lines is None else None for wish in wishes]
    return await baskets(session, wishes, carts, hold=hold)


async def baskets(
    session: AsyncSession, wishes: Sequence[Wish], carts: Sequence[Cart | None], *, hold: bool = False
) -> list[Basket | DomainError]:
    """A basket for each wish, from its lines or from its cart, or why there cannot be one.

    All of them see, and share, the same shelves: who takes units from one leaves less to those after.
    """
    ids = [cart.id for cart in carts if cart]
    contents = await cart_contents(session, ids) if ids else {}
    wanted = [well_formed(wish, contents, cart) for wish, cart in zip(wishes, carts, strict=True)]
    asked = {
        (variant_id, each.currency)
        for each in wanted
        if isinstance(each, Wanted)
        for variant_id in each.lines
    }
    if hold and asked:
        await lock_levels(session, {variant_id for variant_id, _ in asked})
    stocked = await stock_of(session, asked)
    return [
        each if isinstance(each, DomainError) else basket_of(wish, each, stocked, cart)
        for wish, each, cart in zip(wishes, wanted, carts, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units by variant, in the order they were given."""

    currency: CurrencyCode
    lines: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Stocked:
    """A variant as the shop has it now, at its price in one currency."""

    variant: Variant
    product: Product
    unit: Money | None
    picture_url: str | None
    category_path: str | None
    shelves: dict[int, int]
    warehouses: dict[int, Warehouse]

    @property
    def hidden(self) -> bool:
        """Not shown to customers: who names it has guessed its number."""
        return self.product.status is ProductStatus.DRAFT


def well_formed(
    wish: Wish, contents: Mapping[int, Mapping[int, int]], cart: Cart | None
) -> Wanted | DomainError:
    """What a wish asks for, each variant named once."""
    if wish.lines is None:
        return Wanted(cart.currency, contents.get(cart.id, {})) if cart else Wanted(wish.currency, {})
    if len(wish.lines) > LINES_LIMIT:
        return LimitReached(f"An order has at most {LINES_LIMIT} lines.", field=("lines",))
    quantities: dict[int, int] = {}
    for index, line in enumerate(wish.lines):
        if line.variant_id in quantities:
            return Invalid("Name each variant once.", field=("lines", index, "variant_id"))
        if not 1 <= line.quantity <= QUANTITY_LIMIT:
            return Invalid(
                f"A quantity is between 1 and {QUANTITY_LIMIT:,}.", field=("lines", index, "quantity")
            )
        quantities[line.variant_id] = line.quantity
    return Wanted(wish.currency, quantities)


def basket_of(
    wish: Wish,
    wanted: Wanted,
    stocked: Mapping[tuple[int, CurrencyCode], Stocked],
    cart: Cart | None,
) -> Basket | DomainError:
    goods: list[Good] = []
    warehouses: dict[int, Warehouse] = {}
    for index, (variant_id, quantity) in enumerate(wanted.lines.items()):
        found = stocked.get((variant_id, wanted.currency))
        if found is None or (wish.lines is not None and found.hidden):
            return NotFound("variant", field=("lines", index, "variant_id"))
        warehouses |= found.warehouses
        goods.append(
            Good(
                variant=found.variant,
                product=found.product,
                quantity=quantity,
                unit=found.unit,
                picture_url=found.picture_url,
                category_path=found.category_path,
                shelves=found.shelves,
            )
        )
    on_cart = cart.coupon_codes if cart else ()
    codes = codes_of(on_cart if wish.coupon_codes is None else wish.coupon_codes)
    return Basket(wanted.currency, goods, list(warehouses.values()), codes, cart)


async def cart_contents(session: AsyncSession, cart_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """Units by variant for each cart, in the order they were added."""
    contents: defaultdict[int, dict[int, int]] = defaultdict(dict)
    statement = contents_of(dialect_of(session))
    rows = await session.execute(statement, {"carts": packed_ids(session, cart_ids)})
    for cart_id, variant_id, quantity in rows:
        contents[cart_id][variant_id] = quantity
    return contents


@cache
def contents_of(dialect: str) -> Select[int, int, int]:
    return (
        select(CartLine.cart_id, CartLine.variant_id, CartLine.quantity)
        .where(CartLine.cart_id.in_(ids_of(dialect, "carts")))
        .order_by(CartLine.id)
    )


async def stock_of(
    session: AsyncSession, wanted: AbstractSet[tuple[int, CurrencyCode]]
) -> dict[tuple[int, CurrencyCode], Stocked]:
    """Variants as the shop has them now."""
    if not wanted:
        return {}
    dialect = dialect_of(session)
    asked = [{"variant_id": variant_id, "currency": currency} for variant_id, currency in sorted(wanted)]
    rows = await session.execute(goods_of(dialect), {"wanted": packed(dialect, asked)})
    stocked: dict[tuple[int, CurrencyCode], Stocked] = {}
    shelves: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for code, variant, product, amount, picture_url, path, available, warehouse in rows:
        currency = CurrencyCode(code)
        found = stocked.get((variant.id, currency))
        if found is None:
            unit = None if amount is None else Money(amount, currency)
            found = Stocked(variant, product, unit, picture_url, path, shelves[variant.id], {})
            stocked[variant.id, currency] = found
        if warehouse is not None:
            found.shelves[warehouse.id] = available
            found.warehouses[warehouse.id] = warehouse
    return stocked


@cache
def goods_of(dialect: str) -> Select[Any, Variant, Product, int, Any, str, int, Warehouse]:
    """Variants with all that is needed to sell them; one row per warehouse that knows them."""
    wanted = table_of(dialect, "wanted", {"variant_id": BigInteger(), "currency": String()})
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
    priced = and_(Price.variant_id == Variant.id, cast(Price.currency, String) == wanted.c.currency)
    available = StockLevel.on_hand - StockLevel.reserved
    return (
        select(
            wanted.c.currency,
            Variant,
            Product,
            Price.amount,
            func.coalesce(own, first),
            Category.path,
            available,
            Warehouse,
        )
        .select_from(wanted)
        .join(Variant, Variant.id == wanted.c.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Category, Category.id == Product.category_id)
        .outerjoin(Price, priced)
        .outerjoin(StockLevel, StockLevel.variant_id == Variant.id)
        .outerjoin(Warehouse, and_(Warehouse.id == StockLevel.warehouse_id, Warehouse.active))
        .execution_options(populate_existing=True)
    )
