"""Merging duplicates of tickets, and splitting a ticket."""

from asyncio import gather
from collections.abc import Sequence
from functools import partial

import strawberry

from domain.aftersales.merging import merge_tickets
from domain.aftersales.splitting import split_ticket
from domain.errors import NotFound
from domain.free_numbers import draw_free_numbers
from events.aftersales import deadlines_of
from models import Ticket, TicketStatus
from resolvers.aftersales.opening import NUMBER_PREFIX
from resolvers.aftersales.queries import find_ticket, own_ticket_id
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.aftersales import TicketLineInput, claimed_units


async def ticket_merge(
    info: Info, id: strawberry.ID, into_id: strawberry.ID, move_units: bool = False
) -> Ticket:
    """Ends a duplicate, which goes on as another ticket about the same order, with its messages; a question
    about no order goes on as any ticket of its customer. The customer is told; what they write about the
    duplicate later goes there, too. Nothing of it may have been granted.

    id: the duplicate
    into_id: the ticket as which it goes on, which is returned
    move_units: whether the other asks for the units of the duplicate, too; else they are free again
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    into = row_id(into_id, "Ticket", field=("into_id",))
    if await find_ticket(info, into) is None:
        raise NotFound("ticket", field=("into_id",))
    async with context.transaction() as session:
        return await merge_tickets(
            session,
            ticket_id,
            into,
            deadlines_of(context.shop.settings),
            move_units=move_units,
            cause=context.cause,
        )


async def ticket_split(
    info: Info, id: strawberry.ID, lines: list[TicketLineInput], idempotency_key: str
) -> Ticket:
    """Makes a ticket of its own of some units of one that was not answered yet. The messages stay with the
    first; pictures are those of both. A repeated key finds the ticket it made.

    id: the ticket
    lines: the lines that are split off, each once
    idempotency_key: chosen by the client, the same for every attempt at the same request
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        draw = partial(context.shop.secrets.new_number, NUMBER_PREFIX, context.now)
        [number] = await draw_free_numbers(session, Ticket.number, draw)
        return await split_ticket(
            session,
            ticket_id,
            claimed_units(lines),
            deadlines_of(context.shop.settings),
            number=number,
            key=idempotency_key,
            cause=context.cause,
        )


MERGEABLE = (TicketStatus.APPLIED, TicketStatus.ANSWERED)


async def duplicates(tickets: Sequence[Ticket], info: Info) -> Sequence[Sequence[Ticket]]:
    """Tickets about the same order, and questions of its customer about none, that may be duplicates of it
    and could be merged; none for customers."""
    if not info.context.viewer.may(Permission.TICKET_VIEW_INTERNAL):
        return [()] * len(tickets)
    load, waiting = info.context.load, [ticket for ticket in tickets if ticket.closed_at is None]
    order_ids = list({ticket.order_id for ticket in waiting if ticket.order_id is not None})
    account_ids = list({ticket.account_id for ticket in waiting})
    of_orders, of_none = await gather(
        load.order_tickets.load_many(order_ids), load.customer_questions.load_many(account_ids)
    )
    about = dict(zip(order_ids, of_orders, strict=True))
    asked = dict(zip(account_ids, of_none, strict=True))
    return [
        [
            other
            for other in (*(about[ticket.order_id] if ticket.order_id else ()), *asked[ticket.account_id])
            if other.id != ticket.id and other.status in MERGEABLE
        ]
        if ticket.closed_at is None
        else []
        for ticket in tickets
    ]
