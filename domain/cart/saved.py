"""Saving lines for later: they stay with the cart, but are not in its totals and not ordered."""

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart.limits import SAVED_LIMIT, check_quantity
from domain.cart.lines import CartAddition, add_sellable, find_line
from domain.cart.owner import count_lines, record_change
from domain.cause import Cause
from domain.errors import LimitReached, NotFound
from models import Cart, SavedLine
from models.sql.upsert import upsert_into


async def save_line(session: AsyncSession, cart: Cart, *, line_id: int, cause: Cause) -> None:
    """Move a line to the saved ones; units of the same variant that are saved already add up."""
    line = await find_line(session, cart, line_id)
    statement = upsert_into(session, SavedLine).values(
        cart_id=cart.id,
        variant_id=line.variant_id,
        quantity=line.quantity,
        seen_amount=line.seen_amount,
        created_at=cause.now,
    )
    total = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=[SavedLine.cart_id, SavedLine.variant_id],
            set_={
                "quantity": SavedLine.quantity + line.quantity,
                "seen_amount": line.seen_amount,
                "merged_quantity": None,
            },
        ).returning(SavedLine.quantity)
    )
    check_quantity(total, least=1, field=("id",))
    await session.delete(line)
    await session.flush()
    if (await count_lines(session, cart))[1] > SAVED_LIMIT:
        raise LimitReached("At most {limit} things are saved for later.", limit=SAVED_LIMIT, field=("id",))
    record_change(session, cart, cause=cause)


async def restore_line(session: AsyncSession, cart: Cart, *, line_id: int, cause: Cause) -> None:
    """Put a saved line back into the cart at the present price, or raise why it cannot be sold."""
    saved = await find_saved_line(session, cart, line_id)
    additions = [CartAddition(saved.variant_id, saved.quantity)]
    if refusals := await add_sellable(session, cart, additions, cause=cause):
        refusals[0].field = ("id",)
        raise refusals[0]
    await session.delete(saved)


async def remove_saved_line(session: AsyncSession, cart: Cart, *, line_id: int, cause: Cause) -> None:
    await session.delete(await find_saved_line(session, cart, line_id))
    record_change(session, cart, cause=cause)


async def find_saved_line(session: AsyncSession, cart: Cart, line_id: int) -> SavedLine:
    line = await session.get(SavedLine, line_id)
    if line is None or line.cart_id != cart.id:
        raise NotFound("saved line", field=("id",))
    return line
