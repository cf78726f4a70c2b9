"""Opening tickets: by customers and guests, and by the staff for them."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.requests import TicketRequest, open_ticket
from domain.errors import Forbidden
from domain.free_numbers import draw_free_numbers
from events.aftersales import deadlines_of
from models import Role, Ticket, TicketChannel, TicketType
from resolvers.aftersales.queries import own_order
from resolvers.context import Context, Info
from resolvers.guard import Permission
from resolvers.inputs.aftersales import TicketOpenInput

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
