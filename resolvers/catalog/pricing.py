"""What things cost, now and later, as clerks change it."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain.catalog.drafts import PriceDraft
from domain.catalog.prices import cancel_price, remove_price, schedule_price, set_price
from domain.errors import Invalid
from models import CurrencyCode, PriceChange, PriceChangeStatus, Variant
from resolvers.context import Info
from resolvers.guard import CATALOGUE
from resolvers.ids import row_id
from resolvers.inputs.money import MoneyInput

OVER = frozenset({PriceChangeStatus.DONE, PriceChangeStatus.CANCELLED})


async def price_set(
    info: Info,
    variant_id: strawberry.ID,
    version: int,
    price: MoneyInput,
    compare_at: MoneyInput | None = None,
) -> Variant:
    """Say what a variant costs in one currency from now on; its other prices stay as they are.

    variant_id: which variant
    version: the version of its product you have read; CONFLICT when somebody changed it since
    price: what one costs
    compare_at: what one cost before the price was lowered, in the same currency
    """
    async with info.context.transaction() as session:
        return await set_price(
            session,
            row_id(variant_id, "Variant", field=("variant_id",)),
            drafted(price, compare_at),
            version=version,
            now=info.context.now,
            by=info.context.viewer.id,
        )


async def price_remove(
    info: Info, variant_id: strawberry.ID, version: int, currency: CurrencyCode
) -> Variant:
    """Sell a variant no more in one currency.

    variant_id: which variant
    version: the version of its product you have read; CONFLICT when somebody changed it since
    currency: which price
    """
    async with info.context.transaction() as session:
        return await remove_price(
            session,
            row_id(variant_id, "Variant", field=("variant_id",)),
            currency,
            version=version,
            now=info.context.now,
            by=info.context.viewer.id,
        )


async def price_change_schedule(
    info: Info,
    variant_id: strawberry.ID,
    price: MoneyInput,
    starts_at: datetime,
    ends_at: datetime | None = None,
    compare_at: MoneyInput | None = None,
) -> PriceChange:
    """Let a price change by itself at its time; two changes of one price never overlap.

    variant_id: which variant
    price: what one will cost
    starts_at: from when on
    ends_at: until when, for a while only; then the price before comes back, unless a clerk has set another
    compare_at: what to show as the price before; for a while only it is the price before when left out
    """
    async with info.context.transaction() as session:
        return await schedule_price(
            session,
            row_id(variant_id, "Variant", field=("variant_id",)),
            drafted(price, compare_at),
            starts_at=starts_at,
            ends_at=ends_at,
            now=info.context.now,
            by=info.context.viewer.id,
        )


async def price_change_cancel(info: Info, id: strawberry.ID) -> PriceChange:
    """Call off a price to come; one that runs ends now, and the price before comes back.

    id: which price change
    """
    async with info.context.transaction() as session:
        return await cancel_price(
            session, row_id(id, "PriceChange"), now=info.context.now, by=info.context.viewer.id
        )


async def variant_price_changes(
    variants: Sequence[Variant], info: Info, over: bool = False
) -> Sequence[Sequence[PriceChange] | None]:
    """Prices to come and running ones, the next one first; null for everybody but those who keep prices.

    over: true to see those that are over or cancelled, too
    """
    if info.context.viewer.role not in CATALOGUE:
        return [None] * len(variants)
    found = await info.context.load.variant_price_changes.load_many([variant.id for variant in variants])
    return [[row for row in rows if over or row.status not in OVER] for rows in found]


async def find_price_change(info: Info, change_id: int) -> PriceChange | None:
    if info.context.viewer.role not in CATALOGUE:
        return None
    return await info.context.load.price_change.load(change_id)


def drafted(price: MoneyInput, compare_at: MoneyInput | None) -> PriceDraft:
    amount = price.money(field=("price",))
    before = compare_at.money(field=("compare_at",)) if compare_at else None
    if before and before.currency is not amount.currency:
        raise Invalid("Both prices are in the same currency.", field=("compare_at",))
    return PriceDraft(amount, before)
