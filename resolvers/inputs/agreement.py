"""Inputs of the rules by which the shop agrees by itself."""

from collections.abc import Sequence

import strawberry

from domain.aftersales.agreement import AgreementRuleDraft
from domain.errors import Invalid, collect_refusals
from models import AgreementMoment, CurrencyCode, TicketReason, TicketType
from resolvers.descriptions import input_type
from resolvers.inputs.money import MoneyInput


@input_type
class AgreementRuleSaveInput:
    """What `agreementRuleSave` needs."""

    code: str
    """What the rule is known by: a to z, digits and dashes."""
    title: str
    """What the staff read, in up to 200 characters."""
    moment: AgreementMoment
    """When it looks at a ticket."""
    types: list[TicketType]
    """The types of ticket it agrees to."""
    reasons: list[TicketReason]
    """For these reasons."""
    daily_amounts: list[MoneyInput]
    """What it gives in one day of the shop, once for each currency; in others it gives nothing."""
    daily_tickets: int
    """Tickets it agrees to in one day of the shop."""
    amounts: list[MoneyInput] = strawberry.field(default_factory=list)
    """The most its tickets of one order are worth together, one a currency; in others no such limit."""
    needs_picture: bool = False
    """Whether only tickets with a picture."""
    orders_at_least: int = 0
    """Orders that the customer must have received and kept, beside this one."""
    tickets_at_most: int | None = None
    """Tickets of one customer it agrees to in ninety days; left out, any number."""
    active: bool = True
    """Whether it agrees to anything: false ends the rule."""
    version: int | None = None
    """The version that was read; left out for a new rule."""

    def draft(self) -> AgreementRuleDraft:
        with collect_refusals() as check:
            amounts = check.value(minor_amounts, {}, self.amounts, "amounts")
            daily_amounts = check.value(minor_amounts, {}, self.daily_amounts, "daily_amounts")
        return AgreementRuleDraft(
            code=self.code,
            title=self.title,
            moment=self.moment,
            types=tuple(dict.fromkeys(self.types)),
            reasons=tuple(dict.fromkeys(self.reasons)),
            amounts=amounts,
            daily_amounts=daily_amounts,
            daily_tickets=self.daily_tickets,
            needs_picture=self.needs_picture,
            orders_at_least=self.orders_at_least,
            tickets_at_most=self.tickets_at_most,
            active=self.active,
        )


def minor_amounts(amounts: Sequence[MoneyInput], name: str) -> dict[CurrencyCode, int]:
    """Minor units by currency; Invalid for a currency that is named twice."""
    found: dict[CurrencyCode, int] = {}
    with collect_refusals() as check:
        for index, given in enumerate(amounts):
            if given.currency_code in found:
                check.add(Invalid("Name each currency once.", field=(name, index, "currency_code")))
            with check:
                found[given.currency_code] = given.money(field=(name, index, "amount")).minor
    return found
