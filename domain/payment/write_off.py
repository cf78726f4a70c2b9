"""Writing off cash that never comes for a parcel that has arrived, so that its order can end."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import WrongState
from domain.events import CashWrittenOff
from domain.ledger import refresh_payment_status, write_posting
from domain.order import lock_shipment, required_reason, settle_order
from domain.order.cash import find_cash_payments, fix_cash
from domain.outbox import record
from domain.payment.further import add_payments
from domain.payment.states import TRANSITIONS
from domain.state import move
from models import (
    DeliveryRun,
    DeliveryRunStop,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    PostingKind,
    Shipment,
    ShipmentStatus,
)


async def write_off_cash(session: AsyncSession, shipment_id: int, *, reason: str, cause: Cause) -> Shipment:
    """Give up the cash that is due for a parcel that has arrived: nothing more is expected for it.

    What was sold stays sold; the ledger has the loss. WrongState when no cash is due for it, and for what one
    has brought or bought oneself.
    """
    order, shipment = await lock_shipment(session, shipment_id)
    reason = required_reason(reason)
    if order.status is not OrderStatus.CONFIRMED:
        raise WrongState("This order is {status}.", status=order.status, field=("id",))
    if shipment.status is not ShipmentStatus.DELIVERED or shipment.ended_at is not None:
        raise WrongState("This shipment has not arrived.", field=("id",))
    if shipment.cash_collected_at is not None:
        raise WrongState("This cash has been collected already.", field=("id",))
    due = await fix_cash(session, order, shipment)
    if not due:
        raise WrongState("Nothing is due in cash any more.", field=("id",))
    if cause.by == order.account_id or await has_brought(session, shipment, cause.by):
        raise WrongState("Somebody else must write off cash that is your own.", field=("id",))
    shipment.cash_amount, shipment.cash_written_off_at = 0, cause.now
    await write_off_payments(session, order, due, cause=cause)
    record(session, CashWrittenOff(order, shipment_id=shipment.id, reason=reason), cause)
    await settle_order(session, order, cause=cause.automatic)
    return shipment


async def has_brought(session: AsyncSession, shipment: Shipment, account_id: int | None) -> bool:
    """Whether an account was the courier of a run that was to bring a parcel."""
    stop_id = await session.scalar(
        select(DeliveryRunStop.id)
        .join(DeliveryRun, DeliveryRun.id == DeliveryRunStop.delivery_run_id)
        .where(DeliveryRunStop.shipment_id == shipment.id, DeliveryRun.courier_id == account_id)
        .limit(1)
    )
    return stop_id is not None


async def write_off_payments(session: AsyncSession, order: Order, amount: int, *, cause: Cause) -> None:
    """Close the cash payments of a locked order, the first one first, by an amount in minor units."""
    for payment in await find_cash_payments(session, order):
        part = min(amount, payment.amount - payment.captured_amount)
        if not part:
            continue
        closed = await close_part(session, order, payment, part, cause=cause)
        await write_posting(
            session,
            order_id=order.id,
            payment_id=closed.id,
            kind=PostingKind.WRITTEN_OFF,
            amount=order.money(part),
            key=f"written off:{closed.reference}",
            now=cause.now,
        )
        amount -= part
    await refresh_payment_status(session, order)


async def close_part(
    session: AsyncSession, order: Order, payment: Payment, part: int, *, cause: Cause
) -> Payment:
    """Close a cash payment, or a part of it that becomes a payment of its own."""
    if part == payment.amount:
        move(payment, PaymentStatus.CLOSED, TRANSITIONS)
        return payment
    payment.amount -= part
    if payment.captured_amount == payment.amount:
        move(payment, PaymentStatus.CAPTURED, TRANSITIONS)
        payment.captured_at = cause.now
    parts = [(payment.method, part)]
    [closed] = await add_payments(session, order, parts, limit=None, status=PaymentStatus.CLOSED)
    return closed
