"""Carts become orders, many at a time."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Delete,
    FromClause,
    Select,
    Update,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from domain.bulk import dialect_of, ids_of, packed_ids
from models import Cart, CartLine, CartStatus

NO_CODES: ColumnElement[list[str]] = literal_column("'[]'")
"""Written out: where many statements are sent as one, no value is converted on the way."""


async def take_carts(session: AsyncSession, account_ids: Sequence[int]) -> dict[int, Cart]:
    """Lock the carts of these customers to order what is in them, in sorted order: nobody waits in a ring."""
    dialect = dialect_of(session)
    rows = await session.scalars(taking(dialect), {"owners": packed_ids(session, account_ids)})
    return {cart.account_id: cart for cart in rows if cart.account_id is not None}


@cache
def taking(dialect: str) -> Select[Cart]:
    return (
        select(Cart)
        .where(Cart.account_id.in_(ids_of(dialect, "owners")), Cart.status == CartStatus.ACTIVE)
        .order_by(Cart.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def emptying(carts: FromClause) -> tuple[Delete, Update]:
    """Everything in carts that were taken has been ordered; what is saved for later stays.

    `carts` are rows of `id` and `now`; their "cart.changed" is told at the version that follows.
    """
    ids = select(carts.c.id)
    now = select(func.max(carts.c.now)).scalar_subquery()
    emptied = {"version": Cart.version + 1, "coupon_codes": NO_CODES, "updated_at": now}
    return (
        delete(CartLine).where(CartLine.cart_id.in_(ids)),
        update(Cart).where(Cart.id.in_(ids)).values(emptied),
    )
