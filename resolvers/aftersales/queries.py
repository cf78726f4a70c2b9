"""Reading and watching tickets, and who may."""

from collections.abc import AsyncIterator, Sequence

import strawberry
from sqlalchemy import ColumnElement

from domain.aftersales.quote import TicketQuote, TicketQuoteRefusal, quote_claim, quote_order
from domain.aftersales.return_waybill import ReturnCarrier
from domain.errors import Invalid, NotFound
from events.aftersales import deadlines_of
from loaders.aftersales import TicketCriteria, TicketSort, sort_tickets
from loaders.carrier import load_carriers
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.work_queue import WorkQueue, find_queue
from models import (
    OWN_COURIERS,
    Account,
    Article,
    Event,
    Order,
    ReturnInspection,
    Subject,
    Ticket,
    TicketStatus,
    TicketType,
)
from resolvers.aftersales.claim_questions import question_of
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.aftersales import TicketFilter, TicketQuoteInput
from resolvers.knowledge import suggest_articles
from resolvers.order.timeline import find_actors
from resolvers.paging import query_page
from resolvers.shipment.carriers import link_to_parcel


async def ticket(info: Info, id: strawberry.ID | None = None, number: str | None = None) -> Ticket | None:
    """One ticket, by id or by number; null when it does not exist or is not yours.

    id: its global id
    number: its number, as the customer knows it
    """
    if (id is None) == (number is None):
        raise Invalid("Give either the id or the number.", field=("id",))
    if info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        info.context.load.combine_statements()
    if number is not None:
        return visible_ticket(info, await info.context.load.ticket_by_number.load(number))
    try:
        return await find_ticket(info, row_id(id or "", "Ticket"))
    except NotFound:
        return None


async def find_ticket(info: Info, ticket_id: int) -> Ticket | None:
    """The ticket, if this viewer may see it."""
    return visible_ticket(info, await info.context.load.ticket.load(ticket_id))


def visible_ticket(info: Info, found: Ticket | None) -> Ticket | None:
    """The ticket, if this viewer may see it: customers their own, support and warehouse all."""
    viewer = info.context.viewer
    if found is None or not viewer.may(Permission.TICKET_VIEW):
        return None
    return found if viewer.may(Permission.TICKET_VIEW_ALL) or viewer.owns(found.account_id) else None


async def own_ticket_id(info: Info, id: strawberry.ID) -> int:
    """The row id of a ticket this viewer may see; NotFound for others."""
    return (await own_ticket(info, id)).id


async def own_ticket(info: Info, id: strawberry.ID) -> Ticket:
    """A ticket this viewer may see; NotFound for others."""
    found = await find_ticket(info, row_id(id, "Ticket"))
    if found is None:
        raise NotFound("ticket", field=("id",))
    return found


async def own_order(info: Info, id: strawberry.ID) -> Order:
    """An order of the viewer's own, or any for the staff; NotFound for others."""
    viewer = info.context.viewer
    order = await info.context.load.order.load(row_id(id, "Order", field=("order_id",)))
    if order is None or not (viewer.may(Permission.ORDER_VIEW_ALL) or viewer.owns(order.account_id)):
        raise NotFound("order", field=("order_id",))
    return order


async def tickets(
    info: Info,
    filter: TicketFilter | None = None,
    sort: TicketSort = TicketSort.NEWEST,
    page: PageRequest = FIRST_PAGE,
) -> Page[Ticket]:
    """Tickets, the newest first: a customer's own, or all for the staff.

    filter: which of them
    sort: in which order
    """
    filters, viewer = filter or TicketFilter(), info.context.viewer
    criteria = TicketCriteria(
        account_id=None if viewer.may(Permission.TICKET_VIEW_ALL) else viewer.id,
        order_id=row_id(filters.order_id, "Order", field=("filter", "order_id"))
        if filters.order_id
        else None,
        assignee_id=row_id(filters.assignee_id, "Account", field=("filter", "assignee_id"))
        if filters.assignee_id
        else None,
        status=filters.status,
        type=filters.type,
        reason=filters.reason,
        due_before=filters.due_before,
        overdue=filters.overdue,
        assigned=filters.assigned,
        unanswered=filters.unanswered,
        about_order=filters.about_order,
        in_queue=queue_of(info, filters.queue) if filters.queue else None,
    )
    internal = viewer.may(Permission.TICKET_VIEW_INTERNAL)
    statement, rows = sort_tickets(criteria, sort if internal else TicketSort.NEWEST)
    return await query_page(info, statement, rows, page)


def queue_of(info: Info, queue: WorkQueue) -> ColumnElement[bool]:
    """Whether a ticket is in a queue; Invalid for who does not work on it."""
    viewer = info.context.viewer
    condition = find_queue(queue, viewer.role, viewer.id, now=info.context.now)
    if condition is None:
        raise Invalid("You do not work on this queue.", field=("filter", "queue"))
    return condition


async def ticket_quote(info: Info, input: TicketQuoteInput) -> TicketQuote | None:
    """What a ticket would bring before it is opened: whether it could be, until when and the exact refund.

    input: what would be asked for
    """
    try:
        order = await own_order(info, input.order_id)
    except NotFound:
        return None
    deadlines, now = deadlines_of(info.context.shop.settings), info.context.now
    async with info.context.shop.database.reads() as session:
        return await quote_claim(session, order, input.claim(), deadlines, asked_at=now)


async def ticket_quotes(
    info: Info, order_id: strawberry.ID, types: list[TicketType] | None = None
) -> Sequence[TicketQuote] | None:
    """What can be asked for of an order, before a ticket is opened: for each line, and each type with each
    reason that goes with it, whether, until when, why not, and the exact refund to each payment. Each is
    about as many units of one line as can be asked for now, about one where none can; null for an order of
    others. A question can be asked about any order.

    order_id: the order
    types: of these types only
    """
    try:
        order = await own_order(info, order_id)
    except NotFound:
        return None
    deadlines, now = deadlines_of(info.context.shop.settings), info.context.now
    async with info.context.shop.database.reads() as session:
        return await quote_order(session, order, deadlines, types=types or tuple(TicketType), asked_at=now)


def refusal_message(root: TicketQuoteRefusal, info: Info) -> str:
    """For people: why, as a customer reads it."""
    return info.context.viewer_of(info).text_of(root.message)


async def ticket_updates(info: Info, id: strawberry.ID, after: int | None = None) -> AsyncIterator[Event]:
    """Everything that happens to a ticket: the events after a version first, then live ones, each once and in
    order.

    id: the ticket
    after: the last version seen; later ones come first. Without it only what is to come. RELOAD_REQUIRED when
        later ones are archived: load it anew and watch from its version
    """
    found = await own_ticket(info, id)
    if after is not None and not 0 <= after <= found.version:
        raise Invalid("This ticket is at version {version}.", version=found.version, field=("after",))
    async for event in info.context.shop.replay.follow(Subject.TICKET, found.id, after):
        yield event


async def assignees(tickets: Sequence[Ticket], info: Info) -> Sequence[Account | None]:
    """The member of the support staff who has it; null when nobody has, and for customers."""
    if not info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        return [None] * len(tickets)
    assignee_ids = [ticket.assignee_id for ticket in tickets if ticket.assignee_id is not None]
    found = dict(zip(assignee_ids, await info.context.load.account.load_many(assignee_ids), strict=True))
    return [found[ticket.assignee_id] if ticket.assignee_id else None for ticket in tickets]


async def return_carriers(info: Info) -> Sequence[ReturnCarrier]:
    """The shop's carriers that can bring a return; others are named in words."""
    carriers = await load_carriers(info.context.shop.database.reads)
    return [ReturnCarrier.of(carrier) for carrier in carriers if carrier.code != OWN_COURIERS]


async def return_tracking_urls(tickets: Sequence[Ticket], info: Info) -> Sequence[str | None]:
    """The carrier's own page about the goods on their way back; null where it has none."""
    codes = [ticket.return_carrier_code for ticket in tickets if ticket.return_carrier_code is not None]
    found = dict(zip(codes, await info.context.load.carrier_by_code.load_many(codes), strict=True))
    return [
        link_to_parcel(carrier, ticket.return_tracking_number)
        if ticket.return_carrier_code and (carrier := found[ticket.return_carrier_code])
        else None
        for ticket in tickets
    ]


async def inspectors(rows: Sequence[ReturnInspection], info: Info) -> Sequence[Account | None]:
    """Who has inspected them; null for customers."""
    if not info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        return [None] * len(rows)
    ids = [row.inspected_by_id for row in rows if row.inspected_by_id is not None]
    found = dict(zip(ids, await info.context.load.account.load_many(ids), strict=True))
    return [found[row.inspected_by_id] if row.inspected_by_id else None for row in rows]


async def suggested_articles(
    tickets: Sequence[Ticket], info: Info, first: int = 3
) -> Sequence[Sequence[Article]]:
    """Articles that may answer it, the best first; none for customers.

    first: how many, at most 10
    """
    if not info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        return [()] * len(tickets)
    return await suggest_articles(info, [question_of(ticket) for ticket in tickets], first=first)


async def actors(events: Sequence[Event], info: Info) -> Sequence[Account | None]:
    """Who caused it; null where it followed automatically, and for customers where it was the staff."""
    return await find_actors(info, events, sees_all=info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL))


def status_then(root: Event) -> TicketStatus:
    """Where the ticket stood after this event."""
    return TicketStatus(root.payload["status"])
