"""Mutations of tickets."""

import strawberry

from domain.aftersales.assignment import assign_ticket, hand_over_ticket
from domain.aftersales.decisions import agree_ticket, decide_ticket, refuse_ticket
from domain.aftersales.difference import choose_difference_payment
from domain.aftersales.inspection import inspect_return
from domain.aftersales.questions import close_question
from domain.aftersales.repair import finish_repair
from domain.aftersales.replacement_choice import choose_replacement
from domain.aftersales.requests import (
    TicketRequestChange,
    cancel_ticket,
    choose_refund_target,
    escalate_ticket,
    reapply_ticket,
)
from domain.aftersales.return_waybill import ReturnWaybill, ship_return
from domain.aftersales.settlement import retry_refunds
from domain.aftersales.ticket import order_id_of
from events.aftersales import bonus_terms_of, deadlines_of
from models import (
    PaymentMethod,
    RefundTarget,
    ReplacementChoice,
    Ticket,
    TicketReason,
)
from resolvers.aftersales.opening import draw_ticket_number
from resolvers.aftersales.queries import own_ticket, own_ticket_id
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.aftersales import (
    RepairedUnitsInput,
    ReturnedUnitsInput,
    TicketLineInput,
    claimed_units,
    media_row_ids,
)
from resolvers.order.stopping import stopping_payments


async def ticket_close(info: Info, id: strawberry.ID) -> Ticket:
    """Closes a question that has been answered; by itself it is closed a week after the answer. The
    staff also close one that needs no answer.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await close_question(
            session, ticket_id, deadlines_of(context.shop.settings), cause=context.cause
        )


async def ticket_reapply(
    info: Info,
    id: strawberry.ID,
    description: str,
    reason: TicketReason | None = None,
    lines: list[TicketLineInput] | None = None,
    media_ids: list[strawberry.ID] | None = None,
) -> Ticket:
    """Applies again after a refusal. What is left out stays as it was.

    id: the refused ticket
    description: what happened, in up to 2,000 characters
    reason: why
    lines: the lines of the order it is about, each once
    media_ids: up to 9 pictures the customer has uploaded
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    change = TicketRequestChange(
        description,
        reason,
        None if lines is None else claimed_units(lines),
        None if media_ids is None else media_row_ids(media_ids),
    )
    async with context.transaction() as session:
        return await reapply_ticket(
            session,
            ticket_id,
            change,
            deadlines_of(context.shop.settings),
            cause=context.cause,
        )


async def ticket_agree(info: Info, id: strawberry.ID) -> Ticket:
    """Agrees to what a ticket asks for.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await agree_ticket(
            session, ticket_id, deadlines_of(context.shop.settings), cause=context.cause
        )


async def ticket_refuse(info: Info, id: strawberry.ID, reason: str) -> Ticket:
    """Refuses what a ticket asks for; the customer may apply again or escalate.

    id: the ticket
    reason: why, as the customer reads it
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await refuse_ticket(
            session,
            ticket_id,
            deadlines_of(context.shop.settings),
            reason=reason,
            cause=context.cause,
        )


async def ticket_return_ship(
    info: Info, id: strawberry.ID, carrier: str, tracking_number: str, carrier_name: str = ""
) -> Ticket:
    """Records with which carrier and number the goods travel back, and follows the parcel where it is one of
    the shop's; done again, it corrects them until they are inspected, at most a few times.

    A number that another customer has given, too, is followed for neither until the staff give it for the
    right ticket.

    id: the ticket
    carrier: the code or the name of one of the shop's carriers (see `returnCarriers`), or OTHER
    tracking_number: the number on the waybill
    carrier_name: who carries them, where it is none of the shop's carriers
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    by_staff = context.viewer.may(Permission.TICKET_HANDLE)
    async with context.transaction() as session:
        return await ship_return(
            session,
            ticket_id,
            ReturnWaybill(carrier, tracking_number, carrier_name),
            deadlines_of(context.shop.settings),
            decides=by_staff,
            corrections=None if by_staff else context.shop.settings.returns.corrections,
            cause=context.cause,
        )


async def ticket_return_receive(info: Info, id: strawberry.ID, units: list[ReturnedUnitsInput]) -> Ticket:
    """Says of each unit of a return how it came back; accepted ones go into the warehouse they came from.

    Where some are refused and others accepted, the refused ones become a ticket of their own. What is refused
    and there is sent back to the customer. A return that was accepted because nobody inspected it in time is
    only booked, whatever is found. Where the replacement is sold out, the customer chooses what to get
    instead.

    id: the ticket
    units: groups of units; together all that the ticket is about
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await inspect_return(
            session,
            ticket_id,
            [each.units() for each in units],
            deadlines_of(context.shop.settings),
            part_number=await draw_ticket_number(context, session),
            cause=context.cause,
        )


async def ticket_repair_finish(info: Info, id: strawberry.ID, units: list[RepairedUnitsInput]) -> Ticket:
    """Says of each unit that was sent in whether it was repaired; those that were go back to the customer.

    Where some cannot be repaired, they become a ticket of their own. The customer chooses what to get for
    them with `ticketReplacementChoose`: money, a replacement, or the same units as they are.

    id: the ticket
    units: groups of units; together all that the ticket is about
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await finish_repair(
            session,
            ticket_id,
            [each.units() for each in units],
            deadlines_of(context.shop.settings),
            part_number=await draw_ticket_number(context, session),
            cause=context.cause,
        )


async def ticket_replacement_choose(
    info: Info, id: strawberry.ID, choice: ReplacementChoice, variant_id: strawberry.ID | None = None
) -> Ticket:
    """Chooses what to get for a replacement that is sold out or came back, or for what cannot be repaired.
    Who waits may still choose anew.

    id: the ticket
    choice: to wait, to take another variant, to get money, or what was sent in for a repair as it is
    variant_id: the other variant, of the same product or another one; what it costs less is refunded, what it
        costs more is paid with `ticketDifferencePay` before it is sent
    """
    context, found = info.context, await own_ticket(info, id)
    variant = None if variant_id is None else row_id(variant_id, "Variant", field=("variant_id",))

    async def choose() -> Ticket:
        async with context.transaction() as session:
            return await choose_replacement(
                session,
                found.id,
                choice,
                deadlines_of(context.shop.settings),
                variant_id=variant,
                cause=context.cause,
            )

    return await stopping_payments(info, order_id_of(found), choose)


async def ticket_difference_pay(info: Info, id: strawberry.ID, method: PaymentMethod) -> Ticket:
    """Says how the difference is paid that a replacement costs more; its payment is started then.

    Store credit pays it at once. Another method takes the place of the one before.

    id: the ticket
    method: one of the methods on offer, but cash
    """
    context, found = info.context, await own_ticket(info, id)

    async def choose() -> Ticket:
        async with context.transaction() as session:
            return await choose_difference_payment(
                session, found.id, method, context.shop.order_terms, cause=context.cause
            )

    return await stopping_payments(info, order_id_of(found), choose)


async def ticket_refund_choose(info: Info, id: strawberry.ID, refund_to: RefundTarget) -> Ticket:
    """Chooses where the refund of a ticket goes, until it is requested; without a choice, as it was paid.
    What the shop adds to store credit (`Ticket.bonus`) is promised with this choice: what is chosen already
    keeps its promise.

    id: the ticket
    refund_to: where it goes; guests have no store credit
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    terms = bonus_terms_of(context.shop.settings)
    async with context.transaction() as session:
        return await choose_refund_target(session, ticket_id, refund_to, terms=terms, cause=context.cause)


async def ticket_escalate(info: Info, id: strawberry.ID) -> Ticket:
    """Asks for a manager's decision after a refusal.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await escalate_ticket(
            session, ticket_id, deadlines_of(context.shop.settings), cause=context.cause
        )


async def ticket_decide(info: Info, id: strawberry.ID, agreed: bool, reason: str) -> Ticket:
    """Decides an escalated ticket for good. When the shop agrees, refused goods that are still there go into
    the damaged stock; what was sent back to the customer meanwhile has to come once more.

    id: the ticket
    agreed: whether the customer gets what they ask for
    reason: why, as the customer reads it
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await decide_ticket(
            session,
            ticket_id,
            deadlines_of(context.shop.settings),
            agreed=agreed,
            reason=reason,
            part_number=await draw_ticket_number(context, session),
            cause=context.cause,
        )


async def ticket_cancel(info: Info, id: strawberry.ID) -> Ticket:
    """Cancels a ticket while nothing has been settled.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    async with context.transaction() as session:
        return await cancel_ticket(
            session, ticket_id, deadlines_of(context.shop.settings), cause=context.cause
        )


async def ticket_assign(
    info: Info, id: strawberry.ID, assignee_id: strawberry.ID | None = None, note: str | None = None
) -> Ticket:
    """Assigns a ticket to somebody of the support staff, or to nobody.

    id: the ticket
    assignee_id: their account; left out, nobody has it
    note: what they should know, as an internal note; they are told of it
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    to = None if assignee_id is None else row_id(assignee_id, "Account", field=("assignee_id",))
    async with context.transaction() as session:
        if note is None:
            return await assign_ticket(session, ticket_id, to, cause=context.cause)
        deadlines = deadlines_of(context.shop.settings)
        return await hand_over_ticket(session, ticket_id, to, deadlines, note=note, cause=context.cause)


async def ticket_refund_retry(info: Info, id: strawberry.ID) -> Ticket:
    """Retries the failed parts of a refund at once.

    id: the ticket
    """
    context, ticket_id = info.context, await own_ticket_id(info, id)
    deadlines = deadlines_of(context.shop.settings)
    async with context.transaction() as session:
        return await retry_refunds(session, ticket_id, deadlines, cause=context.cause)
