"""Recording which orders use which promotions, within the limits of each promotion."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import TypeVar

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.promotion.active import is_running_at
from domain.promotion.refusals import PromotionUsedUp
from domain.promotion.usage_counts import UsageCount, counts_by_promotion, sum_by_key
from domain.promotion.use_request import PromotionUseRequest
from models import Promotion, PromotionBuyer, PromotionUse
from models.sql.dialects import dialect_of
from models.sql.upsert import upsert_into

Key = TypeVar("Key")

Limits = tuple[int | None, int | None]
"""How many uses and how many units there may be; None for any number."""


async def use_promotions(
    session: AsyncSession, requests: Sequence[PromotionUseRequest], *, now: datetime
) -> None:
    """Record all uses, or raise PromotionUsedUp with those that are beyond a limit.

    Counters are changed last, and in the same order in every transaction: many orders want the same ones.
    """
    if not requests:
        return
    rows = [use_values(request, now) for request in requests]
    # Rows without a code would else be a statement of their own.
    await session.execute(insert(PromotionUse).execution_options(render_nulls=True), rows)
    if per_buyer := [request for request in requests if request.is_counted_per_buyer]:
        await count_for_buyers(session, per_buyer)
    if counted := [request for request in requests if request.is_counted]:
        await count_for_promotions(session, counted, now=now)


def use_values(request: PromotionUseRequest, now: datetime) -> dict[str, object]:
    """The columns of a PromotionUse."""
    return {
        "order_id": request.order_id,
        "promotion_id": request.promotion.id,
        "account_id": request.account_id,
        "position": request.position,
        "title": request.promotion.title,
        "code": request.promotion.code,
        "currency": request.amount.currency,
        "amount": request.amount.minor,
        "flash_units": request.flash_units,
        "used_at": now,
        "released_at": None,
    }


async def count_for_buyers(session: AsyncSession, requests: Sequence[PromotionUseRequest]) -> None:
    """Add to each customer's counters; PromotionUsedUp where that goes beyond the limits per customer."""
    sums = sum_by_key((request.buyer, request.count) for request in requests)
    counts = [
        {
            "promotion_id": promotion_id,
            "account_id": account_id,
            "uses": count.uses,
            "flash_units": count.units,
        }
        for (promotion_id, account_id), count in sorted(sums.items(), key=itemgetter(0))
    ]
    statement = upsert_into(session, PromotionBuyer)
    # The upsert locks the counter until the transaction ends, so what it returns stays true.
    rows = await session.execute(
        statement.on_conflict_do_update(
            index_elements=[PromotionBuyer.promotion_id, PromotionBuyer.account_id],
            set_={
                "uses": PromotionBuyer.uses + statement.excluded.uses,
                "flash_units": PromotionBuyer.flash_units + statement.excluded.flash_units,
            },
        ).returning(
            PromotionBuyer.promotion_id,
            PromotionBuyer.account_id,
            PromotionBuyer.uses,
            PromotionBuyer.flash_units,
        ),
        counts,
    )
    before = {
        (promotion_id, account_id): UsageCount(uses, units) - sums[promotion_id, account_id]
        for promotion_id, account_id, uses, units in rows
    }
    limited = ((request, request.buyer, request.buyer_limits) for request in requests)
    if refused := requests_beyond_limits(limited, before):
        raise PromotionUsedUp(refused)


async def count_for_promotions(
    session: AsyncSession, requests: Sequence[PromotionUseRequest], *, now: datetime
) -> None:
    """Add to the counters of the promotions, in one statement; PromotionUsedUp where a limit is reached."""
    sums = sum_by_key((request.promotion.id, request.count) for request in requests)
    counts = counts_by_promotion(sums, dialect_of(session))
    locked = (
        select(Promotion.id, counts.c.uses, counts.c.units)
        .join(counts, counts.c.promotion_id == Promotion.id)
        .order_by(Promotion.id)
        .with_for_update(of=Promotion, key_share=True)
        .cte("locked")
    )
    counted = await session.scalars(
        update(Promotion)
        .where(Promotion.id == locked.c.id, Promotion.archived_at.is_(None), is_running_at(now))
        .where(or_(Promotion.usage_limit.is_(None), Promotion.used + locked.c.uses <= Promotion.usage_limit))
        .where(or_(Promotion.share.is_(None), Promotion.sold + locked.c.units <= Promotion.share))
        .values(used=Promotion.used + locked.c.uses, sold=Promotion.sold + locked.c.units)
        .returning(Promotion.id)
        .execution_options(synchronize_session=False)
    )
    if missing := sums.keys() - set(counted):
        refused = [request for request in requests if request.promotion.id in missing]
        raise PromotionUsedUp(await find_unavailable(session, refused, now=now))


async def find_unavailable(
    session: AsyncSession, requests: Sequence[PromotionUseRequest], *, now: datetime
) -> list[PromotionUseRequest]:
    """The requests for promotions that are not running, and those beyond a limit, served in their order."""
    ids = {request.promotion.id for request in requests}
    rows = await session.scalars(
        select(Promotion)
        .where(Promotion.id.in_(ids), Promotion.archived_at.is_(None), is_running_at(now))
        .execution_options(populate_existing=True)
    )
    running = {row.id: row for row in rows}
    not_running = [request for request in requests if request.promotion.id not in running]
    limited = (
        (request, row.id, (row.usage_limit, row.share))
        for request in requests
        if (row := running.get(request.promotion.id))
    )
    before = {row.id: UsageCount(row.used, row.sold) for row in running.values()}
    return not_running + requests_beyond_limits(limited, before)


def requests_beyond_limits(
    limited: Iterable[tuple[PromotionUseRequest, Key, Limits]], before: Mapping[Key, UsageCount]
) -> list[PromotionUseRequest]:
    """The requests that would exceed the limits of their key, first come, first served.

    `before` is what was counted already, by key.
    """
    counts: defaultdict[Key, UsageCount] = defaultdict(UsageCount, before)
    refused = []
    for request, key, (use_limit, unit_limit) in limited:
        after = counts[key] + request.count
        if exceeds_limit(after.uses, use_limit) or exceeds_limit(after.units, unit_limit):
            refused.append(request)
        else:
            counts[key] = after
    return refused


def exceeds_limit(count: int, limit: int | None) -> bool:
    return limit is not None and count > limit
