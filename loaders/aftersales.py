from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.event import EventsByRow
from loaders.page import Key, Sort
from models import (
    Category,
    ClaimExclusion,
    ClaimPolicy,
    ClaimTerms,
    Delivery,
    DeliveryLine,
    Media,
    Product,
    Refund,
    Subject,
    Ticket,
    TicketLine,
    TicketMedia,
    TicketMessage,
    TicketReason,
    TicketStatus,
    TicketType,
    select_exclusions,
    select_policies_at,
)
from models.database import Reads
from models.sql.types import AnySelect

NEWEST_TICKET = Sort("newest", (Key(Ticket.id, descending=True),))


def select_tickets(
    *,
    account_id: int | None = None,
    order_id: int | None = None,
    assignee_id: int | None = None,
    status: Sequence[TicketStatus] | None = None,
    type: Sequence[TicketType] | None = None,
    reason: Sequence[TicketReason] | None = None,
    due_before: datetime | None = None,
) -> AnySelect:
    statement = select(Ticket)
    for column, value in (
        (Ticket.account_id, account_id),
        (Ticket.order_id, order_id),
        (Ticket.assignee_id, assignee_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    for column_, values in ((Ticket.status, status), (Ticket.type, type), (Ticket.reason, reason)):
        if values is not None:
            statement = statement.where(column_.in_(values))
    return statement if due_before is None else statement.where(Ticket.due_at < due_before)


class TicketById(ByKey[int, Ticket]):
    key = Ticket.id


class TicketByNumber(ByKey[str, Ticket]):
    key = Ticket.number


class TicketsByOrder(ManyByKey[int, Ticket]):
    key = Ticket.order_id
    order_by = (Ticket.id, TicketLine.order_line_id)
    primes = "ticket"
    brings = {"ticket_lines": (Ticket.id, TicketLine.ticket_id)}


class LinesByTicket(ManyByKey[int, TicketLine]):
    key = TicketLine.ticket_id
    order_by = TicketLine.order_line_id


class TicketMessageById(ByKey[int, TicketMessage]):
    key = TicketMessage.id


class MessagesByTicket(ManyByKey[int, TicketMessage]):
    key = TicketMessage.ticket_id
    order_by = TicketMessage.id


class MediaByTicket(Grouped[int, Sequence[Media]]):
    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[Media]]:
        rows = await session.execute(
            select(TicketMedia.ticket_id, Media)
            .join(Media, Media.id == TicketMedia.media_id)
            .where(TicketMedia.ticket_id.in_(keys))
            .order_by(Media.id)
        )
        found: dict[int, list[Media]] = {}
        for ticket_id, media in rows:
            found.setdefault(ticket_id, []).append(media)
        return found

    def default(self) -> Sequence[Media]:
        return ()


class RefundsByTicket(ManyByKey[int, Refund]):
    key = Refund.ticket_id
    order_by = Refund.id


class ReplacementsByTicket(ManyByKey[int, Delivery]):
    key = Delivery.ticket_id
    order_by = (Delivery.position, DeliveryLine.id)
    brings = {"delivery_lines": (Delivery.id, DeliveryLine.delivery_id)}


class EventsByTicket(EventsByRow):
    subject = Subject.TICKET


POLICIES_LIMIT = 500
"""Terms of claims that are listed."""


async def load_claim_policies(reads: Reads, *, history: bool) -> Sequence[ClaimPolicy]:
    """The terms of claims as they are now, those of everything first, or with all earlier ones, the newest
    first."""
    async with reads() as session:
        statement = (
            select(ClaimPolicy).order_by(ClaimPolicy.id.desc())
            if history
            else select_policies_at().order_by(ClaimPolicy.scope)
        )
        rows = await session.scalars(statement.limit(POLICIES_LIMIT))
        return rows.all()


class ExclusionByProduct(Grouped[int, ClaimExclusion | None]):
    """Why a product cannot be returned without a reason; None where it can."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, ClaimExclusion | None]:
        terms = ClaimTerms.of(await session.scalars(select_exclusions()))
        if not terms.policies:
            return {}
        rows = await session.execute(
            select(Product.id, Category.path)
            .outerjoin(Category, Category.id == Product.category_id)
            .where(Product.id.in_(keys))
        )
        return {product_id: terms.exclusion_of(product_id, path) for product_id, path in rows}

    def default(self) -> ClaimExclusion | None:
        return None


class AftersalesLoaders:
    product_exclusion = loader(ExclusionByProduct)
    ticket = loader(TicketById)
    ticket_by_number = loader(TicketByNumber)
    order_tickets = loader(TicketsByOrder)
    ticket_lines = loader(LinesByTicket)
    ticket_message = loader(TicketMessageById)
    ticket_messages = loader(MessagesByTicket)
    ticket_media = loader(MediaByTicket)
    ticket_refunds = loader(RefundsByTicket)
    ticket_replacements = loader(ReplacementsByTicket)
    ticket_events = loader(EventsByTicket)
