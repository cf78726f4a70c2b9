"""Types of the report about tickets."""

from datetime import date

import strawberry

import models
from resolvers import analytics as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.catalog import Product
from schema.limits.sizes import FEW, MANY, REPORT, SOME
from schema.rows import batched, field, plain_list, row_type
from schema.scalars import Money
from schema.stock import Warehouse

RefundDimension = describe_enum(models.RefundDimension)
TicketReportPart = describe_enum(resolve.TicketReportPart)
TicketChart = describe_enum(resolve.TicketChart)


@row_type(resolve.TicketTimes)
class TicketTimes:
    """How long something took for some tickets, exact to the second."""

    count: int
    """For how many of them it is known."""
    median: int | None
    """Within how many seconds it was done for half of them; null where it is known of none."""
    ninetieth: int | None
    """Within how many seconds it was done for nine of ten."""


@row_type(resolve.Satisfaction)
class TicketSatisfaction:
    """What customers say about their tickets."""

    asked: int
    """Tickets whose customers were asked."""
    rated: int
    """Those that were rated."""
    average: float | None
    """The average rating, from 1 to 5; null where there is none."""
    ratings: list[int] = plain_list(size=FEW)
    """How many rated 1, 2, 3, 4 and 5."""


@row_type(resolve.TicketFigures)
class TicketFigures:
    """Figures of the tickets opened in some days."""

    opened: int
    """How many, without merged duplicates; units that are decided apart are a ticket of their own."""
    resolved: int
    """How many nobody has anything to do for any more, or which came back afterwards."""
    reopened: int
    """How many came back after they were resolved."""
    reopen_rate: float | None
    """Reopened tickets divided by resolved ones; null where there are none."""
    first_answer: TicketTimes
    """From opening to the first message or decision of the shop, also by a rule; not again of units that are
    decided apart."""
    resolution: TicketTimes
    """From opening to the last time they were resolved, without those that were cancelled."""
    satisfaction: TicketSatisfaction
    """What their customers say."""


@row_type(resolve.TicketWeek)
class TicketWeek:
    """The figures of a week from Monday to Sunday; the first and the last may be shorter."""

    first: date
    """Its first day."""
    last: date
    """Its last day, included."""
    figures: TicketFigures
    """The figures of the tickets opened in it."""


@row_type(resolve.RefundRate)
class TicketRefundRate:
    """Units that came back in money, and those that were sent."""

    reason: models.TicketReason | None
    """Why; null where it is counted by something else."""
    product: Product | None = batched(resolve.rate_products)
    warehouse: Warehouse | None = batched(resolve.rate_warehouses)
    carrier: models.CarrierCode | None
    """Who carried it; null where it is counted by something else."""
    refunded: int
    """Units for which the tickets of these days brought money back, without those that were never sent."""
    sent: int
    """Units that left in these days: of this product, from this warehouse, with this carrier; of a reason,
    all."""
    rate: float | None
    """Refunded units divided by those sent; null where none was sent."""
    amounts: list[Money] = plain_list(size=FEW)
    """What was refunded for them, one amount per currency."""


@row_type(resolve.BacklogLine)
class TicketBacklog:
    """Open tickets in one state."""

    status: models.TicketStatus
    """The state."""
    counts: list[int] = plain_list(size=FEW)
    """Younger than a day, than 3 days, than 7 days, than 30 days, and older."""


@row_type(resolve.AgentFigures)
class AgentFigures:
    """Who has tickets, and how they fare. Each counts for who has it now, whoever has answered it."""

    agent: Account | None = batched(resolve.agent_accounts)
    open_now: int
    """Open tickets they have now."""
    tickets: int
    """Tickets of these days that they have."""
    resolved: int
    """Those of them that were resolved."""
    reopen_rate: float | None
    """The share of these that came back; null where none was resolved."""
    rated: int
    """Those that were rated."""
    average_rating: float | None
    """Their average rating; null where there is none."""


@row_type(resolve.TicketReport)
class TicketReport:
    """Figures of the tickets opened in some days."""

    first: date
    """Its first day."""
    last: date
    """Its last day, included."""
    time_zone: str
    """The time zone its days are in."""
    total: TicketFigures
    """The figures of all its days."""
    weeks: list[TicketWeek] = plain_list(size=MANY)
    """The figures by week."""
    refund_rates: list[TicketRefundRate] = batched(resolve.ticket_refund_rates, price=REPORT)
    backlog: list[TicketBacklog] = batched(resolve.ticket_backlog, size=SOME, price=REPORT)
    agents: list[AgentFigures] = batched(resolve.ticket_agents, size=MANY, price=REPORT)
    csv: str = batched(resolve.ticket_csv, price=REPORT)
    chart: str = batched(resolve.ticket_chart, price=REPORT)


@strawberry.type
class TicketReportQuery:
    ticket_report: TicketReport = field(
        resolve.ticket_report, allow=Permission.TICKET_REPORT_VIEW, price=REPORT
    )
