"""Disputes: a provider takes money back to which its customer objects, until it is decided."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cause import Cause
from domain.events import DisputeOpened, DisputeSettled, RefundAbnormal
from domain.ledger import NewPosting, write_postings
from domain.order import hold_disputed_order, release_disputed_order
from domain.outbox import record
from domain.payment.bonus import withdraw_bonus
from domain.payment.fees import ProviderFee, dispute_fee_reference, post_fees
from domain.payment.lifecycle import lock_payment
from domain.payment.provider_reports import PaymentMismatch
from domain.payment.refund import create_refunds, record_refund_request, settle_refund
from domain.payment.refund_approval import end_waiting_by_dispute, is_owed
from domain.payment.refund_parts import PAID_BY_DISPUTE, split_given_part, sum_given_again
from domain.payment.refund_reports import end_abnormally
from domain.state import move, transition_table
from domain.store_credit import revoke_bonus
from models import (
    Dispute,
    DisputeReport,
    DisputeStatus,
    LedgerAccount,
    LedgerEntry,
    Money,
    Order,
    Payment,
    PaymentAttempt,
    PaymentMethod,
    Posting,
    PostingKind,
    Refund,
    RefundStatus,
    RefundTarget,
)
from text.characters import clean_text
from text.messages import Message

DISPUTE_WON = Message("The dispute was decided for the shop.")

DISPUTE_TRANSITIONS = transition_table(
    DisputeStatus.OPEN,
    {
        DisputeStatus.OPEN: {DisputeStatus.WON, DisputeStatus.LOST},
        DisputeStatus.LOST: {DisputeStatus.WON},
        DisputeStatus.WON: set(),
    },
)
"""A lost one may be won on appeal; what is told late of an earlier status changes nothing."""


UNSETTLED_REFUNDS = (RefundStatus.PENDING, RefundStatus.FAILED, RefundStatus.ABNORMAL)
"""Owed, and not with the customer yet."""


@dataclass(frozen=True, slots=True)
class DisputePart:
    """A part of a dispute that is posted on its own, and the accounts that are not the usual ones."""

    name: str = ""
    debit: LedgerAccount | None = None
    credit: LedgerAccount | None = None


WHOLE = DisputePart()
PAID_BACK = DisputePart("paid back", debit=LedgerAccount.CUSTOMER)
"""What the shop owed the customer, who has it by the lost dispute."""
TAKEN_AGAIN = DisputePart("paid back", credit=LedgerAccount.CUSTOMER)
FROM_WRITE_OFF = DisputePart(credit=LedgerAccount.WRITE_OFF)


async def record_dispute(
    session: AsyncSession, method: PaymentMethod, report: DisputeReport, cause: Cause
) -> Dispute:
    """Record what a provider tells of a dispute; a repetition changes nothing, and the order lives on.

    PaymentMismatch for a payment the shop does not know, or more than was paid.
    """
    attempt = await find_disputed_attempt(session, method, report)
    if attempt is None:
        raise PaymentMismatch("unknown reference")
    order, attempted = await lock_payment(session, attempt.payment_id)
    if report.amount.currency is not attempt.currency or not 0 < report.amount.minor <= attempt.amount:
        raise PaymentMismatch("another amount")
    dispute = await find_dispute(session, method, report.reference)
    if dispute is None:
        payment = await find_paid_payment(session, attempt) or attempted
        dispute = await open_dispute(session, order, payment, attempt, report, cause=cause)
    elif dispute.attempt_id != attempt.id:
        raise PaymentMismatch("another payment")
    payment = await session.get_one(Payment, dispute.payment_id, populate_existing=True)
    await post_dispute_fee(session, dispute, report.fee, cause=cause)
    if report.status in DISPUTE_TRANSITIONS[dispute.status]:
        await settle_dispute(session, order, payment, dispute, report.status, cause=cause)
    return dispute


async def find_disputed_attempt(
    session: AsyncSession, method: PaymentMethod, report: DisputeReport
) -> PaymentAttempt | None:
    """The attempt that a provider means: by the shop's reference, or else by the provider's."""
    if report.attempt_reference is None and report.attempt_provider_reference is None:
        return None
    named = (
        PaymentAttempt.provider_reference == report.attempt_provider_reference
        if report.attempt_reference is None
        else PaymentAttempt.reference == report.attempt_reference
    )
    found: PaymentAttempt | None = await session.scalar(
        select(PaymentAttempt)
        .join(Payment, Payment.id == PaymentAttempt.payment_id)
        .where(Payment.method == method, named)
    )
    return found


async def find_paid_payment(session: AsyncSession, attempt: PaymentAttempt) -> Payment | None:
    """The payment to which most of an attempt went: another than its own where that had been paid before."""
    found: Payment | None = await session.scalar(
        select(Payment)
        .where(Payment.attempt_reference == attempt.reference)
        .order_by(Payment.captured_amount.desc(), Payment.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return found


async def find_dispute(session: AsyncSession, method: PaymentMethod, reference: str) -> Dispute | None:
    found: Dispute | None = await session.scalar(
        select(Dispute)
        .where(Dispute.method == method, Dispute.reference == reference)
        .execution_options(populate_existing=True)
    )
    return found


async def open_dispute(
    session: AsyncSession,
    order: Order,
    payment: Payment,
    attempt: PaymentAttempt,
    report: DisputeReport,
    *,
    cause: Cause,
) -> Dispute:
    """Record a new dispute of a payment of a locked order, and the money as taken back."""
    dispute = Dispute(
        order_id=order.id,
        payment_id=payment.id,
        attempt_id=attempt.id,
        method=payment.method,
        reference=report.reference,
        status=DisputeStatus.OPEN,
        currency=payment.currency,
        amount=report.amount.minor,
        fee_amount=0,
        reason=clean_text(report.reason),
        created_at=cause.now,
    )
    session.add(dispute)
    payment.disputed_amount += dispute.amount
    await session.flush()
    await post_dispute(session, dispute, PostingKind.DISPUTE_OPENED, dispute.amount, cause=cause)
    record(session, DisputeOpened(order, dispute_id=dispute.id, payment_id=payment.id), cause)
    await hold_disputed_order(session, order, cause=cause.automatic)
    return dispute


async def settle_dispute(
    session: AsyncSession,
    order: Order,
    payment: Payment,
    dispute: Dispute,
    status: DisputeStatus,
    *,
    cause: Cause,
) -> None:
    """End a dispute: won, the shop has the money again; lost, it is written off."""
    was_lost = dispute.status is DisputeStatus.LOST
    move(dispute, status, DISPUTE_TRANSITIONS)
    dispute.settled_at = cause.now
    if status is DisputeStatus.LOST:
        await write_off_dispute(session, order, payment, dispute, cause=cause)
    else:
        await return_dispute(session, order, dispute, was_lost=was_lost, cause=cause)
        payment.disputed_amount -= dispute.amount
        await refund_what_is_owed(session, order, payment, cause=cause)
    record(session, DisputeSettled(order, dispute_id=dispute.id, payment_id=payment.id), cause)
    if status is DisputeStatus.WON:
        await release_disputed_order(session, order, cause=cause.automatic)


async def write_off_dispute(
    session: AsyncSession, order: Order, payment: Payment, dispute: Dispute, *, cause: Cause
) -> None:
    """Post a lost dispute: it pays what the customer is owed or refunded, the rest is a loss."""
    refunded = await settle_refunds_by_dispute(session, order, payment, dispute, cause=cause)
    rest = dispute.amount - refunded
    paid_back = min(rest, await owed_to_customer(session, order))
    await post_dispute(session, dispute, PostingKind.DISPUTE_LOST, paid_back, PAID_BACK, cause=cause)
    await post_dispute(session, dispute, PostingKind.DISPUTE_LOST, rest - paid_back, cause=cause)
    doubled = await sum_given_again(session, payment)
    await revoke_bonuses(session, order, payment, doubled, cause=cause)


async def revoke_bonuses(
    session: AsyncSession, order: Order, payment: Payment, doubled: int, *, cause: Cause
) -> None:
    """Take back the bonuses of refunds into store credit whose money lost disputes have given again.

    doubled: minor units that the customer of a locked order has both ways, by all disputes of the payment
    """
    rows = await session.scalars(
        select(Refund).where(Refund.payment_id == payment.id).order_by(Refund.id.desc())
    )
    refunds = rows.all()
    if any(refund.status in UNSETTLED_REFUNDS for refund in refunds):
        return  # it has given a part of what they are to bring
    for refund in refunds:
        if doubled > 0 and refund.bonus_amount and refund.status is RefundStatus.SUCCEEDED:
            await revoke_bonus(session, order, refund, now=cause.now)
        doubled -= refund.amount if refund.target is RefundTarget.STORE_CREDIT else 0


async def settle_refunds_by_dispute(
    session: AsyncSession, order: Order, payment: Payment, dispute: Dispute, *, cause: Cause
) -> int:
    """Settle refunds whose money a lost dispute has given the customer; returns minor units.

    Of one of which it has given a part only the rest comes where no provider was asked for it yet; else it is
    left to the staff, who are shown how much.
    """
    beyond = payment.refunded_amount + payment.disputed_amount - payment.captured_amount
    left = min(dispute.amount, max(0, beyond))
    rows = await session.scalars(
        select(Refund)
        .where(Refund.payment_id == payment.id, Refund.status.in_((*UNSETTLED_REFUNDS, RefundStatus.WAITING)))
        .order_by(Refund.id.desc())
    )
    settled, partly = 0, None
    for refund in rows.all():
        if left <= settled:
            break
        is_waiting = refund.status is RefundStatus.WAITING
        if refund.amount > left - settled and can_be_split(order, refund):
            await split_given_part(session, order, refund, left - settled, dispute, cause=cause)
            if refund.status is RefundStatus.PENDING:
                record_refund_request(session, order, [refund], cause=cause.automatic)
            return left
        if is_waiting and not await end_waiting_by_dispute(session, order, refund, cause=cause):
            beyond -= refund.amount
            left = min(dispute.amount, max(0, beyond))
        elif refund.amount > left - settled:
            partly = partly or refund
        else:
            settled += refund.amount
            refund.target = RefundTarget.ORIGINAL
            await withdraw_bonus(session, refund)
            await settle_refund(
                session,
                refund.id,
                provider_reference=dispute.reference,
                cause=cause,
                out_of=LedgerAccount.DISPUTED,
            )
    if partly is not None and left > settled:
        await leave_to_staff(session, order, partly, dispute.money(left - settled), cause=cause)
    return settled


def can_be_split(order: Order, refund: Refund) -> bool:
    """Whether no provider was asked for a refund that is owed: it waits, or the shop itself pays it."""
    if refund.status is RefundStatus.WAITING:
        return is_owed(order, refund)
    return refund.target is RefundTarget.STORE_CREDIT


async def leave_to_staff(
    session: AsyncSession, order: Order, refund: Refund, part: Money, *, cause: Cause
) -> None:
    """Make a task of a refund of which the customer has a part by a lost dispute."""
    reason = str(Message("A lost dispute has given the customer {amount} of it.", amount=part))
    if refund.status is not RefundStatus.ABNORMAL:
        await end_abnormally(session, order, refund, reason, cause=cause)
        return
    refund.failure = reason
    abnormal = RefundAbnormal(order, refund_id=refund.id, ticket_id=refund.ticket_id, reason=reason)
    record(session, abnormal, cause)


async def return_dispute(
    session: AsyncSession, order: Order, dispute: Dispute, *, was_lost: bool, cause: Cause
) -> None:
    """Post a dispute that was won, out of the accounts in which it is."""
    kind = PostingKind.DISPUTE_WON
    if not was_lost:
        await post_dispute(session, dispute, kind, dispute.amount, cause=cause)
        return
    refunded = await return_refunds(session, order, dispute, cause=cause)
    paid_back = await paid_back_by_dispute(session, dispute)
    await post_dispute(session, dispute, kind, paid_back, TAKEN_AGAIN, cause=cause)
    rest = dispute.amount - refunded - paid_back
    await post_dispute(session, dispute, kind, rest, FROM_WRITE_OFF, cause=cause)


async def return_refunds(session: AsyncSession, order: Order, dispute: Dispute, *, cause: Cause) -> int:
    """Leave the refunds that a lost dispute had settled to the staff; returns minor units."""
    rows = await session.scalars(
        select(Refund)
        .where(Refund.payment_id == dispute.payment_id, Refund.provider_reference == dispute.reference)
        .where(PAID_BY_DISPUTE)
        .order_by(Refund.id)
    )
    refunds = rows.all()
    for refund in refunds:
        await end_abnormally(session, order, refund, str(DISPUTE_WON), cause=cause)
    return sum(refund.amount for refund in refunds)


async def paid_back_by_dispute(session: AsyncSession, dispute: Dispute) -> int:
    """Minor units by which a lost dispute has paid back what the shop owed its customer."""
    amount = await session.scalar(
        select(func.coalesce(func.sum(LedgerEntry.amount), 0))
        .join(Posting, Posting.id == LedgerEntry.posting_id)
        .where(Posting.key == dispute_key(dispute, PostingKind.DISPUTE_LOST, PAID_BACK))
        .where(LedgerEntry.account == LedgerAccount.CUSTOMER)
    )
    return int(amount or 0)


async def owed_to_customer(session: AsyncSession, order: Order) -> int:
    """Minor units that the shop owes the customer of a locked order, and no refund is to bring."""
    balance = await session.scalar(
        select(func.coalesce(func.sum(LedgerEntry.amount), 0)).where(
            LedgerEntry.order_id == order.id, LedgerEntry.account == LedgerAccount.CUSTOMER
        )
    )
    refunds = await session.scalar(
        select(func.coalesce(func.sum(Refund.amount), 0)).where(
            Refund.order_id == order.id, Refund.status.in_(UNSETTLED_REFUNDS)
        )
    )
    return max(0, -int(balance or 0) - int(refunds or 0))


async def refund_what_is_owed(session: AsyncSession, order: Order, payment: Payment, *, cause: Cause) -> None:
    """Refund what could not go back while it was disputed, such as that of an order cancelled meanwhile."""
    amount = min(await owed_to_customer(session, order), payment.refundable_amount)
    if amount:
        parts = [(payment, amount)]
        await create_refunds(session, order, parts, reason=str(DISPUTE_WON), cause=cause.automatic)


async def post_dispute_fee(
    session: AsyncSession, dispute: Dispute, fee: Money | None, *, cause: Cause
) -> None:
    """Post what the provider charges for a dispute, once."""
    if fee is None or not fee.minor:
        return
    if fee.currency is not dispute.currency:
        raise PaymentMismatch("another currency")
    reference = dispute_fee_reference(dispute.method, dispute.reference)
    charged = ProviderFee(
        order_id=dispute.order_id, payment_id=dispute.payment_id, reference=reference, fee=fee
    )
    if await post_fees(session, [charged], now=cause.now):
        dispute.fee_amount = fee.minor


async def post_dispute(
    session: AsyncSession,
    dispute: Dispute,
    kind: PostingKind,
    amount: int,
    part: DisputePart = WHOLE,
    *,
    cause: Cause,
) -> None:
    """Post an amount of a dispute in minor units; nothing where it is zero."""
    if amount:
        posting = NewPosting(
            order_id=dispute.order_id,
            payment_id=dispute.payment_id,
            kind=kind,
            amount=dispute.money(amount),
            key=dispute_key(dispute, kind, part),
            debit=part.debit,
            credit=part.credit,
        )
        await write_postings(session, [posting], now=cause.now)


def dispute_key(dispute: Dispute, kind: PostingKind, part: DisputePart = WHOLE) -> str:
    """The key of a posting of a dispute."""
    return ":".join(filter(None, (kind.value.lower(), dispute.method.value, dispute.reference, part.name)))
