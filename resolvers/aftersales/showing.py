"""Tickets as they are read and watched, and who may."""

from collections.abc import AsyncIterator, Sequence

import strawberry

from domain.aftersales.quote import Quote, quote_claim
from domain.errors import Invalid, NotFound
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
    TicketStatus,
)
from resolvers.context import Info
from resolvers.guard import CARERS, WAREHOUSE
from resolvers.ids import row_id
from resolvers.inputs.aftersales import TicketFilter, TicketQuoteInput
from resolvers.knowledge import suggested
from resolvers.paging import paged

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
