"""A series of edits comes to what the order costs at once; none gives back more than was paid."""

from itertools import count
from random import Random

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.order_editing.changes import LineAddition, LineChange, OrderChanges
from domain.aftersales.order_editing.extra_payment import carry_out_paid_edit
from domain.aftersales.order_editing.quote import quote_edit
from domain.aftersales.rules import ClaimedUnits
from domain.cause import Cause
from domain.order import quote_order
from events.shop import Shop
from models import (
    CurrencyCode,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PromotionKind,
    Refund,
    Variant,
)
from tests.factories.account import create_account
from tests.factories.aftersales import order_lines_of
from tests.factories.order import (
    CASH,
    NOW,
    RECEIPT_AFTER,
    SANDBOX,
    a_variant,
    create_order,
    pay,
    payments_of,
    request_for,
)
from tests.factories.order_edit import edit
from tests.factories.promotion import create_full_reduction, create_promotion

pytestmark = pytest.mark.usefixtures("audit_at_end")

PRICES = (9_900, 2_550, 14_999)
STEPS = 6
KEYS = count()


async def create_range(session: AsyncSession) -> list[Variant]:
    """Three variants, with promotions of sets and of sums over them."""
    variants = [await a_variant(session, prices={CurrencyCode.CNY: price}) for price in PRICES]
    await create_full_reduction(session, (20_000, 2_000), (50_000, 7_000))
    await create_promotion(session, PromotionKind.BUY_N_GET_M, buy=2, get=1)
    return variants


async def placed_order(
    session: AsyncSession, variants: list[Variant], random: Random, *, cash: bool = False
) -> Order:
    lines = [(variant, random.randint(1, 4)) for variant in random.sample(variants, random.randint(1, 3))]
    payments = {CASH: None} if cash else {SANDBOX: None}
    order = await create_order(session, lines=lines, payments=payments)
    await pay(session, order)
    return order


def units_left(line: OrderLine) -> int:
    return line.quantity - line.cancelled


async def change_units(session: AsyncSession, order: Order, variants: list[Variant], random: Random) -> None:
    """Other quantities of its lines, and perhaps more of something; what it costs more is paid at once."""
    lines = [line for line in await order_lines_of(session, order) if units_left(line)]
    changes = [LineChange(line.id, random.randint(0, units_left(line))) for line in lines]
    more = [LineAddition(random.choice(variants).id, random.randint(1, 3))]
    if any(change.quantity for change in changes) and random.random() < 0.5:
        more = []
    changed = OrderChanges(lines=changes, additions=more)
    if all(change.quantity == units_left(line) for change, line in zip(changes, lines, strict=True)):
        if not more:
            return
        changed = OrderChanges(additions=more)
    quote = await quote_edit(session, order.id, changed, now=NOW)
    assert quote.problem is None, quote.problem
    method = SANDBOX if quote.payment_needed else None
    await edit_at_quote(session, order, changed, method=method)
    if method:
        await pay(session, order)
        payment = (await payments_of(session, order))[-1]
        await carry_out_paid_edit(session, payment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
    assert order.total == quote.total


async def edit_at_quote(
    session: AsyncSession, order: Order, changes: OrderChanges, *, method: PaymentMethod | None = None
) -> None:
    await edit(session, order, changes, method=method, key=f"edit-{next(KEYS)}")


async def cancel_units(session: AsyncSession, order: Order, random: Random) -> None:
    """Some units of one line."""
    line = random.choice([line for line in await order_lines_of(session, order) if units_left(line)])
    units = ClaimedUnits(line.id, random.randint(1, units_left(line)))
    by = Cause(NOW, order.account_id)
    await cancel_lines(session, order.id, [units], reason="No.", receipt_after=RECEIPT_AFTER, cause=by)


async def paid_and_given_back(session: AsyncSession, order: Order) -> tuple[int, int]:
    """What was paid for an order, and what of it was given back or is on its way, in minor units."""
    paid = select(func.sum(Payment.captured_amount)).where(Payment.order_id == order.id)
    back = select(func.sum(Refund.amount)).where(Refund.order_id == order.id)
    return await session.scalar(paid) or 0, await session.scalar(back) or 0


async def price_at_once(session: AsyncSession, order: Order) -> int:
    """What somebody else pays for the same units, in minor units."""
    units: dict[int, int] = {}
    for line in await order_lines_of(session, order):
        units[line.variant_id] = units.get(line.variant_id, 0) + units_left(line)
    lines = [(await session.get_one(Variant, id), count) for id, count in units.items() if count]
    request = request_for(await create_account(session), lines)
    return (await quote_order(session, request, now=NOW)).total.minor


@pytest.mark.parametrize("cash", [False, True])
@pytest.mark.parametrize("seed", range(4))
async def test_an_order_costs_after_each_edit_what_its_units_cost_at_once(
    shop: Shop, session: AsyncSession, seed: int, cash: bool
) -> None:
    random = Random(f"edits {seed} {cash}")
    variants = await create_range(session)
    order = await placed_order(session, variants, random, cash=cash)

    for _ in range(STEPS):
        await change_units(session, order, variants, random)
        assert order.total.minor == await price_at_once(session, order)
        paid, back = await paid_and_given_back(session, order)
        due = sum(
            payment.amount - payment.captured_amount
            for payment in await payments_of(session, order)
            if payment.status is not PaymentStatus.CLOSED
        )
        assert paid + due - back == order.total.minor
    await session.commit()


@pytest.mark.parametrize("seed", range(6))
async def test_no_series_of_edits_and_cancellations_gives_back_more_than_was_paid(
    shop: Shop, session: AsyncSession, seed: int
) -> None:
    random = Random(f"mixed {seed}")
    variants = await create_range(session)
    order = await placed_order(session, variants, random)

    for _ in range(STEPS):
        if order.status is OrderStatus.CANCELLED:
            break
        if random.random() < 0.5:
            await change_units(session, order, variants, random)
        else:
            await cancel_units(session, order, random)
        paid, back = await paid_and_given_back(session, order)
        assert 0 <= back <= paid
    if order.status is not OrderStatus.CANCELLED:
        left = [
            ClaimedUnits(line.id, units_left(line))
            for line in await order_lines_of(session, order)
            if units_left(line)
        ]
        by = Cause(NOW, order.account_id)
        await cancel_lines(session, order.id, left, reason="No.", receipt_after=RECEIPT_AFTER, cause=by)
    assert order.status is OrderStatus.CANCELLED
    await session.commit()


@pytest.mark.parametrize("payments", [{SANDBOX: None}, {CASH: None}, {SANDBOX: 12_345, CASH: None}])
@pytest.mark.parametrize("seed", range(3))
async def test_cancelled_units_without_promotions_come_to_the_same_as_an_edit_that_takes_them_off(
    shop: Shop, session: AsyncSession, seed: int, payments: dict[PaymentMethod, int | None]
) -> None:
    random = Random(f"both {seed}")
    variants = [await a_variant(session, prices={CurrencyCode.CNY: 9_900 + 3_333 * n}) for n in range(3)]
    lines = [(variant, random.randint(2, 5)) for variant in variants]
    orders = [await create_order(session, lines=lines, payments=payments) for _ in range(2)]
    for order in orders:
        await pay(session, order)
    edited, cancelled = orders

    for _ in range(3):
        of_edited, of_cancelled = [await order_lines_of(session, order) for order in orders]
        taken = [random.randint(0, max(0, units_left(line) - 1)) for line in of_edited]
        if not any(taken):
            continue
        changes = OrderChanges(
            lines=[
                LineChange(line.id, units_left(line) - units)
                for line, units in zip(of_edited, taken, strict=True)
                if units
            ]
        )
        await edit_at_quote(session, edited, changes)
        units = [
            ClaimedUnits(line.id, units) for line, units in zip(of_cancelled, taken, strict=True) if units
        ]
        by = Cause(NOW, cancelled.account_id)
        await cancel_lines(session, cancelled.id, units, reason="No.", receipt_after=RECEIPT_AFTER, cause=by)
        assert await money_of(session, edited) == await money_of(session, cancelled)
    await session.commit()


async def money_of(session: AsyncSession, order: Order) -> list[int]:
    """What an order costs, what was paid and given back, and what is to be paid by each payment."""
    due = [payment.amount for payment in await payments_of(session, order)]
    sold = [line.total.minor - line.cancelled_amount for line in await order_lines_of(session, order)]
    return [order.total_amount, *await paid_and_given_back(session, order), *due, *sold]
