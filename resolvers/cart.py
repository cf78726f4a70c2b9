from collections.abc import AsyncIterator, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import (
    MERGED,
    CartWarningCode,
    Owner,
    Wanted,
    add_what_fits,
    apply_coupon,
    dismiss_warnings,
    line_warnings,
    lock_cart,
    open_cart,
    remove_coupon,
    remove_line,
    remove_saved_line,
    restore_line,
    save_line,
    set_quantity,
)
from domain.errors import NotFound
from domain.offer import Judged, Pricing, category_ids, offers_for, price
from domain.promotion import Basket, BasketLine
from events.cart import Seen, follow_cart
from gateways.secrets import fingerprint, well_formed
from loaders.cart import Shown, ShownLine, ShownSavedLine
from models import Cart, Event, Money
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.cart import CartLineInput


class LineCommand(Protocol):
    """A command about one line of a locked cart."""

    async def __call__(
        self, session: AsyncSession, cart: Cart, *, line_id: int, now: datetime, by: int | None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class CartWarning:
    """What has changed since something was put into a cart."""

    code: CartWarningCode
    message: str
    line: ShownLine | None = None
    left: int | None = None
    wanted: int | None = None
    seen_price: Money | None = None
    price: Money | None = None


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
    Without a token every call makes a cart of its own; a token the shop once gave, whose cart is forgotten,
    becomes that of the new one, so that calls sent at once fill one cart.

    variant_id: what to add
    quantity: how many to add to those already in it
    """
    return await added(info, [Wanted(row_id(variant_id, "Variant", field=("variant_id",)), quantity)])


async def cart_lines_add(info: Info, lines: list[CartLineInput]) -> Cart:
    """Put several things into one's cart at once, all of them or none; a guest's cart is made as by
    `cartLineAdd`.

    lines: what to add, each variant once, up to 100
    """
    return await added(info, [line.wanted(index) for index, line in enumerate(lines)])


async def added(info: Info, wanted: Sequence[Wanted]) -> Cart:
    viewer, token = info.context.viewer, info.context.shop.secrets.token()
    tokens = [viewer.cart_token, token] if viewer.cart_token and well_formed(viewer.cart_token) else [token]
    async with info.context.transaction() as session:
        cart = await open_cart(
            session,
            owner(info),
            new_token_hashes=[fingerprint(each) for each in tokens],
            currency=viewer.currency,
            now=info.context.now,
        )
        refusals = await add_what_fits(
            session,
            cart,
            wanted,
            currency=viewer.currency,
            now=info.context.now,
            by=viewer.account_id,
        )
        if refusals:
            raise refusals[0]
    for each in wanted:
        info.context.note_add(each.variant_id)
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
    line = row_id(line_id, "CartLine", field=("line_id",))
    return await with_line(info, remove_line, line, NotFound("cart line", field=("line_id",)))


async def cart_line_save(info: Info, line_id: strawberry.ID) -> Cart:
    """Put a line aside for later: out of the totals, and not ordered with the rest.

    line_id: a line of one's own cart
    """
    line = row_id(line_id, "CartLine", field=("line_id",))
    return await with_line(info, save_line, line, NotFound("cart line", field=("line_id",)))


async def cart_line_restore(info: Info, line_id: strawberry.ID) -> Cart:
    """Put what was saved for later back into the cart, at the price of this moment.

    line_id: something saved in one's own cart
    """
    line = row_id(line_id, "SavedLine", field=("line_id",))
    return await with_line(info, restore_line, line, NotFound("saved line", field=("line_id",)))


async def cart_saved_line_remove(info: Info, line_id: strawberry.ID) -> Cart:
    """Forget something that was saved for later.

    line_id: something saved in one's own cart
    """
    line = row_id(line_id, "SavedLine", field=("line_id",))
    return await with_line(info, remove_saved_line, line, NotFound("saved line", field=("line_id",)))


async def cart_warnings_dismiss(info: Info) -> Cart:
    """Say that today's prices, and what a merge could not keep, have been seen; other warnings stay."""
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, NotFound("cart"))
        await dismiss_warnings(session, cart, now=info.context.now, by=info.context.viewer.account_id)
    return cart


async def with_line(info: Info, command: LineCommand, line_id: int, missing: NotFound) -> Cart:
    """One's own cart after a command about one of its lines."""
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, missing)
        await command(session, cart, line_id=line_id, now=info.context.now, by=info.context.viewer.account_id)
    return cart


async def cart_coupon_apply(info: Info, code: str) -> Cart:
    """Use a coupon when this cart is ordered, beside those it may be combined with.

    It takes the place of one that may not be combined with it and takes less.

    code: as printed on it; capital or small letters do not matter
    """
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, NotFound("cart"))
        await apply_coupon(session, cart, code=code, now=info.context.now, by=info.context.viewer.account_id)
    return cart


async def cart_coupon_remove(info: Info, code: str | None = None) -> Cart:
    """Use a coupon no more, or no coupon at all.

    code: the one to take off; all of them without it
    """
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, NotFound("cart"))
        await remove_coupon(session, cart, code=code, now=info.context.now, by=info.context.viewer.account_id)
    return cart


async def cart_updates(info: Info, after: int | None = None) -> AsyncIterator[Event]:
    """Every change of one's own cart, each once, in order; between them "cart.goods_changed" when prices,
    stock or offers have changed what it comes to or what it warns of. A guest's ends when it was merged at
    sign-in or is forgotten.

    after: the last version seen; what came after it is told first. Without it, only what is to come.
    """
    watched = await cart(info)
    if watched is None:
        raise NotFound("cart")
    look = partial(seen, info, watched)
    async for event in follow_cart(info.context.shop, watched.id, after, look):
        yield event
        if event.name == MERGED:
            return


async def seen(info: Info, watched: Cart) -> Seen | None:
    """How a cart that is watched looks now; None when it is gone."""
    info.context.forget()
    load = info.context.load
    found = await load.cart.load(watched.id)
    if found is None or not same_owner(found, watched):
        return None
    lines: Sequence[Shown] = [
        *await load.cart_lines.load(found.id),
        *await load.cart_saved_lines.load(found.id),
    ]
    [sums] = await totals([found], info)
    return Seen(
        product_ids=frozenset(line.product_id for line in lines),
        face=(sums.goods, sums.discount, tuple(sums.refused()), tuple(map(face_of_line, lines))),
    )


def same_owner(cart: Cart, watched: Cart) -> bool:
    """Whether a cart is still the one that was watched: SQLite gives the number of a forgotten one again."""
    return (cart.account_id, cart.token_hash) == (watched.account_id, watched.token_hash)


def face_of_line(line: Shown) -> Hashable:
    """What its owner sees change; how many are left only where they are too few."""
    scarce = line.left is not None and line.left < line.quantity
    return type(line), line.id, line.quantity, line.unit_price, line.left if scarce else None


async def totals(carts: Sequence[Cart], info: Info) -> Sequence[Pricing]:
    """What it comes to at the prices and with the offers of this moment, before shipping."""
    return await info.context.batch(priced, info, {}).load_many(list(carts))


async def offers(carts: Sequence[Cart], info: Info) -> Sequence[Sequence[Judged]]:
    """Every offer that was considered, and why it applies or what is missing: those that apply first."""
    return [pricing.judged for pricing in await totals(carts, info)]


async def priced(carts: Sequence[Cart], info: Info) -> Sequence[Pricing]:
    """All carts with all offers that matter for them: one statement for the lines, one for the offers."""
    found = await info.context.load.cart_lines.load_many([cart.id for cart in carts])
    baskets = [
        Basket(tuple(as_priceable(lines)), (), cart.currency)
        for cart, lines in zip(carts, found, strict=True)
    ]
    async with info.context.shop.database.reads() as session:
        known = await offers_for(
            session,
            currencies={cart.currency for cart in carts},
            codes={code for cart in carts for code in cart.coupon_codes},
            variant_ids={line.variant_id for basket in baskets for line in basket.lines},
            buyer_ids={cart.account_id for cart in carts if cart.account_id is not None},
            now=info.context.now,
        )
    return [
        price(basket, known, codes=cart.coupon_codes, account_id=cart.account_id, now=info.context.now)
        for cart, basket in zip(carts, baskets, strict=True)
    ]


def as_priceable(lines: Sequence[ShownLine]) -> Iterator[BasketLine]:
    """Lines as sums need them; what is not sold any more is left out."""
    for line in lines:
        if line.unit_price is not None:
            yield BasketLine(
                variant_id=line.variant_id,
                product_id=line.product_id,
                quantity=line.quantity,
                unit=line.unit_price,
                category_ids=category_ids(line.category_path),
                brand=line.brand,
            )


async def warnings(carts: Sequence[Cart], info: Info) -> Sequence[Sequence[CartWarning]]:
    """All that has changed since things were put into it: look before ordering."""
    found = await info.context.load.cart_lines.load_many([cart.id for cart in carts])
    sums = await totals(carts, info)
    return [
        [warning for line in lines for warning in warnings_of_line(line)] + warnings_of_coupons(pricing)
        for lines, pricing in zip(found, sums, strict=True)
    ]


def warnings_of_line(root: Shown) -> list[CartWarning]:
    """What has changed since it was added, the gravest first."""
    codes = line_warnings(
        quantity=root.quantity,
        seen=root.seen_price,
        unit=root.unit_price,
        left=root.left,
        wanted=root.wanted,
    )
    line = root if isinstance(root, ShownLine) else None
    return [
        CartWarning(
            code,
            said(code, root),
            line=line,
            left=root.left,
            wanted=root.wanted if code is CartWarningCode.MERGE_CAPPED else None,
            seen_price=root.seen_price,
            price=root.unit_price,
        )
        for code in codes
    ]


def warnings_of_coupons(pricing: Pricing) -> list[CartWarning]:
    return [CartWarning(CartWarningCode.COUPON_REFUSED, words) for _, words in pricing.refused()]


def said(code: CartWarningCode, line: Shown) -> str:
    match code:
        case CartWarningCode.PRICE_CHANGED:
            return f"The price has changed from {line.seen_price} to {line.unit_price}."
        case CartWarningCode.LESS_STOCK:
            return f"Only {line.left} left."
        case CartWarningCode.MERGE_CAPPED:
            return f"Together your carts held {line.wanted}; {line.quantity} are in this one."
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
    """A cart under a new token carries it once, and the rest of the request knows it."""
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


async def find_saved_line(info: Info, line_id: int) -> ShownSavedLine | None:
    own = await cart(info)
    lines = await info.context.load.cart_saved_lines.load(own.id) if own else []
    return next((line for line in lines if line.id == line_id), None)
