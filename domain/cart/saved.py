"""Saved for later: kept with the cart, not in its totals and not ordered."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart.limits import QUANTITY_LIMIT, SAVED_LIMIT
from domain.cart.lines import Wanted, add_what_fits, line_of
from domain.cart.owner import changed, held
from domain.errors import LimitReached, NotFound
from domain.upsert import insert
from models import Cart, SavedLine


async def save_line(
    session: AsyncSession, cart: Cart, *, line_id: int, now: datetime, by: int | None = None
) -> None:
    """Put a line aside; what was saved of the same variant before adds up with it."""
    line = await line_of(session, cart, line_id)
    saving = insert(session, SavedLine).values(
        cart_id=cart.id,
        variant_id=line.variant_id,
        quantity=line.quantity,
        seen_amount=line.seen_amount,
        created_at=now,
    )
    total = await session.scalar(
        saving.on_conflict_do_update(
            index_elements=[SavedLine.cart_id, SavedLine.variant_id],
            set_={
                "quantity": SavedLine.quantity + line.quantity,
                "seen_amount": line.seen_amount,
                "wanted": None,
            },
        ).returning(SavedLine.quantity)
    )
    if total > QUANTITY_LIMIT:
        raise LimitReached(f"At most {QUANTITY_LIMIT} of one thing.", field=("line_id",))
    await session.delete(line)
    await session.flush()
    if (await held(session, cart))[1] > SAVED_LIMIT:
        raise LimitReached(f"At most {SAVED_LIMIT} things are saved for later.", field=("line_id",))
    changed(session, cart, now, by)


async def restore_line(
    session: AsyncSession, cart: Cart, *, line_id: int, now: datetime, by: int | None = None
) -> None:
    """Put what was saved back into the cart, at the price of this moment, if it can be sold."""
    saved = await saved_line_of(session, cart, line_id)
    wanted = [Wanted(saved.variant_id, saved.quantity)]
    if refusals := await add_what_fits(session, cart, wanted, now=now, by=by):
        refusals[0].field = ("line_id",)
        raise refusals[0]
    await session.delete(saved)


async def remove_saved_line(
    session: AsyncSession, cart: Cart, *, line_id: int, now: datetime, by: int | None = None
) -> None:
    await session.delete(await saved_line_of(session, cart, line_id))
    changed(session, cart, now, by)


async def saved_line_of(session: AsyncSession, cart: Cart, line_id: int) -> SavedLine:
    line = await session.get(SavedLine, line_id)
    if line is None or line.cart_id != cart.id:
        raise NotFound("saved line", field=("line_id",))
    return line
