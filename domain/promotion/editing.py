"""Creating, changing and archiving promotions; orders keep the discounts they were given."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Conflict, Invalid, NotFound, Taken, WrongState, collect_refusals, thing_named
from domain.promotion.validation import SCOPE_LIMIT, PromotionDraft, normalize_draft
from models import (
    Category,
    Price,
    Product,
    Promotion,
    PromotionBuyer,
    PromotionKind,
    PromotionScopeKind,
    PromotionUse,
    Variant,
)
from models.sql.upsert import upsert_into

SCOPE_TABLES: Mapping[PromotionScopeKind, tuple[type[Category | Product | Variant], str]] = {
    PromotionScopeKind.CATEGORIES: (Category, "category_ids"),
    PromotionScopeKind.PRODUCTS: (Product, "product_ids"),
    PromotionScopeKind.VARIANTS: (Variant, "variant_ids"),
}


@dataclass(frozen=True, slots=True)
class PromotionVersion:
    """The promotion to change, and the version it must still have; None for any version."""

    id: int
    version: int | None


async def save_promotion(
    session: AsyncSession, draft: PromotionDraft, *, expected: PromotionVersion | None, now: datetime
) -> Promotion:
    """Create a promotion, or replace all terms of the expected one; the uses counted so far are kept.

    Refused with Invalid, LimitReached, NotFound, Taken (the code), Conflict (the version) or WrongState.
    """
    with collect_refusals() as check:
        with check:
            await require_scope_exists(session, draft)
        draft = normalize_draft(draft)
    promotion = await lock_promotion(session, expected) if expected else new_promotion(now)
    counts_anew = expected is not None and becomes_limited(promotion, draft)
    if counts_anew:
        await count_uses(session, promotion, limit=draft.usage_limit)
    refuse_limits_below_usage(promotion, draft)
    for each in fields(draft):
        setattr(promotion, each.name, getattr(draft, each.name))
    promotion.version += 1
    session.add(promotion)
    try:
        await session.flush()
    except IntegrityError as error:
        if "code" not in str(error.orig):
            raise
        raise Taken("There is a coupon {code} already.", code=draft.code, field=("code",)) from None
    if counts_anew:
        await count_buyers(session, promotion)
    return promotion


async def archive_promotion(session: AsyncSession, expected: PromotionVersion, *, now: datetime) -> Promotion:
    """End a promotion for good; its code may then be used for another one."""
    promotion = await lock_promotion(session, expected)
    promotion.archived_at = now
    promotion.version += 1
    await session.flush()
    return promotion


async def lock_promotion(session: AsyncSession, expected: PromotionVersion) -> Promotion:
    """The promotion, locked for a change; NotFound, Conflict (another version) or WrongState (archived)."""
    promotion = await session.get(Promotion, expected.id, with_for_update=True, populate_existing=True)
    if promotion is None:
        raise NotFound("promotion", field=("id",))
    if expected.version is not None and expected.version != promotion.version:
        raise Conflict("Somebody else has changed this promotion meanwhile; look again.", field=("version",))
    if promotion.archived_at is not None:
        raise WrongState("This promotion has been taken back.", field=("id",))
    return promotion


def new_promotion(now: datetime) -> Promotion:
    return Promotion(used=0, sold=0, version=0, created_at=now)


async def require_scope_exists(session: AsyncSession, draft: PromotionDraft) -> None:
    """The categories, products or variants the promotion is for exist."""
    if draft.variant_id is not None:
        await require_flash_sale_variant(session, draft, draft.variant_id)
    if draft.scope not in SCOPE_TABLES:
        return
    table, field = SCOPE_TABLES[draft.scope]
    ids = draft.scope_ids[:SCOPE_LIMIT]
    found = set(await session.scalars(select(table.id).where(table.id.in_(ids)).with_for_update(read=True)))
    with collect_refusals() as check:
        for index, id in enumerate(ids):
            if id not in found:
                check.add(NotFound(thing_named(table.__name__), field=("scope", field, index)))


async def require_flash_sale_variant(session: AsyncSession, draft: PromotionDraft, variant_id: int) -> None:
    """A flash sale is of a variant that has an ordinary price in its currency, and is cheaper."""
    field = ("flash_sale",)
    found = await session.execute(
        select(Variant.id, Price.amount)
        .outerjoin(Price, (Price.variant_id == Variant.id) & (Price.currency == draft.currency))
        .where(Variant.id == variant_id, Variant.archived_at.is_(None))
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("variant", field=(*field, "variant_id"))
    if row.amount is None:
        raise Invalid("This is not sold in this currency.", field=(*field, "variant_id"))
    if draft.amount is not None and draft.amount >= row.amount:
        raise Invalid("This is no less than the ordinary price.", field=(*field, "price"))


def refuse_limits_below_usage(promotion: Promotion, draft: PromotionDraft) -> None:
    """A limit cannot be lower than what has been used, and a flash sale with sales stays what it is."""
    limit = draft.usage_limit
    if promotion.usage_limit is not None and limit is not None and limit < promotion.used:
        raise Invalid(
            "It has been used once already.",
            plural="It has been used {count} times already.",
            count=promotion.used,
            field=("usage_limit",),
        )
    if promotion.sold and draft.kind is not PromotionKind.FLASH_SALE:
        raise WrongState("This flash sale has sold something; end it instead.", field=("kind",))
    if promotion.sold and draft.variant_id != promotion.variant_id:
        raise WrongState("This flash sale has sold something else.", field=("flash_sale", "variant_id"))
    if promotion.sold and (draft.share or 0) < promotion.sold:
        raise Invalid("{sold} have been sold already.", sold=promotion.sold, field=("flash_sale", "share"))


def becomes_limited(promotion: Promotion, draft: PromotionDraft) -> bool:
    """Whether the draft limits something of which the uses were not counted until now.

    Transactions that use the promotion lock its row, so that all of them have ended when it is locked.
    """
    limits = ("usage_limit", "usage_limit_per_buyer", "share_per_buyer")
    return any(getattr(promotion, name) is None and getattr(draft, name) is not None for name in limits)


async def count_uses(session: AsyncSession, promotion: Promotion, *, limit: int | None) -> None:
    """Count the uses of a locked promotion that had no limit; Invalid if there are more than `limit`."""
    statement = select(func.count()).select_from(PromotionUse).where(*is_unreleased_use(promotion))
    used = await session.scalar(statement) or 0
    if limit is not None and used > limit:
        raise Invalid(
            "It has been used once already.",
            plural="It has been used {count} times already.",
            count=used,
            field=("usage_limit",),
        )
    promotion.used = used


async def count_buyers(session: AsyncSession, promotion: Promotion) -> None:
    """Count anew what each customer has used of a locked promotion."""
    await session.execute(delete(PromotionBuyer).where(PromotionBuyer.promotion_id == promotion.id))
    counts = (
        select(
            literal(promotion.id), PromotionUse.account_id, func.count(), func.sum(PromotionUse.flash_units)
        )
        .where(*is_unreleased_use(promotion))
        .group_by(PromotionUse.account_id)
    )
    columns = ["promotion_id", "account_id", "uses", "flash_units"]
    await session.execute(upsert_into(session, PromotionBuyer).from_select(columns, counts))
    await session.flush()


def is_unreleased_use(promotion: Promotion) -> tuple[ColumnElement[bool], ...]:
    """The conditions for its uses by orders that were not cancelled."""
    return PromotionUse.promotion_id == promotion.id, PromotionUse.released_at.is_(None)
