"""Lines come, change and go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart.goods import Offer, offers_of
from domain.cart.limits import Path, check_left, check_lines, check_quantity, price_of
from domain.cart.owner import changed, held
from domain.errors import DomainError, Invalid, LimitReached, NotFound
from domain.upsert import insert
from models import Cart, CartLine, CurrencyCode, Money, Price, SavedLine

ADDED_LIMIT = 100
"""Things added by one command."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of a variant, and where in the command they were asked for."""

    variant_id: int
    quantity: int
    field: Path = ()


@dataclass(frozen=True, slots=True)
class Fitting:
    """What may be added, with the price its owner sees, and what may not."""

    rows: list[tuple[Wanted, Money]]
    refusals: list[DomainError]


async def add_to_cart(
    session: AsyncSession,
    cart: Cart,
    *,
    variant_id: int,
    quantity: int,
    now: datetime,
    currency: CurrencyCode | None = None,
    by: int | None = None,
) -> None:
    """More of a variant. An empty cart takes the `currency` its owner looks at prices in."""
    wanted = [Wanted(variant_id, quantity)]
    refusals = await add_what_fits(session, cart, wanted, now=now, currency=currency, by=by)
    if refusals:
        raise refusals[0]


async def add_what_fits(
    session: AsyncSession,
    cart: Cart,
    wanted: Sequence[Wanted],
    *,
    now: datetime,
    currency: CurrencyCode | None = None,
    by: int | None = None,
) -> list[DomainError]:
    """Add to a locked cart what can be sold; the refusals of the rest, each with its own path.

    As many statements for a hundred things as for one. Whoever wants all or nothing raises what comes back.
    """
    check_wanted(wanted)
    lines, saved = await held(session, cart)
    if currency and not lines and not saved:
        cart.currency = currency
    ids = [each.variant_id for each in wanted]
    offers = await offers_of(session, ids, cart.currency)
    there = await quantities(session, cart, ids)
    fitting = fitted(wanted, offers, there, lines)
    if fitting.rows:
        await put(session, cart, fitting.rows, now=now)
        changed(session, cart, now, by)
    return fitting.refusals


def check_wanted(wanted: Sequence[Wanted]) -> None:
    if len(wanted) > ADDED_LIMIT:
        raise LimitReached(f"At most {ADDED_LIMIT} things at once.", field=("lines",))
    seen: set[int] = set()
    for each in wanted:
        if each.variant_id in seen:
            raise Invalid("Name each variant once.", field=(*each.field, "variant_id"))
        seen.add(each.variant_id)


def fitted(wanted: Sequence[Wanted], offers: dict[int, Offer], there: dict[int, int], lines: int) -> Fitting:
    """What of it can be added beside what is there."""
    found = Fitting([], [])
    for each in wanted:
        field = (*each.field, "quantity")
        try:
            check_quantity(each.quantity, least=1, field=field)
            offer = offers.get(each.variant_id)
            if offer is None:
                raise NotFound("variant", field=(*each.field, "variant_id"))
            unit = price_of(offer, field=(*each.field, "variant_id"))
            total = there.get(each.variant_id, 0) + each.quantity
            check_quantity(total, least=1, field=field)
            check_left(offer, total, field=field)
            if each.variant_id not in there:
                check_lines(lines + 1, field=(*each.field, "variant_id"))
                lines += 1
            found.rows.append((each, unit))
        except DomainError as refusal:
            found.refusals.append(refusal)
    return found


async def quantities(session: AsyncSession, cart: Cart, variant_ids: Sequence[int]) -> dict[int, int]:
    rows = await session.execute(
        select(CartLine.variant_id, CartLine.quantity).where(
            CartLine.cart_id == cart.id, CartLine.variant_id.in_(variant_ids)
        )
    )
    return {row.variant_id: row.quantity for row in rows}


async def put(
    session: AsyncSession, cart: Cart, rows: Sequence[tuple[Wanted, Money]], *, now: datetime
) -> None:
    """Quantities add up in the database, so that no add is ever lost."""
    adding = insert(session, CartLine).values(
        [
            {
                "cart_id": cart.id,
                "variant_id": wanted.variant_id,
                "quantity": wanted.quantity,
                "seen_amount": unit.minor,
                "created_at": now,
            }
            for wanted, unit in rows
        ]
    )
    more = {
        "quantity": CartLine.quantity + adding.excluded.quantity,
        "seen_amount": adding.excluded.seen_amount,
        "wanted": None,
    }
    await session.execute(
        adding.on_conflict_do_update(index_elements=[CartLine.cart_id, CartLine.variant_id], set_=more)
    )


async def set_quantity(
    session: AsyncSession, cart: Cart, *, line_id: int, quantity: int, now: datetime, by: int | None = None
) -> None:
    """How many of a line; none takes it out."""
    check_quantity(quantity, least=0)
    if quantity == 0:
        await remove_line(session, cart, line_id=line_id, now=now, by=by)
        return
    line = await line_of(session, cart, line_id)
    offer = (await offers_of(session, [line.variant_id], cart.currency)).get(line.variant_id)
    if offer is None:
        raise NotFound("variant", field=("line_id",))
    unit = price_of(offer, field=("line_id",))
    if quantity > line.quantity:
        check_left(offer, quantity)
    line.quantity = quantity
    line.seen_amount = unit.minor
    line.wanted = None
    changed(session, cart, now, by)


async def remove_line(
    session: AsyncSession, cart: Cart, *, line_id: int, now: datetime, by: int | None = None
) -> None:
    await session.delete(await line_of(session, cart, line_id))
    changed(session, cart, now, by)


async def dismiss_warnings(
    session: AsyncSession, cart: Cart, *, now: datetime, by: int | None = None
) -> None:
    """The owner has seen today's prices and what a merge has left out; what is sold out stays a warning."""
    for table in (CartLine, SavedLine):
        price = (
            select(Price.amount)
            .where(Price.variant_id == table.variant_id, Price.currency == cart.currency)
            .scalar_subquery()
        )
        seen = (
            update(table)
            .where(table.cart_id == cart.id)
            .values(seen_amount=func.coalesce(price, table.seen_amount), wanted=None)
            .execution_options(synchronize_session=False)
        )
        await session.execute(seen)
    changed(session, cart, now, by)


async def line_of(session: AsyncSession, cart: Cart, line_id: int) -> CartLine:
    line = await session.get(CartLine, line_id)
    if line is None or line.cart_id != cart.id:
        raise NotFound("cart line", field=("line_id",))
    return line
