from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.base import ByKey, Grouped, ManyByKey, loader
from loaders.page import Key, Sort
from loaders.prepared import Reads
from models import CurrencyCode, Money, Offer, OfferKind, OfferUse

NEWEST_OFFER = Sort("newest", (Key(Offer.id, descending=True),))


class OfferState(StrEnum):
    """Whether the time of an offer has come."""

    UPCOMING = "UPCOMING"
    """It begins later."""
    NOW = "NOW"
    """It applies now."""
    ENDED = "ENDED"
    """It is over, or was taken back."""


def state_of(offer: Offer, now: datetime) -> OfferState:
    if offer.archived_at is not None or (offer.ends_at is not None and offer.ends_at <= now):
        return OfferState.ENDED
    upcoming = offer.starts_at is not None and offer.starts_at > now
    return OfferState.UPCOMING if upcoming else OfferState.NOW


def in_state(state: OfferState, now: datetime) -> ColumnElement[bool]:
    """The same as a condition."""
    over = or_(Offer.archived_at.is_not(None), func.coalesce(Offer.ends_at <= now, false()))
    later = func.coalesce(Offer.starts_at > now, false())
    match state:
        case OfferState.ENDED:
            return over
        case OfferState.UPCOMING:
            return and_(~over, later)
        case OfferState.NOW:
            return and_(~over, ~later)


def offers_wanted(
    *, kind: OfferKind | None, state: OfferState | None, code: str | None, now: datetime
) -> Select[Any]:
    """Offers; `code` is how theirs begins."""
    wanted = select(Offer)
    if kind is not None:
        wanted = wanted.where(Offer.kind == kind)
    if state is not None:
        wanted = wanted.where(in_state(state, now))
    if code is not None:
        wanted = wanted.where(Offer.code.startswith(code.strip().upper(), autoescape=True))
    return wanted


@dataclass(frozen=True, slots=True)
class FlashSale:
    """Units of a variant at a special price, as long as they last."""

    offer: Offer
    price: Money

    @property
    def ends_at(self) -> datetime | None:
        return self.offer.ends_at

    @property
    def left(self) -> int:
        return self.offer.left or 0

    @property
    def share(self) -> int:
        return self.offer.share or 0

    @property
    def per_buyer(self) -> int | None:
        return self.offer.share_per_buyer


def on_flash_sale(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Flash sales that run and have something left."""
    return and_(
        Offer.kind == OfferKind.FLASH_SALE,
        Offer.code.is_(None),
        Offer.archived_at.is_(None),
        or_(Offer.starts_at.is_(None), Offer.starts_at <= now),
        Offer.ends_at > now,
        Offer.sold < Offer.share,
    )


async def flash_sales(
    reads: Reads, variant_ids: Sequence[int], currency: CurrencyCode, now: datetime
) -> Mapping[int, FlashSale]:
    """The cheapest running flash sale of each variant that has one."""
    async with reads() as session:
        rows = await session.scalars(
            select(Offer)
            .where(on_flash_sale(now), Offer.variant_id.in_(variant_ids), Offer.currency == currency)
            .order_by(Offer.amount.desc(), Offer.id.desc())
        )
        return {
            offer.variant_id: FlashSale(offer, offer.flash_price)
            for offer in rows
            if offer.variant_id is not None and offer.flash_price is not None
        }


@dataclass(frozen=True, slots=True)
class Usage:
    """What orders that stand have had of an offer."""

    orders: int
    customers: int
    flash_units: int
    saved: Sequence[Money]


class UsageByOffer(Grouped[int, Usage]):
    async def group(self, session: AsyncSession, keys: list[int]) -> Mapping[int, Usage]:
        rows = await session.execute(
            select(
                OfferUse.offer_id,
                OfferUse.currency,
                func.count(),
                func.count(OfferUse.account_id.distinct()),
                func.sum(OfferUse.flash_units),
                func.sum(OfferUse.amount),
            )
            .where(OfferUse.offer_id.in_(keys), OfferUse.released_at.is_(None))
            .group_by(OfferUse.offer_id, OfferUse.currency)
            .order_by(OfferUse.offer_id, OfferUse.currency)
        )
        found: defaultdict[int, list[Usage]] = defaultdict(list)
        for offer_id, currency, orders, customers, units, amount in rows:
            found[offer_id].append(Usage(orders, customers, int(units), [Money(int(amount), currency)]))
        return {offer_id: together(parts) for offer_id, parts in found.items()}

    def nothing(self) -> Usage:
        return Usage(0, 0, 0, ())


def together(parts: Sequence[Usage]) -> Usage:
    """A customer who bought in two currencies is counted in both."""
    return Usage(
        orders=sum(part.orders for part in parts),
        customers=sum(part.customers for part in parts),
        flash_units=sum(part.flash_units for part in parts),
        saved=[money for part in parts for money in part.saved],
    )


class OfferById(ByKey[int, Offer]):
    key = Offer.id


class UsesByOrder(ManyByKey[int, OfferUse]):
    key = OfferUse.order_id
    order_by = OfferUse.position


class OfferLoaders:
    offer = loader(OfferById)
    order_offers = loader(UsesByOrder)
    offer_usage = loader(UsageByOffer)
