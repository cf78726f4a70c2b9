"""Prices of variants, now and later, as the staff changes them."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from domain.catalog.product import cancel_price_change, remove_price, schedule_price_change, set_price
from models import CurrencyCode, PriceChange, PriceChangeStatus, Variant
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.catalog.product import price_draft
from resolvers.inputs.money import MoneyInput

ENDED = frozenset({PriceChangeStatus.DONE, PriceChangeStatus.CANCELLED})


async def price_set(
    info: Info,
    variant_id: strawberry.ID,
    version: int,
    price: MoneyInput,
    compare_at: MoneyInput | None = None,
) -> Variant:
    """Sets the price of a variant in one currency from now on; its other prices stay as they are.

    variant_id: the variant
    version: the version of its product you have read; CONFLICT when somebody changed it since
    price: the price of one unit
    compare_at: the price of one unit before it was lowered, in the same currency
    """
    async with info.context.transaction() as session:
        return await set_price(
            session,
            row_id(variant_id, "Variant", field=("variant_id",)),
            price_draft(price, compare_at),
            version=version,
            cause=info.context.cause,
        )


async def price_remove(
    info: Info, variant_id: strawberry.ID, version: int, currency: CurrencyCode
) -> Variant:
    """Removes the price of a variant in one currency, so that it is no longer sold in it.

    variant_id: the variant
    version: the version of its product you have read; CONFLICT when somebody changed it since
    currency: the currency of the price
    """
    async with info.context.transaction() as session:
        return await remove_price(
            session,
            row_id(variant_id, "Variant", field=("variant_id",)),
            currency,
            version=version,
            cause=info.context.cause,
        )


async def price_change_schedule(
    info: Info,
    variant_id: strawberry.ID,
    price: MoneyInput,
    starts_at: datetime,
    ends_at: datetime | None = None,
    compare_at: MoneyInput | None = None,
) -> PriceChange:
    """Schedules a price change; two changes of one price never overlap.

    variant_id: the variant
    price: the new price of one unit
    starts_at: when it begins
    ends_at: when it ends; then the price before comes back, unless the staff has set another; null for good
    compare_at: the price to show as the one before; where the change ends, today's when left out
    """
    async with info.context.transaction() as session:
        return await schedule_price_change(
            session,
            row_id(variant_id, "Variant", field=("variant_id",)),
            price_draft(price, compare_at),
            starts_at=starts_at,
            ends_at=ends_at,
            cause=info.context.cause,
        )


async def price_change_cancel(info: Info, id: strawberry.ID) -> PriceChange:
    """Cancels a scheduled price change; one that is active ends now, and the price before comes back.

    id: the price change
    """
    async with info.context.transaction() as session:
        return await cancel_price_change(session, row_id(id, "PriceChange"), cause=info.context.cause)


async def variant_price_changes(
    variants: Sequence[Variant], info: Info, ended: bool = False
) -> Sequence[Sequence[PriceChange] | None]:
    """Scheduled and active price changes, the next one first; null for everybody but catalogue staff.

    ended: true to include those that are done or cancelled
    """
    if not info.context.viewer.may(Permission.CATALOG_EDIT):
        return [None] * len(variants)
    found = await info.context.load.variant_price_changes.load_many([variant.id for variant in variants])
    return [[row for row in rows if ended or row.status not in ENDED] for rows in found]


async def find_price_change(info: Info, change_id: int) -> PriceChange | None:
    if not info.context.viewer.may(Permission.CATALOG_EDIT):
        return None
    return await info.context.load.price_change.load(change_id)
