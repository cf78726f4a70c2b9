from collections.abc import AsyncIterator, Sequence

import strawberry

from domain.aftersales.answering import (
    accept_return,
    agree_ticket,
    assign_ticket,
    decide_ticket,
    refuse_return,
    refuse_ticket,
)
from domain.aftersales.conversation import add_message
from domain.aftersales.opening import (
    Application,
    Change,
    cancel_ticket,
    escalate_ticket,
    open_ticket,
    reapply_ticket,
    ship_return,
)
from domain.aftersales.quote import Quote, quote_claim
from domain.aftersales.rules import Claim
from domain.aftersales.settling import retry_refunds
from domain.errors import Forbidden, Invalid, NotFound
from events.aftersales import deadlines_of
from events.stream import follow
from loaders.aftersales import NEWEST_TICKET, tickets_wanted
from loaders.page import PAGE_DEFAULT, Page
from models import (
    STAFF,
    Account,
    Article,
    Event,
    Order,
    Subject,
    Ticket,
    TicketMessage,
    TicketReason,
    TicketStatus,
    TicketType,
)
from resolvers.context import Info
from resolvers.guard import CARERS, WAREHOUSE
from resolvers.ids import row_id
from resolvers.inputs.aftersales import TicketFilter, TicketLineInput, TicketQuoteInput, pictures, wanted
from resolvers.knowledge import suggested
from resolvers.paging import paged

NUMBER_PREFIX = "T"
READERS = CARERS | WAREHOUSE


async def ticket(info: Info, id: strawberry.ID | None = None, number: str | None = None) -> Ticket | None:
    """One ticket, by id or by number; null when it does not exist or is not yours.

    id: its global id
    number: its number, as the customer reads it out
    """
    if (id is None) == (number is None):
        raise Invalid("Give either the id or the number.", field=("id",))
    if number is not None:
        return seen(info, await info.context.load.ticket_by_number.load(number))
    try:
        return await find_ticket(info, row_id(id or "", "Ticket"))
    except NotFound:
        return None


async def find_ticket(info: Info, ticket_id: int) -> Ticket | None:
    """The ticket, if this viewer may see it."""
    return seen(info, await info.context.load.ticket.load(ticket_id))


def seen(info: Info, found: Ticket | None) -> Ticket | None:
    """Customers see their own, those who answer tickets and take returns see all."""
    viewer = info.context.viewer
    if found is None or viewer.role not in READERS:
        return None
    return found if viewer.is_staff or viewer.owns(found.account_id) else None


async def find_ticket_message(info: Info, message_id: int) -> TicketMessage | None:
    """The message, if this viewer may read it."""
    found = await info.context.load.ticket_message.load(message_id)
    if found is None or (found.internal and not info.context.viewer.is_staff):
        return None
    return found if await find_ticket(info, found.ticket_id) else None


async def own_ticket(info: Info, id: strawberry.ID) -> int:
    """The number of a ticket this viewer may act on."""
    found = await find_ticket(info, row_id(id, "Ticket"))
    if found is None:
        raise NotFound("ticket", field=("id",))
    return found.id


async def own_order(info: Info, id: strawberry.ID) -> Order:
    viewer, order = (
        info.context.viewer,
        await info.context.load.order.load(row_id(id, "Order", field=("order_id",))),
    )
    if order is None or not (viewer.is_staff or viewer.owns(order.account_id)):
        raise NotFound("order", field=("order_id",))
    return order


async def tickets(
    info: Info, filter: TicketFilter | None = None, first: int = PAGE_DEFAULT, after: str | None = None
) -> Page[Ticket]:
    """Tickets, the newest first: one's own, or all for the staff.

    filter: which of them
    first: how many, at most 100
    after: the cursor to go on from
    """
    asked, viewer = filter or TicketFilter(), info.context.viewer
    statement = tickets_wanted(
        account_id=None if viewer.is_staff else viewer.id,
        order_id=row_id(asked.order_id, "Order", field=("filter", "order_id")) if asked.order_id else None,
        assignee_id=row_id(asked.assignee_id, "Account", field=("filter", "assignee_id"))
        if asked.assignee_id
        else None,
        status=asked.status,
        type=asked.type,
        reason=asked.reason,
        due_before=asked.due_before,
    )
    return await paged(info, statement, NEWEST_TICKET, first=first, after=after)


async def ticket_quote(info: Info, input: TicketQuoteInput) -> Quote | None:
    """What a ticket would come to, before it is opened: whether, until when and exactly how much.

    input: what would be asked for
    """
    try:
        order = await own_order(info, input.order_id)
    except NotFound:
        return None
    deadlines, now = deadlines_of(info.context.shop), info.context.now
    async with info.context.shop.database.reads() as session:
        return await quote_claim(session, order, input.claim(), deadlines, asked_at=now)


async def ticket_open(
    info: Info,
    order_id: strawberry.ID,
    type: TicketType,
    reason: TicketReason,
    lines: list[TicketLineInput],
    description: str,
    idempotency_key: str,
    media_ids: list[strawberry.ID] = [],  # noqa: B006 - read only
) -> Ticket:
    """Ask for something after the sale. A repeated key finds the ticket it opened.

    order_id: the order it is about
    type: what is asked for
    reason: why
    lines: which goods, each line once
    description: what happened, in up to 2,000 characters
    idempotency_key: chosen by the client, the same for every attempt at the same request
    media_ids: up to 9 pictures the customer has uploaded
    """
    context, order = info.context, await own_order(info, order_id)
    application = Application(Claim(type, reason, wanted(lines)), description, pictures(media_ids))
    async with context.transaction() as session:
        return await open_ticket(
            session,
            order.id,
            application,
            deadlines_of(context.shop),
            number=context.shop.secrets.number(NUMBER_PREFIX, context.now),
            key=idempotency_key,
            now=context.now,
            by=context.viewer.id,
        )


async def ticket_reapply(
    info: Info,
    id: strawberry.ID,
    description: str,
    reason: TicketReason | None = None,
    lines: list[TicketLineInput] | None = None,
    media_ids: list[strawberry.ID] | None = None,
) -> Ticket:
    """Ask again after a refusal, explained better. What is left out stays as it was.

    id: the refused ticket
    description: what happened, in up to 2,000 characters
    reason: why
    lines: which goods, each line once
    media_ids: up to 9 pictures the customer has uploaded
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    change = Change(
        description,
        reason,
        None if lines is None else wanted(lines),
        None if media_ids is None else pictures(media_ids),
    )
    async with context.transaction() as session:
        return await reapply_ticket(
            session,
            ticket_id,
            change,
            deadlines_of(context.shop),
            now=context.now,
            by=context.viewer.id,
        )


async def ticket_message_add(
    info: Info, ticket_id: strawberry.ID, body: str, internal: bool = False
) -> Ticket:
    """Say something about a ticket.

    ticket_id: the ticket
    body: up to 4,000 characters
    internal: whether only the staff reads it
    """
    context = info.context
    if internal and not context.viewer.is_staff:
        raise Forbidden
    number = await own_ticket(info, ticket_id)
    async with context.transaction() as session:
        return await add_message(
            session, number, body=body, internal=internal, now=context.now, by=context.viewer.id
        )


async def ticket_agree(info: Info, id: strawberry.ID) -> Ticket:
    """Grant what a ticket asks for.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    async with context.transaction() as session:
        return await agree_ticket(
            session, ticket_id, deadlines_of(context.shop), now=context.now, by=context.viewer.id
        )


async def ticket_refuse(info: Info, id: strawberry.ID, reason: str) -> Ticket:
    """Say no to what a ticket asks for; the customer may ask again or escalate.

    id: the ticket
    reason: why, as the customer reads it
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    async with context.transaction() as session:
        return await refuse_ticket(
            session,
            ticket_id,
            deadlines_of(context.shop),
            reason=reason,
            now=context.now,
            by=context.viewer.id,
        )


async def ticket_return_ship(info: Info, id: strawberry.ID, carrier: str, tracking_number: str) -> Ticket:
    """Say how the goods travel back.

    id: the ticket
    carrier: who carries them
    tracking_number: the number on the waybill
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    async with context.transaction() as session:
        return await ship_return(
            session,
            ticket_id,
            deadlines_of(context.shop),
            carrier=carrier,
            tracking_number=tracking_number,
            now=context.now,
            by=context.viewer.id,
        )


async def ticket_return_receive(
    info: Info, id: strawberry.ID, accepted: bool, damaged: bool = False, note: str = ""
) -> Ticket:
    """Note what came back: accepted goods go to the warehouse they came from.

    id: the ticket
    accepted: whether it is what was agreed
    damaged: whether it cannot be sold again
    note: why it is not accepted, as the customer reads it
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    deadlines, now, by = deadlines_of(context.shop), context.now, context.viewer.id
    async with context.transaction() as session:
        if not accepted:
            return await refuse_return(session, ticket_id, deadlines, reason=note, now=now, by=by)
        return await accept_return(session, ticket_id, deadlines, damaged=damaged, note=note, now=now, by=by)


async def ticket_escalate(info: Info, id: strawberry.ID) -> Ticket:
    """Ask for a manager's decision after a refusal.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    async with context.transaction() as session:
        return await escalate_ticket(
            session, ticket_id, deadlines_of(context.shop), now=context.now, by=context.viewer.id
        )


async def ticket_decide(info: Info, id: strawberry.ID, agreed: bool, reason: str) -> Ticket:
    """The last word on an escalated ticket.

    id: the ticket
    agreed: whether the customer gets what they ask for
    reason: why, as the customer reads it
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    async with context.transaction() as session:
        return await decide_ticket(
            session,
            ticket_id,
            deadlines_of(context.shop),
            agreed=agreed,
            reason=reason,
            now=context.now,
            by=context.viewer.id,
        )


async def ticket_cancel(info: Info, id: strawberry.ID) -> Ticket:
    """Take a request back while nothing has been settled.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    async with context.transaction() as session:
        return await cancel_ticket(
            session, ticket_id, deadlines_of(context.shop), now=context.now, by=context.viewer.id
        )


async def ticket_assign(info: Info, id: strawberry.ID, assignee_id: strawberry.ID | None = None) -> Ticket:
    """Give a ticket to somebody of the support staff, or back to nobody.

    id: the ticket
    assignee_id: their account; nobody's without it
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    to = None if assignee_id is None else row_id(assignee_id, "Account", field=("assignee_id",))
    async with context.transaction() as session:
        return await assign_ticket(session, ticket_id, to, now=context.now, by=context.viewer.id)


async def ticket_refund_retry(info: Info, id: strawberry.ID) -> Ticket:
    """Send the parts of a refund that failed once more, at once.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket(info, id)
    async with context.transaction() as session:
        return await retry_refunds(session, ticket_id, now=context.now, by=context.viewer.id)


async def ticket_updates(info: Info, id: strawberry.ID, after: int | None = None) -> AsyncIterator[Event]:
    """Everything that happens to a ticket: first what came after a version, then live, each once, in order.

    id: the ticket
    after: the last version you have seen; left out, only what is still to come
    """
    ticket_id = await own_ticket(info, id)
    async for event in follow(info.context.shop, Subject.TICKET, ticket_id, after):
        yield event


async def messages(tickets: Sequence[Ticket], info: Info) -> Sequence[Sequence[TicketMessage]]:
    """The conversation, oldest first; internal notes are among them for the staff only."""
    threads = await info.context.load.ticket_messages.load_many([ticket.id for ticket in tickets])
    if info.context.viewer.is_staff:
        return threads
    return [[message for message in thread if not message.internal] for thread in threads]


async def from_staff(messages: Sequence[TicketMessage], info: Info) -> Sequence[bool]:
    """Whether the shop said it."""
    authors = await info.context.load.account.load_many([message.author_id for message in messages])
    return [author is not None and author.role in STAFF for author in authors]


async def assignees(tickets: Sequence[Ticket], info: Info) -> Sequence[Account | None]:
    """Who of the support staff has it; null when nobody has, and for customers."""
    if not info.context.viewer.is_staff:
        return [None] * len(tickets)
    given = [ticket.assignee_id for ticket in tickets if ticket.assignee_id is not None]
    found = dict(zip(given, await info.context.load.account.load_many(given), strict=True))
    return [found[ticket.assignee_id] if ticket.assignee_id else None for ticket in tickets]


async def suggested_articles(
    tickets: Sequence[Ticket], info: Info, first: int = 3
) -> Sequence[Sequence[Article]]:
    """Articles that may answer it, the best first; none for customers.

    first: how many, at most 10
    """
    if not info.context.viewer.is_staff:
        return [()] * len(tickets)
    return await suggested(info, [ticket.description for ticket in tickets], first=first)


def status_told(root: Event) -> TicketStatus:
    """Where the ticket stood then."""
    return TicketStatus(root.payload["status"])
