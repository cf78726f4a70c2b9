"""After-sales tickets, their quotes and their messages."""

from datetime import datetime
from typing import Optional

import strawberry

import models
from resolvers import aftersales as resolve
from resolvers import reasons
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.agreement import RuleDecision
from schema.catalog import Category, Media, Product, Variant
from schema.connection import Connection
from schema.knowledge import Article
from schema.limits.sizes import CLAIMS, FEW, MANY, PRICING, QUOTES, SEARCH, SOME
from schema.mutation import mutation
from schema.node import Node
from schema.order import Delivery, Order, OrderLine
from schema.payment import Payment, Refund
from schema.return_parcel import ReturnCollection, ReturnParcel
from schema.rows import batched, field, loaded, plain_list, row_type, subscription
from schema.scalars import Money
from schema.ticket_agent import TicketPriority
from schema.ticket_returns import ReturnCarrier, ReturnInspection, TicketRepair
from schema.ticket_thread import TicketMessage

TicketType = describe_enum(models.TicketType)
TicketReason = describe_enum(models.TicketReason)
TicketChannel = describe_enum(models.TicketChannel)
TicketStatus = describe_enum(models.TicketStatus)
TicketObstacle = describe_enum(resolve.TicketObstacle)
ReplacementChoice = describe_enum(models.ReplacementChoice)


@row_type(resolve.TicketQuoteRefusal)
class TicketRefusal:
    """Why a request cannot be granted."""

    code: resolve.TicketObstacle
    """For programs: what stands in the way."""
    message: str = field(resolve.refusal_message)


@row_type(resolve.TicketQuoteLine)
class TicketQuoteLine:
    """Units of an order line, and what they would bring back."""

    line: OrderLine
    """What was bought."""
    quantity: int
    """How many units the request is about."""
    left: int
    """How many can still be asked for."""
    refund: Money
    """What they bring back, after their share of the discount; zero when nothing comes back."""
    deadline: datetime | None
    """The last moment to ask for these units, counted for the parcel they came in from the day after it
    arrived to the end of the last day; null while they have not arrived."""
    surcharge: Money
    """What is to be paid, since what is wanted in their place costs more; zero otherwise."""


@row_type(resolve.TicketQuoteRefund)
class TicketQuoteRefund:
    """The part of a refund that would go back to one payment."""

    payment: Payment
    """How it was paid."""
    refund: Money
    """How much of it would come back."""


@row_type(resolve.TicketQuoteCredit)
class TicketQuoteCredit:
    """A refund as it would come into store credit."""

    total: Money
    """All that would come, what the shop adds included."""
    bonus: Money
    """What the shop adds: nothing for what was paid with store credit or has not been sent yet, and no more
    for all tickets of an order than the shop says. `ticketRefundChoose` promises it."""


@row_type(resolve.TicketQuote)
class TicketQuote:
    """What a ticket would bring, before it is opened."""

    type: models.TicketType
    """What would be asked for."""
    reason: models.TicketReason
    """Why."""
    eligible: bool
    """Whether the ticket could be opened now."""
    refusal: TicketRefusal | None
    """Why it could not; null when it could."""
    lines: list[TicketQuoteLine] = plain_list(size=SOME)
    """The lines it would be about, in the order given."""
    shipping: Money
    """The shipping fee in it: for faults with the last units of a wholly returned order, and for units that
    were not packed yet with the last ones of their delivery."""
    cancelled: Money
    """What is not due any more, since it was not paid yet; the rest of lines and fee comes back."""
    refund: Money
    """All that would come back: of an exchange what is wanted instead costs less."""
    surcharge: Money
    """What would have to be paid, once the goods are accepted, before dearer ones are sent."""
    legs: list[TicketQuoteRefund] = plain_list(size=FEW)
    """How the refund would be split over the payments."""
    store_credit: TicketQuoteCredit | None = field(resolve.quoted_credit)
    deadline: datetime | None
    """The last moment to ask for all of it; null while the goods have not arrived."""
    opens_at: datetime | None
    """From when it can be asked for; null where that is now, or never."""
    needs_picture: bool
    """Whether a picture that shows it must be attached."""


@row_type(models.TicketLine)
class TicketLine:
    """Units of an order line that a ticket is about."""

    order_line: OrderLine = loaded("order_line", key="order_line_id")
    """What was bought."""
    quantity: int
    """How many units of it."""
    refund: Money
    """What they bring back; zero when goods are sent instead."""
    substitute: Variant | None = loaded("variant", key="substitute_variant_id")
    """What the customer wants in their place; null for the same again."""
    surcharge: Money
    """What was paid for it beyond what they had cost."""


@row_type(models.TicketDifference)
class TicketDifference:
    """What a replacement costs more; it is kept for the customer, and sent when that is paid."""

    total: Money
    """How much it is."""
    payment: Payment | None = loaded("payment", key="payment_id")
    """The payment to be started; null until a method is chosen with `ticketDifferencePay`."""
    requested_at: datetime
    """Since when it is kept. Until `dueAt` of the ticket it can be paid."""


@row_type(models.Event)
class TicketUpdate:
    """One thing that happened to a ticket."""

    version: int
    """The ticket's version this made; they follow each other without a gap."""
    name: str
    """What happened, such as "ticket.agreed"."""
    status: models.TicketStatus = field(resolve.status_then)
    occurred_at: datetime
    """When it happened."""
    actor: Account | None = batched(resolve.actors)
    ticket: "Ticket" = loaded("ticket", key="subject_id")
    """The ticket as it is now."""


@row_type(models.TicketRating)
class TicketRating:
    """That the shop has asked how a ticket went, and what its customer says."""

    rating: int | None
    """From 1 to 5; null before it is rated."""
    note: str
    """Why; may be empty."""
    asked_at: datetime
    """When the shop asked."""
    open_until: datetime
    """Until when it can be rated, and the rating changed."""
    rated_at: datetime | None
    """When it was last rated."""


@row_type(resolve.ProposedAnswer)
class ProposedAnswer:
    """What an agent may answer a ticket with: sentences of an article, and facts of the order."""

    text: str
    """The answer, which the agent reads before it is sent."""
    article: Article
    """The article it is drawn from."""
    quotes: list[str] = plain_list(size=FEW)
    """The sentences of the article it rests on, as they stand there."""
    unfilled: list[str] = plain_list(size=FEW)
    """Placeholders in it for which the ticket has no fact: the agent fills them in."""


@row_type(models.Ticket)
class Ticket(Node):
    """A customer's request about goods they bought, or what they want to know."""

    number: str
    """The shop's own number, by which customers name it."""
    type: models.TicketType
    """What is asked for."""
    reason: models.TicketReason
    """Why."""
    channel: models.TicketChannel
    """How the customer has asked."""
    status: models.TicketStatus
    """Where it stands."""
    description: str
    """What happened, as the customer describes it."""
    refund: Money
    """What comes back in money; of goods that are sent instead, what they cost less."""
    refund_target: models.RefundTarget
    """Where it goes."""
    bonus: Money
    """What the shop adds to a refund that goes into store credit: promised when that is chosen, and what
    comes with the refunds once they are requested; nothing while it is refused. Never a part of `refund`."""
    refusal: str | None = field(reasons.ticket_refusal)
    return_carrier: str | None
    """Who carries the goods back; null until the customer says so."""
    return_tracking_number: str | None
    """Their number at that carrier."""
    return_tracking_url: str | None = batched(resolve.return_tracking_urls)
    return_parcel: ReturnParcel | None = batched(resolve.return_parcels)
    return_collection: ReturnCollection | None = batched(resolve.return_collections)
    opened_at: datetime
    """When the customer asked."""
    due_at: datetime | None
    """When the shop acts by itself unless somebody has; null where nobody is waited for."""
    closed_at: datetime | None
    """When it ended; null while it has not."""
    priority: TicketPriority | None = batched(resolve.priorities)
    overdue_since: datetime | None
    """Since when nobody has acted in time, and only people can decide; null for others."""
    overdue_obstacle: models.RuleObstacle | None = field(resolve.overdue_obstacle)
    rule_decisions: list[RuleDecision] = batched(resolve.rule_decisions, size=FEW)
    version: int
    """One higher with each recorded event; pass it as `after` to watch without a gap."""
    lines: list[TicketLine] = loaded("ticket_lines", key="id", size=SOME)
    """The units it is about; none of a question."""
    media: list[Media] = loaded("ticket_media", key="id", size=FEW)
    """Pictures that show it."""
    messages: list[TicketMessage] = batched(resolve.messages, size=SOME)
    unread: int = batched(resolve.unread)
    rating: TicketRating | None = batched(resolve.ratings)
    first_answered_at: datetime | None
    """When the shop answered first, by a message or by deciding."""
    resolved_at: datetime | None
    """Since when nobody has anything to do for it; null while somebody has."""
    timeline: list[TicketUpdate] = loaded("ticket_events", key="id", size=SOME)
    """Everything that has happened to it, the newest last."""
    order: Order | None = loaded("order", key="order_id")
    """The order it is about; null of a question about none."""
    customer: Account = loaded("account", key="account_id")
    """The customer who opened it."""
    assignee: Account | None = batched(resolve.assignees)
    merged_into: "Ticket | None" = loaded("ticket", key="merged_into_id")
    """The ticket as which it goes on, of which it was a duplicate; null for others."""
    merged: list["Ticket"] = loaded("merged_tickets", key="id", size=FEW)
    """The duplicates that go on as this ticket, with what they asked for."""
    split_from: "Ticket | None" = loaded("ticket", key="split_from_id")
    """The ticket from which its units were split off; null for others."""
    split: list["Ticket"] = loaded("split_tickets", key="id", size=FEW)
    """The tickets that were split off from it."""
    duplicates: list["Ticket"] = batched(resolve.duplicates, size=FEW)
    difference: TicketDifference | None = loaded("ticket_difference", key="id")
    """What is to be paid before its replacement is sent; null where nothing is."""
    repair: TicketRepair | None = loaded("ticket_repair", key="id")
    """How its repair has ended; null while it has not, and for other types."""
    refunds: list[Refund] = loaded("ticket_refunds", key="id", size=FEW)
    """The money on its way back, one for each payment it goes to."""
    replacements: list[Delivery] = loaded("ticket_replacements", key="id", size=FEW)
    """Deliveries of the goods that are sent instead."""
    inspections: list[ReturnInspection] = loaded("ticket_inspections", key="id", size=SOME)
    """How its units came back, by condition; none while nobody has inspected them."""
    deliveries_back: list[Delivery] = loaded("ticket_deliveries_back", key="id", size=FEW)
    """Deliveries of what the shop has not kept, or has repaired, to the customer; they cost nothing."""
    part_of: Optional["Ticket"] = loaded("ticket", key="part_of_id")
    """The ticket that its units were claimed with; null for one that was opened for them."""
    parts: list["Ticket"] = loaded("ticket_parts", key="id", size=FEW)
    """Tickets of units that were claimed with this one, and of which something else was decided."""
    proposed_answer: ProposedAnswer | None = batched(resolve.proposed_answers, price=SEARCH)
    suggested_articles: list[Article] = batched(resolve.suggested_articles, price=SEARCH)


@row_type(resolve.ReasonWindow)
class ClaimWindow:
    """For how many days something can be claimed for a reason."""

    reason: models.TicketReason
    """Why."""
    days: int
    """Days, from the one after it arrived to the end of the last one in the shop's time zone."""


@row_type(models.ClaimPolicy)
class ClaimPolicy:
    """One version of the terms of claims of a category, of a product or of everything; it never changes."""

    category: Category | None = loaded("category", key="category_id")
    """The category, with all below it that have no terms of their own."""
    product: Product | None = loaded("product", key="product_id")
    """The product; null, as is the category, for the terms of everything."""
    version: int
    """One higher with each version; pass it back when you save."""
    windows: list[ClaimWindow] = field(resolve.windows, size=SOME)
    evidence: list[models.TicketReason] | None = field(resolve.evidence, size=FEW)
    refused_reasons: list[models.TicketReason] | None = field(resolve.refused_reasons, size=FEW)
    exclusion: models.ClaimExclusion | None
    """Why it cannot be returned without a reason; null where that is inherited."""
    created_at: datetime
    """Since when it counts."""


@strawberry.type
class AftersalesQuery:
    claim_policies: list[ClaimPolicy] = field(
        resolve.claim_policies, allow=Permission.CATALOG_EDIT, size=MANY
    )
    return_carriers: list[ReturnCarrier] = field(
        resolve.return_carriers, allow=Permission.TICKET_TAKE_PART, size=FEW
    )
    ticket: Ticket | None = field(resolve.ticket, allow=Permission.TICKET_VIEW)
    tickets: Connection[Ticket] = field(resolve.tickets, allow=Permission.TICKET_VIEW)
    ticket_quote: TicketQuote | None = field(
        resolve.ticket_quote, allow=Permission.TICKET_TAKE_PART, price=PRICING
    )
    ticket_quotes: list[TicketQuote] | None = field(
        resolve.ticket_quotes, allow=Permission.TICKET_TAKE_PART, price=QUOTES, size=CLAIMS
    )


@strawberry.type
class AftersalesMutation:
    claim_policy_save = mutation(
        resolve.claim_policy_save, returns=ClaimPolicy, allow=Permission.CATALOG_EDIT
    )
    ticket_replacement_choose = mutation(
        resolve.ticket_replacement_choose, returns=Ticket, allow=Permission.TICKET_TAKE_PART
    )
    ticket_difference_pay = mutation(
        resolve.ticket_difference_pay, returns=Ticket, allow=Permission.TICKET_TAKE_PART
    )
    ticket_refund_choose = mutation(
        resolve.ticket_refund_choose, returns=Ticket, allow=Permission.TICKET_TAKE_PART
    )
    question_ask = mutation(resolve.question_ask, returns=Ticket, allow=Permission.QUESTION_ASK)
    ticket_open = mutation(resolve.ticket_open, returns=Ticket, allow=Permission.TICKET_OPEN)
    ticket_reapply = mutation(resolve.ticket_reapply, returns=Ticket, allow=Permission.TICKET_OPEN)
    ticket_cancel = mutation(resolve.ticket_cancel, returns=Ticket, allow=Permission.TICKET_TAKE_PART)
    ticket_close = mutation(resolve.ticket_close, returns=Ticket, allow=Permission.TICKET_TAKE_PART)
    ticket_escalate = mutation(resolve.ticket_escalate, returns=Ticket, allow=Permission.TICKET_TAKE_PART)
    ticket_return_ship = mutation(
        resolve.ticket_return_ship, returns=Ticket, allow=Permission.TICKET_TAKE_PART
    )
    ticket_collection_book = mutation(
        resolve.ticket_collection_book, returns=Ticket, allow=Permission.TICKET_TAKE_PART
    )
    ticket_collection_cancel = mutation(
        resolve.ticket_collection_cancel, returns=Ticket, allow=Permission.TICKET_TAKE_PART
    )
    ticket_message_add = mutation(
        resolve.ticket_message_add, returns=Ticket, allow=Permission.TICKET_TAKE_PART
    )
    ticket_rate = mutation(resolve.ticket_rate, returns=Ticket, allow=Permission.TICKET_TAKE_PART)
    ticket_read = mutation(resolve.ticket_read, returns=Ticket, allow=Permission.TICKET_VIEW)
    ticket_agree = mutation(resolve.ticket_agree, returns=Ticket, allow=Permission.TICKET_HANDLE)
    ticket_refuse = mutation(resolve.ticket_refuse, returns=Ticket, allow=Permission.TICKET_HANDLE)
    ticket_merge = mutation(resolve.ticket_merge, returns=Ticket, allow=Permission.TICKET_HANDLE)
    ticket_split = mutation(resolve.ticket_split, returns=Ticket, allow=Permission.TICKET_HANDLE)
    ticket_take = mutation(resolve.ticket_take, returns=Ticket, allow=Permission.TICKET_HANDLE)
    ticket_assign = mutation(resolve.ticket_assign, returns=Ticket, allow=Permission.TICKET_HANDLE)
    ticket_refund_retry = mutation(
        resolve.ticket_refund_retry, returns=Ticket, allow=Permission.TICKET_HANDLE
    )
    ticket_return_receive = mutation(
        resolve.ticket_return_receive, returns=Ticket, allow=Permission.RETURN_RECEIVE
    )
    ticket_repair_finish = mutation(
        resolve.ticket_repair_finish, returns=Ticket, allow=Permission.RETURN_RECEIVE
    )
    ticket_decide = mutation(resolve.ticket_decide, returns=Ticket, allow=Permission.TICKET_DECIDE)


@strawberry.type
class AftersalesSubscription:
    ticket_updates: TicketUpdate = subscription(resolve.ticket_updates, allow=Permission.TICKET_VIEW)
