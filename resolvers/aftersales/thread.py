"""The messages of tickets: writing and reading them, and who has read them."""

from collections.abc import Sequence

import strawberry

from domain.aftersales.messages import MessageDraft, add_message, read_ticket
from domain.aftersales.rating import rate_ticket
from domain.errors import Forbidden
from events.aftersales import deadlines_of
from loaders.aftersales import UnreadKey
from models import STAFF, Account, Media, Ticket, TicketMessage, TicketRating
from resolvers.aftersales.queries import find_ticket, own_ticket_id
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id, row_id_or_zero
from resolvers.inputs.aftersales import media_row_ids


async def ticket_message_add(
    info: Info,
    id: strawberry.ID,
    body: str,
    internal: bool = False,
    media_ids: list[strawberry.ID] = [],  # noqa: B006 - read only
    mention_ids: list[strawberry.ID] = [],  # noqa: B006 - read only
) -> Ticket:
    """Adds a message to a ticket; one of the staff that is not internal answers a question.

    id: the ticket
    body: up to 4,000 characters
    internal: whether only the staff can read it
    media_ids: up to 9 pictures the writer has uploaded
    mention_ids: up to 20 accounts of the staff whom an internal note asks to look; they are told
    """
    context = info.context
    if (internal or mention_ids) and not context.viewer.may(Permission.TICKET_HANDLE):
        raise Forbidden
    ticket_id = await own_ticket_id(info, id)
    draft = MessageDraft(
        body=body,
        internal=internal,
        media_ids=media_row_ids(media_ids),
        mention_ids=tuple(row_id_or_zero(each, "Account") for each in mention_ids),
    )
    async with context.transaction() as session:
        return await add_message(
            session, ticket_id, draft, deadlines_of(context.shop.settings), cause=context.cause
        )


async def ticket_read(info: Info, id: strawberry.ID, message_id: strawberry.ID) -> Ticket:
    """Notes up to which message of a ticket the viewer has read; the mark never goes back.

    id: the ticket
    message_id: the last message read
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    last = row_id(message_id, "TicketMessage", field=("message_id",))
    sees_internal = context.viewer.may(Permission.TICKET_VIEW_INTERNAL)
    async with context.transaction() as session:
        return await read_ticket(session, ticket_id, last, sees_internal=sees_internal, cause=context.cause)


async def ticket_rate(info: Info, id: strawberry.ID, rating: int, note: str = "") -> Ticket:
    """Rates how a ticket went that the shop has asked about, or changes the rating while there is time.

    id: the ticket, one of the viewer's own
    rating: from 1, bad, to 5, good
    note: why, in up to 1,000 characters
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await rate_ticket(session, ticket_id, rating=rating, note=note, cause=context.cause)


async def ratings(tickets: Sequence[Ticket], info: Info) -> Sequence[TicketRating | None]:
    """How the customer rates it; null before they were asked."""
    return await info.context.load.ticket_rating.load_many([ticket.id for ticket in tickets])


async def messages(tickets: Sequence[Ticket], info: Info) -> Sequence[Sequence[TicketMessage]]:
    """The messages, the oldest first, for the staff with the internal notes."""
    threads = await info.context.load.ticket_messages.load_many([ticket.id for ticket in tickets])
    if info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        return threads
    return [[message for message in thread if not message.internal] for thread in threads]


async def unread(tickets: Sequence[Ticket], info: Info) -> Sequence[int]:
    """How many messages of others the viewer has not read yet."""
    viewer_id = info.context.viewer.id
    if viewer_id is None:
        return [0] * len(tickets)
    sees_internal = info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL)
    keys = [UnreadKey(ticket.id, viewer_id, sees_internal) for ticket in tickets]
    return await info.context.load.ticket_unread.load_many(keys)


async def read(messages: Sequence[TicketMessage], info: Info) -> Sequence[bool]:
    """Whether the customer, or else somebody of the staff, has read it; false for internal notes."""
    load = info.context.load
    tickets = await load.ticket.load_many([message.ticket_id for message in messages])
    marks = await load.ticket_reads.load_many([message.ticket_id for message in messages])
    found = []
    for message, ticket, reads in zip(messages, tickets, marks, strict=True):
        customer_id = ticket.account_id if ticket else 0
        by_customer = message.author_id == customer_id
        found.append(
            not message.internal
            and any(
                mark.message_id >= message.id and (mark.account_id != customer_id) == by_customer
                for mark in reads
            )
        )
    return found


async def mentions(messages: Sequence[TicketMessage], info: Info) -> Sequence[Sequence[Account]]:
    """Whom of the staff it asks to look; nobody for customers."""
    if not info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        return [()] * len(messages)
    return await info.context.load.message_mentions.load_many([message.id for message in messages])


async def message_media(messages: Sequence[TicketMessage], info: Info) -> Sequence[Sequence[Media]]:
    """The pictures attached to it."""
    return await info.context.load.message_media.load_many([message.id for message in messages])


async def from_staff(messages: Sequence[TicketMessage], info: Info) -> Sequence[bool]:
    """Whether the author is of the staff."""
    authors = await info.context.load.account.load_many([message.author_id for message in messages])
    return [author is not None and author.role in STAFF for author in authors]


async def find_ticket_message(info: Info, message_id: int) -> TicketMessage | None:
    """The message, if this viewer may read it."""
    found = await info.context.load.ticket_message.load(message_id)
    if found is None or (found.internal and not info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL)):
        return None
    return found if await find_ticket(info, found.ticket_id) else None
