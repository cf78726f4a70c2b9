"""After the sale: tickets, what they would come to, and what is said about them."""

from datetime import datetime

import strawberry

import models
from domain.aftersales.quote import Quote, QuotedLeg, QuotedLine, Refusal
from domain.aftersales.rules import TicketObstacle
from resolvers import aftersales as resolve
from resolvers.aftersales import READERS
from resolvers.described import describe_enum
from resolvers.guard import BOSSES, CARERS, CUSTOMERS, SUPPORT, WAREHOUSE
from schema.account import Account
from schema.catalog import Media
from schema.connection import Connection
from schema.knowledge import Article
from schema.mutation import mutation
from schema.node import Node
from schema.order import Delivery, Order, OrderLine
from schema.payment import Payment, Refund
from schema.rows import batched, field, loaded, row_type, subscription
from schema.scalars import Money

TicketType = describe_enum(models.TicketType)
TicketReason = describe_enum(models.TicketReason)
TicketStatus = describe_enum(models.TicketStatus)
describe_enum(TicketObstacle)


@row_type(Refusal)
class TicketRefusal:
    """Why a request cannot be granted."""

    code: TicketObstacle
    """For programs: what stands in the way."""
    message: str
    """For people: words a customer can read."""


@row_type(QuotedLine)
class TicketQuoteLine:
    """Units of an order line, and what they would bring back."""

    line: OrderLine
    """What was bought."""
    quantity: int
    """How many units were asked about."""
    left: int
    """How many can still be asked for."""
    refund: Money
    """What they bring back, their share of the discount taken off; zero when nothing does."""


@row_type(QuotedLeg)
class TicketQuoteLeg:
    """The part of a refund that would go back over one payment's own road."""

    payment: Payment
    """How it was paid."""
    refund: Money
    """How much of it comes back."""


@row_type(Quote)
class TicketQuote:
    """What a ticket would come to, before it is opened."""

    eligible: bool
    """Whether the ticket could be opened now."""
    refusal: TicketRefusal | None
    """Why it could not; null when it could."""
    lines: list[TicketQuoteLine]
    """The goods it would be about, in the order asked."""
    shipping: Money
    """The part of the refund that is the shipping fee: it comes back with the last of an order that comes
    back whole, for faults only."""
    refund: Money
    """All that would come back."""
    legs: list[TicketQuoteLeg]
    """How the refund would be split over the payments."""
    deadline: datetime | None
    """The last moment to ask; null while the goods have not been received."""


@row_type(models.TicketLine)
class TicketLine:
    """Units of an order line that a ticket is about."""

    order_line: OrderLine = loaded("order_line", key="order_line_id")
    """What was bought."""
    quantity: int
    """How many units of it."""
    refund: Money
    """What they bring back; zero when goods come instead."""


@row_type(models.TicketMessage)
class TicketMessage(Node):
    """A line of the conversation."""

    author: Account = loaded("account", key="author_id")
    """Who said it."""
    from_staff: bool = batched(resolve.from_staff)
    body: str
    """What they said."""
    internal: bool
    """Whether only the staff reads it."""
    created_at: datetime
    """When they said it."""


@row_type(models.Event)
class TicketUpdate:
    """One thing that happened to a ticket."""

    version: int
    """The ticket's version this made; they follow each other without a gap."""
    name: str
    """What happened, such as "ticket.agreed"."""
    status: models.TicketStatus = field(resolve.status_told)
    occurred_at: datetime
    """When it happened."""
    ticket: "Ticket" = loaded("ticket", key="subject_id")
    """The ticket as it is now."""


@row_type(models.Ticket)
class Ticket(Node):
    """A customer's request about goods they bought."""

    number: str
    """What the customer reads out on the phone."""
    type: models.TicketType
    """What is asked for."""
    reason: models.TicketReason
    """Why."""
    status: models.TicketStatus
    """Where it stands."""
    description: str
    """What happened, in the customer's words."""
    refund: Money
    """What comes back in money; zero when goods come instead."""
    refusal: str | None
    """Why the shop said no, when it last did."""
    return_carrier: str | None
    """Who carries the goods back; null until the customer says so."""
    return_tracking_number: str | None
    """Their number at that carrier."""
    opened_at: datetime
    """When the customer asked."""
    due_at: datetime | None
    """When the next thing happens by itself; null when nobody is hurried."""
    closed_at: datetime | None
    """When it ended; null while it has not."""
    version: int
    """One higher with each recorded event; pass it as `after` to watch without a gap."""
    lines: list[TicketLine] = loaded("ticket_lines", key="id")
    """Which goods it is about."""
    media: list[Media] = loaded("ticket_media", key="id")
    """Pictures that show it."""
    messages: list[TicketMessage] = batched(resolve.messages)
    timeline: list[TicketUpdate] = loaded("ticket_events", key="id")
    """Everything that has happened to it, the newest last."""
    order: Order = loaded("order", key="order_id")
    """The order it is about."""
    customer: Account = loaded("account", key="account_id")
    """Whose it is."""
    assignee: Account | None = batched(resolve.assignees)
    refunds: list[Refund] = loaded("ticket_refunds", key="id")
    """The money on its way back, one for each payment it goes to."""
    replacements: list[Delivery] = loaded("ticket_replacements", key="id")
    """Deliveries of goods that are sent again."""
    suggested_articles: list[Article] = batched(resolve.suggested_articles)


@strawberry.type
class AftersalesQuery:
    ticket: Ticket | None = field(resolve.ticket, allow=READERS)
    tickets: Connection[Ticket] = field(resolve.tickets, allow=READERS)
    ticket_quote: TicketQuote | None = field(resolve.ticket_quote, allow=CARERS)


@strawberry.type
class AftersalesMutation:
    ticket_open = mutation(resolve.ticket_open, returns=Ticket, allow=CUSTOMERS)
    ticket_reapply = mutation(resolve.ticket_reapply, returns=Ticket, allow=CUSTOMERS)
    ticket_cancel = mutation(resolve.ticket_cancel, returns=Ticket, allow=CARERS)
    ticket_escalate = mutation(resolve.ticket_escalate, returns=Ticket, allow=CARERS)
    ticket_return_ship = mutation(resolve.ticket_return_ship, returns=Ticket, allow=CARERS)
    ticket_message_add = mutation(resolve.ticket_message_add, returns=Ticket, allow=CARERS)
    ticket_agree = mutation(resolve.ticket_agree, returns=Ticket, allow=SUPPORT)
    ticket_refuse = mutation(resolve.ticket_refuse, returns=Ticket, allow=SUPPORT)
    ticket_assign = mutation(resolve.ticket_assign, returns=Ticket, allow=SUPPORT)
    ticket_refund_retry = mutation(resolve.ticket_refund_retry, returns=Ticket, allow=SUPPORT)
    ticket_return_receive = mutation(resolve.ticket_return_receive, returns=Ticket, allow=WAREHOUSE | SUPPORT)
    ticket_decide = mutation(resolve.ticket_decide, returns=Ticket, allow=BOSSES)


@strawberry.type
class AftersalesSubscription:
    ticket_updates: TicketUpdate = subscription(resolve.ticket_updates, allow=READERS)
