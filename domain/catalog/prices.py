"""Prices: set now, or to come at a time of their own and, where they are for a while, to go again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog.drafts import PriceDraft
from domain.catalog.limits import check_price
from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState
from domain.outbox import record
from domain.state import move, table
from domain.versions import expect
from models import CurrencyCode, Price, PriceChange, PriceChangeStatus, Product, Variant

WAITING_LIMIT = 50
"""Changes of one price that have not come to their end."""

HORIZON = timedelta(days=5 * 365)
"""How far ahead a price is promised."""

INSTANT = timedelta(microseconds=1)

TRANSITIONS = table(
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
class Told:
    """What a variant costs in one currency, in minor units."""

    amount: int
    compare_at: int | None


async def set_price(
    session: AsyncSession,
    variant_id: int,
    draft: PriceDraft,
    *,
    version: int,
    now: datetime,
    by: int | None,
) -> Variant:
    """What a variant costs in one currency from now on; its other prices stay."""
    check_price(draft, ())
    variant, product = await _locked(session, variant_id, field="variant_id")
    expect(product, version)
    before = await _price(session, variant_id, draft.amount.currency)
    after = Told(draft.amount.minor, draft.compare_at.minor if draft.compare_at else None)
    await _put(session, product, variant_id, draft.amount.currency, before, after, now=now, by=by)
    return variant


async def remove_price(
    session: AsyncSession,
    variant_id: int,
    currency: CurrencyCode,
    *,
    version: int,
    now: datetime,
    by: int | None,
) -> Variant:
    """A variant is not sold in a currency any more."""
    variant, product = await _locked(session, variant_id, field="variant_id")
    expect(product, version)
    before = await _price(session, variant_id, currency)
    if before is None:
        raise NotFound(f"price in {currency.value}", field=("currency",))
    await _put(session, product, variant_id, currency, before, None, now=now, by=by)
    return variant


async def schedule_price(
    session: AsyncSession,
    variant_id: int,
    draft: PriceDraft,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    now: datetime,
    by: int | None,
) -> PriceChange:
    """A price to come, for good or until `ends_at`; Taken when another change of it lies in that time."""
    check_price(draft, ())
    _check_window(starts_at, ends_at, now=now)
    _, product = await _locked(session, variant_id, field="variant_id")
    change = PriceChange(
        variant_id=variant_id,
        currency=draft.amount.currency,
        amount=draft.amount.minor,
        compare_at_amount=draft.compare_at.minor if draft.compare_at else None,
        starts_at=starts_at,
        ends_at=ends_at,
        status=PriceChangeStatus.SCHEDULED,
        due_at=starts_at,
        account_id=by,
        created_at=now,
    )
    _refuse_clash(change, await _waiting(session, variant_id, change.currency))
    session.add(change)
    await session.flush()
    _record(session, "product.price_scheduled", product, change, now=now, by=by)
    return change


async def cancel_price(
    session: AsyncSession, change_id: int, *, now: datetime, by: int | None
) -> PriceChange:
    """Call off a price to come; one that runs ends now, and the price before comes back."""
    change = await session.get(PriceChange, change_id)
    if change is None:
        raise NotFound("price change", field=("id",))
    _, product = await _locked(session, change.variant_id, field="id")
    await session.refresh(change)
    if change.status not in (PriceChangeStatus.SCHEDULED, PriceChangeStatus.RUNNING):
        raise WrongState("This price change is over.", field=("id",))
    before = await _price(session, change.variant_id, change.currency)
    after = ended(change, before) if change.status is PriceChangeStatus.RUNNING else before
    move(change, PriceChangeStatus.CANCELLED, TRANSITIONS)
    change.due_at = None
    _record(session, "product.price_unscheduled", product, change, now=now, by=by)
    await _put(session, product, change.variant_id, change.currency, before, after, now=now, by=by)
    return change


def due_prices(now: datetime) -> Select[Any]:
    return select(PriceChange.id).where(PriceChange.due_at <= now).order_by(PriceChange.due_at)


async def change_due_price(session: AsyncSession, change_id: int, *, now: datetime) -> None:
    """Do all that is due for the price that a change is about, in the order of its times.

    Whoever comes second finds nothing due; who comes late catches up, and only what is the price now is
    written.
    """
    change = await session.get(PriceChange, change_id)
    if change is None:
        return
    _, product = await _locked(session, change.variant_id, field="id")
    waiting = await _waiting(session, change.variant_id, change.currency)
    before = after = await _price(session, change.variant_id, change.currency)
    while due := [each for each in waiting if each.due_at is not None and each.due_at <= now]:
        each = min(due, key=_turn)
        after = begun(each, after) if each.status is PriceChangeStatus.SCHEDULED else finished(each, after)
    await _put(session, product, change.variant_id, change.currency, before, after, now=now, by=None)


def begun(change: PriceChange, price: Told | None) -> Told:
    """The price once a change begins; one for a while says what it cost before, unless told otherwise."""
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
    return Told(change.amount, compare_at)


def finished(change: PriceChange, price: Told | None) -> Told | None:
    move(change, PriceChangeStatus.DONE, TRANSITIONS)
    change.due_at = None
    return ended(change, price)


def ended(change: PriceChange, price: Told | None) -> Told | None:
    """The price of before; what a clerk has set meanwhile stays."""
    if price != Told(change.amount, change.compare_at_amount):
        return price
    if change.before_amount is None:
        return None
    return Told(change.before_amount, change.before_compare_at_amount)


def _turn(change: PriceChange) -> tuple[datetime | None, bool, int]:
    """Where one ends as another begins, the end comes first."""
    return change.due_at, change.status is PriceChangeStatus.SCHEDULED, change.id


def _check_window(starts_at: datetime, ends_at: datetime | None, *, now: datetime) -> None:
    if starts_at <= now:
        raise Invalid("A price change begins in the future; set the price for now.", field=("starts_at",))
    if ends_at is not None and ends_at <= starts_at:
        raise Invalid("A price change ends after it begins.", field=("ends_at",))
    for name, moment in (("starts_at", starts_at), ("ends_at", ends_at)):
        if moment is not None and moment > now + HORIZON:
            raise Invalid(f"A price is promised at most {HORIZON.days:,} days ahead.", field=(name,))


def _refuse_clash(change: PriceChange, others: Sequence[PriceChange]) -> None:
    if len(others) >= WAITING_LIMIT:
        raise LimitReached(f"At most {WAITING_LIMIT} changes of one price wait for their time.")
    for other in others:
        if change.starts_at < _end(other) and other.starts_at < _end(change):
            until = f" until {other.ends_at.isoformat()}" if other.ends_at else ""
            raise Taken(
                f"From {other.starts_at.isoformat()}{until} there is another change of this price.",
                field=("starts_at",),
            )


def _end(change: PriceChange) -> datetime:
    return change.ends_at or change.starts_at + INSTANT


async def _locked(session: AsyncSession, variant_id: int, *, field: str) -> tuple[Variant, Product]:
    """A variant and its product, whose lock all its prices are under."""
    variant = await session.get(Variant, variant_id)
    if variant is None:
        raise NotFound("variant", field=(field,))
    locked = select(Product).where(Product.id == variant.product_id).with_for_update()
    product = await session.scalars(locked.execution_options(populate_existing=True))
    return variant, product.one()


async def _waiting(session: AsyncSession, variant_id: int, currency: CurrencyCode) -> Sequence[PriceChange]:
    """The changes of a price that are not over."""
    statement = select(PriceChange).where(
        PriceChange.variant_id == variant_id,
        PriceChange.currency == currency,
        PriceChange.due_at.is_not(None),
    )
    return (await session.scalars(statement.execution_options(populate_existing=True))).all()


async def _price(session: AsyncSession, variant_id: int, currency: CurrencyCode) -> Told | None:
    row = await session.get(Price, (variant_id, currency), populate_existing=True)
    return Told(row.amount, row.compare_at_amount) if row else None


async def _put(
    session: AsyncSession,
    product: Product,
    variant_id: int,
    currency: CurrencyCode,
    before: Told | None,
    after: Told | None,
    *,
    now: datetime,
    by: int | None,
) -> None:
    """Write a price that is different now, and say so."""
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
    product.updated_at = now
    record(
        session,
        "product.price_changed",
        product,
        now=now,
        by=by,
        variant_id=variant_id,
        currency=currency,
        amount=after.amount if after else None,
        before=before.amount if before else None,
    )
    await session.flush()


def _record(
    session: AsyncSession, name: str, product: Product, change: PriceChange, *, now: datetime, by: int | None
) -> None:
    facts = {"price_change_id": change.id, "variant_id": change.variant_id, "currency": change.currency}
    record(session, name, product, now=now, by=by, **facts, amount=change.amount)
