"""What customers do with tickets: open, apply again, cancel, escalate."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.priority import weigh_ticket
from domain.aftersales.quote import TicketQuote, quote_claim
from domain.aftersales.reasons import ClaimStage, stage_of
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.aftersales.sending_back import keep_unsent
from domain.aftersales.states import FINAL, enter_status
from domain.aftersales.substitute import SubstituteVariant
from domain.aftersales.texts import DESCRIPTION_LIMIT, clean_text
from domain.aftersales.ticket import (
    check_ticket_limit,
    check_ticket_media,
    claim_of,
    has_picture,
    lock_any_ticket,
    lock_ticket,
    save_ticket_lines,
    save_ticket_media,
)
from domain.aftersales.uncollectable import settle_claimed_order
from domain.cause import Cause
from domain.errors import Invalid, WrongState, collect_refusals
from domain.events import (
    EventLine,
    TicketCancelled,
    TicketClaimEvent,
    TicketEscalated,
    TicketOpened,
    TicketReapplied,
    TicketRefundTargetChosen,
)
from domain.money import apportion
from domain.order import lock_order, reopen_order
from domain.outbox import record
from domain.payment import find_captured_payments
from domain.payment.bonus import NO_BONUS, BonusTerms, earns_bonus, forget_bonus, promise_bonus
from domain.store_credit import check_refund_target
from models import (
    Order,
    Refund,
    RefundTarget,
    Ticket,
    TicketChannel,
    TicketReason,
    TicketStatus,
    TicketType,
)

COMMAND = "ticketOpen"


@dataclass(frozen=True, slots=True)
class TicketRequest:
    """A claim, and how the customer explains and proves it."""

    claim: TicketClaim
    description: str
    media_ids: tuple[int, ...] = ()
    channel: TicketChannel = TicketChannel.ONLINE


@dataclass(frozen=True, slots=True)
class TicketRequestChange:
    """What a refused request is changed to; None stays as it was."""

    description: str
    reason: TicketReason | None = None
    lines: tuple[ClaimedUnits, ...] | None = None
    media_ids: tuple[int, ...] | None = None


async def open_ticket(
    session: AsyncSession,
    order_id: int,
    request: TicketRequest,
    deadlines: Deadlines,
    *,
    number: str,
    key: str,
    cause: Cause,
) -> Ticket:
    """Open a ticket; a repeated idempotency key finds the ticket it opened."""
    content = {"order_id": order_id} | asdict(request)
    if request.channel is TicketChannel.ONLINE:
        del content["channel"]  # keys that the last release has seen find their tickets
    for line in content["claim"]["lines"]:
        if line["variant_id"] is None:
            del line["variant_id"]  # likewise
    quote: TicketQuote | None = None
    with collect_refusals() as check:
        with check:
            known = await idempotency.claim_key(
                session, account_id=cause.person, command=COMMAND, key=key, content=content, now=cause.now
            )
            if known is not None:
                return await session.get_one(Ticket, known)
        order = await lock_order(session, order_id)
        with check:
            await check_ticket_limit(session, order)
        with check:
            quote = await quote_eligible_claim(session, order, request.claim, deadlines, asked_at=cause.now)
        description = check.value(clean_description, "", request.description)
        with check:
            await check_ticket_media(session, request.media_ids, account_id=order.account_id)
        with check:
            if quote is not None:  # of a claim that is refused nothing more is asked
                shown = bool(request.media_ids) or request.channel is not TicketChannel.ONLINE
                require_picture(quote, shown)
    assert quote is not None  # noqa: S101 - else it was refused
    ticket = Ticket(
        number=number,
        order_id=order.id,
        account_id=order.account_id,
        type=request.claim.type,
        reason=request.claim.reason,
        channel=request.channel,
        status=TicketStatus.APPLIED,
        description=description,
        currency=order.currency,
        refund_amount=quote.refund.minor,
        refund_target=RefundTarget.ORIGINAL,
        version=0,
        opened_at=cause.now,
        due_at=deadlines.due_at(TicketStatus.APPLIED, cause.now),
    )
    session.add(ticket)
    if ticket.type is not TicketType.QUESTION:
        await reopen_order(session, order, cause=cause)
    await session.flush()
    await save_ticket_lines(session, ticket, quote)
    await save_ticket_media(session, ticket, request.media_ids)
    await weigh_ticket(session, ticket, description, deadlines, now=cause.now)
    record(session, claim_event(TicketOpened, ticket, quote), cause)
    await idempotency.save_result(
        session, account_id=cause.person, command=COMMAND, key=key, result_id=ticket.id
    )
    return ticket


async def choose_refund_target(
    session: AsyncSession,
    ticket_id: int,
    target: RefundTarget,
    *,
    terms: BonusTerms = NO_BONUS,
    cause: Cause,
) -> Ticket:
    """Choose where the refund of a ticket goes, as long as it has not been requested.

    Of store credit the terms of the bonus are fixed then, and stay until something else is chosen; where
    there were none, choosing it again fixes those of now.
    """
    order, ticket = await lock_ticket(session, ticket_id)
    requested = await session.scalar(select(Refund.id).where(Refund.ticket_id == ticket_id).limit(1))
    if ticket.status in FINAL or requested is not None or ticket.type is TicketType.QUESTION:
        raise WrongState(
            "This ticket is {status}; there is nothing to choose.", status=ticket.status, field=("id",)
        )
    await check_refund_target(session, order, target)
    if target is not ticket.refund_target or not ticket.bonus_basis_points:
        ticket.refund_target = target
        await fix_bonus(session, ticket, order, terms)
    record(session, TicketRefundTargetChosen(ticket, target=target), cause)
    return ticket


async def fix_bonus(session: AsyncSession, ticket: Ticket, order: Order, terms: BonusTerms) -> None:
    """Promise a locked ticket what the shop adds now where its refund goes; nothing where that is back."""
    forget_bonus(ticket)
    cap = terms.cap_of(ticket.currency)
    waits = stage_of(ticket.type, ticket.reason) is ClaimStage.WAITING
    if ticket.refund_target is not RefundTarget.STORE_CREDIT or not cap or waits:
        return
    ticket.bonus_basis_points, ticket.bonus_cap_amount = terms.basis_points, cap
    payments = await find_captured_payments(session, order)
    left = [payment.refundable_amount for payment in payments]
    shares = apportion(min(ticket.refund_amount, sum(left)), left)
    pairs = zip(payments, shares, strict=True)
    await promise_bonus(session, ticket, sum(share for payment, share in pairs if earns_bonus(payment)))


async def reapply_ticket(
    session: AsyncSession,
    ticket_id: int,
    change: TicketRequestChange,
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> Ticket:
    """Apply again after a refusal; it is in time if the first application was."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status is not TicketStatus.REFUSED:
        raise WrongState("This ticket is {status}; it was not refused.", status=ticket.status, field=("id",))
    enter_status(ticket, TicketStatus.APPLIED, deadlines, now=cause.now)
    before = await claim_of(session, ticket)
    claim = TicketClaim(ticket.type, change.reason or ticket.reason, change.lines or before.lines)
    with collect_refusals() as check:
        with check:
            quote = await quote_eligible_claim(
                session, order, claim, deadlines, asked_at=ticket.opened_at, ticket_id=ticket.id
            )
        ticket.description = check.value(clean_description, "", change.description)
        with check:
            await check_ticket_media(session, change.media_ids or (), account_id=ticket.account_id)
    ticket.reason, ticket.refusal = claim.reason, None
    await save_ticket_lines(session, ticket, quote)
    if change.media_ids is not None:
        await save_ticket_media(session, ticket, change.media_ids)
    require_picture(quote, await has_picture(session, ticket) or ticket.channel is not TicketChannel.ONLINE)
    await weigh_ticket(session, ticket, ticket.description, deadlines, now=cause.now)
    record(session, claim_event(TicketReapplied, ticket, quote), cause)
    await reopen_order(session, order, cause=cause)
    return ticket


async def cancel_ticket(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> Ticket:
    """Cancel a ticket while nothing has been settled."""
    order, ticket = await lock_any_ticket(session, ticket_id)
    enter_status(ticket, TicketStatus.CANCELLED, deadlines, now=cause.now)
    record(session, TicketCancelled(ticket), cause)
    if order is not None:
        await settle_claimed_order(session, order, cause=cause.automatic)
    return ticket


async def escalate_ticket(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> Ticket:
    """Ask for a manager's decision after a refusal, as long as no other ticket is about the same units."""
    order, ticket = await lock_ticket(session, ticket_id)
    if ticket.status not in {TicketStatus.REFUSED, TicketStatus.RETURN_REFUSED}:
        raise WrongState("This ticket is {status}; it was not refused.", status=ticket.status, field=("id",))
    enter_status(ticket, TicketStatus.ARBITRATION, deadlines, now=cause.now)
    claim = await claim_of(session, ticket)
    quote = await quote_eligible_claim(
        session, order, claim, deadlines, asked_at=ticket.opened_at, ticket_id=ticket.id
    )
    await save_ticket_lines(session, ticket, quote)
    await keep_unsent(session, ticket)
    await weigh_ticket(session, ticket, ticket.description, deadlines, now=cause.now)
    record(session, TicketEscalated(ticket), cause)
    await reopen_order(session, order, cause=cause)
    return ticket


def clean_description(text: str) -> str:
    return clean_text(text, limit=DESCRIPTION_LIMIT, field="description")


async def quote_eligible_claim(
    session: AsyncSession,
    order: Order,
    claim: TicketClaim,
    deadlines: Deadlines,
    *,
    asked_at: datetime,
    ticket_id: int | None = None,
    kept: Mapping[int, SubstituteVariant] | None = None,
) -> TicketQuote:
    """The quote of a claim; NotEligible when it cannot be granted."""
    quote = await quote_claim(
        session, order, claim, deadlines, asked_at=asked_at, ticket_id=ticket_id, kept=kept
    )
    with collect_refusals() as check:
        check.add(*quote.obstacles)
    return quote


def require_picture(quote: TicketQuote, is_shown: bool) -> None:
    """Refuse a claim without the picture it needs; who calls or writes to the staff has told them."""
    if quote.needs_picture and not is_shown:
        raise Invalid("Attach a picture that shows it.", field=("media_ids",))


def claim_event(
    event_type: type[TicketClaimEvent], ticket: Ticket, quote: TicketQuote | None = None
) -> TicketClaimEvent:
    return event_type(
        ticket,
        number=ticket.number,
        type=ticket.type,
        reason=ticket.reason,
        currency=ticket.currency,
        refund_amount=ticket.refund_amount,
        lines=[EventLine(line.line.id, line.quantity) for line in quote.lines] if quote else [],
    )
