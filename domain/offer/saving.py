"""Clerks make offers, change them and take them back; what orders were given stays theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Conflict, Invalid, NotFound, Taken, WrongState
from domain.offer.checked import Draft, checked
from domain.upsert import insert
from models import (
    Category,
    Offer,
    OfferBuyer,
    OfferKind,
    OfferUse,
    Price,
    Product,
    ScopeKind,
    Variant,
)

SCOPED: Mapping[ScopeKind, tuple[type[Category | Product | Variant], str]] = {
    ScopeKind.CATEGORIES: (Category, "category_ids"),
    ScopeKind.PRODUCTS: (Product, "product_ids"),
    ScopeKind.VARIANTS: (Variant, "variant_ids"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """The offer somebody means to change, as they saw it last."""

    id: int
    version: int | None


async def save_offer(session: AsyncSession, draft: Draft, *, known: Known | None, now: datetime) -> Offer:
    """Make an offer, or change one; what has been used of it stays used."""
    values = checked(draft)
    await refuse_unknown(session, draft)
    offer = await hold(session, known) if known else new_offer(now)
    uncounted = known is not None and newly_limited(offer, values)
    if uncounted:
        await count_uses(session, offer, limit=values["usage_limit"])
    refuse_to_shrink(offer, values)
    for name, value in values.items():
        setattr(offer, name, value)
    offer.version += 1
    session.add(offer)
    try:
        await session.flush()
    except IntegrityError as error:
        if "code" not in str(error.orig):
            raise
        raise Taken(f"There is a coupon {values['code']} already.", field=("code",)) from None
    if uncounted:
        await count_buyers(session, offer)
    return offer


async def archive_offer(session: AsyncSession, known: Known, *, now: datetime) -> Offer:
    """Take an offer back: it applies to nothing any more, and its code may be used for another."""
    offer = await hold(session, known)
    offer.archived_at = now
    offer.version += 1
    await session.flush()
    return offer


async def hold(session: AsyncSession, known: Known) -> Offer:
    """An offer that may be changed, and nobody else can use or change it meanwhile."""
    offer = await session.get(Offer, known.id, with_for_update=True, populate_existing=True)
    if offer is None:
        raise NotFound("offer", field=("id",))
    if known.version is not None and known.version != offer.version:
        raise Conflict("Somebody else has changed this offer meanwhile; look again.", field=("version",))
    if offer.archived_at is not None:
        raise WrongState("This offer has been taken back.", field=("id",))
    return offer


def new_offer(now: datetime) -> Offer:
    return Offer(used=0, sold=0, version=0, created_at=now)


async def refuse_unknown(session: AsyncSession, draft: Draft) -> None:
    """What the offer is for exists."""
    if draft.variant_id is not None:
        await refuse_unsold(session, draft, draft.variant_id)
    if draft.scope not in SCOPED:
        return
    table, field = SCOPED[draft.scope]
    found = set(await session.scalars(select(table.id).where(table.id.in_(draft.scope_ids))))
    for place, id in enumerate(draft.scope_ids):
        if id not in found:
            raise NotFound(table.__name__.lower(), field=("scope", field, place))


async def refuse_unsold(session: AsyncSession, draft: Draft, variant_id: int) -> None:
    """A flash sale is of something that has an ordinary price, and cheaper."""
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


def refuse_to_shrink(offer: Offer, values: dict[str, Any]) -> None:
    """What customers have had cannot be taken back by a limit."""
    limit, share = values["usage_limit"], values["share"]
    if offer.usage_limit is not None and limit is not None and limit < offer.used:
        raise Invalid(f"It has been used {offer.used} times already.", field=("usage_limit",))
    if offer.sold and values["kind"] is not OfferKind.FLASH_SALE:
        raise WrongState("This flash sale has sold something; end it instead.", field=("kind",))
    if offer.sold and values["variant_id"] != offer.variant_id:
        raise WrongState("This flash sale has sold something else.", field=("flash_sale", "variant_id"))
    if offer.sold and share < offer.sold:
        raise Invalid(f"{offer.sold} have been sold already.", field=("flash_sale", "share"))


def newly_limited(offer: Offer, values: dict[str, Any]) -> bool:
    """Whether something is to be limited of which nobody has counted the uses until now.

    Whoever is using it holds the offer's row, so that we have waited for them.
    """
    limits = ("usage_limit", "usage_limit_per_buyer", "share_per_buyer")
    return any(getattr(offer, name) is None and values[name] is not None for name in limits)


async def count_uses(session: AsyncSession, offer: Offer, *, limit: int | None) -> None:
    used = await session.scalar(select(func.count()).select_from(OfferUse).where(*standing(offer))) or 0
    if limit is not None and used > limit:
        raise Invalid(f"It has been used {used} times already.", field=("usage_limit",))
    offer.used = used


async def count_buyers(session: AsyncSession, offer: Offer) -> None:
    await session.execute(delete(OfferBuyer).where(OfferBuyer.offer_id == offer.id))
    had = (
        select(literal(offer.id), OfferUse.account_id, func.count(), func.sum(OfferUse.flash_units))
        .where(*standing(offer))
        .group_by(OfferUse.account_id)
    )
    columns = ["offer_id", "account_id", "uses", "flash_units"]
    await session.execute(insert(session, OfferBuyer).from_select(columns, had))
    await session.flush()


def standing(offer: Offer) -> tuple[ColumnElement[bool], ...]:
    """Its uses by orders that stand."""
    return OfferUse.offer_id == offer.id, OfferUse.released_at.is_(None)
