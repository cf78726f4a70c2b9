"""What tickets do after refunds, deliveries and cancellations, and when nobody acts in time."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.assignment import forget_releases, select_ended_releases
from domain.aftersales.automatic import agree_when_opened
from domain.aftersales.day_counts import recount_ticket, select_changed
from domain.aftersales.deadlines import Deadlines
from domain.aftersales.difference import send_paid_replacement
from domain.aftersales.giving import give_ticket, release_uncertified, select_free, select_uncertified
from domain.aftersales.overdue import act_on_overdue, select_overdue
from domain.aftersales.priority import rank_unranked, read_again, select_outdated, select_unranked
from domain.aftersales.question_opening import QuestionTerms
from domain.aftersales.rating import ask_for_rating, select_unasked
from domain.aftersales.replacement import find_replaced_ticket
from domain.aftersales.replacement_choice import fill_waiting_ticket, select_fillable_tickets
from domain.aftersales.settlement import follow_refunds, follow_replacement
from domain.cause import Cause
from domain.events import (
    PaymentCaptured,
    RefundAbnormal,
    RefundFailed,
    RefundRequested,
    RefundSucceeded,
    ShipmentDelivered,
    ShipmentEnded,
    ShipmentTracked,
    TicketOpened,
)
from domain.payment.bonus import BonusTerms
from events.types import Resources, Timer
from settings import Settings

RECOUNTED_AFTER = timedelta(minutes=1)
"""From when a ticket has changed: what changes together is counted once."""

TERMS_SETTLED_AFTER = timedelta(minutes=1)
"""From when an urgent word has changed: tickets are read again once for words that change together."""


def deadlines_of(settings: Settings) -> Deadlines:
    """How long customers and staff have for each step of a ticket."""
    return Deadlines(
        zone=settings.locale.zone,
        delivery_promise=settings.deadlines.delivery_promise,
        not_received_after=settings.deadlines.not_received_after,
        answer=settings.deadlines.ticket_agreed_after,
        send_back=settings.deadlines.return_shipped_within,
        inspect=settings.deadlines.return_accepted_after,
        see_return=settings.returns.seen_within,
        inspect_arrived=settings.returns.inspected_within,
        receipt=settings.deadlines.receipt_confirmed_after,
        choose=settings.deadlines.replacement_chosen_within,
        pay_difference=settings.deadlines.difference_paid_within,
        wait_for_stock=settings.deadlines.replacement_stock_within,
        repair=settings.deadlines.repaired_within,
        close_question=settings.deadlines.question_closed_after,
    )


def question_terms_of(settings: Settings) -> QuestionTerms:
    """How much customers ask about no order."""
    limits = settings.aftersales
    return QuestionTerms(
        settings.locale.default_currency, limits.open_questions_limit, limits.questions_per_day
    )


def bonus_terms_of(settings: Settings) -> BonusTerms:
    """What the shop adds now to refunds that go into store credit."""
    return BonusTerms(settings.refund_bonus.basis_points, settings.refund_bonus.caps)


async def update_ticket_of_refund(
    session: AsyncSession,
    event: RefundRequested | RefundSucceeded | RefundFailed | RefundAbnormal,
    resources: Resources,
) -> None:
    """Bring the ticket of a refund, if it has one, to the status that its refunds have."""
    if event.ticket_id is not None:
        deadlines = deadlines_of(resources.settings)
        await follow_refunds(session, event.ticket_id, deadlines, cause=Cause(resources.clock()))


async def update_replaced_ticket(
    session: AsyncSession, event: ShipmentTracked | ShipmentDelivered | ShipmentEnded, resources: Resources
) -> None:
    """Complete the ticket for which a shipment was the replacement once it has arrived, or let its customer
    choose anew when it came back."""
    ticket_id = await find_replaced_ticket(session, event.shipment.id)
    if ticket_id is not None:
        deadlines = deadlines_of(resources.settings)
        await follow_replacement(session, ticket_id, deadlines, cause=Cause(resources.clock()))


async def send_replacement_of_payment(
    session: AsyncSession, event: PaymentCaptured, resources: Resources
) -> None:
    """Send the replacement that was waiting for a payment, if one was."""
    deadlines = deadlines_of(resources.settings)
    await send_paid_replacement(session, event.payment_id, deadlines, cause=Cause(resources.clock()))


async def agree_by_rule(session: AsyncSession, event: TicketOpened, resources: Resources) -> None:
    """Agree to a ticket that was just opened where a rule of the shop does."""
    deadlines = deadlines_of(resources.settings)
    await agree_when_opened(session, event.ticket.id, deadlines, cause=Cause(resources.clock()))


async def act_on_ticket(resources: Resources, ticket_id: int) -> None:
    async with resources.database.writes.begin() as session:
        deadlines = deadlines_of(resources.settings)
        await act_on_overdue(session, ticket_id, deadlines, cause=Cause(resources.clock()))


async def fill_ticket(resources: Resources, ticket_id: int) -> None:
    async with resources.database.writes.begin() as session:
        deadlines = deadlines_of(resources.settings)
        await fill_waiting_ticket(session, ticket_id, deadlines, cause=Cause(resources.clock()))


async def give_free_ticket(resources: Resources, ticket_id: int) -> None:
    """Give a ticket that nobody has to an agent who is there and can handle it."""
    async with resources.database.writes.begin() as session:
        await give_ticket(session, ticket_id, cause=Cause(resources.clock()))


async def release_from_uncertified(resources: Resources, ticket_ids: Sequence[int]) -> int:
    """Take tickets from agents who lack a certificate that they take."""
    async with resources.database.writes.begin() as session:
        return await release_uncertified(session, ticket_ids, cause=Cause(resources.clock()))


async def release_one(resources: Resources, ticket_id: int) -> None:
    await release_from_uncertified(resources, [ticket_id])


async def forget_releases_of(resources: Resources, ticket_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await forget_releases(session, ticket_id)


async def rank_ticket(resources: Resources, ticket_id: int) -> None:
    async with resources.database.writes.begin() as session:
        await rank_unranked(session, ticket_id, deadlines_of(resources.settings), now=resources.clock())


async def read_tickets_again(resources: Resources, ticket_ids: Sequence[int]) -> int:
    """Read what customers have written by the urgent words of now."""
    async with resources.database.writes.begin() as session:
        return await read_again(session, ticket_ids)


async def read_one_again(resources: Resources, ticket_id: int) -> None:
    await read_tickets_again(resources, [ticket_id])


TICKETS_OUTDATED = Timer(
    "ticket.terms_changed",
    due=select_outdated,
    act=read_one_again,
    act_on_group=read_tickets_again,
    age=lambda settings: TERMS_SETTLED_AFTER,
)
TICKETS_UNRANKED = Timer("ticket.unranked", due=select_unranked, act=rank_ticket)
TICKETS_UNCERTIFIED = Timer(
    "ticket.holder_uncertified",
    due=select_uncertified,
    act=release_one,
    act_on_group=release_from_uncertified,
)
RELEASES_ENDED = Timer("ticket.release_ended", due=select_ended_releases, act=forget_releases_of)
TICKETS_FREE = Timer("ticket.free", due=select_free, act=give_free_ticket)
TICKETS_OVERDUE = Timer("ticket.overdue", due=select_overdue, act=act_on_ticket)


async def recount_day(resources: Resources, ticket_id: int) -> None:
    zone = resources.settings.locale.zone
    async with resources.database.writes.begin() as session:
        await recount_ticket(session, ticket_id, zone=zone, now=resources.clock())


async def ask_customer(resources: Resources, ticket_id: int) -> None:
    open_for = resources.settings.deadlines.rating_open_for
    async with resources.database.writes.begin() as session:
        await ask_for_rating(session, ticket_id, open_for=open_for, now=resources.clock())


CHANGED_DAYS = Timer(
    "ticket.day_counted", due=select_changed, act=recount_day, age=lambda settings: RECOUNTED_AFTER
)
UNASKED_TICKETS = Timer(
    "ticket.rating_asked",
    due=select_unasked,
    act=ask_customer,
    age=lambda settings: settings.deadlines.rating_asked_after,
)
TICKETS_IN_STOCK = Timer("ticket.in_stock", due=select_fillable_tickets, act=fill_ticket)
