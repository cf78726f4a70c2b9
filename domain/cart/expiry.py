"""Deleting guests' carts that nobody has touched for long."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import ArchivedEvent, Cart, CartLine, Event, SavedLine, Subject

EXPIRY_BATCH = 500
"""Carts deleted in one transaction."""


def is_untouched_since(moment: datetime) -> ColumnElement[bool]:
    """Whether a cart is a guest's and was not changed after `moment`; merged ones count, too."""
    return and_(Cart.account_id.is_(None), Cart.updated_at <= moment)


async def delete_untouched_carts(session: AsyncSession, *, untouched: datetime) -> Sequence[int]:
    """Delete such carts with their lines and events, at most EXPIRY_BATCH, in six statements; their ids."""
    ids = list(
        await session.scalars(
            select(Cart.id)
            .where(is_untouched_since(untouched))
            .order_by(Cart.updated_at)
            .limit(EXPIRY_BATCH)
            .with_for_update(skip_locked=True)
        )
    )
    if ids:
        for statement in (
            delete(CartLine).where(CartLine.cart_id.in_(ids)),
            delete(SavedLine).where(SavedLine.cart_id.in_(ids)),
            # SQLite gives the id of the last cart to the next one, whose versions begin anew
            delete(Event).where(Event.subject == Subject.CART, Event.subject_id.in_(ids)),
            delete(ArchivedEvent).where(
                ArchivedEvent.subject == Subject.CART, ArchivedEvent.subject_id.in_(ids)
            ),
            delete(Cart).where(Cart.id.in_(ids)),
        ):
            await session.execute(statement.execution_options(synchronize_session=False))
    return ids
