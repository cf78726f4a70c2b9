"""Questions about no order: asked by customers themselves, and written down by the staff for them."""

from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.account.access import lock_account
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.priority import weigh_ticket
from domain.aftersales.requests import claim_event, clean_description
from domain.aftersales.states import FINAL
from domain.aftersales.ticket import check_ticket_media, save_ticket_media
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, collect_refusals
from domain.events import TicketOpened
from domain.outbox import record
from models import CurrencyCode, RefundTarget, Ticket, TicketChannel, TicketReason, TicketStatus, TicketType

COMMAND = "questionAsk"

OPEN_LIMIT = 100
"""Open questions of one customer about no order, whoever has asked them."""

PERIOD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuestionRequest:
    """What a customer wants to know, and how they have asked."""

    account_id: int
    description: str
    media_ids: tuple[int, ...] = ()
    channel: TicketChannel = TicketChannel.ONLINE


@dataclass(frozen=True, slots=True)
class QuestionTerms:
    """The currency of a ticket that is about no money, and how much customers ask by themselves."""

    currency: CurrencyCode
    open_limit: int
    daily_limit: int


async def ask_question(
    session: AsyncSession,
    request: QuestionRequest,
    terms: QuestionTerms,
    deadlines: Deadlines,
    *,
    number: str,
    key: str,
    cause: Cause,
) -> Ticket:
    """Open a question about no order; a repeated idempotency key finds the one it opened."""
    with collect_refusals() as check:
        with check:
            known = await idempotency.claim_key(
                session,
                account_id=cause.person,
                command=COMMAND,
                key=key,
                content=asdict(request),
                now=cause.now,
            )
            if known is not None:
                return await session.get_one(Ticket, known)
        await lock_customer(session, request.account_id)
        if request.channel is TicketChannel.ONLINE and cause.by != request.account_id:
            # it would count as one that the customer has asked
            check.add(Invalid("Customers ask online by themselves.", field=("channel",)))
        with check:
            await check_question_limits(session, request.account_id, terms, cause=cause)
        description = check.value(clean_description, "", request.description)
        with check:
            await check_ticket_media(session, request.media_ids, account_id=request.account_id)
    ticket = Ticket(
        number=number,
        account_id=request.account_id,
        type=TicketType.QUESTION,
        reason=TicketReason.QUESTION,
        channel=request.channel,
        status=TicketStatus.APPLIED,
        description=description,
        currency=terms.currency,
        refund_amount=0,
        refund_target=RefundTarget.ORIGINAL,
        version=0,
        opened_at=cause.now,
        due_at=deadlines.due_at(TicketStatus.APPLIED, cause.now),
    )
    session.add(ticket)
    await session.flush()
    await save_ticket_media(session, ticket, request.media_ids)
    await weigh_ticket(session, ticket, description, deadlines, now=cause.now)
    record(session, claim_event(TicketOpened, ticket), cause)
    await idempotency.save_result(
        session, account_id=cause.person, command=COMMAND, key=key, result_id=ticket.id
    )
    return ticket


async def lock_customer(session: AsyncSession, account_id: int) -> None:
    """Lock the account of a customer, so that what they ask at the same time is counted one after the other;
    NotFound once it is disabled."""
    account = await lock_account(session, account_id)
    if account.disabled_at is not None:
        raise NotFound("account", field=("customer_id",))


async def check_question_limits(
    session: AsyncSession, account_id: int, terms: QuestionTerms, *, cause: Cause
) -> None:
    """Refuse a question beyond those that may be open; of what customers ask themselves also each day's."""
    by_customer = cause.by == account_id
    is_open = Ticket.status.not_in(FINAL)
    is_recent = (Ticket.opened_at > cause.now - PERIOD) & (Ticket.channel == TicketChannel.ONLINE)
    waiting, recent = (
        await session.execute(
            select(func.count().filter(is_open), func.count().filter(is_recent)).where(
                Ticket.account_id == account_id, Ticket.order_id.is_(None)
            )
        )
    ).one()
    open_limit = min(terms.open_limit, OPEN_LIMIT) if by_customer else OPEN_LIMIT
    if waiting >= open_limit:
        raise LimitReached("At most {limit} questions about no order are open at once.", limit=open_limit)
    if by_customer and recent >= terms.daily_limit:
        raise LimitReached(
            "At most {limit} questions about no order are asked in a day.", limit=terms.daily_limit
        )
