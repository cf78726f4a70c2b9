"""What order requests ask for, with prices and stock: one statement for the variants of all requests."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import QUANTITY_LIMIT, lock_carts
from domain.errors import DomainError, Invalid, LimitReached, NotFound, combine_refusals
from domain.order.request import OrderRequest
from domain.promotion import normalize_codes
from domain.stock import lock_levels
from models import (
    Cart,
    CartLine,
    CurrencyCode,
    Media,
    Money,
    ProductMedia,
    ProductStatus,
    StockLevel,
    Variant,
    Warehouse,
    total_available,
)
from models.sellable import SellableVariant, bound_variants, build_sellable, select_sellable
from models.sql.dialects import dialect_of
from models.sql.parameters import encode_rows, encode_values, is_among
from models.sql.types import AnySelect

LINES_LIMIT = 200
"""Lines of one order."""


@dataclass(frozen=True, slots=True)
class VariantStock:
    """A sellable variant with its picture and its stock, shared by all requests that ask for it."""

    sellable: SellableVariant
    picture_url: str | None
    stock: dict[int, int]
    """Available units by warehouse id; each order of a batch takes its own from them."""
    warehouses: dict[int, Warehouse]
    """Its active warehouses by id."""


@dataclass(frozen=True, slots=True)
class OrderItem:
    """Units of a variant that an order request asks for."""

    variant_stock: VariantStock
    quantity: int

    @property
    def sellable(self) -> SellableVariant:
        return self.variant_stock.sellable

    @property
    def variant(self) -> Variant:
        return self.sellable.variant

    @property
    def variant_id(self) -> int:
        return self.variant.id

    @property
    def product_id(self) -> int:
        return self.variant.product_id

    @property
    def name(self) -> str:
        return self.sellable.name

    @property
    def brand(self) -> str:
        return self.sellable.brand

    @property
    def category_path(self) -> str | None:
        return self.sellable.category_path

    @property
    def unit_price(self) -> Money | None:
        return self.sellable.unit_price

    @property
    def available(self) -> int | None:
        """Units the orders before it in the batch have left; None where there is no limit."""
        return total_available(self.variant, self.variant_stock.stock.values())

    @property
    def in_stock(self) -> int:
        """Units the orders before it in the batch have left, whether or not more can be ordered."""
        return sum(self.variant_stock.stock.values())

    @property
    def backordered(self) -> int:
        """How many of its units would wait for stock."""
        return max(0, self.quantity - self.in_stock) if self.variant.is_backordered_when_out else 0

    def take(self, warehouse_id: int, quantity: int) -> None:
        """Leave fewer units for the orders after it in the batch."""
        if quantity and self.variant.tracked:
            self.variant_stock.stock[warehouse_id] -= quantity


@dataclass(frozen=True, slots=True)
class OrderBasket:
    """Everything that one order request asks for."""

    currency: CurrencyCode
    items: Sequence[OrderItem]
    warehouses: Sequence[Warehouse]
    codes: Sequence[str]
    cart: Cart | None


async def read_basket(session: AsyncSession, request: OrderRequest) -> OrderBasket:
    """The basket of one request, without locks; raises why there is none."""
    cart = None
    if request.lines is None:
        cart = await session.scalar(select(Cart).where(request.owner.owns()))
    [basket] = await read_baskets(session, [request], [cart])
    if isinstance(basket, DomainError):
        raise basket
    return basket


async def lock_baskets(
    session: AsyncSession, requests: Sequence[OrderRequest], *, lock_stock: bool = False
) -> list[OrderBasket | DomainError]:
    """A basket for each request, with the carts locked: a second order waits here and finds its cart empty.

    `lock_stock` locks the stock levels, too.
    """
    owners = [request.owner for request in requests if request.lines is None]
    locked = await lock_carts(session, owners) if owners else {}
    carts = [locked.get(request.owner) if request.lines is None else None for request in requests]
    return await read_baskets(session, requests, carts, lock_stock=lock_stock)


async def read_baskets(
    session: AsyncSession,
    requests: Sequence[OrderRequest],
    carts: Sequence[Cart | None],
    *,
    lock_stock: bool = False,
) -> list[OrderBasket | DomainError]:
    """For each request a basket, from its lines or from its cart, or the refusal.

    All baskets share the same stock: units that one order takes are gone for those after it.
    """
    cart_ids = [cart.id for cart in carts if cart]
    contents = await read_cart_contents(session, cart_ids) if cart_ids else {}
    requested = [
        requested_variants(request, contents, cart) for request, cart in zip(requests, carts, strict=True)
    ]
    variants = {
        (variant_id, each.currency)
        for each in requested
        if isinstance(each, RequestedVariants)
        for variant_id in each.quantities
    }
    if lock_stock and variants:
        await lock_levels(session, {variant_id for variant_id, _ in variants})
    variant_stock = await read_variant_stock(session, variants)
    return [
        each if isinstance(each, DomainError) else build_basket(request, each, variant_stock, cart)
        for request, each, cart in zip(requests, requested, carts, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class RequestedVariants:
    """The variants a request asks for, in the order they were given."""

    currency: CurrencyCode
    quantities: Mapping[int, int]
    """Units by variant id."""


def requested_variants(
    request: OrderRequest, contents: Mapping[int, Mapping[int, int]], cart: Cart | None
) -> RequestedVariants | DomainError:
    """What a request asks for, or the refusal where its lines are malformed."""
    if request.lines is None:
        return (
            RequestedVariants(cart.currency, contents.get(cart.id, {}))
            if cart
            else RequestedVariants(request.currency, {})
        )
    if len(request.lines) > LINES_LIMIT:
        return LimitReached("An order has at most {limit} lines.", limit=LINES_LIMIT, field=("lines",))
    quantities: dict[int, int] = {}
    refusals: list[DomainError] = []
    for index, line in enumerate(request.lines):
        if line.variant_id in quantities:
            refusals.append(Invalid("Name each variant once.", field=("lines", index, "variant_id")))
        if not 1 <= line.quantity <= QUANTITY_LIMIT:
            template = "A quantity is between 1 and {limit}."
            refusals.append(Invalid(template, limit=QUANTITY_LIMIT, field=("lines", index, "quantity")))
        quantities[line.variant_id] = line.quantity
    return combine_refusals(refusals) if refusals else RequestedVariants(request.currency, quantities)


def build_basket(
    request: OrderRequest,
    requested: RequestedVariants,
    variant_stock: Mapping[tuple[int, CurrencyCode], VariantStock],
    cart: Cart | None,
) -> OrderBasket | DomainError:
    items: list[OrderItem] = []
    warehouses: dict[int, Warehouse] = {}
    refusals: list[DomainError] = []
    for index, (variant_id, quantity) in enumerate(requested.quantities.items()):
        found = variant_stock.get((variant_id, requested.currency))
        # customers do not see drafts: who names one has guessed its id
        if found is None or (request.lines is not None and found.sellable.status is ProductStatus.DRAFT):
            refusals.append(NotFound("variant", field=("lines", index, "variant_id")))
            continue
        warehouses |= found.warehouses
        items.append(OrderItem(found, quantity))
    if refusals:
        return combine_refusals(refusals)
    cart_codes = cart.coupon_codes if cart else ()
    codes = normalize_codes(cart_codes if request.coupon_codes is None else request.coupon_codes)
    return OrderBasket(requested.currency, items, list(warehouses.values()), codes, cart)


async def read_cart_contents(session: AsyncSession, cart_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """Units by variant id for each cart id, in the order they were added."""
    contents: defaultdict[int, dict[int, int]] = defaultdict(dict)
    dialect = dialect_of(session)
    rows = await session.execute(select_cart_contents(dialect), {"carts": encode_values(cart_ids, dialect)})
    for cart_id, variant_id, quantity in rows:
        contents[cart_id][variant_id] = quantity
    return contents


@cache
def select_cart_contents(dialect: str) -> Select[int, int, int]:
    return (
        select(CartLine.cart_id, CartLine.variant_id, CartLine.quantity)
        .where(is_among(CartLine.cart_id, "carts", dialect))
        .order_by(CartLine.id)
    )


async def read_variant_stock(
    session: AsyncSession, variants: AbstractSet[tuple[int, CurrencyCode]]
) -> dict[tuple[int, CurrencyCode], VariantStock]:
    """Variants by id and currency, as they are sold and stocked now."""
    if not variants:
        return {}
    dialect = dialect_of(session)
    bound = [{"variant_id": variant_id, "currency": currency} for variant_id, currency in sorted(variants)]
    result = await session.execute(select_variant_stock(dialect), {"requested": encode_rows(bound, dialect)})
    rows = result.all()
    stock: defaultdict[int, dict[int, int]] = defaultdict(dict)
    warehouses: defaultdict[int, dict[int, Warehouse]] = defaultdict(dict)
    for _, variant, *_, units, warehouse in rows:
        if warehouse is not None:
            stock[variant.id][warehouse.id] = units
            warehouses[variant.id][warehouse.id] = warehouse
    found: dict[tuple[int, CurrencyCode], VariantStock] = {}
    for row in rows:
        currency, variant, *_, picture_url, _, _ = row
        if (variant.id, currency) not in found:
            units_by_warehouse = stock[variant.id]
            sellable = build_sellable(row, units_by_warehouse.values())
            found[variant.id, currency] = VariantStock(
                sellable, picture_url, units_by_warehouse, warehouses[variant.id]
            )
    return found


@cache
def select_variant_stock(dialect: str) -> AnySelect:
    """Bound variants as they are sold, with picture, available units and warehouse: a row for each level."""
    own_picture = select(Media.url).where(Media.id == Variant.media_id).scalar_subquery()
    first_picture = (
        select(Media.url)
        .join(ProductMedia, ProductMedia.media_id == Media.id)
        .where(ProductMedia.product_id == Variant.product_id)
        .order_by(ProductMedia.position)
        .limit(1)
        .correlate(Variant)
        .scalar_subquery()
    )
    return (
        select_sellable(bound_variants(dialect))
        .add_columns(func.coalesce(own_picture, first_picture), StockLevel.available, Warehouse)
        .outerjoin(StockLevel, StockLevel.variant_id == Variant.id)
        .outerjoin(Warehouse, and_(Warehouse.id == StockLevel.warehouse_id, Warehouse.active))
    )
