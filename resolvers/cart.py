from collections.abc import AsyncIterator, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart import (
    CartAddition,
    CartContents,
    CartOwner,
    CartWarningCode,
    add_sellable,
    apply_coupon,
    dismiss_warnings,
    line_warnings,
    lock_cart,
    open_cart,
    price_carts,
    remove_coupon,
    remove_line,
    remove_saved_line,
    restore_line,
    save_line,
    set_quantity,
)
from domain.cause import Cause
from domain.errors import NotFound, collect_refusals
from domain.events import CartMerged, type_of
from domain.promotion import EvaluatedPromotion, PricingResult
from events.cart import CartSnapshot
from gateways.secrets import fingerprint_of
from gateways.tokens import write_cart_token
from models import Cart, Event, Money
from models.live_lines import LiveCartLine, LiveLine, LiveSavedLine
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.cart import CartLineInput
from resolvers.rates import LimitedAction, limit_action
from text.messages import Message

__all__ = ["CartWarningCode", "PricingResult"]  # of others, shown by the schema


class LineCommand(Protocol):
    """A command about one line of a locked cart."""

    async def __call__(self, session: AsyncSession, cart: Cart, *, line_id: int, cause: Cause) -> None: ...


@dataclass(frozen=True, slots=True)
class CartWarning:
    """What has changed since something was put into a cart."""

    code: CartWarningCode
    text: Message
    line: LiveCartLine | None = None
    available: int | None = None
    merged_quantity: int | None = None
    seen_price: Money | None = None
    price: Money | None = None


async def cart(info: Info) -> Cart | None:
    """The viewer's own cart; null until something is put into it."""
    viewer = info.context.viewer
    if viewer.account_id is not None:
        return await info.context.load.account_cart.load(viewer.account_id)
    if viewer.cart_token is None:
        return None
    return await info.context.load.token_cart.load(fingerprint_of(viewer.cart_token))


async def cart_line_add(info: Info, variant_id: strawberry.ID, quantity: int = 1) -> Cart:
    """Adds units of a variant to the viewer's cart; a guest without a cart gets a new one and its token.
    Every call without a token makes a new cart, and so does one with a token that the shop has not made. A
    token of the shop whose cart was deleted becomes the new cart's, so that calls sent at once fill one cart.

    variant_id: the variant to add
    quantity: how many units to add to those already in the cart
    """
    addition = CartAddition(row_id(variant_id, "Variant", field=("variant_id",)), quantity)
    return await add_lines(info, [addition])


async def cart_lines_add(info: Info, lines: list[CartLineInput]) -> Cart:
    """Adds several variants to the viewer's cart at once, all of them or none; a guest's cart is made as by
    `cartLineAdd`.

    lines: what to add, each variant once, up to 100
    """
    return await add_lines(info, [line.addition(index) for index, line in enumerate(lines)])


async def add_lines(info: Info, additions: Sequence[CartAddition]) -> Cart:
    viewer, token = info.context.viewer, new_cart_token(info)
    tokens = [viewer.cart_token, token] if viewer.cart_token else [token]
    if viewer.account_id is None and viewer.cart_token is None:
        await limit_action(info.context.shop, LimitedAction.GUEST_CART, by=info.context.place.address)
    async with info.context.transaction() as session:
        cart = await open_cart(
            session,
            cart_owner(info),
            new_token_hashes=[fingerprint_of(each) for each in tokens],
            currency=viewer.currency,
            now=info.context.now,
        )
        refusals = await add_sellable(
            session, cart, additions, currency=viewer.currency, cause=info.context.cause
        )
        with collect_refusals() as check:
            check.add(*refusals)
    for addition in additions:
        info.context.note_add(addition.variant_id)
    return hand_over_token(info, cart, token)


async def cart_line_update(info: Info, id: strawberry.ID, quantity: int) -> Cart:
    """Sets the units on a line of the viewer's cart; 0 removes it.

    id: the line
    quantity: how many units it shall have
    """
    line_id = row_id(id, "CartLine")
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, NotFound("cart line", field=("id",)))
        await set_quantity(session, cart, line_id=line_id, quantity=quantity, cause=info.context.cause)
    return cart


async def cart_line_remove(info: Info, id: strawberry.ID) -> Cart:
    """Removes a line from the viewer's cart.

    id: the line
    """
    return await change_line(info, remove_line, row_id(id, "CartLine"), NotFound("cart line", field=("id",)))


async def cart_line_save(info: Info, id: strawberry.ID) -> Cart:
    """Saves a line of the viewer's cart for later: it leaves the totals and is not ordered with the rest.

    id: the line
    """
    return await change_line(info, save_line, row_id(id, "CartLine"), NotFound("cart line", field=("id",)))


async def cart_line_restore(info: Info, id: strawberry.ID) -> Cart:
    """Puts a saved line back into the viewer's cart, at the present price.

    id: the saved line
    """
    line_id = row_id(id, "SavedLine")
    return await change_line(info, restore_line, line_id, NotFound("saved line", field=("id",)))


async def cart_saved_line_remove(info: Info, id: strawberry.ID) -> Cart:
    """Removes a line that was saved for later.

    id: the saved line
    """
    line_id = row_id(id, "SavedLine")
    return await change_line(info, remove_saved_line, line_id, NotFound("saved line", field=("id",)))


async def cart_warnings_dismiss(info: Info) -> Cart:
    """Dismisses the warnings about changed prices and about what a merge left out; the others stay."""
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, NotFound("cart"))
        await dismiss_warnings(session, cart, cause=info.context.cause)
    return cart


async def change_line(info: Info, command: LineCommand, line_id: int, missing: NotFound) -> Cart:
    """The viewer's cart after a command about one of its lines; raises `missing` where there is no cart."""
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, missing)
        await command(session, cart, line_id=line_id, cause=info.context.cause)
    return cart


async def cart_coupon_apply(info: Info, code: str) -> Cart:
    """Applies a coupon to the viewer's cart, together with those it may be combined with.

    It replaces one that may not be combined with it and takes less.

    code: the code of the coupon, in capital or small letters
    """
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, NotFound("cart"))
        await apply_coupon(session, cart, code=code, cause=info.context.cause)
    return cart


async def cart_coupon_remove(info: Info, code: str | None = None) -> Cart:
    """Removes a coupon from the viewer's cart, or all of them.

    code: the coupon to remove; all when left out
    """
    async with info.context.transaction() as session:
        cart = await own_cart(info, session, NotFound("cart"))
        await remove_coupon(session, cart, code=code, cause=info.context.cause)
    return cart


async def cart_updates(info: Info, after: int | None = None) -> AsyncIterator[Event]:
    """Every change of the viewer's cart, each once, in order; between them "cart.items_changed" when prices,
    stock or promotions have changed its total or its warnings. A guest's stream ends when the cart is merged
    at sign-in or deleted.

    after: the last version seen; later ones come first. Without it only what is to come. RELOAD_REQUIRED when
        later ones are archived: load it anew and watch from its version
    """
    watched = await cart(info)
    if watched is None:
        raise NotFound("cart")
    look = partial(cart_snapshot, info, watched)
    watch, viewer = info.context.shop.cart_watch, info.context.viewer
    async for event in watch.follow(watched.id, after, look, viewer=viewer):
        yield event
        if type_of(event) is CartMerged:
            return


async def cart_snapshot(info: Info, watched: Cart) -> CartSnapshot | None:
    """What the owner of a watched cart sees now; None when the cart is gone."""
    info.context.forget_loaded()
    load = info.context.load
    found = await load.cart.load(watched.id)
    if found is None or not is_same_cart(found, watched):
        return None
    lines: Sequence[LiveLine] = [
        *await load.cart_lines.load(found.id),
        *await load.cart_saved_lines.load(found.id),
    ]
    [pricing] = await totals([found], info)
    visible_lines = tuple(visible_state_of(line) for line in lines)
    return CartSnapshot(
        product_ids=frozenset(line.product_id for line in lines),
        appearance=(pricing.subtotal, pricing.discount, tuple(pricing.refused_codes()), visible_lines),
    )


def is_same_cart(found: Cart, watched: Cart) -> bool:
    """Whether the cart found is the one watched: SQLite gives the id of a deleted cart to a new one."""
    return (found.account_id, found.token_hash) == (watched.account_id, watched.token_hash)


def visible_state_of(line: LiveLine) -> Hashable:
    """What the owner sees of a line; the number available only where it is too small."""
    scarce = line.available is not None and line.available < line.quantity
    return type(line), line.id, line.quantity, line.unit_price, line.available if scarce else None


async def totals(carts: Sequence[Cart], info: Info) -> Sequence[PricingResult]:
    """What it costs with the prices and promotions of this moment, before shipping."""
    return await info.context.batch(price_each, info, {}).load_many(list(carts))


async def promotions(carts: Sequence[Cart], info: Info) -> Sequence[Sequence[EvaluatedPromotion]]:
    """Every promotion that was considered, and why it applies or what is missing: those that apply first."""
    return [pricing.evaluated for pricing in await totals(carts, info)]


async def price_each(carts: Sequence[Cart], info: Info) -> Sequence[PricingResult]:
    """The price of each cart, with one statement for all lines and one for all promotions."""
    found = await info.context.load.cart_lines.load_many([cart.id for cart in carts])
    contents = [
        CartContents(cart, lines, cart.coupon_codes) for cart, lines in zip(carts, found, strict=True)
    ]
    async with info.context.shop.database.reads() as session:
        return await price_carts(session, contents, now=info.context.now)


async def warnings(carts: Sequence[Cart], info: Info) -> Sequence[Sequence[CartWarning]]:
    """Everything that has changed since things were put into it; to be shown before ordering."""
    found = await info.context.load.cart_lines.load_many([cart.id for cart in carts])
    pricings = await totals(carts, info)
    return [
        [warning for line in lines for warning in warnings_of_line(line)] + coupon_warnings(pricing)
        for lines, pricing in zip(found, pricings, strict=True)
    ]


def warnings_of_line(root: LiveLine) -> list[CartWarning]:
    """What has changed since it was added, the gravest first."""
    line = root if isinstance(root, LiveCartLine) else None
    return [
        CartWarning(
            code,
            warning_text(code, root),
            line=line,
            available=root.available,
            merged_quantity=root.merged_quantity if code is CartWarningCode.MERGE_CAPPED else None,
            seen_price=root.seen_price,
            price=root.unit_price,
        )
        for code in line_warnings(root)
    ]


def coupon_warnings(pricing: PricingResult) -> list[CartWarning]:
    return [CartWarning(CartWarningCode.COUPON_REFUSED, message) for _, message in pricing.refused_codes()]


def warning_text(code: CartWarningCode, line: LiveLine) -> Message:
    match code:
        case CartWarningCode.PRICE_CHANGED:
            return Message(
                "The price has changed from {before} to {now}.", before=line.seen_price, now=line.unit_price
            )
        case CartWarningCode.LESS_STOCK:
            return Message("Only {left} left.", left=line.available)
        case CartWarningCode.MERGE_CAPPED:
            return Message(
                "Together your carts held {before}; {now} are in this one.",
                before=line.merged_quantity,
                now=line.quantity,
            )
        case CartWarningCode.SOLD_OUT:
            return Message("This is sold out.")
        case _:
            return Message("This is not sold any more.")


def warning_message(root: CartWarning, info: Info) -> str:
    """What has changed, in words for a customer."""
    return info.context.viewer_of(info).text_of(root.text)


def new_cart_token(info: Info) -> str:
    """A token for a guest's cart, signed by the shop."""
    shop = info.context.shop
    return write_cart_token(shop.settings.signing_key(), shop.secrets.new_token())


def cart_owner(info: Info) -> CartOwner:
    viewer = info.context.viewer
    return CartOwner(viewer.account_id, fingerprint_of(viewer.cart_token) if viewer.cart_token else None)


async def own_cart(info: Info, session: AsyncSession, missing: NotFound) -> Cart:
    """The viewer's cart, locked for a change; raises `missing` where there is none."""
    cart = await lock_cart(session, cart_owner(info))
    if cart is None:
        raise missing
    return cart


def hand_over_token(info: Info, cart: Cart, token: str) -> Cart:
    """The cart, with its token where this request made it; later fields of the request find it by that."""
    if cart.token_hash == fingerprint_of(token):
        cart.token = token
        info.context.viewer = replace(info.context.viewer, cart_token=token)
    return cart


async def find_cart(info: Info, cart_id: int) -> Cart | None:
    own = await cart(info)
    return own if own and own.id == cart_id else None


async def find_cart_line(info: Info, line_id: int) -> LiveCartLine | None:
    own = await cart(info)
    lines = await info.context.load.cart_lines.load(own.id) if own else []
    return next((line for line in lines if line.id == line_id), None)


async def find_saved_line(info: Info, line_id: int) -> LiveSavedLine | None:
    own = await cart(info)
    lines = await info.context.load.cart_saved_lines.load(own.id) if own else []
    return next((line for line in lines if line.id == line_id), None)
