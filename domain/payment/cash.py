"""Collecting cash for parcels: for what has arrived, once, by who has brought it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.errors import NotFound, WrongState
from domain.events import CashCollected
from domain.idempotency import is_repeated
from domain.ledger import NewPosting, refresh_payment_status, write_postings
from domain.order import FINAL, AmountMismatch, settle_order
from domain.order.cash import find_cash_payments, fix_cash
from domain.outbox import record
from domain.payment.cash_in_hand import lock_runs, move_cash
from domain.payment.lifecycle import lock_payment
from domain.payment.refund import require_same_currency
from domain.payment.states import TRANSITIONS
from domain.state import move
from models import (
    DeliveryRun,
    DeliveryRunStop,
    LedgerAccount,
    Money,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    PostingKind,
    Shipment,
    ShipmentStatus,
    StopOutcome,
)

COMMAND = "cash_collect"


async def collect_cash(
    session: AsyncSession,
    payment_id: int,
    amount: Money,
    *,
    shipment_id: int | None = None,
    courier_id: int | None = None,
    key: str | None = None,
    cause: Cause,
) -> Payment:
    """Record the cash for a parcel that has arrived, or for all of the order that have: all of it, once.

    With a repeated idempotency key it was collected before, also where more has arrived meanwhile.

    A courier collects for what they have brought; without `courier_id` the staff record what a carrier hands
    over. WrongState when no cash is due; AmountMismatch for another amount than is due.
    """
    content = [amount.minor, amount.currency, shipment_id]
    if await is_repeated(
        session, command=COMMAND, key=key, content=content, about_id=payment_id, cause=cause
    ):
        return await session.get_one(Payment, payment_id)
    runs = await lock_runs(session, payment_id, courier_id) if courier_id is not None else {}
    if courier_id is not None and not runs:
        raise NotFound("payment", field=("id",))
    order, payment = await lock_payment(session, payment_id)
    check_collectable(order, payment)
    shipments = await find_uncollected_shipments(session, order, shipment_id)
    run_ids = await find_runs(session, shipments)
    shipments = select_brought(shipments, run_ids, runs, courier_id)
    due = order.money(sum([await fix_cash(session, order, shipment) for shipment in shipments]))
    if not due:
        raise WrongState("Nothing is due in cash any more.", field=("id",))
    if amount != due:
        require_same_currency(amount, due)
        raise AmountMismatch(due=due, given=amount, field=("amount",))
    by_run: dict[int | None, int] = {}
    for shipment in shipments:
        shipment.cash_collected_at = cause.now
        run_id = run_ids.get(shipment.id) if runs else None
        by_run[run_id] = by_run.get(run_id, 0) + (shipment.cash_amount or 0)
    for run_id, part in by_run.items():
        await capture_cash(session, order, part, run=runs[run_id] if run_id else None, cause=cause)
    ids = [shipment.id for shipment in shipments]
    record(session, CashCollected(order, payment_id=payment.id, shipment_ids=ids), cause)
    await settle_order(session, order, cause=cause.automatic)
    return payment


def check_collectable(order: Order, payment: Payment) -> None:
    """Refuse what is not paid in cash, or not any more."""
    if not payment.method.collected_offline:
        raise WrongState("This part is not paid in cash.", field=("id",))
    if payment.status is PaymentStatus.CAPTURED:
        raise WrongState("This cash has been collected already.", field=("id",))
    if not payment.amount:
        raise WrongState("Nothing is due in cash any more.", field=("id",))
    if order.status in FINAL or order.status is OrderStatus.PENDING:
        raise WrongState("This order is {status}; there is no cash to collect.", status=order.status)


async def find_uncollected_shipments(
    session: AsyncSession, order: Order, shipment_id: int | None
) -> Sequence[Shipment]:
    """The parcels of an order that have arrived and were not paid, or the one that is named."""
    rows = await session.scalars(
        select(Shipment)
        .where(Shipment.order_id == order.id, Shipment.dispatched_at.is_not(None))
        .order_by(Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    shipments = [each for each in rows if shipment_id in {None, each.id}]
    if shipment_id is not None and not shipments:
        raise NotFound("shipment", field=("shipment_id",))
    arrived = [each for each in shipments if each.status is ShipmentStatus.DELIVERED and not each.ended_at]
    if not arrived:
        raise WrongState("Nothing of this has arrived yet.", field=("id",))
    uncollected = [each for each in arrived if each.cash_collected_at is None]
    if not uncollected:
        raise WrongState("This cash has been collected already.", field=("id",))
    return uncollected


async def find_runs(session: AsyncSession, shipments: Sequence[Shipment]) -> Mapping[int, int]:
    """The delivery run that has brought each of these parcels, by its id; without those of carriers."""
    rows = await session.execute(
        select(DeliveryRunStop.shipment_id, DeliveryRunStop.delivery_run_id)
        .where(DeliveryRunStop.shipment_id.in_([shipment.id for shipment in shipments]))
        .where(DeliveryRunStop.outcome == StopOutcome.DELIVERED)
        .order_by(DeliveryRunStop.id)  # after a correction the last one has brought it
    )
    return {each.shipment_id: each.delivery_run_id for each in rows}


def select_brought(
    shipments: Sequence[Shipment],
    run_ids: Mapping[int, int],
    own_runs: Mapping[int, DeliveryRun],
    courier_id: int | None,
) -> Sequence[Shipment]:
    """Those of these parcels for which somebody may collect: a courier for what they have brought, staff for
    what none of our couriers has."""
    if courier_id is not None:
        brought = [shipment for shipment in shipments if run_ids.get(shipment.id) in own_runs]
        if not brought:
            raise NotFound("payment", field=("id",))
        return brought
    brought = [shipment for shipment in shipments if shipment.id not in run_ids]
    if not brought:
        raise WrongState("Our courier who has brought it hands in this cash.", field=("id",))
    return brought


async def capture_cash(
    session: AsyncSession, order: Order, amount: int, *, run: DeliveryRun | None = None, cause: Cause
) -> None:
    """Post an amount to the cash payments of a locked order, the first one first: into the hands of the
    courier of a locked delivery run, or without one into the till."""
    for payment in await find_cash_payments(session, order):
        part = min(amount, payment.amount - payment.captured_amount)
        if not part:
            continue
        posting = NewPosting(
            order_id=order.id,
            payment_id=payment.id,
            kind=PostingKind.CASH_COLLECTED,
            amount=order.money(part),
            key=f"taken:{payment.reference}:{payment.captured_amount}",
            debit=None if run else LedgerAccount.TILL,
        )
        if run is None:
            await write_postings(session, [posting], now=cause.now)
        else:
            await move_cash(session, run, posting, now=cause.now)
        payment.captured_amount += part
        amount -= part
        if payment.captured_amount == payment.amount:
            move(payment, PaymentStatus.CAPTURED, TRANSITIONS)
            payment.captured_at = cause.now
    await refresh_payment_status(session, order)
