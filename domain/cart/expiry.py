"""Guests' carts that nobody has touched for long."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import Cart, CartLine, Event, SavedLine, Subject

SWEEP = 500
"""Carts forgotten in one transaction."""


def untouched_since(moment: datetime) -> ColumnElement[bool]:
    """Carts of guests, those that were merged into a customer's included."""
    return and_(Cart.account_id.is_(None), Cart.updated_at <= moment)


async def forget_carts(session: AsyncSession, *, untouched: datetime) -> Sequence[int]:
    """Delete such carts with all that hangs on them, at most SWEEP; their ids. Five statements for all.

    Their events go, too: SQLite gives the number of the last cart to the next one, whose versions begin anew.
    """
    ids = list(
        await session.scalars(
            select(Cart.id)
            .where(untouched_since(untouched))
            .order_by(Cart.updated_at)
            .limit(SWEEP)
            .with_for_update(skip_locked=True)
        )
    )
    if ids:
        for held in (
            delete(CartLine).where(CartLine.cart_id.in_(ids)),
            delete(SavedLine).where(SavedLine.cart_id.in_(ids)),
            delete(Event).where(Event.subject == Subject.CART, Event.subject_id.in_(ids)),
            delete(Cart).where(Cart.id.in_(ids)),
        ):
            await session.execute(held.execution_options(synchronize_session=False))
    return ids
