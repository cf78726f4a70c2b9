"""The terms of claims: windows by reason, exclusions and reasons that are refused, of everything, a category
or a product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.reasons import CLAIM_REASONS, DEFAULT_DAYS, NAMED_REASONS, REASON_TEXTS, REASONS
from domain.cause import Cause
from domain.errors import Conflict, Invalid, LimitReached, NotFound, Path, collect_refusals
from models import (
    Category,
    ClaimExclusion,
    ClaimPolicy,
    ClaimTerms,
    Order,
    OrderLine,
    Product,
    TicketReason,
    category_scope,
    product_scope,
    select_policies_at,
)
from models.claim_policy import EVERYTHING
from models.sql.together import read_together

DAYS_LIMIT = 3_650
"""The longest window, in days."""

SCOPES_LIMIT = 500
"""Categories and products with terms of their own."""


@dataclass(frozen=True, slots=True)
class ClaimPolicyDraft:
    """The terms of a category, a product or, without either, of everything."""

    windows: Mapping[TicketReason, int]
    """Days by reason; a reason that is missing is inherited."""
    exclusion: ClaimExclusion | None = None
    evidence: tuple[TicketReason, ...] | None = None
    """The reasons for which customers attach a picture; None is inherited."""
    refused_reasons: tuple[TicketReason, ...] | None = None
    """The reasons for which it cannot be claimed; None is inherited."""
    category_id: int | None = None
    product_id: int | None = None

    @property
    def scope(self) -> str:
        if self.product_id is not None:
            return product_scope(self.product_id)
        return EVERYTHING if self.category_id is None else category_scope(self.category_id)


async def load_terms(session: AsyncSession, *, at: datetime | None = None) -> ClaimTerms:
    """The terms as they are now, or as they were at a moment."""
    return ClaimTerms.of(await session.scalars(select_policies_at(at)))


@dataclass(frozen=True, slots=True)
class LineTerms:
    """What holds for a claim of an order line for one reason."""

    days: int
    """For how many days after the one of its arrival it can be made."""
    needs_picture: bool
    """Whether the customer attaches a picture."""
    refused: bool
    """Whether it cannot be made for this reason."""


@dataclass(frozen=True, slots=True)
class OrderLineTerms:
    """The terms of a moment for the lines of one order."""

    terms: ClaimTerms
    lines: Mapping[int, tuple[int, str | None]]
    """By order line: its product, and the path of the category of that."""
    known: dict[TicketReason, Mapping[int, LineTerms]] = field(default_factory=dict, compare=False)
    """What was asked for before: all claims for one reason share it."""

    def of_reason(self, reason: TicketReason) -> Mapping[int, LineTerms]:
        """What holds for each line that is claimed for a reason."""
        if reason not in self.known:
            self.known[reason] = self.find_terms(reason)
        return self.known[reason]

    def find_terms(self, reason: TicketReason) -> Mapping[int, LineTerms]:
        default, found = DEFAULT_DAYS[REASONS[reason].window], {}
        for line_id, (product_id, path) in self.lines.items():
            days = self.terms.days_of(product_id, path, reason)
            needs_picture = self.terms.needs_picture(product_id, path, reason)
            refused = self.terms.refuses(product_id, path, reason)
            found[line_id] = LineTerms(default if days is None else days, needs_picture, refused)
        return found


async def load_order_terms(session: AsyncSession, order: Order, *, at: datetime | None) -> OrderLineTerms:
    """What holds for the lines of an order by the terms of a moment."""
    terms, rows = await read_together(
        session,
        load_terms(session, at=at),
        session.execute(
            select(OrderLine.id, OrderLine.product_id, Category.path)
            .join(Product, Product.id == OrderLine.product_id)
            .outerjoin(Category, Category.id == Product.category_id)
            .where(OrderLine.order_id == order.id)
        ),
    )
    return OrderLineTerms(terms, {line_id: (product_id, path) for line_id, product_id, path in rows})


async def save_claim_policy(
    session: AsyncSession, draft: ClaimPolicyDraft, *, version: int | None, cause: Cause
) -> ClaimPolicy:
    """Add a version of the terms of a category, a product or everything: earlier versions never change.

    `version` is the one that was read, None where there was none: Conflict when there is another by now.
    """
    # The terms of everything are locked, so that two clerks cannot add the same version at once.
    await session.execute(
        select(ClaimPolicy.id)
        .where(ClaimPolicy.scope == EVERYTHING, ClaimPolicy.version == 1)
        .with_for_update()
    )
    with collect_refusals() as check:
        with check:
            check_draft(draft)
        with check:
            await check_scope(session, draft)
    present = await session.scalar(
        select(func.max(ClaimPolicy.version)).where(ClaimPolicy.scope == draft.scope)
    )
    if present != version:
        raise Conflict("Somebody has changed these terms meanwhile; read them again.", field=("version",))
    if present is None:
        scopes = await session.scalar(select(func.count(ClaimPolicy.scope.distinct())))
        if (scopes or 0) >= SCOPES_LIMIT:
            raise LimitReached(
                "At most {limit} categories and products have terms of their own.", limit=SCOPES_LIMIT
            )
    newest = await session.scalar(select(func.max(ClaimPolicy.created_at)))
    policy = ClaimPolicy(
        scope=draft.scope,
        category_id=draft.category_id,
        product_id=draft.product_id,
        version=(present or 0) + 1,
        windows={reason.value: days for reason, days in draft.windows.items()},
        exclusion=draft.exclusion,
        evidence=None if draft.evidence is None else [reason.value for reason in draft.evidence],
        refused_reasons=None
        if draft.refused_reasons is None
        else [reason.value for reason in draft.refused_reasons],
        # Later than every other: clocks of several processes may differ.
        created_at=max(cause.now, newest + timedelta(microseconds=1)) if newest else cause.now,
    )
    session.add(policy)
    await session.flush()
    return policy


def check_draft(draft: ClaimPolicyDraft) -> None:
    with collect_refusals() as check:
        for index, days in enumerate(draft.windows.values()):
            with check:
                check_days(days, index)
        if draft.category_id is not None and draft.product_id is not None:
            check.add(Invalid("Name a category or a product, not both.", field=("product_id",)))
        for index, reason in enumerate(draft.windows):
            if reason not in CLAIM_REASONS:
                check.add(Invalid("A question has no window.", field=("windows", index, "reason")))
        if draft.evidence is not None and not set(draft.evidence) <= CLAIM_REASONS:
            check.add(Invalid("A question needs no picture.", field=("evidence",)))
        with check:
            check_reasons_of_law(draft)
        if draft.scope == EVERYTHING and not set(draft.windows) >= NAMED_REASONS:
            check.add(Invalid("The terms of everything name the days of each reason.", field=("windows",)))


def check_reasons_of_law(draft: ClaimPolicyDraft) -> None:
    """Refuse terms by which nobody could claim for a reason for which the law lets them."""
    fields: list[tuple[TicketReason, Path]] = [
        (reason, ("refused_reasons", index)) for index, reason in enumerate(draft.refused_reasons or ())
    ]
    fields += [
        (reason, ("windows", index, "days"))
        for index, (reason, days) in enumerate(draft.windows.items())
        if days == 0
    ]
    with collect_refusals() as check:
        for reason, field in fields:
            if reason not in CLAIM_REASONS:
                check.add(Invalid("A question is not refused by terms.", field=field))
            elif REASONS[reason].by_law:
                template = "The law lets customers claim for this reason: {reason}"
                check.add(Invalid(template, reason=REASON_TEXTS[reason], field=field))


def check_days(days: int, index: int) -> None:
    """Refuse a window that is too long, or less than nothing."""
    if not 0 <= days <= DAYS_LIMIT:
        raise Invalid("A window has 0 to {limit} days.", limit=DAYS_LIMIT, field=("windows", index, "days"))


async def check_scope(session: AsyncSession, draft: ClaimPolicyDraft) -> None:
    with collect_refusals() as check:
        if draft.category_id is not None and await session.get(Category, draft.category_id) is None:
            check.add(NotFound("category", field=("category_id",)))
        if draft.product_id is not None and await session.get(Product, draft.product_id) is None:
            check.add(NotFound("product", field=("product_id",)))
