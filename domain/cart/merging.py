"""Two carts become one: a guest turned out to be a customer."""

from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart.goods import Offer, offers_of
from domain.cart.limits import COUPONS_LIMIT, QUANTITY_LIMIT
from domain.cart.owner import TRANSITIONS, Owner, changed, held, lock_cart, open_cart
from domain.state import move
from domain.upsert import insert
from models import Cart, CartLine, CartStatus, Price, SavedLine

Row = dict[str, Any]

MERGED = "cart.merged"
"""The last event of a guest's cart."""


async def adopt_cart(session: AsyncSession, *, token_hash: str, account_id: int, now: datetime) -> None:
    """Put what a guest has gathered into the cart of the customer they turned out to be.

    No line is lost, whatever the limit of lines. Quantities add up as far as the shelves and the limit of a
    line reach; where they do not, the line remembers how many were wanted. The guest's cart is locked
    before the customer's, always, so two sign-ins at one moment do not wait for each other.
    """
    guest = await lock_cart(session, Owner(None, token_hash))
    if guest is None:
        return
    own = await open_cart(session, Owner(account_id, None), currency=guest.currency, now=now)
    if not any(await held(session, own)):
        own.currency = guest.currency
    await merge_lines(session, guest, own)
    await move_saved(session, guest, own)
    own.coupon_codes = [*dict.fromkeys((*own.coupon_codes, *guest.coupon_codes))][:COUPONS_LIMIT]
    move(guest, CartStatus.MERGED, TRANSITIONS)
    guest.coupon_codes = []
    changed(session, guest, now, account_id, name=MERGED)
    changed(session, own, now, account_id)


async def merge_lines(session: AsyncSession, guest: Cart, own: Cart) -> None:
    """All lines in a constant number of statements; both carts are locked, so what is read stays true."""
    lines = await session.scalars(
        select(CartLine).where(CartLine.cart_id.in_((guest.id, own.id))).order_by(CartLine.id)
    )
    by_cart: dict[int, dict[int, CartLine]] = {guest.id: {}, own.id: {}}
    for line in lines:
        by_cart[line.cart_id][line.variant_id] = line
    arriving, there = by_cart[guest.id], by_cart[own.id]
    if not arriving:
        return
    offers = await offers_of(session, arriving, own.currency)
    rows = [
        merged(line, there.get(variant_id), offer, seen_in(own, guest, line, offer), own)
        for variant_id, line in arriving.items()
        for offer in [offers.get(variant_id)]
    ]
    joining = insert(session, CartLine).values(rows)
    await session.execute(
        joining.on_conflict_do_update(
            index_elements=[CartLine.cart_id, CartLine.variant_id],
            set_={"quantity": joining.excluded.quantity, "wanted": joining.excluded.wanted},
        )
    )
    await session.execute(
        delete(CartLine).where(CartLine.cart_id == guest.id).execution_options(synchronize_session="fetch")
    )


def merged(line: CartLine, own: CartLine | None, offer: Offer | None, seen: int, cart: Cart) -> Row:
    """One line of two, with no more units than can be had; of what is sold out all stay, for it may come."""
    total = (own.wanted or own.quantity if own else 0) + (line.wanted or line.quantity)
    left = offer.left if offer else None
    quantity = min(total, QUANTITY_LIMIT, left or QUANTITY_LIMIT)
    return {
        "cart_id": cart.id,
        "variant_id": line.variant_id,
        "quantity": quantity,
        "wanted": total if total > quantity else None,
        "seen_amount": seen,
        "created_at": line.created_at,
    }


def seen_in(cart: Cart, guest: Cart, line: CartLine, offer: Offer | None) -> int:
    """What the guest saw; in another currency, what it costs now."""
    if guest.currency is cart.currency:
        return line.seen_amount
    return offer.unit.minor if offer and offer.unit else 0


async def move_saved(session: AsyncSession, guest: Cart, own: Cart) -> None:
    """What was saved for later adds up, too, as far as a line reaches; shelves matter when it comes back."""
    amount = (
        SavedLine.seen_amount
        if guest.currency is own.currency
        else func.coalesce(
            select(Price.amount)
            .where(Price.variant_id == SavedLine.variant_id, Price.currency == own.currency)
            .scalar_subquery(),
            0,
        )
    )
    columns = ["cart_id", "variant_id", "quantity", "wanted", "seen_amount", "created_at"]
    kept = (SavedLine.variant_id, SavedLine.quantity, SavedLine.wanted, amount, SavedLine.created_at)
    arriving = select(literal(own.id), *kept).where(SavedLine.cart_id == guest.id).order_by(SavedLine.id)
    moving = insert(session, SavedLine).from_select(columns, arriving)
    new = moving.excluded
    total = func.coalesce(SavedLine.wanted, SavedLine.quantity) + func.coalesce(new.wanted, new.quantity)
    over = total > QUANTITY_LIMIT
    await session.execute(
        moving.on_conflict_do_update(
            index_elements=[SavedLine.cart_id, SavedLine.variant_id],
            set_={
                "quantity": case((over, QUANTITY_LIMIT), else_=total),
                "wanted": case((over, total), else_=None),
            },
        )
    )
    await session.execute(delete(SavedLine).where(SavedLine.cart_id == guest.id))
