from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import (
    CartWarningCode,
    Owner,
    add_to_cart,
    apply_coupon,
    line_warnings,
    lock_cart,
    open_cart,
    remove_coupon,
    remove_line,
    set_quantity,
)
from domain.errors import NotFound
from domain.pricing import Breakdown, PricedLine, price
from events.stream import follow
from gateways.secrets import fingerprint
from loaders.cart import ShownLine
from models import Cart, Event, Subject
from resolvers.context import Info
from resolvers.ids import row_id


@dataclass(frozen=True, slots=True)
class CartWarning:
    """What has changed since something was put into a cart."""

    code: CartWarningCode
    message: str
    line: ShownLine | None
    left: int | None = None


async def cart(info: Info) -> Cart | None:
    """One's own cart; null until something is put into it."""
    viewer = info.context.viewer
    if viewer.account_id is not None:
        return await info.context.load.account_cart.load(viewer.account_id)
    if viewer.cart_token is None:
        return None
    return await info.context.load.token_cart.load(fingerprint(viewer.cart_token))


async def cart_line_add(info: Info, variant_id: strawberry.ID, quantity: int = 1) -> Cart:
    """Put units of a variant into one's cart; a guest without one gets a new cart and its token.

    variant_id: what to add
    quantity: how many to add to those already in it
    """
    variant = row_id(variant_id, "Variant", field=("variant_id",))
    viewer, token = info.context.viewer, info.context.shop.secrets.token()
    async with info.context.transaction() as session:
        cart = await open_cart(
            session,
            owner(info),
            new_token_hash=fingerprint(token),
            currency=viewer.currency,
            now=info.context.now,
        )
        await add_to_cart(
            session,
            cart,
            variant_id=variant,
            quantity=quantity,
            currency=viewer.currency,
            now=info.context.now,
            by=viewer.account_id,
        )
    info.context.note_add(variant)
    return handed_over(info, cart, token)


async def cart_line_update(info: Info, line_id: strawberry.ID, quantity: int) -> Cart:
    """Change how many of a line; 0 takes it out.

    line_id: a line of one's own cart
    quantity: how many there shall be
    """
    missing = NotFound("cart line", field=("line_id",))
    line = row_id(line_id, "CartLine", field=("line_id",))
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, missing)
        await set_quantity(
            session,
            cart,
            line_id=line,
            quantity=quantity,
            now=info.context.now,
            by=info.context.viewer.account_id,
        )
    return cart


async def cart_line_remove(info: Info, line_id: strawberry.ID) -> Cart:
    """Take a line out of one's cart.

    line_id: a line of one's own cart
    """
    missing = NotFound("cart line", field=("line_id",))
    line = row_id(line_id, "CartLine", field=("line_id",))
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, missing)
        await remove_line(
            session, cart, line_id=line, now=info.context.now, by=info.context.viewer.account_id
        )
    return cart


async def cart_coupon_apply(info: Info, code: str) -> Cart:
    """Use a coupon when this cart is ordered; it takes the place of any other.

    code: as printed on it; capital or small letters do not matter
    """
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, NotFound("cart"))
        await apply_coupon(session, cart, code=code, now=info.context.now, by=info.context.viewer.account_id)
    return cart


async def cart_coupon_remove(info: Info) -> Cart:
    """Use no coupon for this cart."""
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, NotFound("cart"))
        await remove_coupon(session, cart, now=info.context.now, by=info.context.viewer.account_id)
    return cart


async def cart_updates(info: Info, after: int | None = None) -> AsyncIterator[Event]:
    """Every change of one's own cart, each once, in order.

    after: the last version seen; what came after it is told first. Without it, only what is to come.
    """
    watched = await cart(info)
    if watched is None:
        raise NotFound("cart")
    async for event in follow(info.context.shop, Subject.CART, watched.id, after):
        yield event


async def totals(carts: Sequence[Cart], info: Info) -> Sequence[Breakdown]:
    """What it comes to at the prices of this moment, before shipping."""
    found = await info.context.load.cart_lines.load_many([cart.id for cart in carts])
    applied = [cart.coupon_id for cart in carts if cart.coupon_id]
    coupons = dict(zip(applied, await info.context.load.coupon.load_many(applied), strict=True))
    return [
        price(
            priced(lines),
            coupon=coupons[cart.coupon_id] if cart.coupon_id else None,
            fees=(),
            now=info.context.now,
            currency=cart.currency,
        )
        for cart, lines in zip(carts, found, strict=True)
    ]


def priced(lines: Sequence[ShownLine]) -> list[PricedLine]:
    """Lines as sums need them; what is not sold any more is left out."""
    return [
        PricedLine(line.variant_id, line.quantity, line.unit_price, line.weight_grams)
        for line in lines
        if line.unit_price is not None
    ]


async def warnings(carts: Sequence[Cart], info: Info) -> Sequence[Sequence[CartWarning]]:
    """All that has changed since things were put into it: look before ordering."""
    found = await info.context.load.cart_lines.load_many([cart.id for cart in carts])
    sums = await totals(carts, info)
    return [
        [warning for line in lines for warning in warnings_of_line(line)] + warnings_of_coupon(breakdown)
        for lines, breakdown in zip(found, sums, strict=True)
    ]


def warnings_of_line(root: ShownLine) -> list[CartWarning]:
    """What has changed since it was added, the gravest first."""
    codes = line_warnings(quantity=root.quantity, seen=root.seen_price, unit=root.unit_price, left=root.left)
    return [CartWarning(code, said(code, root), root, root.left) for code in codes]


def warnings_of_coupon(breakdown: Breakdown) -> list[CartWarning]:
    refusal = breakdown.coupon_refusal
    return [CartWarning(CartWarningCode.COUPON_REFUSED, refusal, None)] if refusal else []


def said(code: CartWarningCode, line: ShownLine) -> str:
    match code:
        case CartWarningCode.PRICE_CHANGED:
            return f"The price has changed from {line.seen_price} to {line.unit_price}."
        case CartWarningCode.LESS_STOCK:
            return f"Only {line.left} left."
        case CartWarningCode.SOLD_OUT:
            return "This is sold out."
        case _:
            return "This is not sold any more."


def owner(info: Info) -> Owner:
    viewer = info.context.viewer
    return Owner(viewer.account_id, fingerprint(viewer.cart_token) if viewer.cart_token else None)


async def own_cart(info: Info, session: AsyncSession, missing: NotFound) -> Cart:
    """The viewer's cart, locked for a change."""
    cart = await lock_cart(session, owner(info))
    if cart is None:
        raise missing
    return cart


def handed_over(info: Info, cart: Cart, token: str) -> Cart:
    """A guest's new cart carries its token once, and the rest of the request knows it."""
    if cart.token_hash == fingerprint(token):
        cart.token = token
        info.context.viewer = replace(info.context.viewer, cart_token=token)
    return cart


async def find_cart(info: Info, cart_id: int) -> Cart | None:
    own = await cart(info)
    return own if own and own.id == cart_id else None


async def find_cart_line(info: Info, line_id: int) -> ShownLine | None:
    own = await cart(info)
    lines = await info.context.load.cart_lines.load(own.id) if own else []
    return next((line for line in lines if line.id == line_id), None)
