"""Finding, creating and locking the active cart of a guest or customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import CartChanged, CartEvent
from domain.outbox import record
from domain.state import transition_table
from models import Cart, CartLine, CartStatus, CurrencyCode, SavedLine
from models.sql.upsert import upsert_into

TRANSITIONS = transition_table(
    CartStatus.ACTIVE, {CartStatus.ACTIVE: {CartStatus.MERGED}, CartStatus.MERGED: set()}
)


@dataclass(frozen=True, slots=True)
class CartOwner:
    """A customer, known by account id, or a guest, known by the hash of the cart token."""

    account_id: int | None
    token_hash: str | None

    def owns(self) -> ColumnElement[bool]:
        """Whether a cart is the owner's active one."""
        if self.account_id is not None:
            return and_(Cart.account_id == self.account_id, Cart.status == CartStatus.ACTIVE)
        if self.token_hash is None:
            return false()  # compared with a column, None would mean "whoever has no token"
        return and_(Cart.token_hash == self.token_hash, Cart.status == CartStatus.ACTIVE)


async def lock_cart(session: AsyncSession, owner: CartOwner) -> Cart | None:
    """The owner's active cart, locked until the transaction ends."""
    return await session.scalar(
        select(Cart).where(owner.owns()).with_for_update().execution_options(populate_existing=True)
    )


async def open_cart(
    session: AsyncSession,
    owner: CartOwner,
    *,
    currency: CurrencyCode,
    now: datetime,
    new_token_hashes: Sequence[str] = (),
) -> Cart:
    """The owner's active cart, locked; a new one in this currency where there is none.

    A guest's new cart gets the first of `new_token_hashes` that no merged cart has: two requests at once with
    the same token share one cart.
    """
    if cart := await lock_cart(session, owner):
        return cart
    new_guests = [CartOwner(None, token_hash) for token_hash in new_token_hashes]
    for new_owner in new_guests if owner.account_id is None else [CartOwner(owner.account_id, None)]:
        await insert_cart(session, new_owner, currency=currency, now=now)
        if cart := await lock_cart(session, new_owner):
            return cart
    raise LookupError("the cart just made is gone")


async def insert_cart(
    session: AsyncSession, owner: CartOwner, *, currency: CurrencyCode, now: datetime
) -> None:
    """Insert an empty cart, unless the owner has one."""
    statement = upsert_into(session, Cart).values(
        account_id=owner.account_id,
        token_hash=owner.token_hash,
        status=CartStatus.ACTIVE,
        currency=currency,
        version=0,
        created_at=now,
        updated_at=now,
    )
    await session.execute(statement.on_conflict_do_nothing())


async def count_lines(session: AsyncSession, cart: Cart) -> tuple[int, int]:
    """The number of lines in a cart, and of those saved for later."""
    lines = select(func.count()).where(CartLine.cart_id == cart.id).scalar_subquery()
    saved = select(func.count()).where(SavedLine.cart_id == cart.id).scalar_subquery()
    counts = (await session.execute(select(lines, saved))).one()
    return int(counts[0]), int(counts[1])


def record_change(
    session: AsyncSession, cart: Cart, cause: Cause, *, event_type: type[CartEvent] = CartChanged
) -> None:
    cart.updated_at = cause.now
    record(session, event_type(cart), cause)
