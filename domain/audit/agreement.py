"""What rules have decided against what they may, and the tasks of managers against their tickets."""

from sqlalchemy import BigInteger, String, and_, case, cast, func, literal, or_, select
from sqlalchemy.orm import aliased

from domain.audit.comparison import select_rows
from models import AgreementRule, CurrencyCode, RuleDecision, Ticket, TicketStatus
from models.sql.types import AnySelect

UNANSWERED = (TicketStatus.APPLIED, TicketStatus.RETURN_SHIPPED)
"""What the shop has to answer or to inspect."""


def find_excessive_days() -> AnySelect:
    """Rules that have given more in a day, in one currency, than they were allowed when they decided."""
    given = func.sum(RuleDecision.amount)
    allowed = func.max(RuleDecision.daily_amount)
    row = RuleDecision.code + literal(" ") + cast(RuleDecision.day, String)
    return (
        select_rows(row, expected=allowed, found=given)
        .group_by(RuleDecision.code, RuleDecision.day, RuleDecision.currency)
        .having(given > allowed)
    )


def find_crowded_days() -> AnySelect:
    """Rules that have agreed to more tickets in a day than they were allowed when they decided."""
    decided, allowed = func.count(), func.max(RuleDecision.daily_tickets)
    row = RuleDecision.code + literal(" ") + cast(RuleDecision.day, String)
    return (
        select_rows(row, expected=allowed, found=decided)
        .group_by(RuleDecision.code, RuleDecision.day)
        .having(decided > allowed)
    )


def find_wrong_decisions() -> AnySelect:
    """Decisions that name another rule than that of their version, or one that had ended."""
    wrong = or_(RuleDecision.code != AgreementRule.code, AgreementRule.active.is_(False))
    return (
        select_rows(Ticket.number, expected=literal("an active version"), found=RuleDecision.code)
        .join_from(RuleDecision, AgreementRule, AgreementRule.id == RuleDecision.rule_id)
        .join(Ticket, Ticket.id == RuleDecision.ticket_id)
        .where(wrong)
    )


def find_split_orders() -> AnySelect:
    """Tickets by which a rule has given more for one order than the version that decided gives for a ticket.

    Of the other tickets counts what versions up to that one had given by then: later ones may give more.
    """
    deciding, other = aliased(RuleDecision), aliased(Ticket)
    # What each other ticket of the order had been given; a row without one stands for the ticket alone.
    before = (
        select(deciding.ticket_id, deciding.step, func.max(RuleDecision.amount).label("amount"))
        .select_from(deciding)
        .join(Ticket, Ticket.id == deciding.ticket_id)
        .join(other, and_(other.order_id == Ticket.order_id, other.id != Ticket.id))
        .join(
            RuleDecision,
            and_(
                RuleDecision.ticket_id == other.id,
                RuleDecision.code == deciding.code,
                RuleDecision.rule_id <= deciding.rule_id,
                RuleDecision.decided_at <= deciding.decided_at,
            ),
        )
        .group_by(deciding.ticket_id, deciding.step, other.id)
        .subquery()
    )
    given = RuleDecision.amount + func.coalesce(func.sum(before.c.amount), 0)
    limits = {
        currency.value: cast(AgreementRule.amounts[currency.value].as_string(), BigInteger)
        for currency in CurrencyCode
    }
    allowed = case(limits, value=RuleDecision.currency)
    return (
        select_rows(Ticket.number, expected=func.max(allowed), found=given)
        .join_from(RuleDecision, AgreementRule, AgreementRule.id == RuleDecision.rule_id)
        .join(Ticket, Ticket.id == RuleDecision.ticket_id)
        .outerjoin(
            before,
            and_(before.c.ticket_id == RuleDecision.ticket_id, before.c.step == RuleDecision.step),
        )
        .group_by(RuleDecision.ticket_id, RuleDecision.step, RuleDecision.amount, Ticket.number)
        .having(given > func.max(allowed))
    )


def find_useless_overdue_marks() -> AnySelect:
    """Tickets that are overdue though the shop has answered them."""
    status = cast(Ticket.status, String)
    return select_rows(Ticket.number, expected=literal("nothing overdue"), found=status).where(
        Ticket.overdue_since.is_not(None), Ticket.status.not_in(UNANSWERED)
    )


def find_forgotten_deadlines() -> AnySelect:
    """Tickets that the shop has to answer or to inspect, and of which nothing falls due."""
    return select_rows(Ticket.number, expected=literal("a deadline"), found=literal("none")).where(
        Ticket.due_at.is_(None), Ticket.status.in_(UNANSWERED)
    )
