"""Merging a guest's cart into the customer's at sign-in."""

from sqlalchemy import case, delete, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart.limits import COUPONS_LIMIT, QUANTITY_LIMIT
from domain.cart.owner import TRANSITIONS, CartOwner, count_lines, lock_cart, open_cart, record_change
from domain.cart.sellable import find_sellable
from domain.cause import Cause
from domain.events import CartMerged
from domain.state import move
from models import Cart, CartLine, CartStatus, Price, SavedLine
from models.sellable import SellableVariant
from models.sql.types import NewRow
from models.sql.upsert import upsert_into


async def merge_guest_cart(session: AsyncSession, *, token_hash: str, account_id: int, cause: Cause) -> None:
    """Move everything in a guest's cart to the cart of the customer who has just signed in.

    No line is lost, whatever the limit of lines. Quantities add up as far as stock and the limit of a line
    allow; where they do not, the line remembers how many both carts held.
    """
    # the guest's cart is always locked before the customer's, so that two sign-ins do not wait for each other
    guest = await lock_cart(session, CartOwner(None, token_hash))
    if guest is None:
        return
    own = await open_cart(session, CartOwner(account_id, None), currency=guest.currency, now=cause.now)
    if not any(await count_lines(session, own)):
        own.currency = guest.currency
    await merge_lines(session, guest, own)
    await merge_saved_lines(session, guest, own)
    own.coupon_codes = [*dict.fromkeys((*own.coupon_codes, *guest.coupon_codes))][:COUPONS_LIMIT]
    move(guest, CartStatus.MERGED, TRANSITIONS)
    guest.coupon_codes = []
    record_change(session, guest, cause=Cause(cause.now, account_id), event_type=CartMerged)
    record_change(session, own, cause=Cause(cause.now, account_id))


async def merge_lines(session: AsyncSession, guest: Cart, own: Cart) -> None:
    """Move the lines of one locked cart to another, in a constant number of statements."""
    lines = await session.scalars(
        select(CartLine).where(CartLine.cart_id.in_((guest.id, own.id))).order_by(CartLine.id)
    )
    by_cart: dict[int, dict[int, CartLine]] = {guest.id: {}, own.id: {}}
    for line in lines:
        by_cart[line.cart_id][line.variant_id] = line
    guest_lines, own_lines = by_cart[guest.id], by_cart[own.id]
    if not guest_lines:
        return
    sellable = await find_sellable(session, guest_lines, own.currency)
    rows = [
        merged_line(line, own_lines.get(variant_id), variant, seen_amount_for(own, guest, line, variant), own)
        for variant_id, line in guest_lines.items()
        for variant in [sellable.get(variant_id)]
    ]
    statement = upsert_into(session, CartLine)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[CartLine.cart_id, CartLine.variant_id],
            set_={"quantity": new.quantity, "merged_quantity": new.merged_quantity},
        ),
        rows,
    )
    await session.execute(
        delete(CartLine).where(CartLine.cart_id == guest.id).execution_options(synchronize_session="fetch")
    )


def merged_line(
    line: CartLine, own: CartLine | None, variant: SellableVariant | None, seen_amount: int, cart: Cart
) -> NewRow:
    """The values of one line made of two, with no more units than are available.

    Of a variant that is sold out all units stay, since stock may come back.
    """
    own_quantity = own.merged_quantity or own.quantity if own else 0
    total = own_quantity + (line.merged_quantity or line.quantity)
    available = variant.available if variant else None
    quantity = min(total, QUANTITY_LIMIT, available or QUANTITY_LIMIT)
    return {
        "cart_id": cart.id,
        "variant_id": line.variant_id,
        "quantity": quantity,
        "merged_quantity": total if total > quantity else None,
        "seen_amount": seen_amount,
        "created_at": line.created_at,
    }


def seen_amount_for(cart: Cart, guest: Cart, line: CartLine, variant: SellableVariant | None) -> int:
    """The unit price the guest saw; in another currency the present one, 0 where it is not for sale."""
    if guest.currency is cart.currency:
        return line.seen_amount
    return variant.unit_price.minor if variant and variant.unit_price else 0


async def merge_saved_lines(session: AsyncSession, guest: Cart, own: Cart) -> None:
    """Move what is saved for later; quantities add up to the limit of a line, whatever is in stock."""
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
    columns = ["cart_id", "variant_id", "quantity", "merged_quantity", "seen_amount", "created_at"]
    values = (
        literal(own.id),
        SavedLine.variant_id,
        SavedLine.quantity,
        SavedLine.merged_quantity,
        amount,
        SavedLine.created_at,
    )
    guest_lines = select(*values).where(SavedLine.cart_id == guest.id).order_by(SavedLine.id)
    statement = upsert_into(session, SavedLine).from_select(columns, guest_lines)
    new = statement.excluded
    own_quantity = func.coalesce(SavedLine.merged_quantity, SavedLine.quantity)
    total = own_quantity + func.coalesce(new.merged_quantity, new.quantity)
    over = total > QUANTITY_LIMIT
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[SavedLine.cart_id, SavedLine.variant_id],
            set_={
                "quantity": case((over, QUANTITY_LIMIT), else_=total),
                "merged_quantity": case((over, total), else_=None),
            },
        )
    )
    await session.execute(delete(SavedLine).where(SavedLine.cart_id == guest.id))
