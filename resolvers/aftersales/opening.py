"""Opening tickets and asking questions: by customers and guests, and by the staff for them."""

from functools import partial

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.question_opening import QuestionRequest, ask_question
from domain.aftersales.requests import TicketRequest, open_ticket
from domain.errors import Forbidden
from domain.free_numbers import draw_free_numbers
from events.aftersales import deadlines_of, question_terms_of
from models import Role, Ticket, TicketChannel, TicketType
from resolvers.account.customers import served_customer_id
from resolvers.aftersales.queries import own_order
from resolvers.context import Context, Info
from resolvers.guard import Permission
from resolvers.inputs.aftersales import TicketOpenInput, media_row_ids

NUMBER_PREFIX = "T"


async def ticket_open(info: Info, input: TicketOpenInput) -> Ticket:
    """Opens a ticket about an order. A repeated key finds the ticket it opened."""
    context, order = info.context, await own_order(info, input.order_id)
    if input.type is TicketType.QUESTION:
        require_guests_may_ask(info)
    request = TicketRequest(
        input.claim(), input.description, input.media_row_ids(), channel_of(info, input.channel)
    )
    async with context.transaction() as session:
        number = await draw_ticket_number(context, session)
        return await open_ticket(
            session,
            order.id,
            request,
            deadlines_of(context.shop.settings),
            number=number,
            key=input.idempotency_key,
            cause=context.cause,
        )


async def question_ask(
    info: Info,
    description: str,
    idempotency_key: str,
    media_ids: list[strawberry.ID] | None = None,
    customer_id: strawberry.ID | None = None,
    channel: TicketChannel | None = None,
) -> Ticket:
    """Asks the shop something that is about no order: a ticket of type QUESTION, whose `order` is null.
    `ticketOpen` asks about an order. Guests, who have no account, ask about their orders only. A repeated key
    finds the ticket it opened.

    description: what the customer wants to know, in up to 2,000 characters
    idempotency_key: chosen by the client, the same for every attempt at the same request
    media_ids: up to 9 pictures the customer has uploaded
    customer_id: the customer whose question it is; only the staff give one
    channel: for the staff: how the customer has asked, which was not online
    """
    context = info.context
    request = QuestionRequest(
        await served_customer_id(info, customer_id) or context.viewer.id,
        description,
        media_row_ids(media_ids or ()),
        channel_of(info, channel),
    )
    async with context.transaction() as session:
        return await ask_question(
            session,
            request,
            question_terms_of(context.shop.settings),
            deadlines_of(context.shop.settings),
            number=await draw_ticket_number(context, session),
            key=idempotency_key,
            cause=context.cause,
        )


async def draw_ticket_number(context: Context, session: AsyncSession) -> str:
    """A number that no ticket has yet."""
    draw = partial(context.shop.secrets.new_number, NUMBER_PREFIX, context.now)
    [number] = await draw_free_numbers(session, Ticket.number, draw)
    return number


def require_guests_may_ask(info: Info) -> None:
    """Forbidden for guests where the shop answers the questions of accounts only."""
    # not a question of permission: guests may open what they claim
    if info.context.viewer.role is Role.GUEST_BUYER and not info.context.shop.settings.aftersales.guests_ask:
        raise Forbidden


def channel_of(info: Info, channel: TicketChannel | None) -> TicketChannel:
    """How a customer has come to the shop: only the staff can say that it was not by themselves."""
    if not info.context.viewer.may(Permission.TICKET_HANDLE):
        if channel not in {None, TicketChannel.ONLINE}:
            raise Forbidden
        return TicketChannel.ONLINE
    return channel or TicketChannel.OTHER
