"""Offers are used by orders, as often as they may be, and given back."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    and_,
    case,
    column,
    or_,
    select,
    update,
    values,
)
from sqlalchemy.ext.asyncio import AsyncSession

from domain.offer.refusals import OfferGone
from domain.promotion import FlashSale, Offer, refund_share
from domain.upsert import insert
from models import Money, OfferBuyer, OfferUse
from models import Offer as Row

Had = tuple[int, int]
"""Uses, and units at the price of a flash sale."""

NOTHING: Had = (0, 0)

K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An offer that makes an order cheaper."""

    order_id: int
    account_id: int
    offer: Offer
    """As the order was priced with it."""
    position: int
    amount: Money
    flash_units: int

    @property
    def had(self) -> Had:
        return 1, self.flash_units

    @property
    def buyer(self) -> tuple[int, int]:
        return self.offer.id, self.account_id

    @property
    def counted(self) -> bool:
        """Whether all customers together may have only so much of it."""
        return self.offer.usage_limit is not None or isinstance(self.offer.terms, FlashSale)

    @property
    def limits_per_buyer(self) -> tuple[int | None, int | None]:
        terms = self.offer.terms
        return self.offer.usage_limit_per_buyer, terms.per_buyer if isinstance(terms, FlashSale) else None

    @property
    def counted_per_buyer(self) -> bool:
        return self.limits_per_buyer != (None, None)


async def use_offers(session: AsyncSession, uses: Sequence[Use], *, now: datetime) -> None:
    """Use offers for some orders, all or none: OfferGone names the uses there was no room left for.

    The counters come last, and in the same order in every transaction: many want the same ones.
    """
    if not uses:
        return
    await session.execute(insert(session, OfferUse).values([as_row(use, now) for use in uses]))
    if by_buyer := [use for use in uses if use.counted_per_buyer]:
        await count_for_buyers(session, by_buyer)
    if by_all := [use for use in uses if use.counted]:
        await count_for_all(session, by_all, now=now)


def as_row(use: Use, now: datetime) -> dict[str, object]:
    return {
        "order_id": use.order_id,
        "offer_id": use.offer.id,
        "account_id": use.account_id,
        "position": use.position,
        "title": use.offer.title,
        "code": use.offer.code,
        "currency": use.amount.currency,
        "amount": use.amount.minor,
        "flash_units": use.flash_units,
        "used_at": now,
        "released_at": None,
    }


async def count_for_buyers(session: AsyncSession, uses: Sequence[Use]) -> None:
    """Count what each customer has had; the row is ours until the end, so what comes back is final."""
    sums = summed((use.buyer, use.had) for use in uses)
    counted = insert(session, OfferBuyer).values(
        [
            {"offer_id": offer_id, "account_id": account_id, "uses": count, "flash_units": units}
            for (offer_id, account_id), (count, units) in sorted(sums.items())
        ]
    )
    rows = await session.execute(
        counted.on_conflict_do_update(
            index_elements=[OfferBuyer.offer_id, OfferBuyer.account_id],
            set_={
                "uses": OfferBuyer.uses + counted.excluded.uses,
                "flash_units": OfferBuyer.flash_units + counted.excluded.flash_units,
            },
        ).returning(OfferBuyer.offer_id, OfferBuyer.account_id, OfferBuyer.uses, OfferBuyer.flash_units)
    )
    before = {
        (offer_id, account_id): minus((count, units), sums[offer_id, account_id])
        for offer_id, account_id, count, units in rows
    }
    if lost := too_late(((use, use.buyer, use.limits_per_buyer) for use in uses), before):
        raise OfferGone(lost)


async def count_for_all(session: AsyncSession, uses: Sequence[Use], *, now: datetime) -> None:
    """Count what all have had, in one statement that changes only what has room."""
    sums = summed((use.offer.id, use.had) for use in uses)
    wanted = as_table(sums)
    locked = (
        select(Row.id, wanted.c.uses, wanted.c.units)
        .join(wanted, wanted.c.offer_id == Row.id)
        .order_by(Row.id)
        .with_for_update(of=Row, key_share=True)
        .cte("locked")
    )
    done = await session.scalars(
        update(Row)
        .where(Row.id == locked.c.id, Row.archived_at.is_(None))
        .where(or_(Row.starts_at.is_(None), Row.starts_at <= now))
        .where(or_(Row.ends_at.is_(None), Row.ends_at > now))
        .where(or_(Row.usage_limit.is_(None), Row.used + locked.c.uses <= Row.usage_limit))
        .where(or_(Row.share.is_(None), Row.sold + locked.c.units <= Row.share))
        .values(used=Row.used + locked.c.uses, sold=Row.sold + locked.c.units)
        .returning(Row.id)
        .execution_options(synchronize_session=False)
    )
    if missing := sums.keys() - set(done):
        raise OfferGone(
            await without_room(session, [use for use in uses if use.offer.id in missing], now=now)
        )


async def without_room(session: AsyncSession, uses: Sequence[Use], *, now: datetime) -> list[Use]:
    """The uses that find nothing left when those before them are served; all, where the offer is over."""
    ids = {use.offer.id for use in uses}
    rows = await session.scalars(select(Row).where(Row.id.in_(ids)).execution_options(populate_existing=True))
    offers = {row.id: row for row in rows}
    open_ = {
        id
        for id, row in offers.items()
        if row.archived_at is None
        and (row.starts_at is None or row.starts_at <= now)
        and (row.ends_at is None or row.ends_at > now)
    }
    closed = [use for use in uses if use.offer.id not in open_]
    limited = (
        (use, use.offer.id, (offers[use.offer.id].usage_limit, offers[use.offer.id].share))
        for use in uses
        if use.offer.id in open_
    )
    return closed + too_late(limited, {id: (offers[id].used, offers[id].sold) for id in open_})


def too_late(
    uses: Iterable[tuple[Use, K, tuple[int | None, int | None]]], before: Mapping[K, Had]
) -> list[Use]:
    """First come, first served: the uses that would go past a limit, counted from `before`."""
    had: defaultdict[K, Had] = defaultdict(lambda: NOTHING, before)
    lost = []
    for use, key, limits in uses:
        after = plus(had[key], use.had)
        if any(limit is not None and count > limit for count, limit in zip(after, limits, strict=True)):
            lost.append(use)
        else:
            had[key] = after
    return lost


@dataclass(frozen=True, slots=True)
class Leaving:
    """Units of a variant that leave an order before they were sent, of those that had not left it."""

    variant_id: int
    _: KW_ONLY
    units: int
    of: int


async def give_back_units(
    session: AsyncSession, order_id: int, leaving: Sequence[Leaving], *, now: datetime
) -> None:
    """Part of a locked order was cancelled: others may have its units at the price of their flash sale.

    A line that is only partly at that price costs each of its units the same part of it, so the special
    units leave in the proportion the money does; the last unit takes the last. A sale of which an order
    has nothing left counts as not used.
    """
    parts: Mapping[int | None, Leaving] = {each.variant_id: each for each in leaving}
    rows = await session.execute(
        select(Row.variant_id, OfferUse)
        .join(Row, Row.id == OfferUse.offer_id)
        .where(OfferUse.order_id == order_id, OfferUse.released_at.is_(None))
        .where(OfferUse.flash_units > 0, Row.variant_id.in_(parts))
        .execution_options(populate_existing=True)
    )
    back = []
    for variant_id, use in rows:
        part = parts[variant_id]
        units = refund_share(use.flash_units, part.of, 0, part.units)
        whole = units == use.flash_units
        if whole:
            use.released_at = now
        else:
            use.flash_units -= units
        back.append(((use.offer_id, use.account_id), (int(whole), units)))
    await session.flush()
    await uncount(session, back)


async def give_back_offers(session: AsyncSession, order_ids: Collection[int], *, now: datetime) -> None:
    """Orders were cancelled: what they used, others may use; a second time changes nothing."""
    released = await session.execute(
        update(OfferUse)
        .where(OfferUse.order_id.in_(order_ids), OfferUse.released_at.is_(None))
        .values(released_at=now)
        .returning(OfferUse.offer_id, OfferUse.account_id, OfferUse.flash_units)
        .execution_options(synchronize_session=False)
    )
    await uncount(session, [((offer_id, account_id), (1, units)) for offer_id, account_id, units in released])


async def uncount(session: AsyncSession, uses: Sequence[tuple[tuple[int, int], Had]]) -> None:
    """What came back, by offer and customer, counts no more."""
    if uses:
        await uncount_for_buyers(session, summed(uses))
        await uncount_for_all(session, summed((offer_id, had) for (offer_id, _), had in uses))


async def uncount_for_buyers(session: AsyncSession, sums: Mapping[tuple[int, int], Had]) -> None:
    columns = (
        column("offer_id", BigInteger),
        column("account_id", BigInteger),
        column("uses", Integer),
        column("units", Integer),
    )
    data = [(*buyer, *had) for buyer, had in sorted(sums.items())]
    wanted = values(*columns, name="wanted").data(data).cte("wanted")
    same = and_(wanted.c.offer_id == OfferBuyer.offer_id, wanted.c.account_id == OfferBuyer.account_id)
    locked = (
        select(OfferBuyer.offer_id, OfferBuyer.account_id, wanted.c.uses, wanted.c.units)
        .join(wanted, same)
        .order_by(OfferBuyer.offer_id, OfferBuyer.account_id)
        .with_for_update(of=OfferBuyer)
        .cte("locked")
    )
    await session.execute(
        update(OfferBuyer)
        .where(OfferBuyer.offer_id == locked.c.offer_id, OfferBuyer.account_id == locked.c.account_id)
        .values(
            uses=at_least_nothing(OfferBuyer.uses - locked.c.uses),
            flash_units=at_least_nothing(OfferBuyer.flash_units - locked.c.units),
        )
        .execution_options(synchronize_session=False)
    )


async def uncount_for_all(session: AsyncSession, sums: Mapping[int, Had]) -> None:
    wanted = as_table(sums)
    counted = or_(Row.usage_limit.is_not(None), Row.share.is_not(None))
    locked = (
        select(Row.id, wanted.c.uses, wanted.c.units)
        .join(wanted, wanted.c.offer_id == Row.id)
        .where(counted)
        .order_by(Row.id)
        .with_for_update(of=Row, key_share=True)
        .cte("locked")
    )
    await session.execute(
        update(Row)
        .where(Row.id == locked.c.id)
        .values(
            used=at_least_nothing(Row.used - locked.c.uses),
            sold=at_least_nothing(Row.sold - locked.c.units),
        )
        .execution_options(synchronize_session=False)
    )


def as_table(sums: Mapping[int, Had]) -> CTE:
    columns = (column("offer_id", BigInteger), column("uses", Integer), column("units", Integer))
    data = [(offer_id, *had) for offer_id, had in sorted(sums.items())]
    return values(*columns, name="wanted").data(data).cte("wanted")


def at_least_nothing(count: ColumnElement[int]) -> ColumnElement[int]:
    """A count that began before there was a limit may be lower than what comes back."""
    return case((count > 0, count), else_=0)


def summed(pairs: Iterable[tuple[K, Had]]) -> dict[K, Had]:
    uses: Counter[K] = Counter()
    units: Counter[K] = Counter()
    for key, (count, flash_units) in pairs:
        uses[key] += count
        units[key] += flash_units
    return {key: (uses[key], units[key]) for key in uses}


def plus(one: Had, other: Had) -> Had:
    return one[0] + other[0], one[1] + other[1]


def minus(one: Had, other: Had) -> Had:
    return one[0] - other[0], one[1] - other[1]
