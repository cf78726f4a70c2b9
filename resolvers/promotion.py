"""Resolvers of promotions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import strawberry
from aiodataloader import DataLoader

from domain.promotion import EvaluatedPromotion, PromotionVersion, archive_promotion, save_promotion
from domain.promotion.engine import PromotionReason
from loaders.page import FIRST_PAGE, Page, PageRequest
from loaders.promotion import (
    NEWEST_PROMOTION,
    FlashSale,
    PromotionStatus,
    PromotionUsage,
    find_flash_sales,
    promotion_status_of,
    select_promotions,
)
from models import Category, Money, Product, Promotion, PromotionScopeKind, PromotionUse, Variant
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.promotion import PromotionFilter, PromotionSaveInput
from resolvers.paging import query_page

__all__ = [
    "EvaluatedPromotion",
    "FlashSale",
    "PromotionReason",
    "PromotionStatus",
    "PromotionUsage",
]  # with all that is defined below

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class PromotionTier:
    """A tier of a full reduction."""

    minimum: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class DiscountPart:
    """What one promotion takes off a line or a fee."""

    promotion_id: int
    amount: Money


async def promotions(
    info: Info, filter: PromotionFilter | None = None, page: PageRequest = FIRST_PAGE
) -> Page[Promotion]:
    """All coupons and automatic promotions, the newest first.

    filter: which promotions; all without it
    """
    conditions = filter or PromotionFilter()
    statement = select_promotions(
        kind=conditions.kind, status=conditions.status, code=conditions.code, now=info.context.now
    )
    return await query_page(info, statement, NEWEST_PROMOTION, page)


async def promotion(info: Info, id: strawberry.ID) -> Promotion | None:
    """One promotion; null when it does not exist.

    id: the promotion
    """
    return await find_promotion(info, row_id(id, "Promotion"))


async def promotion_save(info: Info, input: PromotionSaveInput) -> Promotion:
    """Creates a promotion, or replaces the terms of one; orders that used it keep their discounts."""
    draft, expected = input.draft(), input.expected_version()
    async with info.context.transaction() as session:
        return await save_promotion(session, draft, expected=expected, now=info.context.now)


async def promotion_archive(info: Info, id: strawberry.ID, version: int | None = None) -> Promotion:
    """Archives a promotion: it no longer applies, and its code is free; orders keep their discounts.

    id: the promotion
    version: the version that was looked at; refused when somebody else has changed the promotion since
    """
    expected = PromotionVersion(row_id(id, "Promotion"), version)
    async with info.context.transaction() as session:
        return await archive_promotion(session, expected, now=info.context.now)


async def variant_flash_sales(variants: Sequence[Variant], info: Info) -> Sequence[FlashSale | None]:
    """The flash sale it is in now, in the viewer's currency; null without one or when it is sold out."""
    ids = [variant.id for variant in variants]
    viewer, reads = info.context.viewer, info.context.shop.database.reads
    found = await find_flash_sales(reads, ids, viewer.currency, info.context.now)
    return [found.get(id) for id in ids]


async def promotion_titles(uses: Sequence[PromotionUse], info: Info) -> list[str]:
    """Its title at that time."""
    promotions = await info.context.load.promotion.load_many([use.promotion_id for use in uses])
    viewer = info.context.viewer_of(info)
    return [
        viewer.translate(promotion.translations, "title", use.title)
        if promotion is not None and promotion.title == use.title
        else use.title
        for use, promotion in zip(uses, promotions, strict=True)
    ]


def message(root: EvaluatedPromotion, info: Info) -> str:
    """For people: why it applies or not, in their language."""
    return info.context.viewer_of(info).text_of(root.message)


def tiers(root: Promotion) -> list[PromotionTier]:
    """The tiers of a FULL_REDUCTION, the lowest first; empty for other kinds."""
    if root.currency is None:
        return []
    return [
        PromotionTier(Money(tier["minimum"], root.currency), Money(tier["amount"], root.currency))
        for tier in root.tiers
    ]


def status(root: Promotion, info: Info) -> PromotionStatus:
    """Whether it applies now, will apply or has ended."""
    return promotion_status_of(root, info.context.now)


def scope(root: Promotion, info: Info) -> Promotion | None:
    """The items it is for; null for viewers who may not edit promotions."""
    return root if may_edit_promotions(info) else None


async def scope_categories(promotions: Sequence[Promotion], info: Info) -> Sequence[Sequence[Category]]:
    """Its categories, each including everything below it."""
    return await load_scope_rows(promotions, PromotionScopeKind.CATEGORIES, info.context.load.category)


async def scope_products(promotions: Sequence[Promotion], info: Info) -> Sequence[Sequence[Product]]:
    """Its products."""
    return await load_scope_rows(promotions, PromotionScopeKind.PRODUCTS, info.context.load.product)


async def scope_variants(promotions: Sequence[Promotion], info: Info) -> Sequence[Sequence[Variant]]:
    """Its variants."""
    return await load_scope_rows(promotions, PromotionScopeKind.VARIANTS, info.context.load.variant)


async def load_scope_rows(
    promotions: Sequence[Promotion], kind: PromotionScopeKind, loader: DataLoader[int, R | None]
) -> list[list[R]]:
    """The rows each promotion with this kind of scope is for, loaded together; empty for other kinds."""
    ids = {id for promotion in promotions if promotion.scope is kind for id in promotion.scope_ids}
    found = dict(zip(ids, await loader.load_many(list(ids)), strict=True))
    ids_by_promotion = [promotion.scope_ids if promotion.scope is kind else [] for promotion in promotions]
    return [[row for id in own if (row := found[id]) is not None] for own in ids_by_promotion]


async def usage(promotions: Sequence[Promotion], info: Info) -> Sequence[PromotionUsage | None]:
    """How often orders used it, without cancelled ones; null for viewers who may not edit promotions."""
    if not may_edit_promotions(info):
        return [None] * len(promotions)
    return await info.context.load.promotion_usage.load_many([promotion.id for promotion in promotions])


def usage_limit(root: Promotion, info: Info) -> int | None:
    """How many orders may use it; null for any number, and for viewers who may not edit promotions."""
    return root.usage_limit if may_edit_promotions(info) else None


def may_edit_promotions(info: Info) -> bool:
    return info.context.viewer.may(Permission.PROMOTION_EDIT)


async def find_promotion(info: Info, promotion_id: int) -> Promotion | None:
    """The promotion; None for viewers who may not edit promotions."""
    return await info.context.load.promotion.load(promotion_id) if may_edit_promotions(info) else None
