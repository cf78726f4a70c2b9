from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.event import EventsByRow
from loaders.page import Key, Sort
from models import (
    Account,
    AgreementRule,
    Category,
    ClaimExclusion,
    ClaimPolicy,
    ClaimTerms,
    Delivery,
    DeliveryLine,
    Media,
    Product,
    Refund,
    ReturnInspection,
    RuleDecision,
    Subject,
    Ticket,
    TicketDifference,
    TicketLine,
    TicketMedia,
    TicketMention,
    TicketMessage,
    TicketMessageMedia,
    TicketRating,
    TicketRead,
    TicketReason,
    TicketRepair,
    TicketStatus,
    TicketType,
    select_exclusions,
    select_policies_at,
    select_rules_now,
)
from models.database import Reads
from models.sql.types import AnySelect

NEWEST_TICKET = Sort("newest", (Key(Ticket.id, descending=True),))
URGENT_TICKET = Sort("urgent", (Key(Ticket.attend_by), Key(Ticket.id)))


class TicketSort(StrEnum):
    """The order of a list of tickets."""

    NEWEST = "NEWEST"
    """The newest first."""
    PRIORITY = "PRIORITY"
    """Only those that wait for the shop, the most urgent first; for customers the newest first."""


@dataclass(frozen=True, slots=True)
class TicketCriteria:
    """Which tickets are listed; what is None does not matter."""

    account_id: int | None = None
    order_id: int | None = None
    assignee_id: int | None = None
    status: Sequence[TicketStatus] | None = None
    type: Sequence[TicketType] | None = None
    reason: Sequence[TicketReason] | None = None
    due_before: datetime | None = None
    overdue: bool | None = None
    assigned: bool | None = None
    unanswered: bool | None = None
    about_order: bool | None = None
    in_queue: ColumnElement[bool] | None = None


def sort_tickets(criteria: TicketCriteria, sort: TicketSort) -> tuple[AnySelect, Sort]:
    """The tickets, and their order."""
    if sort is TicketSort.PRIORITY:
        return select_tickets(criteria).where(Ticket.attend_by.is_not(None)), URGENT_TICKET
    return select_tickets(criteria), NEWEST_TICKET


def select_tickets(criteria: TicketCriteria) -> AnySelect:
    statement = select(Ticket)
    for column, value in (
        (Ticket.account_id, criteria.account_id),
        (Ticket.order_id, criteria.order_id),
        (Ticket.assignee_id, criteria.assignee_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    for column_, values in (
        (Ticket.status, criteria.status),
        (Ticket.type, criteria.type),
        (Ticket.reason, criteria.reason),
    ):
        if values is not None:
            statement = statement.where(column_.in_(values))
    for is_expected, condition in (
        (criteria.overdue, Ticket.overdue_since.is_not(None)),
        (criteria.assigned, Ticket.assignee_id.is_not(None)),
        (criteria.unanswered, Ticket.unanswered_since.is_not(None)),
        (criteria.about_order, Ticket.order_id.is_not(None)),
    ):
        if is_expected is not None:
            statement = statement.where(condition if is_expected else ~condition)
    if criteria.due_before is not None:
        statement = statement.where(Ticket.due_at < criteria.due_before)
    if criteria.in_queue is not None:
        statement = statement.where(criteria.in_queue)
    return statement


class UnreadKey(NamedTuple):
    """A ticket, and who reads it."""

    ticket_id: int
    viewer_id: int
    sees_internal: bool


class TicketById(ByKey[int, Ticket]):
    key = Ticket.id


class TicketByNumber(ByKey[str, Ticket]):
    key = Ticket.number


class TicketsByOrder(ManyByKey[int, Ticket]):
    key = Ticket.order_id
    order_by = (Ticket.id, TicketLine.order_line_id)
    primes = "ticket"
    brings = {"ticket_lines": (Ticket.id, TicketLine.ticket_id)}


class OpenQuestionsByCustomer(ManyByKey[int, Ticket]):
    """The questions of customers about no order that have not ended."""

    key = Ticket.account_id
    order_by = Ticket.id

    def statement(self) -> AnySelect:
        return select(Ticket).where(Ticket.order_id.is_(None), Ticket.closed_at.is_(None))


class MergedByTicket(ManyByKey[int, Ticket]):
    key = Ticket.merged_into_id
    order_by = Ticket.id


class SplitByTicket(ManyByKey[int, Ticket]):
    key = Ticket.split_from_id
    order_by = Ticket.id


class LinesByTicket(ManyByKey[int, TicketLine]):
    key = TicketLine.ticket_id
    order_by = TicketLine.order_line_id


class DifferenceByTicket(ByKey[int, TicketDifference]):
    """What is to be paid before the replacement of a ticket is sent, if anything is."""

    key = TicketDifference.ticket_id

    def statement(self) -> AnySelect:
        return select(TicketDifference).where(TicketDifference.paid_at.is_(None))


class RepairByTicket(ByKey[int, TicketRepair]):
    key = TicketRepair.ticket_id


class TicketMessageById(ByKey[int, TicketMessage]):
    key = TicketMessage.id


class MessagesByTicket(ManyByKey[int, TicketMessage]):
    key = TicketMessage.ticket_id
    order_by = TicketMessage.id


class ReadsByTicket(ManyByKey[int, TicketRead]):
    key = TicketRead.ticket_id
    order_by = TicketRead.account_id


class UnreadByTicket(Grouped[UnreadKey, int]):
    """How many messages of others somebody has not read: counted, whatever they say."""

    async def group(self, session: AsyncSession, keys: list[UnreadKey]) -> Mapping[UnreadKey, int]:
        counts: dict[UnreadKey, int] = {}
        for viewer_id, sees_internal in {(key.viewer_id, key.sees_internal) for key in keys}:
            ids = [key.ticket_id for key in keys if key[1:] == (viewer_id, sees_internal)]
            is_mark = and_(
                TicketRead.ticket_id == TicketMessage.ticket_id, TicketRead.account_id == viewer_id
            )
            statement = (
                select(TicketMessage.ticket_id, func.count())
                .outerjoin(TicketRead, is_mark)
                .where(
                    TicketMessage.ticket_id.in_(ids),
                    TicketMessage.author_id != viewer_id,
                    TicketMessage.id > func.coalesce(TicketRead.message_id, 0),
                )
                .group_by(TicketMessage.ticket_id)
            )
            if not sees_internal:
                statement = statement.where(TicketMessage.internal.is_(False))
            for ticket_id, count in await session.execute(statement):
                counts[UnreadKey(ticket_id, viewer_id, sees_internal)] = count
        return counts

    def default(self) -> int:
        return 0


class RatingByTicket(ByKey[int, TicketRating]):
    key = TicketRating.ticket_id


class MediaByMessage(Grouped[int, Sequence[Media]]):
    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[Media]]:
        rows = await session.execute(
            select(TicketMessageMedia.message_id, Media)
            .join(Media, Media.id == TicketMessageMedia.media_id)
            .where(TicketMessageMedia.message_id.in_(keys))
            .order_by(Media.id)
        )
        found: dict[int, list[Media]] = {}
        for message_id, media in rows:
            found.setdefault(message_id, []).append(media)
        return found

    def default(self) -> Sequence[Media]:
        return ()


class MentionsByMessage(Grouped[int, Sequence[Account]]):
    """Whom internal notes ask to look."""

    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Sequence[Account]]:
        rows = await session.execute(
            select(TicketMention.message_id, Account)
            .join(Account, Account.id == TicketMention.account_id)
            .where(TicketMention.message_id.in_(keys))
            .order_by(Account.id)
        )
        found: dict[int, list[Account]] = {}
        for message_id, account in rows:
            found.setdefault(message_id, []).append(account)
        return found

    def default(self) -> Sequence[Account]:
        return ()


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
    brings = {"delivery_lines": (Delivery.id, DeliveryLine.delivery_id, DeliveryLine.quantity > 0)}

    sends_back = False

    def statement(self) -> AnySelect:
        return super().statement().where(Delivery.sends_back.is_(self.sends_back))


class DeliveriesBackByTicket(ReplacementsByTicket):
    sends_back = True


class InspectionsByTicket(ManyByKey[int, ReturnInspection]):
    key = ReturnInspection.ticket_id
    order_by = ReturnInspection.id


class PartsByTicket(ManyByKey[int, Ticket]):
    key = Ticket.part_of_id
    order_by = Ticket.id


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


async def load_agreement_rules(reads: Reads, *, history: bool) -> Sequence[AgreementRule]:
    """The rules as they are now, or with all earlier versions, the newest first."""
    async with reads() as session:
        statement = (
            select(AgreementRule).order_by(AgreementRule.id.desc())
            if history
            else select_rules_now().order_by(AgreementRule.code)
        )
        rows = await session.scalars(statement.limit(POLICIES_LIMIT))
        return rows.all()


class AgreementRuleById(ByKey[int, AgreementRule]):
    key = AgreementRule.id


class DecisionsByTicket(ManyByKey[int, RuleDecision]):
    key = RuleDecision.ticket_id
    order_by = RuleDecision.decided_at


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
    customer_questions = loader(OpenQuestionsByCustomer)
    ticket_lines = loader(LinesByTicket)
    merged_tickets = loader(MergedByTicket)
    split_tickets = loader(SplitByTicket)
    ticket_difference = loader(DifferenceByTicket)
    ticket_repair = loader(RepairByTicket)
    ticket_message = loader(TicketMessageById)
    ticket_messages = loader(MessagesByTicket)
    ticket_media = loader(MediaByTicket)
    ticket_refunds = loader(RefundsByTicket)
    ticket_replacements = loader(ReplacementsByTicket)
    ticket_deliveries_back = loader(DeliveriesBackByTicket)
    ticket_inspections = loader(InspectionsByTicket)
    ticket_parts = loader(PartsByTicket)
    ticket_events = loader(EventsByTicket)
    ticket_rule_decisions = loader(DecisionsByTicket)
    agreement_rule = loader(AgreementRuleById)
    ticket_reads = loader(ReadsByTicket)
    ticket_rating = loader(RatingByTicket)
    ticket_unread = loader(UnreadByTicket)
    message_media = loader(MediaByMessage)
    message_mentions = loader(MentionsByMessage)
