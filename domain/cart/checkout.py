"""Locking and emptying the carts of many customers when their orders are placed."""

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

from domain.cart.owner import CartOwner
from models import Cart, CartLine, CartStatus
from models.sql.dialects import dialect_of
from models.sql.parameters import encode_values, is_among
from models.sql.types import AnyColumn

NO_CODES: ColumnElement[list[str]] = literal_column("'[]'")
"""Written out, since statements that are sent as one convert no parameters."""


async def lock_carts(session: AsyncSession, owners: Sequence[CartOwner]) -> dict[CartOwner, Cart]:
    """The active carts of these customers and guests, locked in the order of their ids."""
    accounts = {owner.account_id: owner for owner in owners if owner.account_id is not None}
    guests = {owner.token_hash: owner for owner in owners if owner.account_id is None and owner.token_hash}
    # guests' carts first, as where they are merged into customers'
    by_token = await lock_carts_by(session, Cart.token_hash, [*guests]) if guests else []
    by_account = await lock_carts_by(session, Cart.account_id, [*accounts]) if accounts else []
    return {guests[cart.token_hash]: cart for cart in by_token if cart.token_hash} | {
        accounts[cart.account_id]: cart for cart in by_account if cart.account_id is not None
    }


async def lock_carts_by(
    session: AsyncSession, column: AnyColumn, values: Sequence[int | str]
) -> Sequence[Cart]:
    dialect = dialect_of(session)
    rows = await session.scalars(
        select_carts_for_update(column, dialect), {"owners": encode_values(values, dialect)}
    )
    return rows.all()


@cache
def select_carts_for_update(column: AnyColumn, dialect: str) -> Select[Cart]:
    # in sorted order, so that no two transactions wait for each other
    return (
        select(Cart)
        .where(is_among(column, "owners", dialect), Cart.status == CartStatus.ACTIVE)
        .order_by(Cart.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def build_cart_emptying(carts: FromClause) -> tuple[Delete, Update]:
    """Statements that remove the lines and coupons of ordered carts; what is saved for later stays.

    `carts` are rows of `id` and `now`. Each version goes up by one, for the CartChanged event of the cart.
    """
    ids = select(carts.c.id)
    now = select(func.max(carts.c.now)).scalar_subquery()
    emptied = {"version": Cart.version + 1, "coupon_codes": NO_CODES, "updated_at": now}
    return (
        delete(CartLine).where(CartLine.cart_id.in_(ids)),
        update(Cart).where(Cart.id.in_(ids)).values(emptied),
    )
