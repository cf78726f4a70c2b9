from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from domain.errors import Invalid
from domain.offer import Draft, Judged, Known, archive_offer, save_offer
from loaders.offer import (
    NEWEST_OFFER,
    FlashSale,
    OfferState,
    Usage,
    flash_sales,
    offers_wanted,
    state_of,
)
from loaders.page import PAGE_DEFAULT, Page
from models import Category, CurrencyCode, Money, Offer, OfferKind, Product, ScopeKind, Variant
from resolvers.context import Info
from resolvers.guard import CATALOGUE
from resolvers.ids import row_id
from resolvers.inputs.offer import (
    FlashSaleInput,
    OfferFilter,
    OfferScopeInput,
    OfferTextInput,
    OfferTierInput,
    by_language,
    minor,
    tiers_of,
)
from resolvers.paging import paged


@dataclass(frozen=True, slots=True)
class OfferTier:
    """A step of a full reduction."""

    minimum: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class DiscountPart:
    """What one offer takes off a line or a fee."""

    offer_id: int
    amount: Money


async def offers(
    info: Info, filter: OfferFilter | None = None, first: int = PAGE_DEFAULT, after: str | None = None
) -> Page[Any]:
    """All coupons and automatic offers, the newest first.

    filter: which of them
    first: how many, at most 100
    after: the cursor behind which the page begins
    """
    asked = filter or OfferFilter()
    wanted = offers_wanted(kind=asked.kind, state=asked.state, code=asked.code, now=info.context.now)
    return await paged(info, wanted, NEWEST_OFFER, first=first, after=after)


async def offer(info: Info, id: strawberry.ID) -> Offer | None:
    """One of them; null when it does not exist.

    id: its global id
    """
    return await find_offer(info, row_id(id, "Offer"))


async def offer_save(
    info: Info,
    title: str,
    kind: OfferKind,
    id: strawberry.ID | None = None,
    version: int | None = None,
    code: str | None = None,
    percent: int | None = None,
    amount: Decimal | None = None,
    tiers: list[OfferTierInput] = [],  # noqa: B006 - it is only read
    repeating: bool = False,
    buy: int | None = None,
    get: int | None = None,
    flash_sale: FlashSaleInput | None = None,
    scope: OfferScopeInput | None = None,
    currency_code: CurrencyCode | None = None,
    minimum: Decimal = Decimal(0),
    minimum_quantity: int = 0,
    cap: Decimal | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    usage_limit: int | None = None,
    usage_limit_per_buyer: int | None = None,
    priority: int = 0,
    stackable: bool = True,
    exclusion_groups: list[str] = [],  # noqa: B006 - it is only read
    translations: list[OfferTextInput] = [],  # noqa: B006 - it is only read
) -> Offer:
    """Make an offer, or change one; orders that used it keep what they were given.

    title: what customers read
    kind: how it reduces what is paid; it decides which of the terms are needed
    id: the one to change, which becomes exactly what is said here; a new one without it
    version: the version that was changed; refused when somebody else has changed it meanwhile
    code: what customers type: 3 to 40 letters, digits, - or _; without one it applies by itself
    percent: how much of the goods a PERCENT offer takes off, from 1 to 100
    amount: how much a FIXED offer takes off
    tiers: the steps of a FULL_REDUCTION
    repeating: whether the best step of a FULL_REDUCTION is given as often as it fits
    buy: how many units of BUY_N_GET_M are paid
    get: how many units more are free then
    flash_sale: what a FLASH_SALE sells
    scope: what it is for; everything without it
    currency_code: the currency of its amounts, and of the prices it is for; CNY where there are amounts
    minimum: what the goods must cost for it to apply
    minimum_quantity: how many of the goods there must be
    cap: the most it takes
    starts_at: from when it applies; at once without it
    ends_at: until when it applies; for ever without it
    usage_limit: how many orders may use it; any number without it
    usage_limit_per_buyer: how many orders of one customer may use it
    priority: the higher one comes first where offers follow each other
    stackable: whether others may apply beside it
    exclusion_groups: of all offers in one group only one applies
    translations: its title in other languages
    """
    has_amounts = bool(amount is not None or tiers or flash_sale or minimum or cap is not None)
    currency = currency_code or CurrencyCode.CNY
    kind_of_scope, ids = scope.scope() if scope else (ScopeKind.ALL, [])
    if flash_sale and amount is not None:
        raise Invalid("The price of a flash sale is its amount.", field=("amount",))
    draft = Draft(
        title=title,
        kind=kind,
        code=code,
        percent=percent,
        tiers=tiers_of(tiers, currency),
        repeating=repeating,
        buy=buy,
        get=get,
        scope=kind_of_scope,
        scope_ids=ids,
        scope_brands=scope.brands if scope else [],
        currency=currency if has_amounts else currency_code,
        minimum_amount=minor(minimum, currency, ("minimum",)),
        minimum_quantity=minimum_quantity,
        cap_amount=None if cap is None else minor(cap, currency, ("cap",)),
        starts_at=starts_at,
        ends_at=ends_at,
        usage_limit=usage_limit,
        usage_limit_per_buyer=usage_limit_per_buyer,
        priority=priority,
        stackable=stackable,
        exclusion_groups=exclusion_groups,
        translations=by_language(translations),
        **(sold_at(flash_sale, currency) if flash_sale else {"amount": taken_off(amount, currency)}),
    )
    known = None if id is None else Known(row_id(id, "Offer"), version)
    async with info.context.transaction() as session:
        return await save_offer(session, draft, known=known, now=info.context.now)


def taken_off(amount: Decimal | None, currency: CurrencyCode) -> int | None:
    return None if amount is None else minor(amount, currency, ("amount",))


def sold_at(sale: FlashSaleInput, currency: CurrencyCode) -> dict[str, Any]:
    return {
        "variant_id": row_id(sale.variant_id, "Variant", field=("flash_sale", "variant_id")),
        "amount": minor(sale.price, currency, ("flash_sale", "price")),
        "share": sale.share,
        "share_per_buyer": sale.per_buyer,
    }


async def offer_archive(info: Info, id: strawberry.ID, version: int | None = None) -> Offer:
    """Take an offer back: it applies to nothing any more; orders keep what they were given.

    id: which
    version: the version that was looked at; refused when somebody else has changed it meanwhile
    """
    known = Known(row_id(id, "Offer"), version)
    async with info.context.transaction() as session:
        return await archive_offer(session, known, now=info.context.now)


async def variant_flash_sales(variants: Sequence[Variant], info: Info) -> Sequence[FlashSale | None]:
    """The flash sale it is in now, in the viewer's currency; null without one, or when its share is sold."""
    ids = [variant.id for variant in variants]
    viewer, reads = info.context.viewer, info.context.shop.database.reads
    found = await flash_sales(reads, ids, viewer.currency, info.context.now)
    return [found.get(id) for id in ids]


def words(root: Judged, info: Info) -> str:
    """For people: why it applies or not, titles in their language."""
    said = root.words
    for offer in (root.offer, *root.because_of):
        said = said.replace(offer.title, info.context.viewer.read(offer.translations, "title", offer.title))
    return said


def tiers(root: Offer) -> list[OfferTier]:
    """The steps of a FULL_REDUCTION, the lowest first; empty for other kinds."""
    if root.currency is None:
        return []
    return [
        OfferTier(Money(tier["minimum"], root.currency), Money(tier["amount"], root.currency))
        for tier in root.tiers
    ]


def state(root: Offer, info: Info) -> OfferState:
    """Whether its time has come."""
    return state_of(root, info.context.now)


def scope(root: Offer, info: Info) -> Offer | None:
    """What it is for; null for those who do not keep offers."""
    return root if keeps(info) else None


async def scope_categories(offers: Sequence[Offer], info: Info) -> Sequence[Sequence[Category]]:
    """Its categories, each with everything below it."""
    return await named(offers, ScopeKind.CATEGORIES, info.context.load.category)


async def scope_products(offers: Sequence[Offer], info: Info) -> Sequence[Sequence[Product]]:
    """Its products."""
    return await named(offers, ScopeKind.PRODUCTS, info.context.load.product)


async def scope_variants(offers: Sequence[Offer], info: Info) -> Sequence[Sequence[Variant]]:
    """Its variants."""
    return await named(offers, ScopeKind.VARIANTS, info.context.load.variant)


async def named(offers: Sequence[Offer], kind: ScopeKind, loader: Any) -> list[list[Any]]:
    """What the offers with this kind of scope name, all in one go."""
    ids = {id for offer in offers if offer.scope is kind for id in offer.scope_ids}
    found = dict(zip(ids, await loader.load_many(list(ids)), strict=True))
    wanted = [offer.scope_ids if offer.scope is kind else [] for offer in offers]
    return [[found[id] for id in own if found[id] is not None] for own in wanted]


async def usage(offers: Sequence[Offer], info: Info) -> Sequence[Usage | None]:
    """What orders have had of it, cancelled ones apart; null for those who do not keep offers."""
    if not keeps(info):
        return [None] * len(offers)
    return await info.context.load.offer_usage.load_many([offer.id for offer in offers])


def usage_limit(root: Offer, info: Info) -> int | None:
    """How many orders may use it; null for any number, and for those who do not keep offers."""
    return root.usage_limit if keeps(info) else None


def keeps(info: Info) -> bool:
    return info.context.viewer.role in CATALOGUE


async def find_offer(info: Info, offer_id: int) -> Offer | None:
    return await info.context.load.offer.load(offer_id) if keeps(info) else None
