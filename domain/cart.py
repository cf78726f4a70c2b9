"""Carts: what somebody means to buy, at the prices of this moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Delete,
    FromClause,
    Select,
    Update,
    and_,
    delete,
    false,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from domain.bulk import dialect_of, ids_of, packed_ids
from domain.coupon import find_coupon
from domain.errors import Invalid, LimitReached, NotForSale, NotFound, OutOfStock
from domain.outbox import record
from domain.pricing import Breakdown, CouponRefused, PricedLine, price
from domain.upsert import insert
from models import (
    Cart,
    CartLine,
    CartStatus,
    Coupon,
    CurrencyCode,
    Money,
    Price,
    Product,
    ProductStatus,
    StockLevel,
    Variant,
    in_active_warehouse,
)

LINES_LIMIT = 100
"""Different variants in one cart; a merged cart may have more, and takes no new ones then."""
QUANTITY_LIMIT = 999
"""Units on one line."""


class CartWarningCode(StrEnum):
    """What has changed since something was put into a cart."""

    PRICE_CHANGED = "PRICE_CHANGED"
    """It costs more or less than when it was added."""
    LESS_STOCK = "LESS_STOCK"
    """Fewer are left than are in the cart."""
    SOLD_OUT = "SOLD_OUT"
    """None is left."""
    NO_LONGER_SOLD = "NO_LONGER_SOLD"
    """It is not sold any more, and not part of the totals."""
    COUPON_REFUSED = "COUPON_REFUSED"
    """The coupon does not apply to this cart now."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose cart: a customer's by account, a guest's by what is stored of the token."""

    account_id: int | None
    token_hash: str | None

    def owns(self) -> ColumnElement[bool]:
        if self.account_id is not None:
            return and_(Cart.account_id == self.account_id, Cart.status == CartStatus.ACTIVE)
        if self.token_hash is None:
            return false()  # compared with a column, None would mean "whoever has no token"
        return and_(Cart.token_hash == self.token_hash, Cart.status == CartStatus.ACTIVE)


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant as it is sold now: `unit` is None when it is not, `left` is None when there is no limit."""

    variant: Variant
    product: Product
    unit: Money | None
    left: int | None

    @property
    def name(self) -> str:
        return f"{self.product.title} ({self.variant.name})" if self.variant.options else self.product.title


@dataclass(frozen=True, slots=True)
class CartItem:
    """A line of a cart and what it holds."""

    line: CartLine
    offer: Offer

    @property
    def priced(self) -> PricedLine | None:
        """The line as sums need it; None when it is not sold any more."""
        if self.offer.unit is None:
            return None
        return PricedLine(
            variant_id=self.line.variant_id,
            quantity=self.line.quantity,
            unit=self.offer.unit,
            weight_grams=self.offer.variant.weight_grams,
        )


async def lock_cart(session: AsyncSession, owner: Owner) -> Cart | None:
    """Somebody's active cart, for one change after the other."""
    return await session.scalar(
        select(Cart).where(owner.owns()).with_for_update().execution_options(populate_existing=True)
    )


async def open_cart(
    session: AsyncSession,
    owner: Owner,
    *,
    currency: CurrencyCode,
    now: datetime,
    new_token_hash: str | None = None,
) -> Cart:
    """Somebody's cart, locked; a new one where there is none, a guest's under `new_token_hash`."""
    if cart := await lock_cart(session, owner):
        return cart
    if owner.account_id is None:
        owner = Owner(None, new_token_hash)
    await session.execute(
        insert(session, Cart)
        .values(
            account_id=owner.account_id,
            token_hash=owner.token_hash if owner.account_id is None else None,
            status=CartStatus.ACTIVE,
            currency=currency,
            version=0,
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing()
    )
    opened = await lock_cart(session, owner)
    if opened is None:
        raise LookupError("the cart just made is gone")
    return opened


async def add_to_cart(
    session: AsyncSession,
    cart: Cart,
    *,
    variant_id: int,
    quantity: int,
    now: datetime,
    currency: CurrencyCode | None = None,
    by: int | None = None,
) -> None:
    """More of a variant. An empty cart takes the `currency` its owner looks at prices in."""
    _check_quantity(quantity, least=1)
    if currency and await _count_lines(session, cart) == 0:
        cart.currency = currency
    offer = await _offer(session, variant_id, cart.currency)
    unit = _sold(offer)
    total = await session.scalar(
        insert(session, CartLine)
        .values(
            cart_id=cart.id,
            variant_id=variant_id,
            quantity=quantity,
            seen_amount=unit.minor,
            created_at=now,
        )
        .on_conflict_do_update(
            index_elements=[CartLine.cart_id, CartLine.variant_id],
            set_={"quantity": CartLine.quantity + quantity, "seen_amount": unit.minor},
        )
        .returning(CartLine.quantity)
    )
    _check_quantity(total, least=1)
    _refuse_more_than_left(offer, total)
    if total == quantity and await _count_lines(session, cart) > LINES_LIMIT:
        raise LimitReached(f"A cart holds at most {LINES_LIMIT} different things.", field=("variant_id",))
    _changed(session, cart, now, by)


async def set_quantity(
    session: AsyncSession, cart: Cart, *, line_id: int, quantity: int, now: datetime, by: int | None = None
) -> None:
    """How many of a line; none takes it out."""
    _check_quantity(quantity, least=0)
    if quantity == 0:
        await remove_line(session, cart, line_id=line_id, now=now, by=by)
        return
    line = await _line(session, cart, line_id)
    offer = await _offer(session, line.variant_id, cart.currency)
    unit = _sold(offer)
    if quantity > line.quantity:
        _refuse_more_than_left(offer, quantity)
    line.quantity = quantity
    line.seen_amount = unit.minor
    _changed(session, cart, now, by)


async def remove_line(
    session: AsyncSession, cart: Cart, *, line_id: int, now: datetime, by: int | None = None
) -> None:
    await session.delete(await _line(session, cart, line_id))
    _changed(session, cart, now, by)


async def apply_coupon(
    session: AsyncSession, cart: Cart, *, code: str, now: datetime, by: int | None = None
) -> None:
    """Use a coupon when this cart is ordered, instead of any other."""
    coupon = await find_coupon(session, code)
    breakdown = totals(cart.currency, await _items(session, cart.id, cart.currency), coupon=coupon, now=now)
    if breakdown.coupon_refusal:
        raise CouponRefused(breakdown.coupon_refusal, field=("code",))
    cart.coupon_id = coupon.id
    _changed(session, cart, now, by)


async def remove_coupon(session: AsyncSession, cart: Cart, *, now: datetime, by: int | None = None) -> None:
    if cart.coupon_id is None:
        return
    cart.coupon_id = None
    _changed(session, cart, now, by)


async def cart_items(session: AsyncSession, cart_id: int, *, lock: bool = True) -> Sequence[CartItem]:
    """What a cart holds, in the order it was added; `lock` keeps it so until the transaction ends."""
    currency = select(Cart.currency).where(Cart.id == cart_id)
    found = await session.scalar(currency.with_for_update() if lock else currency)
    return await _items(session, cart_id, found) if found else []


async def take_carts(session: AsyncSession, account_ids: Sequence[int]) -> dict[int, Cart]:
    """Lock the carts of these customers to order what is in them, in sorted order: nobody waits in a ring."""
    dialect = dialect_of(session)
    rows = await session.scalars(_taking(dialect), {"owners": packed_ids(session, account_ids)})
    return {cart.account_id: cart for cart in rows if cart.account_id is not None}


@cache
def _taking(dialect: str) -> Select[Cart]:
    return (
        select(Cart)
        .where(Cart.account_id.in_(ids_of(dialect, "owners")), Cart.status == CartStatus.ACTIVE)
        .order_by(Cart.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def emptying(carts: FromClause) -> tuple[Delete, Update]:
    """Everything in carts that were taken has been ordered; the carts themselves stay for what comes next.

    `carts` are rows of `id` and `now`; their "cart.changed" is told at the version that follows.
    """
    ids = select(carts.c.id)
    now = select(carts.c.now).limit(1).scalar_subquery()
    return (
        delete(CartLine).where(CartLine.cart_id.in_(ids)),
        update(Cart).where(Cart.id.in_(ids)).values(version=Cart.version + 1, coupon_id=None, updated_at=now),
    )


async def adopt_cart(session: AsyncSession, *, token_hash: str, account_id: int, now: datetime) -> None:
    """Put what a guest has gathered into the cart of the customer they turned out to be.

    Quantities add up, past every limit: nothing a guest has chosen is lost. The guest's cart is locked
    before the customer's, always, so two sign-ins at one moment do not wait for each other.
    """
    guest = await lock_cart(session, Owner(None, token_hash))
    if guest is None:
        return
    own = await open_cart(session, Owner(account_id, None), currency=guest.currency, now=now)
    if await _count_lines(session, own) == 0:
        own.currency = guest.currency
    await _move_lines(session, guest, own)
    own.coupon_id = own.coupon_id or guest.coupon_id
    guest.status = CartStatus.MERGED
    guest.coupon_id = None
    _changed(session, guest, now, account_id)
    _changed(session, own, now, account_id)


def totals(
    currency: CurrencyCode, items: Sequence[CartItem], *, coupon: Coupon | None, now: datetime
) -> Breakdown:
    """What a cart comes to before shipping; what is not sold any more counts nothing."""
    lines = [line for item in items if (line := item.priced)]
    return price(lines, coupon=coupon, fees=(), now=now, currency=currency)


def line_warnings(
    *, quantity: int, seen: Money, unit: Money | None, left: int | None
) -> list[CartWarningCode]:
    """What the owner of a line should know, the gravest first; `unit` and `left` as in an Offer."""
    if unit is None:
        return [CartWarningCode.NO_LONGER_SOLD]
    warnings = []
    if left is not None and left < quantity:
        warnings.append(CartWarningCode.LESS_STOCK if left > 0 else CartWarningCode.SOLD_OUT)
    if unit != seen:
        warnings.append(CartWarningCode.PRICE_CHANGED)
    return warnings


def _offers(currency: CurrencyCode) -> Select[Variant, Product, int | None, int]:
    """Variants with their product, their price in a currency and how many of them can be had."""
    left = (
        select(func.coalesce(func.sum(StockLevel.on_hand - StockLevel.reserved), 0))
        .where(StockLevel.variant_id == Variant.id, in_active_warehouse())
        .scalar_subquery()
    )
    return (
        select(Variant, Product, Price.amount, left)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(Price, and_(Price.variant_id == Variant.id, Price.currency == currency))
        .execution_options(populate_existing=True)
    )


def _as_offer(
    variant: Variant, product: Product, amount: int | None, left: int, currency: CurrencyCode
) -> Offer:
    sold = product.status is ProductStatus.ACTIVE and variant.archived_at is None and amount is not None
    return Offer(
        variant=variant,
        product=product,
        unit=Money(amount, currency) if sold and amount is not None else None,
        left=left if variant.limited else None,
    )


async def _offer(session: AsyncSession, variant_id: int, currency: CurrencyCode) -> Offer:
    """One variant as it is sold; a draft is not found, like one that does not exist."""
    found = (await session.execute(_offers(currency).where(Variant.id == variant_id))).one_or_none()
    if found is None or found[1].status is ProductStatus.DRAFT:
        raise NotFound("variant", field=("variant_id",))
    variant, product, amount, left = found
    return _as_offer(variant, product, amount, left, currency)


async def _items(session: AsyncSession, cart_id: int, currency: CurrencyCode) -> Sequence[CartItem]:
    found = await session.execute(
        _offers(currency)
        .join(CartLine, CartLine.variant_id == Variant.id)
        .add_columns(CartLine)
        .where(CartLine.cart_id == cart_id)
        .order_by(CartLine.id)
    )
    return [
        CartItem(line, _as_offer(variant, product, amount, left, currency))
        for variant, product, amount, left, line in found
    ]


async def _line(session: AsyncSession, cart: Cart, line_id: int) -> CartLine:
    line = await session.get(CartLine, line_id)
    if line is None or line.cart_id != cart.id:
        raise NotFound("cart line", field=("line_id",))
    return line


async def _count_lines(session: AsyncSession, cart: Cart) -> int:
    return await session.scalar(select(func.count()).where(CartLine.cart_id == cart.id)) or 0


async def _move_lines(session: AsyncSession, guest: Cart, own: Cart) -> None:
    """All of a guest's lines in one statement; in another currency what they saw is what it costs now."""
    seen = (
        CartLine.seen_amount
        if guest.currency is own.currency
        else func.coalesce(
            select(Price.amount)
            .where(Price.variant_id == CartLine.variant_id, Price.currency == own.currency)
            .scalar_subquery(),
            0,
        )
    )
    arriving = (
        select(literal(own.id), CartLine.variant_id, CartLine.quantity, seen, CartLine.created_at)
        .where(CartLine.cart_id == guest.id)
        .order_by(CartLine.id)
    )
    merged = insert(session, CartLine).from_select(
        ["cart_id", "variant_id", "quantity", "seen_amount", "created_at"], arriving
    )
    await session.execute(
        merged.on_conflict_do_update(
            index_elements=[CartLine.cart_id, CartLine.variant_id],
            set_={"quantity": CartLine.quantity + merged.excluded.quantity},
        )
    )
    await session.execute(delete(CartLine).where(CartLine.cart_id == guest.id))


def _sold(offer: Offer) -> Money:
    if offer.unit is None:
        raise NotForSale(f"{offer.name} is not for sale.", field=("variant_id",))
    return offer.unit


def _check_quantity(quantity: int, *, least: int) -> None:
    if quantity < least:
        raise Invalid(f"A quantity is {least} or more.", field=("quantity",))
    if quantity > QUANTITY_LIMIT:
        raise LimitReached(f"At most {QUANTITY_LIMIT} of one thing.", field=("quantity",))


def _refuse_more_than_left(offer: Offer, quantity: int) -> None:
    if offer.left is not None and quantity > offer.left:
        raise OutOfStock(offer.name, left=max(offer.left, 0))


def _changed(session: AsyncSession, cart: Cart, now: datetime, by: int | None) -> None:
    cart.updated_at = now
    record(session, "cart.changed", cart, now=now, by=by)
