"""What the shop adds to refunds that go into store credit, as movements and postings."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ledger import write_posting
from domain.store_credit.balance import lock_store_credit, sum_movements
from models import Order, PostingKind, Refund, StoreCredit, StoreCreditKind, StoreCreditMovement


async def grant_bonus(session: AsyncSession, order: Order, refund: Refund, *, now: datetime) -> None:
    """Add what comes with a refund of a locked order to the store credit it goes into."""
    if refund.bonus_amount:
        credit = await lock_store_credit(session, order.account_id, refund.currency)
        await move_bonus(session, credit, refund, refund.bonus_amount, now=now)


async def revoke_bonus(session: AsyncSession, order: Order, refund: Refund, *, now: datetime) -> None:
    """Take back what is left of what came with a paid refund of a locked order; what was spent stays."""
    credit = await lock_store_credit(session, order.account_id, refund.currency)
    kinds = await session.scalars(
        select(StoreCreditMovement.kind).where(StoreCreditMovement.bonus_refund_id == refund.id)
    )
    balance = (await sum_movements(session, [credit.id])).get(credit.id, 0)
    taken = min(refund.bonus_amount, balance)
    if set(kinds) == {StoreCreditKind.BONUS} and taken > 0:
        await move_bonus(session, credit, refund, -taken, now=now)


async def move_bonus(
    session: AsyncSession, credit: StoreCredit, refund: Refund, amount: int, *, now: datetime
) -> None:
    """Book so many minor units of the bonus of a refund into a locked store credit, or out of it."""
    comes = amount > 0
    session.add(
        StoreCreditMovement(
            store_credit_id=credit.id,
            kind=StoreCreditKind.BONUS if comes else StoreCreditKind.BONUS_REVOKED,
            currency=refund.currency,
            amount=amount,
            order_id=refund.order_id,
            bonus_refund_id=refund.id,
            created_at=now,
        )
    )
    await session.flush()
    await write_posting(
        session,
        order_id=refund.order_id,
        payment_id=refund.payment_id,
        kind=PostingKind.BONUS_GRANTED if comes else PostingKind.BONUS_REVOKED,
        amount=refund.money(abs(amount)),
        key=f"{'bonus' if comes else 'bonus-revoked'}:{refund.reference}",
        now=now,
    )
