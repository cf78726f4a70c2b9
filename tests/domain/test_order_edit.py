"""Edits that wait for their payment, and edits at the same moment as other commands."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.order_editing.changes import LineAddition, LineChange, OrderChanges
from domain.aftersales.order_editing.extra_payment import carry_out_paid_edit, drop_unpaid_edit
from domain.aftersales.order_editing.payments import change_payments
from domain.aftersales.order_editing.quote import quote_edit
from domain.aftersales.rules import ClaimedUnits
from domain.cause import Cause
from domain.errors import DomainError, WrongState
from domain.order import PlannedPayment, cancel_order, hold_order, release_order
from domain.order.waiting_edit import select_unpaid_edits
from domain.payment import capture_payment, start_payment
from domain.promotion import CouponRefused
from domain.shipment import ParcelToPack, pack_shipments
from events.shop import Shop
from models import (
    CurrencyCode,
    Delivery,
    Order,
    OrderEdit,
    OrderEditStatus,
    OrderPaymentStatus,
    OrderPromotionRules,
    OrderStatus,
    PaymentMethod,
    PaymentStatus,
    Price,
    Refund,
    TicketReason,
    TicketStatus,
    TicketType,
    Variant,
)
from tests.factories.aftersales import create_ticket, order_lines_of
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    NOW,
    PAY_WITHIN,
    RECEIPT_AFTER,
    SANDBOX,
    TERMS,
    a_variant,
    arrive,
    create_order,
    deliver_to,
    pack,
    parcels_to_pack,
    pay,
    payments_of,
)
from tests.factories.order_edit import edit
from tests.factories.promotion import create_flash_sale, create_full_reduction
from tests.factories.shipment import send
from tests.factories.stock import reserved_units
from tests.observe import count_statements

pytestmark = pytest.mark.usefixtures("audit_at_end")

CNY = CurrencyCode.CNY


async def order_with_waiting_edit(session: AsyncSession, *, units: int = 1) -> tuple[Order, Variant]:
    """A paid order of units at 99.00 to which two units at 25.00 are to be added."""
    variant, more = await a_variant(session), await a_variant(session, prices={CNY: 2_500})
    order = await create_order(session, lines=[(variant, units)], status=OrderStatus.CONFIRMED)
    await edit(session, order, OrderChanges(additions=[LineAddition(more.id, 2)]), method=SANDBOX)
    return order, more


async def only_edit(session: AsyncSession) -> OrderEdit:
    [found] = await session.scalars(select(OrderEdit).execution_options(populate_existing=True))
    return found


async def test_an_edit_that_is_not_paid_in_time_is_dropped_and_the_order_is_as_it_was(
    shop: Shop, session: AsyncSession
) -> None:
    order, more = await order_with_waiting_edit(session)
    waiting = await only_edit(session)
    early = await drop_unpaid_edit(session, waiting.id, cause=Cause(NOW))
    late = await drop_unpaid_edit(session, waiting.id, cause=Cause(NOW + PAY_WITHIN))
    reserved = await reserved_units(session, more)
    _, payment = await payments_of(session, order)
    await session.commit()

    assert (early, late, reserved) == (False, True, 0)
    assert (order.total_amount, order.extra_amount, order.status) == (9_900, 0, OrderStatus.CONFIRMED)
    assert (payment.status, waiting.status) == (PaymentStatus.CLOSED, OrderEditStatus.DROPPED)


async def test_a_paid_order_is_paid_while_an_edit_of_it_waits(shop: Shop, session: AsyncSession) -> None:
    order, _ = await order_with_waiting_edit(session)
    while_it_waits = order.payment_status
    _, payment = await payments_of(session, order)
    await start_payment(session, payment.id, query_at=NOW, cause=Cause(NOW))
    await capture_payment(session, payment.id, cause=Cause(NOW))
    when_paid = order.payment_status
    await carry_out_paid_edit(session, payment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
    await session.commit()

    assert while_it_waits is when_paid is order.payment_status is OrderPaymentStatus.PAID
    assert order.total.minor == 14_900


async def test_what_is_paid_for_a_dropped_edit_is_refunded(shop: Shop, session: AsyncSession) -> None:
    order, _ = await order_with_waiting_edit(session)
    _, payment = await payments_of(session, order)
    await start_payment(session, payment.id, query_at=NOW, cause=Cause(NOW))
    await drop_unpaid_edit(session, (await only_edit(session)).id, cause=Cause(NOW + PAY_WITHIN))
    await capture_payment(session, payment.id, cause=Cause(NOW + PAY_WITHIN))
    await carry_out_paid_edit(session, payment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
    [refund] = await session.scalars(select(Refund))
    await session.commit()

    assert (refund.payment_id, refund.amount) == (payment.id, 5_000)
    assert order.total.minor == 9_900


async def test_a_paid_edit_is_not_carried_out_while_a_ticket_is_open(
    shop: Shop, session: AsyncSession
) -> None:
    """What has arrived is to be exchanged; the edit is of another delivery."""
    near, far = await a_variant(session), await a_variant(session)
    deliveries = [deliver_to(HANGZHOU, [(near, 1)]), deliver_to(CHENGDU, [(far, 1)])]
    lines = [(near, 1), (far, 1)]
    order = await create_order(session, lines=lines, deliveries=deliveries, status=OrderStatus.CONFIRMED)
    delivery_id, picked = (await parcels_to_pack(session, order))[0]
    [parcel] = await pack_shipments(
        session, delivery_id, [ParcelToPack(picked)], numbers=["NEAR"], cause=Cause(NOW)
    )
    await send(session, parcel)
    await arrive(session, parcel)
    first, second = await order_lines_of(session, order)
    to = (await session.scalars(select(Delivery.id).where(Delivery.id != delivery_id))).one()
    changes = OrderChanges(
        lines=[LineChange(second.id, 0)], additions=[LineAddition(far.id, 2, delivery_id=to)]
    )
    await edit(session, order, changes, method=SANDBOX)
    ticket = await create_ticket(
        session, order=order, type=TicketType.EXCHANGE, reason=TicketReason.DAMAGED, lines=[(first, 1)]
    )
    await pay(session, order)
    payment = (await payments_of(session, order))[1]
    await carry_out_paid_edit(session, payment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))
    [refund] = await session.scalars(select(Refund))
    status = (await only_edit(session)).status
    await session.commit()

    assert (refund.payment_id, refund.amount, status) == (payment.id, 9_900, OrderEditStatus.DROPPED)
    assert (second.cancelled, ticket.status) == (0, TicketStatus.APPLIED)


async def test_an_edit_of_a_held_order_does_not_fall_due(shop: Shop, session: AsyncSession) -> None:
    order, more = await order_with_waiting_edit(session)
    waiting, late = await only_edit(session), NOW + PAY_WITHIN
    await hold_order(session, order.id, reason="Somebody calls.", cause=Cause(NOW))
    due_while_held = (await session.scalars(select_unpaid_edits(late))).all()
    dropped_while_held = await drop_unpaid_edit(session, waiting.id, cause=Cause(late))
    reserved = await reserved_units(session, more)
    await release_order(session, order.id, cause=Cause(late))
    due = (await session.scalars(select_unpaid_edits(late))).all()
    dropped = await drop_unpaid_edit(session, waiting.id, cause=Cause(late))
    await session.commit()

    assert (due_while_held, dropped_while_held, reserved) == ([], False, 2)
    assert (due, dropped) == ([waiting.id], True)


async def test_nothing_is_packed_while_an_edit_is_paid(shop: Shop, session: AsyncSession) -> None:
    order, _ = await order_with_waiting_edit(session)
    with pytest.raises(WrongState):
        await pack(session, order)
    await session.commit()


async def test_another_change_drops_an_edit_that_is_not_paid_yet(shop: Shop, session: AsyncSession) -> None:
    order, more = await order_with_waiting_edit(session)
    [line] = await order_lines_of(session, order)
    changes = OrderChanges(lines=[LineChange(line.id, 1)], additions=[LineAddition(more.id, 1)])
    await edit(session, order, changes, method=SANDBOX, key="edit-2")
    statuses = [each.status for each in await session.scalars(select(OrderEdit).order_by(OrderEdit.id))]
    reserved = await reserved_units(session, more)
    await session.commit()

    assert statuses == [OrderEditStatus.DROPPED, OrderEditStatus.AWAITING_PAYMENT]
    assert (reserved, order.extra_amount) == (1, 2_500)


async def test_a_cancelled_order_drops_its_edit(shop: Shop, session: AsyncSession) -> None:
    order, more = await order_with_waiting_edit(session)
    await cancel_order(session, order.id, reason="No.", cause=Cause(NOW, order.account_id))
    reserved = await reserved_units(session, more)
    status = (await only_edit(session)).status
    await session.commit()

    assert (order.status, reserved, status) == (OrderStatus.CANCELLED, 0, OrderEditStatus.DROPPED)


async def test_a_repeated_edit_changes_nothing_and_another_total_is_refused(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session)
    order = await create_order(session, lines=[(variant, 2)], payments={CASH: None})
    [line] = await order_lines_of(session, order)
    changes = OrderChanges(lines=[LineChange(line.id, 1)])
    await edit(session, order, changes)
    version = order.version
    await edit(session, order, changes, total=9_900)
    with pytest.raises(DomainError):
        await edit(session, order, OrderChanges(lines=[LineChange(line.id, 2)]), key="edit-2", total=1)
    await session.commit()

    assert (order.version, order.total.minor) == (version, 9_900)


async def test_a_flash_sale_counts_what_an_edit_leaves_and_adds(shop: Shop, session: AsyncSession) -> None:
    tea = await a_variant(session)
    sale = await create_flash_sale(session, tea, price=4_900, share=3)
    order = await create_order(session, lines=[(tea, 2)])
    [line] = await order_lines_of(session, order)
    await edit(session, order, OrderChanges(lines=[LineChange(line.id, 4)]))
    after_more = (order.total.minor, sale.sold)
    lines = await order_lines_of(session, order)
    await edit(
        session,
        order,
        OrderChanges(lines=[LineChange(each.id, 0) for each in lines[1:]] + [LineChange(line.id, 1)]),
        key="edit-2",
    )
    after_less = (order.total.minor, sale.sold)
    await session.commit()

    assert after_more == (3 * 4_900 + 9_900, 3)
    assert after_less == (4_900, 1)


async def test_units_taken_off_and_added_again_in_one_edit_keep_their_agreed_price(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session, prices={CNY: 15_000})
    order = await create_order(session, lines=[(variant, 2)], status=OrderStatus.CONFIRMED)
    [line] = await order_lines_of(session, order)
    await session.execute(update(Price).where(Price.variant_id == variant.id).values(amount=1_000))

    for taken_off, added, total in ((0, 2, 30_000), (1, 1, 30_000), (0, 1, 15_000), (0, 3, 31_000)):
        changes = OrderChanges(
            lines=[LineChange(line.id, taken_off)], additions=[LineAddition(variant.id, added)]
        )
        quoted = await quote_edit(session, order.id, changes, now=NOW)
        assert (quoted.problem, quoted.total.minor) == (None, total)
    await session.rollback()


async def test_an_order_without_stored_rules_keeps_its_discount_by_proportion(
    shop: Shop, session: AsyncSession
) -> None:
    variant, other = [await a_variant(session, prices={CNY: 10_000}) for _ in range(2)]
    await create_full_reduction(session, (30_000, 4_000))
    order = await create_order(session, lines=[(variant, 4)])
    await session.execute(delete(OrderPromotionRules))
    [line] = await order_lines_of(session, order)
    changes = OrderChanges(lines=[LineChange(line.id, 1)], additions=[LineAddition(other.id, 1)])
    await edit(session, order, changes)
    with pytest.raises(CouponRefused):
        await edit(session, order, OrderChanges(add_codes=["SPRING"]), key="edit-2", total=1)
    await session.commit()

    assert order.total.minor == 9_000 + 10_000


async def test_the_unpaid_part_is_paid_by_other_methods(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    planned = [PlannedPayment(SANDBOX, order.money(4_000)), PlannedPayment(CASH, order.money(5_900))]
    await change_payments(session, order.id, planned, TERMS, cause=Cause(NOW, order.account_id))
    _, advance, _ = await payments_of(session, order)
    await start_payment(session, advance.id, query_at=NOW, cause=Cause(NOW))
    await capture_payment(session, advance.id, cause=Cause(NOW))
    shown = [(each.method, each.amount, each.status) for each in await payments_of(session, order)]
    await session.commit()

    assert order.status is OrderStatus.CONFIRMED
    assert shown == [
        (SANDBOX, 0, PaymentStatus.CLOSED),
        (SANDBOX, 4_000, PaymentStatus.CAPTURED),
        (CASH, 5_900, PaymentStatus.PENDING),
    ]


async def test_payments_are_not_changed_while_one_is_being_made(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session)
    [payment] = await payments_of(session, order)
    await start_payment(session, payment.id, query_at=NOW, cause=Cause(NOW))
    planned = [PlannedPayment(CASH, order.money(9_900))]
    with pytest.raises(WrongState):
        await change_payments(session, order.id, planned, TERMS, cause=Cause(NOW, order.account_id))
    await session.commit()


Command = Callable[[AsyncSession, Order], Awaitable[object]]


async def add_one(session: AsyncSession, order: Order) -> None:
    [line, *_] = await order_lines_of(session, order)
    await edit(session, order, OrderChanges(additions=[LineAddition(line.variant_id, 1)]), key="race-1")


async def take_one_off(session: AsyncSession, order: Order) -> None:
    [line, *_] = await order_lines_of(session, order)
    await edit(session, order, OrderChanges(lines=[LineChange(line.id, 1)]), key="race-2")


async def pack_all(session: AsyncSession, order: Order) -> None:
    await pack(session, order)


async def pay_all(session: AsyncSession, order: Order) -> None:
    await pay(session, order)


async def cancel_it(session: AsyncSession, order: Order) -> None:
    await cancel_order(session, order.id, reason="No.", cause=Cause(NOW, order.account_id))


async def cancel_one(session: AsyncSession, order: Order) -> None:
    [line, *_] = await order_lines_of(session, order)
    units = [ClaimedUnits(line.id, 1)]
    await cancel_lines(
        session,
        order.id,
        units,
        reason="One.",
        receipt_after=RECEIPT_AFTER,
        cause=Cause(NOW, order.account_id),
    )


@pytest.mark.parametrize(
    "other", [pack_all, pay_all, cancel_it, cancel_one, take_one_off], ids=lambda each: each.__name__
)
@pytest.mark.parametrize("method", [SANDBOX, CASH], ids=["to be paid", "in cash"])
async def test_an_edit_and_another_command_at_the_same_moment_leave_one_order(
    shop: Shop, other: Command, method: PaymentMethod
) -> None:
    async with shop.database.writes.begin() as session:
        tea = await a_variant(session)
        order = await create_order(session, lines=[(tea, 2)], payments={method: None})

    async def run(command: Command) -> None:
        async with shop.database.writes.begin() as session:
            await command(session, order)

    outcomes = await asyncio.gather(run(add_one), run(other), return_exceptions=True)

    unexpected = [each for each in outcomes if each is not None and not isinstance(each, DomainError)]
    assert unexpected == []
    assert any(outcome is None for outcome in outcomes)


@pytest.mark.parametrize("paid", [False, True], ids=["to be paid", "paid"])
async def test_an_edit_takes_as_many_statements_for_many_lines_as_for_few(
    shop: Shop, session: AsyncSession, paid: bool
) -> None:
    counts = []
    for size in (2, 8):
        kept, added = (
            [await a_variant(session) for _ in range(size)],
            [await a_variant(session) for _ in range(size)],
        )
        order = await create_order(
            session,
            lines=[(each, 3) for each in kept],
            status=OrderStatus.CONFIRMED if paid else OrderStatus.PENDING,
        )
        lines = await order_lines_of(session, order)
        changes = OrderChanges(
            lines=[LineChange(line.id, 1) for line in lines],
            additions=[LineAddition(each.id, 1) for each in added],
        )
        await session.commit()
        with count_statements(shop) as quoted:
            priced = await quote_edit(session, order.id, changes, now=NOW)
        with count_statements(shop) as edited:
            await edit(session, order, changes, key=f"edit-{size}", total=priced.total.minor)
            await session.commit()
        counts.append((quoted.total, edited.total))

    assert counts[0] == counts[1]
