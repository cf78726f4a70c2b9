"""Prices of variants: set now, or scheduled from a moment on, for good or until another moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.product.drafts import PriceDraft
from domain.catalog.product.validation import validate_price
from domain.cause import Cause
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState
from domain.events import (
    PriceScheduleEvent,
    ProductPriceChanged,
    ProductPriceScheduled,
    ProductPriceUnscheduled,
)
from domain.outbox import record
from domain.state import move, transition_table
from domain.versions import check_version
from models import CurrencyCode, Price, PriceChange, PriceChangeStatus, Product, Variant
from text.messages import Message

OPEN_CHANGES_LIMIT = 50
"""Changes of one price that are scheduled or running."""

HORIZON = timedelta(days=5 * 365)
"""How far ahead a price can be scheduled."""

INSTANT = timedelta(microseconds=1)

TRANSITIONS = transition_table(
    PriceChangeStatus.SCHEDULED,
    {
        PriceChangeStatus.SCHEDULED: {
            PriceChangeStatus.RUNNING,
            PriceChangeStatus.DONE,
            PriceChangeStatus.CANCELLED,
        },
        PriceChangeStatus.RUNNING: {PriceChangeStatus.DONE, PriceChangeStatus.CANCELLED},
        PriceChangeStatus.DONE: set(),
        PriceChangeStatus.CANCELLED: set(),
    },
)


@dataclass(frozen=True, slots=True)
class VariantPrice:
    """What a variant costs in one currency, in minor units."""

    amount: int
    compare_at: int | None


async def set_price(
    session: AsyncSession,
    variant_id: int,
    draft: PriceDraft,
    *,
    version: int,
    cause: Cause,
) -> Variant:
    """Set what a variant costs in one currency from now on; Conflict when its product is not at `version`."""
    validate_price(draft, ())
    variant, product = await _lock_product(session, variant_id, field="variant_id")
    check_version(product, version)
    before = await _current_price(session, variant_id, draft.amount.currency)
    after = VariantPrice(draft.amount.minor, draft.compare_at.minor if draft.compare_at else None)
    await _write_price(session, product, variant_id, draft.amount.currency, before, after, cause=cause)
    return variant


async def remove_price(
    session: AsyncSession,
    variant_id: int,
    currency: CurrencyCode,
    *,
    version: int,
    cause: Cause,
) -> Variant:
    """Stop selling a variant in one currency; NotFound when it has no price in it."""
    variant, product = await _lock_product(session, variant_id, field="variant_id")
    check_version(product, version)
    before = await _current_price(session, variant_id, currency)
    if before is None:
        raise NotFound(Message("price in {currency}", currency=currency.value), field=("currency",))
    await _write_price(session, product, variant_id, currency, before, None, cause=cause)
    return variant


async def schedule_price_change(
    session: AsyncSession,
    variant_id: int,
    draft: PriceDraft,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    cause: Cause,
) -> PriceChange:
    """Schedule a price, for good or until `ends_at`; Taken when another change of it overlaps."""
    validate_price(draft, ())
    _check_window(starts_at, ends_at, now=cause.now)
    _, product = await _lock_product(session, variant_id, field="variant_id")
    change = PriceChange(
        variant_id=variant_id,
        currency=draft.amount.currency,
        amount=draft.amount.minor,
        compare_at_amount=draft.compare_at.minor if draft.compare_at else None,
        starts_at=starts_at,
        ends_at=ends_at,
        status=PriceChangeStatus.SCHEDULED,
        due_at=starts_at,
        account_id=cause.by,
        created_at=cause.now,
    )
    _refuse_overlap(change, await _select_open_changes(session, variant_id, change.currency))
    session.add(change)
    await session.flush()
    _record_schedule(session, ProductPriceScheduled, product, change, cause=cause)
    return change


async def cancel_price_change(session: AsyncSession, change_id: int, *, cause: Cause) -> PriceChange:
    """Cancel a scheduled price; if it is running, the price before it comes back now."""
    change = await session.get(PriceChange, change_id)
    if change is None:
        raise NotFound("price change", field=("id",))
    _, product = await _lock_product(session, change.variant_id, field="id")
    await session.refresh(change)
    if change.status not in (PriceChangeStatus.SCHEDULED, PriceChangeStatus.RUNNING):
        raise WrongState("This price change is over.", field=("id",))
    before = await _current_price(session, change.variant_id, change.currency)
    after = price_after(change, before) if change.status is PriceChangeStatus.RUNNING else before
    move(change, PriceChangeStatus.CANCELLED, TRANSITIONS)
    change.due_at = None
    _record_schedule(session, ProductPriceUnscheduled, product, change, cause=cause)
    await _write_price(session, product, change.variant_id, change.currency, before, after, cause=cause)
    return change


def select_due_price_changes(now: datetime) -> Select[int]:
    """The ids of changes that begin or end by `now`, the earliest first."""
    return select(PriceChange.id).where(PriceChange.due_at <= now).order_by(PriceChange.due_at)


async def apply_due_price_changes(session: AsyncSession, change_id: int, *, cause: Cause) -> None:
    """Apply everything due for the price of this change, in the order of time.

    Several changes may be due after a delay; only the resulting price is written. A second call finds nothing
    due.
    """
    change = await session.get(PriceChange, change_id)
    if change is None:
        return
    _, product = await _lock_product(session, change.variant_id, field="id")
    open_changes = await _select_open_changes(session, change.variant_id, change.currency)
    before = after = await _current_price(session, change.variant_id, change.currency)
    while due := [each for each in open_changes if each.due_at is not None and each.due_at <= cause.now]:
        each = min(due, key=_due_order)
        if each.status is PriceChangeStatus.SCHEDULED:
            after = begin_change(each, after)
        else:
            after = finish_change(each, after)
    await _write_price(
        session, product, change.variant_id, change.currency, before, after, cause=Cause(cause.now, None)
    )


def begin_change(change: PriceChange, price: VariantPrice | None) -> VariantPrice:
    """Begin a change and return its price.

    A reduced price that ends gets the price before as its compare-at price, unless it has one.
    """
    compare_at = change.compare_at_amount
    if change.ends_at is None:
        move(change, PriceChangeStatus.DONE, TRANSITIONS)
    else:
        move(change, PriceChangeStatus.RUNNING, TRANSITIONS)
        change.before_amount = price.amount if price else None
        change.before_compare_at_amount = price.compare_at if price else None
        if compare_at is None and price and price.amount > change.amount:
            compare_at = change.compare_at_amount = price.amount
    change.due_at = change.ends_at
    return VariantPrice(change.amount, compare_at)


def finish_change(change: PriceChange, price: VariantPrice | None) -> VariantPrice | None:
    """Finish a running change and return the price that follows."""
    move(change, PriceChangeStatus.DONE, TRANSITIONS)
    change.due_at = None
    return price_after(change, price)


def price_after(change: PriceChange, price: VariantPrice | None) -> VariantPrice | None:
    """The price of before the change; a price set by staff during the change stays."""
    if price != VariantPrice(change.amount, change.compare_at_amount):
        return price
    if change.before_amount is None:
        return None
    return VariantPrice(change.before_amount, change.before_compare_at_amount)


def _due_order(change: PriceChange) -> tuple[datetime | None, bool, int]:
    """A sort key: by time; where one change ends as another begins, the end comes first."""
    return change.due_at, change.status is PriceChangeStatus.SCHEDULED, change.id


def _check_window(starts_at: datetime, ends_at: datetime | None, *, now: datetime) -> None:
    if starts_at <= now:
        raise Invalid("A price change begins in the future; set the price for now.", field=("starts_at",))
    if ends_at is not None and ends_at <= starts_at:
        raise Invalid("A price change ends after it begins.", field=("ends_at",))
    for name, moment in (("starts_at", starts_at), ("ends_at", ends_at)):
        if moment is not None and moment > now + HORIZON:
            raise Invalid("A price is promised at most {days} days ahead.", days=HORIZON.days, field=(name,))


def _refuse_overlap(change: PriceChange, others: Sequence[PriceChange]) -> None:
    if len(others) >= OPEN_CHANGES_LIMIT:
        raise LimitReached(
            "At most {limit} changes of one price wait for their time.", limit=OPEN_CHANGES_LIMIT
        )
    for other in others:
        if change.starts_at < _end_of(other) and other.starts_at < _end_of(change):
            template = (
                "From {start} until {end} there is another change of this price."
                if other.ends_at
                else "From {start} there is another change of this price."
            )
            raise Taken(template, start=other.starts_at, end=other.ends_at, field=("starts_at",))


def _end_of(change: PriceChange) -> datetime:
    return change.ends_at or change.starts_at + INSTANT


async def _lock_product(session: AsyncSession, variant_id: int, *, field: str) -> tuple[Variant, Product]:
    """A variant and its product; the lock of the product is that of all its prices, too."""
    variant = await session.get(Variant, variant_id)
    if variant is None:
        raise NotFound("variant", field=(field,))
    locked = select(Product).where(Product.id == variant.product_id).with_for_update()
    product = await session.scalars(locked.execution_options(populate_existing=True))
    return variant, product.one()


async def _select_open_changes(
    session: AsyncSession, variant_id: int, currency: CurrencyCode
) -> Sequence[PriceChange]:
    """The scheduled and running changes of a price."""
    statement = select(PriceChange).where(
        PriceChange.variant_id == variant_id,
        PriceChange.currency == currency,
        PriceChange.due_at.is_not(None),
    )
    return (await session.scalars(statement.execution_options(populate_existing=True))).all()


async def _current_price(
    session: AsyncSession, variant_id: int, currency: CurrencyCode
) -> VariantPrice | None:
    row = await session.get(Price, (variant_id, currency), populate_existing=True)
    return VariantPrice(row.amount, row.compare_at_amount) if row else None


async def _write_price(
    session: AsyncSession,
    product: Product,
    variant_id: int,
    currency: CurrencyCode,
    before: VariantPrice | None,
    after: VariantPrice | None,
    *,
    cause: Cause,
) -> None:
    """Write a price that has changed, and record it; None is no price."""
    if after == before:
        return
    row = await session.get(Price, (variant_id, currency))
    if after is None:
        await session.delete(row)
    elif row is None:
        session.add(
            Price(
                variant_id=variant_id,
                currency=currency,
                amount=after.amount,
                compare_at_amount=after.compare_at,
            )
        )
    else:
        row.amount, row.compare_at_amount = after.amount, after.compare_at
    product.updated_at = cause.now
    record(
        session,
        ProductPriceChanged(
            product,
            variant_id=variant_id,
            currency=currency,
            amount=after.amount if after else None,
            before=before.amount if before else None,
        ),
        cause,
    )
    await session.flush()


def _record_schedule(
    session: AsyncSession,
    event_type: type[PriceScheduleEvent],
    product: Product,
    change: PriceChange,
    *,
    cause: Cause,
) -> None:
    event = event_type(
        product,
        price_change_id=change.id,
        variant_id=change.variant_id,
        currency=change.currency,
        amount=change.amount,
    )
    record(session, event, cause)
