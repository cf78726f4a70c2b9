"""Whose cart, and how it is held for one change after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.outbox import record
from domain.state import table
from domain.upsert import insert
from models import Cart, CartLine, CartStatus, CurrencyCode, SavedLine

TRANSITIONS = table(CartStatus.ACTIVE, {CartStatus.ACTIVE: {CartStatus.MERGED}, CartStatus.MERGED: set()})


@dataclass(frozen=True, slots=True)
class Owner:
    """A customer, known by account, or a guest, known by what is stored of the token."""

    account_id: int | None
    token_hash: str | None

    def owns(self) -> ColumnElement[bool]:
        if self.account_id is not None:
            return and_(Cart.account_id == self.account_id, Cart.status == CartStatus.ACTIVE)
        if self.token_hash is None:
            return false()  # compared with a column, None would mean "whoever has no token"
        return and_(Cart.token_hash == self.token_hash, Cart.status == CartStatus.ACTIVE)


async def lock_cart(session: AsyncSession, owner: Owner) -> Cart | None:
    """Somebody's active cart, for one change after the other."""
    return await session.scalar(
        select(Cart).where(owner.owns()).with_for_update().execution_options(populate_existing=True)
    )


async def open_cart(
    session: AsyncSession,
    owner: Owner,
    *,
    currency: CurrencyCode,
    now: datetime,
    new_token_hashes: Sequence[str] = (),
) -> Cart:
    """Somebody's cart, locked; a new one where there is none.

    A guest's is found under the first of `new_token_hashes` that no merged cart bears: who asks twice at
    once under one token gets one cart.
    """
    if cart := await lock_cart(session, owner):
        return cart
    newcomers = [Owner(None, token_hash) for token_hash in new_token_hashes]
    for newcomer in newcomers if owner.account_id is None else [Owner(owner.account_id, None)]:
        await make_cart(session, newcomer, currency=currency, now=now)
        if made := await lock_cart(session, newcomer):
            return made
    raise LookupError("the cart just made is gone")


async def make_cart(session: AsyncSession, owner: Owner, *, currency: CurrencyCode, now: datetime) -> None:
    """A cart for somebody, unless they have one."""
    making = insert(session, Cart).values(
        account_id=owner.account_id,
        token_hash=owner.token_hash,
        status=CartStatus.ACTIVE,
        currency=currency,
        version=0,
        created_at=now,
        updated_at=now,
    )
    await session.execute(making.on_conflict_do_nothing())


async def held(session: AsyncSession, cart: Cart) -> tuple[int, int]:
    """How many lines a cart has, and how many are saved for later."""
    lines = select(func.count()).where(CartLine.cart_id == cart.id).scalar_subquery()
    saved = select(func.count()).where(SavedLine.cart_id == cart.id).scalar_subquery()
    counted = (await session.execute(select(lines, saved))).one()
    return int(counted[0]), int(counted[1])


def changed(
    session: AsyncSession, cart: Cart, now: datetime, by: int | None, *, name: str = "cart.changed"
) -> None:
    cart.updated_at = now
    record(session, name, cart, now=now, by=by)
