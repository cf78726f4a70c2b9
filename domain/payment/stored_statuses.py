"""Payment statuses of orders that were stored before a cancelled order without money was called unpaid."""

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models import Order, OrderPaymentStatus, Payment

BATCH = 5_000


async def correct_stored_statuses(session: AsyncSession, after: int) -> int | None:
    """Call the orders among the next BATCH unpaid of which all was cancelled and nothing ever paid.

    The id of the last order of the batch; None when there was none.
    """
    batch = select(Order.id).where(Order.id > after).order_by(Order.id).limit(BATCH).subquery()
    last: int | None = await session.scalar(select(func.max(batch.c.id)))
    if last is None:
        return None
    paid = exists().where(Payment.order_id == Order.id, Payment.captured_amount > 0)
    await session.execute(
        update(Order)
        .where(
            Order.id > after,
            Order.id <= last,
            Order.payment_status == OrderPaymentStatus.PAID,
            Order.total_amount == 0,
            Order.cancelled_amount > 0,
            ~paid,
        )
        .values(payment_status=OrderPaymentStatus.UNPAID)
        .execution_options(synchronize_session=False)
    )
    return last
