"""Codes that make an order cheaper: made by clerks, used once per order."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, NotFound, Taken
from domain.pricing import WHOLE, CouponRefused
from domain.upsert import insert
from models import Coupon, CurrencyCode, OfferType, Translations

CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}")
TITLE_LIMIT = 200
AMOUNT_LIMIT = 1_000_000_000
"""Minor units."""
USAGE_LIMIT = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponTerms:
    """What a clerk decides about a coupon."""

    code: str
    title: str
    type: OfferType
    percent: int | None
    amount: int | None
    minimum_amount: int
    currency: CurrencyCode
    starts_at: datetime | None
    ends_at: datetime | None
    usage_limit: int | None
    translations: Translations


def code_of(text: str) -> str:
    """A code as it is stored: customers may type it in small letters."""
    return text.strip().upper()


async def save_coupon(session: AsyncSession, *, coupon_id: int | None, terms: CouponTerms) -> Coupon:
    """Make a coupon, or change one; what has been used of it stays used."""
    values = asdict(terms) | {"code": code_of(terms.code), "title": terms.title.strip()}
    _check(values["code"], values["title"], terms)
    if coupon_id is None:
        made = await session.scalar(
            insert(session, Coupon).values(used=0, **values).on_conflict_do_nothing().returning(Coupon)
        )
        if made is None:
            raise _taken(values["code"])
        return made  # type: ignore[no-any-return]
    return await _change(session, coupon_id, values)


async def _change(session: AsyncSession, coupon_id: int, values: dict[str, object]) -> Coupon:
    coupon = await session.get(Coupon, coupon_id, with_for_update=True)
    if coupon is None:
        raise NotFound("coupon", field=("id",))
    other = select(Coupon.id).where(Coupon.code == values["code"], Coupon.id != coupon_id)
    if await session.scalar(other) is not None:
        raise _taken(str(values["code"]))
    for name, value in values.items():
        setattr(coupon, name, value)
    if coupon.usage_limit is not None and coupon.usage_limit < coupon.used:
        raise Invalid(f"It has been used {coupon.used} times already.", field=("usage_limit",))
    await session.flush()
    return coupon


async def find_coupon(session: AsyncSession, code: str) -> Coupon:
    """The coupon a customer means."""
    coupon = await session.scalar(select(Coupon).where(Coupon.code == code_of(code)))
    if coupon is None:
        raise CouponRefused("There is no such coupon.", field=("code",))
    return coupon


async def use_coupon(session: AsyncSession, coupon_id: int, *, now: datetime) -> None:
    """Count one use, unless it is used up or its time is over.

    Price the order first: after the last use the coupon refuses.
    """
    used = await session.execute(
        update(Coupon)
        .where(Coupon.id == coupon_id)
        .where(or_(Coupon.usage_limit.is_(None), Coupon.used < Coupon.usage_limit))
        .where(or_(Coupon.starts_at.is_(None), Coupon.starts_at <= now))
        .where(or_(Coupon.ends_at.is_(None), Coupon.ends_at > now))
        .values(used=Coupon.used + 1)
        .execution_options(synchronize_session=False)
    )
    if not (isinstance(used, CursorResult) and used.rowcount):
        raise CouponRefused("This coupon has been used up or has expired.", field=("coupon",))


async def give_back_coupon(session: AsyncSession, coupon_id: int) -> None:
    """An order that used it was cancelled: somebody else may use it."""
    await session.execute(
        update(Coupon)
        .where(Coupon.id == coupon_id, Coupon.used > 0)
        .values(used=Coupon.used - 1)
        .execution_options(synchronize_session=False)
    )


def _check(code: str, title: str, terms: CouponTerms) -> None:
    if not CODE.fullmatch(code):
        raise Invalid("A code has 3 to 40 letters, digits, - or _.", field=("code",))
    if not 1 <= len(title) <= TITLE_LIMIT:
        raise Invalid(f"A title has 1 to {TITLE_LIMIT} characters.", field=("title",))
    _check_reduction(terms)
    if not 0 <= terms.minimum_amount <= AMOUNT_LIMIT:
        raise Invalid("This minimum is out of bounds.", field=("minimum",))
    for name, at in (("starts_at", terms.starts_at), ("ends_at", terms.ends_at)):
        if at and at.tzinfo is None:
            raise Invalid("Say which time zone this is in.", field=(name,))
    if terms.starts_at and terms.ends_at and terms.starts_at >= terms.ends_at:
        raise Invalid("It would end before it starts.", field=("ends_at",))
    if terms.usage_limit is not None and not 1 <= terms.usage_limit <= USAGE_LIMIT:
        raise Invalid("It must be usable at least once.", field=("usage_limit",))


def _check_reduction(terms: CouponTerms) -> None:
    """A percentage or an amount, as the type says, and not both."""
    percent, amount = terms.percent, terms.amount
    if terms.type is OfferType.PERCENT:
        if percent is None or not 1 <= percent <= WHOLE:
            raise Invalid(f"Say how many percent, from 1 to {WHOLE}.", field=("percent",))
        if amount is not None:
            raise Invalid("A percentage has no amount.", field=("amount",))
    else:
        if amount is None or not 1 <= amount <= AMOUNT_LIMIT:
            raise Invalid("Say how much it takes off.", field=("amount",))
        if percent is not None:
            raise Invalid("An amount has no percentage.", field=("percent",))


def _taken(code: str) -> Taken:
    return Taken(f"There is a coupon {code} already.", field=("code",))
