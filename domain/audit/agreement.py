"""What rules have decided against what they may, and the tasks of managers against their tickets."""

from sqlalchemy import String, cast, func, literal, or_

from domain.audit.comparison import select_rows
from models import AgreementRule, RuleDecision, Ticket, TicketStatus
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
