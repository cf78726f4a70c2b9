"""Keeping money that is disputed from going to its customer a second time."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import WrongState
from models import Dispute, DisputeStatus, Payment


async def is_disputed(session: AsyncSession, payment: Payment) -> bool:
    """Whether an open dispute has taken what refunds of a payment are to give back."""
    if payment.refunded_amount + payment.disputed_amount <= payment.captured_amount:
        return False
    is_open = exists().where(Dispute.payment_id == payment.id, Dispute.status == DisputeStatus.OPEN)
    return bool(await session.scalar(select(is_open)))


async def check_not_disputed(session: AsyncSession, payment: Payment) -> None:
    """WrongState while an open dispute has taken what refunds of a payment are to give back."""
    if await is_disputed(session, payment):
        raise WrongState("The customer disputes this payment: wait until that is decided.", field=("id",))
