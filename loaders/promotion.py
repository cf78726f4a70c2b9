"""Loading promotions, their status and their usage."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BindParameter, ColumnElement, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from models import CurrencyCode, Money, Promotion, PromotionKind, PromotionUse, Variant
from models.database import Reads
from models.sql.types import AnySelect

NEWEST_PROMOTION = Sort("newest", (Key(Promotion.id, descending=True),))


class PromotionStatus(StrEnum):
    """Whether a promotion applies now, by its period; archived promotions have ended."""

    SCHEDULED = "SCHEDULED"
    """It starts later."""
    ACTIVE = "ACTIVE"
    """It applies now."""
    ENDED = "ENDED"
    """It is over, or was archived."""


def promotion_status_of(promotion: Promotion, now: datetime) -> PromotionStatus:
    if promotion.archived_at is not None or (promotion.ends_at is not None and promotion.ends_at <= now):
        return PromotionStatus.ENDED
    scheduled = promotion.starts_at is not None and promotion.starts_at > now
    return PromotionStatus.SCHEDULED if scheduled else PromotionStatus.ACTIVE


def has_status(status: PromotionStatus, now: datetime) -> ColumnElement[bool]:
    """`promotion_status_of` as a condition in SQL."""
    has_ended = or_(Promotion.archived_at.is_not(None), func.coalesce(Promotion.ends_at <= now, false()))
    starts_later = func.coalesce(Promotion.starts_at > now, false())
    match status:
        case PromotionStatus.ENDED:
            return has_ended
        case PromotionStatus.SCHEDULED:
            return and_(~has_ended, starts_later)
        case PromotionStatus.ACTIVE:
            return and_(~has_ended, ~starts_later)


def select_promotions(
    *, kind: PromotionKind | None, status: PromotionStatus | None, code: str | None, now: datetime
) -> AnySelect:
    """Select promotions that meet every condition given; `code` is a prefix of theirs, in any case."""
    statement = select(Promotion)
    if kind is not None:
        statement = statement.where(Promotion.kind == kind)
    if status is not None:
        statement = statement.where(has_status(status, now))
    if code is not None:
        statement = statement.where(Promotion.code.startswith(code.strip().upper(), autoescape=True))
    return statement


@dataclass(frozen=True, slots=True)
class FlashSale:
    """A running flash sale of a variant, and its price for one unit."""

    promotion: Promotion
    price: Money

    @property
    def ends_at(self) -> datetime | None:
        return self.promotion.ends_at

    @property
    def left(self) -> int:
        return self.promotion.left or 0

    @property
    def share(self) -> int:
        return self.promotion.share or 0

    @property
    def per_buyer(self) -> int | None:
        return self.promotion.share_per_buyer


def is_on_flash_sale(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """The condition that a promotion is a running, automatic flash sale with units left."""
    return and_(
        Promotion.kind == PromotionKind.FLASH_SALE,
        Promotion.code.is_(None),
        Promotion.archived_at.is_(None),
        or_(Promotion.starts_at.is_(None), Promotion.starts_at <= now),
        Promotion.ends_at > now,
        Promotion.sold < Promotion.share,
    )


async def find_flash_sales(
    reads: Reads, variant_ids: Sequence[int], currency: CurrencyCode, now: datetime
) -> Mapping[int, FlashSale]:
    """The cheapest running flash sale in this currency, by variant id; variants without one are left out."""
    async with reads() as session:
        rows = await session.scalars(
            select(Promotion)
            .where(
                is_on_flash_sale(now), Promotion.variant_id.in_(variant_ids), Promotion.currency == currency
            )
            .order_by(Promotion.amount.desc(), Promotion.id.desc())
        )
        return {
            promotion.variant_id: FlashSale(promotion, promotion.flash_price)
            for promotion in rows
            if promotion.variant_id is not None and promotion.flash_price is not None
        }


@dataclass(frozen=True, slots=True)
class FlashSaleState:
    """A running flash sale of a product, as watchers compare it; the version changes with every edit."""

    product_id: int
    version: int


async def find_flash_sale_states(reads: Reads, now: datetime) -> Mapping[int, FlashSaleState]:
    """All flash sales that run now and are not sold out, by the id of the promotion."""
    async with reads() as session:
        rows = await session.execute(
            select(Promotion.id, Variant.product_id, Promotion.version)
            .join(Variant, Variant.id == Promotion.variant_id)
            .where(is_on_flash_sale(now))
        )
        return {id: FlashSaleState(product_id, version) for id, product_id, version in rows}


@dataclass(frozen=True, slots=True)
class PromotionUsage:
    """How often a promotion was used by orders that were not cancelled, and what it saved per currency."""

    orders: int
    customers: int
    flash_units: int
    saved: Sequence[Money]


class UsageByPromotion(Grouped[int, PromotionUsage]):
    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, PromotionUsage]:
        rows = await session.execute(
            select(
                PromotionUse.promotion_id,
                PromotionUse.currency,
                func.count(),
                func.count(PromotionUse.account_id.distinct()),
                func.sum(PromotionUse.flash_units),
                func.sum(PromotionUse.amount),
            )
            .where(PromotionUse.promotion_id.in_(keys), PromotionUse.released_at.is_(None))
            .group_by(PromotionUse.promotion_id, PromotionUse.currency)
            .order_by(PromotionUse.promotion_id, PromotionUse.currency)
        )
        found: defaultdict[int, list[PromotionUsage]] = defaultdict(list)
        for promotion_id, currency, orders, customers, units, amount in rows:
            found[promotion_id].append(
                PromotionUsage(orders, customers, int(units), [Money(int(amount), currency)])
            )
        return {promotion_id: merge_usage(parts) for promotion_id, parts in found.items()}

    def default(self) -> PromotionUsage:
        return PromotionUsage(0, 0, 0, ())


def merge_usage(parts: Sequence[PromotionUsage]) -> PromotionUsage:
    """The sum over currencies; a customer who bought in two currencies counts twice."""
    return PromotionUsage(
        orders=sum(part.orders for part in parts),
        customers=sum(part.customers for part in parts),
        flash_units=sum(part.flash_units for part in parts),
        saved=[money for part in parts for money in part.saved],
    )


class PromotionById(ByKey[int, Promotion]):
    key = Promotion.id


class UsesByOrder(ManyByKey[int, PromotionUse]):
    key = PromotionUse.order_id
    order_by = PromotionUse.position


class PromotionLoaders:
    promotion = loader(PromotionById)
    order_promotions = loader(UsesByOrder)
    promotion_usage = loader(UsageByPromotion)
