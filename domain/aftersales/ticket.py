"""Locking a ticket, and reading and saving its lines and pictures."""

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.quote import TicketQuote
from domain.aftersales.reasons import ClaimStage
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.errors import Invalid, LimitReached, NotFound, WrongState, collect_refusals
from domain.media import check_own_media
from domain.order import lock_order
from domain.payment.bonus import forget_bonus, promise_bonus
from models import DeliveryLine, Order, Ticket, TicketLine, TicketMedia, TicketStatus, TicketUnits
from models.sql.together import read_together


class AboutNoOrder(WrongState):
    """Only an answer can be given to a question about no order."""

    def __init__(self) -> None:
        super().__init__("This question is about no order: it is answered with a message.", field=("id",))


MEDIA_LIMIT = 9
"""Pictures of one ticket."""

TICKETS_LIMIT = 100
"""Tickets of one order."""


async def lock_ticket(session: AsyncSession, ticket_id: int) -> tuple[Order, Ticket]:
    """A ticket and its order, both locked; WrongState of a question about no order."""
    order, ticket = await lock_any_ticket(session, ticket_id)
    if order is None:
        raise AboutNoOrder
    return order, ticket


async def lock_any_ticket(session: AsyncSession, ticket_id: int) -> tuple[Order | None, Ticket]:
    """A ticket and its order, if it is about one: the order first, always, so that two commands cannot
    deadlock."""
    order = await lock_order_of(session, ticket_id)
    ticket = await session.get_one(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    return order, ticket


async def lock_order_of(session: AsyncSession, ticket_id: int) -> Order | None:
    """The order of a ticket, locked; None where it is about none."""
    row = (await session.execute(select(Ticket.order_id).where(Ticket.id == ticket_id))).one_or_none()
    if row is None:
        raise NotFound("ticket", field=("id",))
    return None if row.order_id is None else await lock_order(session, row.order_id)


def copy_ticket(ticket: Ticket, status: TicketStatus, *, number: str) -> Ticket:
    """A ticket like another one, for units that it was about; what they bring is not said yet."""
    return Ticket(
        number=number,
        order_id=ticket.order_id,
        account_id=ticket.account_id,
        assignee_id=ticket.assignee_id,
        type=ticket.type,
        reason=ticket.reason,
        channel=ticket.channel,
        status=status,
        description=ticket.description,
        currency=ticket.currency,
        refund_amount=0,
        refund_target=ticket.refund_target,
        bonus_basis_points=ticket.bonus_basis_points,
        bonus_cap_amount=ticket.bonus_cap_amount,
        bonus_amount=0,
        version=0,
        opened_at=ticket.opened_at,
        urgent_terms=ticket.urgent_terms,
        word_hours=ticket.word_hours,
        terms_edition=ticket.terms_edition,
    )


def order_id_of(ticket: Ticket) -> int:
    """The order a ticket is about; WrongState of a question about none."""
    if ticket.order_id is None:
        raise AboutNoOrder
    return ticket.order_id


async def ticket_lines_of(session: AsyncSession, ticket: Ticket) -> Sequence[TicketLine]:
    rows = await session.scalars(
        select(TicketLine).where(TicketLine.ticket_id == ticket.id).order_by(TicketLine.order_line_id)
    )
    return rows.all()


async def claim_of(session: AsyncSession, ticket: Ticket) -> TicketClaim:
    """What a ticket asks for; units that came in one parcel are those of that parcel."""
    rows, lines = await read_together(
        session,
        session.execute(
            select(DeliveryLine.order_line_id, TicketUnits.shipment_id)
            .join(DeliveryLine, DeliveryLine.id == TicketUnits.delivery_line_id)
            .where(TicketUnits.ticket_id == ticket.id)
        ),
        ticket_lines_of(session, ticket),
    )
    parcels: defaultdict[int, set[int]] = defaultdict(set)
    for line_id, shipment_id in rows:
        parcels[line_id].add(shipment_id)
    return TicketClaim(
        ticket.type,
        ticket.reason,
        tuple(
            ClaimedUnits(
                line.order_line_id,
                line.quantity,
                only_of(parcels[line.order_line_id]),
                line.substitute_variant_id,
            )
            for line in lines
        ),
    )


def only_of(ids: AbstractSet[int]) -> int | None:
    """The one id; None where there are none or several."""
    return next(iter(ids)) if len(ids) == 1 else None


async def check_ticket_limit(session: AsyncSession, order: Order) -> None:
    count = await session.scalar(select(func.count(Ticket.id)).where(Ticket.order_id == order.id))
    if (count or 0) >= TICKETS_LIMIT:
        raise LimitReached("An order has at most {limit} tickets.", limit=TICKETS_LIMIT, field=("order_id",))


async def save_ticket_lines(session: AsyncSession, ticket: Ticket, quote: TicketQuote) -> None:
    """Save the units a ticket is about and what they bring back, in place of those saved before."""
    ticket.refund_amount = quote.refund.minor
    if quote.claim.stage is ClaimStage.WAITING:
        forget_bonus(ticket)
    await promise_bonus(session, ticket, quote.earning_amount)
    await session.execute(delete(TicketLine).where(TicketLine.ticket_id == ticket.id))
    session.add_all(
        TicketLine(
            ticket_id=ticket.id,
            order_line_id=line.line.id,
            quantity=line.quantity,
            currency=ticket.currency,
            # what is exchanged brings money back only when it is settled
            refund_amount=line.refund.minor if quote.claim.refunds else 0,
            substitute_variant_id=line.substitute.variant_id if line.substitute else None,
            substitute_reduction_amount=line.substitute.reduction_amount if line.substitute else 0,
        )
        for line in quote.lines
    )
    await session.execute(delete(TicketUnits).where(TicketUnits.ticket_id == ticket.id))
    session.add_all(
        TicketUnits(
            ticket_id=ticket.id,
            shipment_id=sent.shipment.id,
            delivery_line_id=sent.delivery_line.id,
            quantity=quantity,
        )
        for line in quote.lines
        for sent, quantity in line.picked
    )
    await session.flush()


async def check_ticket_media(session: AsyncSession, media_ids: Sequence[int], *, account_id: int) -> None:
    """Refuse pictures that are too many, or not those of the customer."""
    if len(media_ids) > MEDIA_LIMIT:
        raise LimitReached("A ticket has at most {limit} pictures.", limit=MEDIA_LIMIT, field=("media_ids",))
    with collect_refusals() as check:
        known = [media_id for media_id in media_ids if media_id]
        if len(set(known)) < len(known):
            check.add(Invalid("Attach each picture once.", field=("media_ids",)))
        with check:
            await check_own_media(session, media_ids, account_id=account_id)


async def has_picture(session: AsyncSession, ticket: Ticket) -> bool:
    pictures = select(TicketMedia.media_id).where(TicketMedia.ticket_id == ticket.id).limit(1)
    return await session.scalar(pictures) is not None


async def save_ticket_media(session: AsyncSession, ticket: Ticket, media_ids: Sequence[int]) -> None:
    """Attach checked pictures, in place of those attached before."""
    await session.execute(delete(TicketMedia).where(TicketMedia.ticket_id == ticket.id))
    session.add_all(TicketMedia(ticket_id=ticket.id, media_id=media_id) for media_id in media_ids)
    await session.flush()
