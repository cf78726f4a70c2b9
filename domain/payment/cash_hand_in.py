"""Counting the cash that couriers hand in: a count stays, a mistake is corrected by a further one."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.cause import Cause
from domain.errors import Conflict, Invalid, NotFound, WrongState
from domain.events import CashDifferenceAccepted, CashDiffers, CashHandedIn, CashOverdue
from domain.ledger import NewPosting, write_postings
from domain.order import required_reason
from domain.outbox import record
from domain.payment.approval_limit import find_limit
from domain.payment.cash_in_hand import lock_run_for_counting, move_cash, sum_by_currency
from models import (
    CashHandIn,
    DeliveryRun,
    DeliveryRunStatus,
    LedgerAccount,
    Money,
    PostingKind,
)

COUNTED_LIMIT = 10_000_000_00
"""The most that is counted at once, in minor units."""
HAND_IN = "cash_hand_in"
CORRECT = "cash_hand_in_correct"


async def hand_in_cash(
    session: AsyncSession,
    delivery_run_id: int,
    counted: Money,
    *,
    reason: str | None,
    key: str,
    cause: Cause,
) -> CashHandIn:
    """Record what somebody counted of the cash that the courier of a run has in hand in one currency.

    All of it is handed in then; what is missing or too much is booked, and a task until somebody accepts it.
    WrongState for one's own run and where nothing is in hand; Invalid for a difference without a reason.
    """
    content = [delivery_run_id, counted.minor, counted.currency, reason]
    if earlier := await find_repeated(session, HAND_IN, key, content, cause=cause):
        return earlier
    check_counted(counted)
    run = await lock_run_for_counting(
        session, delivery_run_id, counted_by=cause.person, field="delivery_run_id"
    )
    if run.status in (DeliveryRunStatus.PLANNED, DeliveryRunStatus.CANCELLED):
        raise WrongState("Nothing was collected on this run.", field=("delivery_run_id",))
    expected = Money((await sum_by_currency(session, run.id)).get(counted.currency, 0), counted.currency)
    if not expected.minor:
        raise WrongState(
            "Nothing in {currency} is in hand any more.", currency=counted.currency.value, field=("counted",)
        )
    hand_in = CashHandIn(
        delivery_run_id=run.id,
        currency=counted.currency,
        expected_amount=expected.minor,
        counted_amount=counted.minor,
        reason=check_reason(reason, is_needed=counted != expected),
        received_by=cause.by,
        received_at=cause.now,
        resolved_at=cause.now if counted == expected else None,
    )
    session.add(hand_in)
    await session.flush()
    missing = expected.minor - counted.minor
    await post_count(session, run, hand_in, PostingKind.CASH_SHORT, missing, now=cause.now)
    await post_count(session, run, hand_in, PostingKind.CASH_OVER, -missing, now=cause.now)
    await post_count(session, run, hand_in, PostingKind.CASH_HANDED_IN, counted.minor, now=cause.now)
    await record_count(session, run, hand_in, HAND_IN, key, cause=cause)
    return hand_in


async def correct_hand_in(
    session: AsyncSession, hand_in_id: int, counted: Money, *, reason: str, key: str, cause: Cause
) -> CashHandIn:
    """Replace a count that was wrong by a further one of the same cash, which may agree.

    WrongState for the cash of one's own run; Conflict where somebody has corrected it before.
    """
    content = [hand_in_id, counted.minor, counted.currency, reason]
    if earlier := await find_repeated(session, CORRECT, key, content, cause=cause):
        return earlier
    check_counted(counted)
    former, run = await lock_hand_in(session, hand_in_id, cause=cause)
    if counted.currency is not former.currency:
        raise Invalid("This cash is in {currency}.", currency=former.currency.value, field=("counted",))
    if counted == former.counted:
        raise Invalid("This is what was counted before.", field=("counted",))
    is_accepted = bool(former.difference.minor) and former.resolved_at is not None
    hand_in = CashHandIn(
        delivery_run_id=run.id,
        currency=counted.currency,
        expected_amount=former.expected_amount,
        counted_amount=counted.minor,
        reason=check_reason(reason, is_needed=True),
        corrects_id=former.id,
        received_by=cause.by,
        received_at=cause.now,
        resolved_at=cause.now if counted == former.expected else None,
    )
    session.add(hand_in)
    await session.flush()
    if is_accepted:
        await write_off_difference(session, former, -former.difference, key="reversed", now=cause.now)
    else:
        former.resolved_by, former.resolved_at = cause.by, cause.now
    more = counted.minor - former.counted_amount
    await post_count(session, run, hand_in, PostingKind.CASH_OVER, more, now=cause.now)
    await post_count(session, run, hand_in, PostingKind.CASH_HANDED_IN, more, now=cause.now)
    await post_count(session, run, hand_in, PostingKind.CASH_GIVEN_BACK, -more, now=cause.now)
    await post_count(session, run, hand_in, PostingKind.CASH_SHORT, -more, now=cause.now)
    await record_count(session, run, hand_in, CORRECT, key, cause=cause)
    return hand_in


async def accept_difference(
    session: AsyncSession, hand_in_id: int, *, reason: str, cause: Cause
) -> CashHandIn:
    """Write off what was missing, or keep what was too much, when cash was counted.

    WrongState where nothing differs any more, and for the cash of one's own run, and above the limit for
    who has counted it.
    """
    hand_in, run = await lock_hand_in(session, hand_in_id, cause=cause)
    text = required_reason(reason)
    if hand_in.resolved_at is not None:
        raise WrongState("This difference is resolved already.", field=("id",))
    limit = find_limit(session, hand_in.currency)
    if abs(hand_in.difference.minor) > limit and cause.by == hand_in.received_by:
        raise WrongState(
            "Somebody else must accept a difference of more than {limit}.",
            limit=hand_in.money(limit),
            field=("id",),
        )
    hand_in.resolved_by, hand_in.resolved_at, hand_in.resolution = cause.by, cause.now, text
    await write_off_difference(session, hand_in, hand_in.difference, key="accepted", now=cause.now)
    record(session, CashDifferenceAccepted(run, hand_in_id=hand_in.id), cause)
    return hand_in


async def mark_cash_overdue(
    session: AsyncSession, delivery_run_id: int, *, before: datetime, cause: Cause
) -> bool:
    """Remind the staff of cash that was not handed in; False where it is not due."""
    run = await session.get(DeliveryRun, delivery_run_id, with_for_update=True, populate_existing=True)
    if run is None or run.cash_held_since is None or run.cash_overdue_at is not None:
        return False
    if run.cash_held_since > before:
        return False
    run.cash_overdue_at = cause.now
    record(session, CashOverdue(run), cause)
    return True


async def lock_hand_in(
    session: AsyncSession, hand_in_id: int, *, cause: Cause
) -> tuple[CashHandIn, DeliveryRun]:
    """A count that no other one has replaced, and its run, locked."""
    hand_in = await session.get(CashHandIn, hand_in_id)
    if hand_in is None:
        raise NotFound("cash hand in", field=("id",))
    run = await lock_run_for_counting(session, hand_in.delivery_run_id, counted_by=cause.person, field="id")
    await session.refresh(hand_in)
    if await session.scalar(select(CashHandIn.id).where(CashHandIn.corrects_id == hand_in.id)) is not None:
        raise Conflict("Somebody has corrected this count meanwhile; read it again.", field=("id",))
    return hand_in, run


async def find_repeated(
    session: AsyncSession, command: str, key: str, content: object, *, cause: Cause
) -> CashHandIn | None:
    """The count that the first use of a key recorded; None when this is the first use."""
    earlier = await idempotency.claim_key(
        session, account_id=cause.person, command=command, key=key, content=content, now=cause.now
    )
    return await session.get_one(CashHandIn, earlier) if earlier is not None else None


async def record_count(
    session: AsyncSession, run: DeliveryRun, hand_in: CashHandIn, command: str, key: str, *, cause: Cause
) -> None:
    """Record a count, and the task where it differs."""
    record(session, CashHandedIn(run, hand_in_id=hand_in.id), cause)
    if hand_in.resolved_at is None:
        record(session, CashDiffers(run, hand_in_id=hand_in.id), cause)
    await session.flush()
    await idempotency.save_result(
        session, account_id=cause.person, command=command, key=key, result_id=hand_in.id
    )


async def post_count(
    session: AsyncSession,
    run: DeliveryRun,
    hand_in: CashHandIn,
    kind: PostingKind,
    amount: int,
    *,
    now: datetime,
) -> None:
    """Post a part of a count in minor units; nothing unless it is positive."""
    if amount > 0:
        posting = NewPosting(
            order_id=None,
            payment_id=None,
            kind=kind,
            amount=hand_in.money(amount),
            key=f"hand-in:{hand_in.id}:{kind.value}",
        )
        await move_cash(session, run, posting, hand_in_id=hand_in.id, now=now)


async def write_off_difference(
    session: AsyncSession, hand_in: CashHandIn, difference: Money, *, key: str, now: datetime
) -> None:
    """Book a difference out of the open ones: missing cash is a loss, too much of it makes up for one."""
    is_missing = difference.minor < 0
    posting = NewPosting(
        order_id=None,
        payment_id=None,
        kind=PostingKind.WRITTEN_OFF,
        amount=-difference if is_missing else difference,
        key=difference_key(hand_in, key),
        debit=None if is_missing else LedgerAccount.CASH_DIFFERENCES,
        credit=LedgerAccount.CASH_DIFFERENCES if is_missing else LedgerAccount.WRITE_OFF,
    )
    await write_postings(session, [posting], now=now)


def difference_key(hand_in: CashHandIn, key: str) -> str:
    """The key of a posting of a difference."""
    return f"cash difference:{hand_in.id}:{key}"


def check_counted(counted: Money) -> None:
    if not 0 <= counted.minor <= COUNTED_LIMIT:
        raise Invalid("This amount is out of bounds.", field=("counted",))


def check_reason(reason: str | None, *, is_needed: bool) -> str | None:
    """The reason without surrounding space; Invalid where it is needed and missing."""
    if not is_needed and not (reason or "").strip():
        return None
    return required_reason(reason or "")
