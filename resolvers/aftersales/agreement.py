"""The rules by which the shop agrees by itself, and what they have decided about tickets."""

from collections.abc import Sequence

from domain.aftersales.agreement import save_agreement_rule
from loaders.aftersales import load_agreement_rules
from models import AgreementRule, CurrencyCode, Money, RuleDecision, RuleObstacle, Ticket
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.inputs.agreement import AgreementRuleSaveInput


async def agreement_rules(info: Info, history: bool = False) -> Sequence[AgreementRule]:
    """The rules by which the shop agrees to tickets by itself, as they are now.

    history: whether earlier versions are shown, too; the newest 500
    """
    return await load_agreement_rules(info.context.shop.database.reads, history=history)


async def agreement_rule_save(info: Info, input: AgreementRuleSaveInput) -> AgreementRule:
    """Adds a version of a rule by which the shop agrees by itself. Earlier versions never change."""
    draft = input.draft()
    async with info.context.transaction() as session:
        return await save_agreement_rule(session, draft, version=input.version, cause=info.context.cause)


def amounts(root: AgreementRule) -> list[Money]:
    """The most its tickets of one order are worth together, by currency; in others there is no such limit."""
    return as_money(root.amounts)


def daily_amounts(root: AgreementRule) -> list[Money]:
    """What it gives in one day of the shop, by currency; in others it gives nothing."""
    return as_money(root.daily_amounts)


def as_money(minor: dict[str, int]) -> list[Money]:
    return [Money(amount, CurrencyCode(code)) for code, amount in sorted(minor.items())]


async def rule_decisions(tickets: Sequence[Ticket], info: Info) -> Sequence[Sequence[RuleDecision]]:
    """What rules have decided about it, the first first; none for customers."""
    if not info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        return [()] * len(tickets)
    return await info.context.load.ticket_rule_decisions.load_many([ticket.id for ticket in tickets])


def overdue_obstacle(root: Ticket, info: Info) -> RuleObstacle | None:
    """Why no rule may agree to it; null while it is not overdue, and for customers."""
    return root.overdue_obstacle if info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL) else None


def worth(root: RuleDecision) -> Money:
    """What the ticket is worth: its refund, or what its goods cost where that is more."""
    return root.money(root.amount)
