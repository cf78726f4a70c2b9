"""Rules by which the shop agrees to tickets by itself."""

from datetime import date, datetime

import strawberry

import models
from resolvers import aftersales as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.limits.sizes import FEW, MANY, PRICING
from schema.mutation import mutation
from schema.rows import field, loaded, plain_list, row_type
from schema.scalars import Money

AgreementMoment = describe_enum(models.AgreementMoment)
AgreementStep = describe_enum(models.AgreementStep)
RuleObstacle = describe_enum(models.RuleObstacle)


@row_type(models.AgreementRule)
class AgreementRule:
    """One version of a rule by which the shop agrees to tickets by itself; it never changes."""

    code: str
    """What it is known by."""
    version: int
    """One higher with each version; pass it back when you save."""
    title: str
    """What the staff read."""
    moment: models.AgreementMoment
    """When it looks at a ticket."""
    types: list[models.TicketType] = plain_list(size=FEW)
    """The types of ticket it agrees to."""
    reasons: list[models.TicketReason] = plain_list(size=FEW)
    """For these reasons."""
    amounts: list[Money] = field(resolve.amounts, size=FEW)
    daily_amounts: list[Money] = field(resolve.daily_amounts, size=FEW)
    daily_tickets: int
    """Tickets it agrees to in one day of the shop."""
    needs_picture: bool
    """Whether only tickets with a picture."""
    orders_at_least: int
    """Orders that the customer must have received and kept, beside that of the ticket."""
    tickets_at_most: int | None
    """Tickets of one customer it agrees to in ninety days; null for any number."""
    active: bool
    """Whether it agrees to anything."""
    author: Account | None = loaded("account", key="author_id")
    """Who has written this version; null for that of a new shop."""
    created_at: datetime
    """Since when it counts."""


@row_type(resolve.RuleForecast)
class RuleForecast:
    """What the rules would decide about a ticket if nobody did; nothing is decided by it."""

    at: datetime | None
    """When they will look at it."""
    rule: AgreementRule | None
    """The version that would agree as things are now; null where none would."""
    obstacle: models.RuleObstacle | None
    """Why none would; null where one would."""
    worth: Money | None
    """What the ticket is worth to the rules; null where they do not ask."""


@row_type(models.RuleDecision)
class RuleDecision:
    """What a rule has decided about a ticket."""

    step: models.AgreementStep
    """What it has decided."""
    rule: AgreementRule = loaded("agreement_rule", key="rule_id")
    """The rule, in the version that has decided."""
    day: date
    """The day of the shop, for whose limit it counts."""
    worth: Money = field(resolve.worth)
    decided_at: datetime
    """When it has."""


@strawberry.type
class AgreementQuery:
    agreement_rules: list[AgreementRule] = field(
        resolve.agreement_rules, allow=Permission.TICKET_HANDLE, size=MANY
    )
    ticket_rule_forecast: RuleForecast | None = field(
        resolve.ticket_rule_forecast, allow=Permission.TICKET_HANDLE, price=PRICING
    )


@strawberry.type
class AgreementMutation:
    agreement_rule_save = mutation(
        resolve.agreement_rule_save, returns=AgreementRule, allow=Permission.TICKET_DECIDE
    )
