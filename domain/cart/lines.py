"""Adding, changing and removing the lines of a cart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart.limits import Path, check_available, check_line_count, check_quantity, require_unit_price
from domain.cart.owner import count_lines, record_change
from domain.cart.sellable import find_sellable
from domain.cause import Cause
from domain.errors import DomainError, Invalid, LimitReached, NotFound
from models import Cart, CartLine, CurrencyCode, Money, Price, SavedLine
from models.sellable import SellableVariant
from models.sql.upsert import upsert_into

ADDITIONS_LIMIT = 100
"""Different variants added by one command."""


@dataclass(frozen=True, slots=True)
class CartAddition:
    """Units of a variant to add, and the path of the argument that asks for them."""

    variant_id: int
    quantity: int
    field: Path = ()


@dataclass(frozen=True, slots=True)
class CheckedAdditions:
    """What can be added, with the unit price, and the refusals of the rest."""

    accepted: list[tuple[CartAddition, Money]]
    refusals: list[DomainError]


async def add_to_cart(
    session: AsyncSession,
    cart: Cart,
    *,
    variant_id: int,
    quantity: int,
    cause: Cause,
    currency: CurrencyCode | None = None,
) -> None:
    """Add units of one variant to a locked cart, or raise why not; `currency` as for `add_sellable`."""
    additions = [CartAddition(variant_id, quantity)]
    refusals = await add_sellable(session, cart, additions, cause=cause, currency=currency)
    if refusals:
        raise refusals[0]


async def add_sellable(
    session: AsyncSession,
    cart: Cart,
    additions: Sequence[CartAddition],
    *,
    cause: Cause,
    currency: CurrencyCode | None = None,
) -> list[DomainError]:
    """Add to a locked cart what can be sold; returns the refusals of the rest, each with its own path.

    Callers that want all or nothing raise what comes back. An empty cart takes the `currency`. The number of
    statements does not depend on the number of additions.
    """
    check_additions(additions)
    lines, saved = await count_lines(session, cart)
    if currency and not lines and not saved:
        cart.currency = currency
    ids = [addition.variant_id for addition in additions]
    sellable = await find_sellable(session, ids, cart.currency)
    quantities = await quantities_in_cart(session, cart, ids)
    checked = check_each_addition(additions, sellable, quantities, lines)
    if checked.accepted:
        await upsert_lines(session, cart, checked.accepted, now=cause.now)
        record_change(session, cart, cause=cause)
    return checked.refusals


def check_additions(additions: Sequence[CartAddition]) -> None:
    if len(additions) > ADDITIONS_LIMIT:
        raise LimitReached("At most {limit} things at once.", limit=ADDITIONS_LIMIT, field=("lines",))
    seen: set[int] = set()
    for addition in additions:
        if addition.variant_id in seen:
            raise Invalid("Name each variant once.", field=(*addition.field, "variant_id"))
        seen.add(addition.variant_id)


def check_each_addition(
    additions: Sequence[CartAddition],
    sellable: Mapping[int, SellableVariant],
    quantities: Mapping[int, int],
    lines: int,
) -> CheckedAdditions:
    """Which of the additions can be made to a cart that has `quantities` by variant on `lines` lines."""
    checked = CheckedAdditions([], [])
    for addition in additions:
        field = (*addition.field, "quantity")
        try:
            check_quantity(addition.quantity, least=1, field=field)
            variant = sellable.get(addition.variant_id)
            if variant is None:
                raise NotFound("variant", field=(*addition.field, "variant_id"))
            unit_price = require_unit_price(variant, field=(*addition.field, "variant_id"))
            total = quantities.get(addition.variant_id, 0) + addition.quantity
            check_quantity(total, least=1, field=field)
            check_available(variant, total, field=field)
            if addition.variant_id not in quantities:
                check_line_count(lines + 1, field=(*addition.field, "variant_id"))
                lines += 1
            checked.accepted.append((addition, unit_price))
        except DomainError as refusal:
            checked.refusals.append(refusal)
    return checked


async def quantities_in_cart(session: AsyncSession, cart: Cart, variant_ids: Sequence[int]) -> dict[int, int]:
    """Units in the cart by variant id, of those of these variants that are in it."""
    rows = await session.execute(
        select(CartLine.variant_id, CartLine.quantity).where(
            CartLine.cart_id == cart.id, CartLine.variant_id.in_(variant_ids)
        )
    )
    return {row.variant_id: row.quantity for row in rows}


async def upsert_lines(
    session: AsyncSession, cart: Cart, additions: Sequence[tuple[CartAddition, Money]], *, now: datetime
) -> None:
    """Add the units, with the price their owner sees; the database adds up, so that no addition is lost."""
    statement = upsert_into(session, CartLine).values(
        [
            {
                "cart_id": cart.id,
                "variant_id": addition.variant_id,
                "quantity": addition.quantity,
                "seen_amount": unit_price.minor,
                "created_at": now,
            }
            for addition, unit_price in additions
        ]
    )
    changes = {
        "quantity": CartLine.quantity + statement.excluded.quantity,
        "seen_amount": statement.excluded.seen_amount,
        "merged_quantity": None,
    }
    await session.execute(
        statement.on_conflict_do_update(index_elements=[CartLine.cart_id, CartLine.variant_id], set_=changes)
    )


async def set_quantity(
    session: AsyncSession, cart: Cart, *, line_id: int, quantity: int, cause: Cause
) -> None:
    """Set the units on a line of a locked cart; 0 removes it."""
    check_quantity(quantity, least=0)
    if quantity == 0:
        await remove_line(session, cart, line_id=line_id, cause=cause)
        return
    line = await find_line(session, cart, line_id)
    variant = (await find_sellable(session, [line.variant_id], cart.currency)).get(line.variant_id)
    if variant is None:
        raise NotFound("variant", field=("id",))
    unit_price = require_unit_price(variant, field=("id",))
    if quantity > line.quantity:
        check_available(variant, quantity)
    line.quantity = quantity
    line.seen_amount = unit_price.minor
    line.merged_quantity = None
    record_change(session, cart, cause=cause)


async def remove_line(session: AsyncSession, cart: Cart, *, line_id: int, cause: Cause) -> None:
    await session.delete(await find_line(session, cart, line_id))
    record_change(session, cart, cause=cause)


async def dismiss_warnings(session: AsyncSession, cart: Cart, *, cause: Cause) -> None:
    """Take the present prices for seen and forget what a merge left out; scarce stock stays a warning."""
    for table in (CartLine, SavedLine):
        price = (
            select(Price.amount)
            .where(Price.variant_id == table.variant_id, Price.currency == cart.currency)
            .scalar_subquery()
        )
        statement = (
            update(table)
            .where(table.cart_id == cart.id)
            .values(seen_amount=func.coalesce(price, table.seen_amount), merged_quantity=None)
            .execution_options(synchronize_session=False)
        )
        await session.execute(statement)
    record_change(session, cart, cause=cause)


async def find_line(session: AsyncSession, cart: Cart, line_id: int) -> CartLine:
    line = await session.get(CartLine, line_id)
    if line is None or line.cart_id != cart.id:
        raise NotFound("cart line", field=("id",))
    return line
