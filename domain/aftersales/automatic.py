"""What the shop decides about tickets without anybody: by a rule, or that people have to."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.agreement import Judgement, judge_ticket, save_decision
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.priority import rank_ticket
from domain.aftersales.return_parcel import is_under_way
from domain.aftersales.settlement import grant_ticket, record_unavailable
from domain.aftersales.states import STATUS_WHEN_ACCEPTED, STATUS_WHEN_AGREED, enter_status
from domain.aftersales.ticket import lock_any_ticket
from domain.aftersales.uncollectable import settle_claimed_order
from domain.aftersales.withdrawal import AlreadyPacked
from domain.cause import Cause
from domain.events import (
    TicketAgreed,
    TicketOpened,
    TicketOverdue,
    TicketReapplied,
    TicketRefused,
    TicketReturnAccepted,
)
from domain.outbox import record
from models import (
    AgreementMoment,
    AgreementRule,
    AgreementStep,
    Event,
    Order,
    RuleObstacle,
    Subject,
    Ticket,
    TicketStatus,
    TicketType,
)


async def agree_when_opened(
    session: AsyncSession, ticket_id: int, deadlines: Deadlines, *, cause: Cause
) -> None:
    """Agree to a ticket that was just opened where a rule does; nothing when the staff have acted since, and
    where it is about no order."""
    order, ticket = await lock_any_ticket(session, ticket_id)
    if order is None:
        return
    if ticket.status is not TicketStatus.APPLIED or await have_staff_acted(session, ticket):
        return
    judgement = await judge_ticket(
        session, ticket, order, AgreementMoment.OPENED, zone=deadlines.zone, cause=cause
    )
    if judgement.rule is not None:
        await agree_by_rule(session, ticket, order, judgement, judgement.rule, deadlines, cause=cause)


async def have_staff_acted(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether anybody but the customer has done something with a ticket since it was opened.

    Who says more, or chooses where the money goes, still waits for an answer.
    """
    if ticket.version <= 1:
        return False
    by_staff = Event.actor_id.is_not(None) & (Event.actor_id != ticket.account_id)
    answered = Event.name.in_([TicketRefused.name, TicketReapplied.name])
    found = await session.scalar(
        select(Event.id)
        .where(
            Event.subject == Subject.TICKET,
            Event.subject_id == ticket.id,
            Event.name != TicketOpened.name,
            by_staff | answered,
        )
        .limit(1)
    )
    return found is not None


async def agree_unanswered(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, cause: Cause
) -> None:
    """Agree for the shop where a rule does; otherwise only people can decide."""
    judgement = await judge_ticket(
        session, ticket, order, AgreementMoment.SILENCE, zone=deadlines.zone, cause=cause
    )
    if judgement.rule is None:
        leave_to_people(session, ticket, judgement.obstacle, deadlines, cause=cause)
        return
    await agree_by_rule(session, ticket, order, judgement, judgement.rule, deadlines, cause=cause)


async def accept_uninspected(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, cause: Cause
) -> None:
    """Accept what was sent back and nobody has inspected where a rule does; otherwise people must look, as at
    what is to be repaired.

    No rule accepts what is followed and has not reached the warehouse.
    """
    if ticket.type is TicketType.REPAIR:
        leave_to_people(session, ticket, RuleObstacle.NO_RULE, deadlines, cause=cause)
        return
    if await is_under_way(session, ticket):
        leave_to_people(session, ticket, RuleObstacle.AGAINST_TRACKING, deadlines, cause=cause)
        return
    judgement = await judge_ticket(
        session, ticket, order, AgreementMoment.SILENCE, zone=deadlines.zone, cause=cause
    )
    if judgement.rule is None:
        leave_to_people(session, ticket, judgement.obstacle, deadlines, cause=cause)
        return
    rule, step = judgement.rule, AgreementStep.RETURN_ACCEPTED
    save_decision(session, ticket, step, judgement, rule, zone=deadlines.zone, cause=cause)
    # Nobody has inspected the goods, so the stock does not change until the warehouse books them in.
    ticket.uninspected_at = cause.now
    status = STATUS_WHEN_ACCEPTED[ticket.type]
    await grant_ticket(session, ticket, order, status, deadlines, cause=cause.automatic)
    record(session, TicketReturnAccepted(ticket, unseen=True, rule_id=rule.id), cause)
    record_unavailable(session, ticket, cause=cause)


async def agree_by_rule(
    session: AsyncSession,
    ticket: Ticket,
    order: Order,
    judgement: Judgement,
    rule: AgreementRule,
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    """Grant a locked ticket as a rule says; what was packed meanwhile is refused, as staff would."""
    unanswered = rule.moment is AgreementMoment.SILENCE
    try:
        async with session.begin_nested():
            step, zone = AgreementStep.AGREED, deadlines.zone
            save_decision(session, ticket, step, judgement, rule, zone=zone, cause=cause)
            to = STATUS_WHEN_AGREED[ticket.type]
            await grant_ticket(session, ticket, order, to, deadlines, cause=cause.automatic)
    except AlreadyPacked as refusal:
        await session.refresh(ticket)
        enter_status(ticket, TicketStatus.REFUSED, deadlines, now=cause.now)
        ticket.refusal = str(refusal)
        record(session, TicketRefused(ticket, reason=ticket.refusal), cause)
        await settle_claimed_order(session, order, cause=cause.automatic)
    else:
        record(session, TicketAgreed(ticket, unanswered=unanswered, rule_id=rule.id), cause)
        record_unavailable(session, ticket, cause=cause)


async def leave_unrepaired(
    session: AsyncSession, ticket: Ticket, order: Order, deadlines: Deadlines, cause: Cause
) -> None:
    """Only people can repair what was sent in."""
    leave_to_people(session, ticket, None, deadlines, cause=cause)


def leave_to_people(
    session: AsyncSession,
    ticket: Ticket,
    obstacle: RuleObstacle | None,
    deadlines: Deadlines,
    *,
    cause: Cause,
) -> None:
    """Make an unanswered ticket a task of the managers, which comes again until somebody acts."""
    ticket.due_at = cause.now + deadlines.answer
    ticket.overdue_since = ticket.overdue_since or cause.now
    ticket.overdue_obstacle = obstacle
    rank_ticket(ticket, deadlines, now=cause.now)
    record(session, TicketOverdue(ticket, obstacle=obstacle), cause)
