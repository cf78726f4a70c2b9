"""What customers and staff do about tickets."""

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
from domain.aftersales.rules import Claim
from domain.aftersales.settling import retry_refunds
from domain.errors import Forbidden
from events.aftersales import deadlines_of
from models import (
    Ticket,
    TicketReason,
    TicketType,
)
from resolvers.aftersales.showing import own_order, own_ticket
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.aftersales import TicketLineInput, pictures, wanted

NUMBER_PREFIX = "T"


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
