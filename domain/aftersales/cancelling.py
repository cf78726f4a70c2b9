"""Cancelling part of an order before it is packed: at once, without a ticket, exact to the cent."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.claim_facts import load_claim_facts
from domain.aftersales.reasons import ClaimStage
from domain.aftersales.rules import (
    ClaimCase,
    ClaimedUnits,
    TicketClaim,
    find_units_obstacles,
    leaves_nothing_to_send,
)
from domain.aftersales.uncollectable import settle_claimed_order
from domain.aftersales.withdrawal import RefundTerms, withdraw_lines
from domain.cause import Cause
from domain.errors import WrongState, collect_refusals
from domain.idempotency import is_repeated
from domain.order import cancel_order, lock_order, required_reason
from domain.order.waiting_edit import drop_waiting_edit
from domain.store_credit import check_refund_target
from models import Order, OrderStatus, RefundTarget, TicketReason, TicketType

COMMAND = "order_lines_cancel"
CANCELLABLE = frozenset({OrderStatus.PENDING, OrderStatus.CONFIRMED})


async def cancel_lines(
    session: AsyncSession,
    order_id: int,
    lines: Sequence[ClaimedUnits],
    *,
    reason: str,
    refund_to: RefundTarget = RefundTarget.ORIGINAL,
    key: str | None = None,
    receipt_after: timedelta,
    cause: Cause,
) -> Order:
    """Cancel units of an order that are not packed yet; cancelling all that is left cancels the order.

    With a repeated idempotency key they were cancelled before.
    """
    content = [[asdict(units) for units in lines], reason, refund_to]
    terms = RefundTerms(reason, target=refund_to)
    with collect_refusals() as check:
        with check:
            if await is_repeated(
                session, command=COMMAND, key=key, content=content, about_id=order_id, cause=cause
            ):
                return await session.get_one(Order, order_id)
        # Where the key is refused, what is done here is rolled back: it finds what else is.
        order = await withdraw_or_cancel(
            session, order_id, lines, terms=terms, receipt_after=receipt_after, cause=cause
        )
    return order


async def cancel_lines_of_delivery(
    session: AsyncSession,
    order_id: int,
    delivery_id: int,
    lines: Sequence[ClaimedUnits],
    *,
    reason: str,
    receipt_after: timedelta,
    cause: Cause,
) -> Order:
    """As `cancel_lines`, but only units that this delivery brings."""
    return await withdraw_or_cancel(
        session,
        order_id,
        lines,
        terms=RefundTerms(reason),
        delivery_id=delivery_id,
        receipt_after=receipt_after,
        cause=cause,
    )


async def withdraw_or_cancel(
    session: AsyncSession,
    order_id: int,
    lines: Sequence[ClaimedUnits],
    *,
    terms: RefundTerms,
    delivery_id: int | None = None,
    receipt_after: timedelta,
    cause: Cause,
) -> Order:
    """Withdraw units from an order, or cancel it where nothing is left of it then."""
    order = await lock_order(session, order_id)
    claim = TicketClaim(TicketType.REFUND_ONLY, TicketReason.NO_REASON, tuple(lines))
    with collect_refusals() as check:
        reason = check.value(required_reason, "", terms.reason)
        with check:
            await check_refund_target(session, order, terms.target)
        with check:
            await drop_waiting_edit(session, order, cause=cause)
            case = (await load_claim_facts(session, order, claim)).case
            if order.status not in CANCELLABLE:
                raise WrongState("This order is {status}.", status=order.status, field=("id",))
            check_cancellable(case)
    terms = replace(terms, reason=reason)
    if leaves_nothing_to_send(claim.lines, case.units):
        return await cancel_order(session, order_id, refund_to=terms.target, reason=terms.reason, cause=cause)
    await withdraw_lines(
        session,
        case,
        terms=terms,
        delivery_id=delivery_id,
        receipt_after=receipt_after,
        cause=cause,
    )
    await settle_claimed_order(session, order, cause=cause.automatic)
    return order


def check_cancellable(case: ClaimCase) -> None:
    """Refuse units that are packed or claimed by a ticket; cancelling all of them is allowed."""
    too_many = any(
        claimed.quantity > case.units[claimed.order_line_id].left(ClaimStage.WAITING)
        for claimed in case.claim.lines
    )
    if too_many:
        with collect_refusals() as check:
            check.add(*find_units_obstacles(case))
