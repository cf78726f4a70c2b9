"""Parcels that come back or are lost: inspected, ended, sent again, or corrected."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.decisions import agree_ticket
from domain.aftersales.order_editing.changes import LineAddition, LineChange, OrderChanges
from domain.aftersales.order_editing.extra_payment import carry_out_paid_edit
from domain.aftersales.replacement_choice import choose_replacement
from domain.aftersales.rules import ClaimedUnits
from domain.aftersales.settlement import follow_refunds, follow_replacement
from domain.aftersales.undelivered import end_overdue_shipment, end_shipment, select_overdue_shipments
from domain.analytics import load_units_sold
from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import DomainError, Invalid, WrongState
from domain.order import confirm_due_receipt, confirm_receipt
from domain.payment import collect_cash, settle_refund
from domain.shipment import (
    InspectedUnits,
    ParcelToPack,
    correct_shipment,
    inspect_shipment,
    pack_shipments,
    send_again,
)
from events.shop import Shop
from loaders import Loaders
from models import (
    CurrencyCode,
    FulfilmentStatus,
    Order,
    OrderDisplayStatus,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentStatus,
    Promotion,
    Refund,
    ReplacementChoice,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
    ShippingMethod,
    StockLevel,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
    TrackingEvent,
    Variant,
)
from tests.factories.aftersales import DEADLINES, create_ticket, order_lines_of, settle_refunds
from tests.factories.cart import create_coupon
from tests.factories.order import (
    CASH,
    CHENGDU,
    HANGZHOU,
    NOW,
    RECEIPT_AFTER,
    SANDBOX,
    a_variant,
    arrive,
    create_order,
    deliver_to,
    dispatch,
    events_of,
    parcels_to_pack,
    pay,
    payments_of,
)
from tests.factories.order_edit import edit
from tests.factories.shipment import send, track, tracking_fact
from tests.factories.stock import receive, reserved_units

S = ShipmentStatus
WEEK = timedelta(days=7)


async def sent_order(
    session: AsyncSession, *, cash: bool = True, quantity: int = 2, **options: object
) -> tuple[Order, Shipment, Variant]:
    """A confirmed order in one parcel on its way; 10 of the variant were in stock."""
    variant = await a_variant(session, stock={"MAIN": 10})
    payments = {CASH: None} if cash else {SANDBOX: None}
    order = await create_order(session, lines=[(variant, quantity)], payments=payments, **options)  # type: ignore[arg-type]
    await pay(session, order)
    [parcel] = await dispatch(session, order)
    return order, parcel, variant


async def two_deliveries(session: AsyncSession) -> tuple[Order, Sequence[Shipment]]:
    """An order of 99.00 to each of two addresses, half of it paid in cash, both parcels on their way."""
    near, far = await a_variant(session), await a_variant(session)
    order = await create_order(
        session,
        lines=[(near, 1), (far, 1)],
        deliveries=[deliver_to(HANGZHOU, [(near, 1)]), deliver_to(CHENGDU, [(far, 1)])],
        payments={SANDBOX: None, CASH: 9_900},
    )
    await pay(session, order)
    return order, await dispatch(session, order)


async def come_back(session: AsyncSession, parcel: Shipment, status: S = S.RETURNED) -> None:
    await track(session, parcel, tracking_fact(status))


async def inspect(
    session: AsyncSession, parcel: Shipment, restocked: int, damaged: int = 0, missing: int = 0
) -> Shipment:
    line = (await session.scalars(select(ShipmentLine).where(ShipmentLine.shipment_id == parcel.id))).one()
    units = InspectedUnits(line.order_line_id, restocked, damaged, missing)
    return await inspect_shipment(session, parcel.id, [units], cause=Cause(NOW))


async def end(session: AsyncSession, parcel: Shipment) -> Shipment:
    return await end_shipment(session, parcel.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))


async def refund_all(session: AsyncSession, order: Order) -> int:
    """All refunds of an order reach the customer; how much it was."""
    refunds = await session.scalars(select(Refund).where(Refund.order_id == order.id))
    total = 0
    for refund in refunds.all():
        await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
        total += refund.amount
    return total


async def follow_all_refunds(session: AsyncSession, order: Order) -> None:
    """The tickets of an order whose refunds have arrived."""
    for ticket_id in await session.scalars(select(Ticket.id).where(Ticket.order_id == order.id)):
        await follow_refunds(session, ticket_id, DEADLINES, cause=Cause(NOW))


async def check_books(session: AsyncSession) -> None:
    await session.flush()
    assert await audit_books(session) == []
    await session.commit()


async def test_a_refused_parcel_is_inspected_and_its_unpaid_order_cancelled(
    shop: Shop, session: AsyncSession
) -> None:
    order, parcel, variant = await sent_order(session)
    await come_back(session, parcel)
    assert (order.status, order.display_status) == (OrderStatus.CONFIRMED, OrderDisplayStatus.RETURNED)
    assert parcel.waiting_since == NOW
    with pytest.raises(WrongState, match="Inspect first"):
        await end(session, parcel)

    await inspect(session, parcel, 1, damaged=1)
    await end(session, parcel)

    [cash] = await payments_of(session, order)
    assert (order.status, order.total_amount, cash.status) == (OrderStatus.CANCELLED, 0, PaymentStatus.CLOSED)
    assert order.payment_status is OrderPaymentStatus.UNPAID
    assert parcel.ending is ShipmentEnding.WITHDRAWN
    assert [parcel.waiting_since, parcel.inspected_at] == [None, NOW]
    with pytest.raises(DomainError):
        await collect_cash(session, cash.id, order.money(19_800), cause=Cause(NOW))
    assert await reserved_units(session, variant) == 0
    sold = await load_units_sold(session, since=NOW - WEEK)
    assert sold.get(variant.product_id, 0) == 0
    await check_books(session)


async def test_a_paid_parcel_that_comes_back_is_refunded_and_its_order_closed(
    shop: Shop, session: AsyncSession
) -> None:
    order, parcel, _ = await sent_order(session, cash=False)
    await come_back(session, parcel)
    await inspect(session, parcel, 2)
    await end(session, parcel)
    assert order.status is OrderStatus.CONFIRMED

    assert await refund_all(session, order) == 19_800
    assert (order.status, order.payment_status) == (OrderStatus.CLOSED, OrderPaymentStatus.REFUNDED)
    await check_books(session)


async def test_the_fee_of_a_delivery_of_which_nothing_was_kept_goes_back(
    shop: Shop, session: AsyncSession
) -> None:
    near, far = await a_variant(session), await a_variant(session)
    deliveries = [
        deliver_to(HANGZHOU, [(near, 1)]),
        deliver_to(CHENGDU, [(far, 2)], method=ShippingMethod.EXPRESS),
    ]
    order = await create_order(session, lines=[(near, 1), (far, 2)], deliveries=deliveries)
    await pay(session, order)
    kept, lost = await dispatch(session, order)
    await arrive(session, kept)
    await come_back(session, lost, S.EXPIRED)
    await end(session, lost)

    assert await refund_all(session, order) == 2 * 9_900 + 1_800
    assert (order.cancelled_shipping_amount, order.shipping_amount) == (1_800, 1_800)
    assert order.fulfilment_status is FulfilmentStatus.DELIVERED
    await check_books(session)


async def test_one_of_two_deliveries_is_refused_and_the_other_goes_on(
    shop: Shop, session: AsyncSession
) -> None:
    order, (kept, refused) = await two_deliveries(session)
    total, due = order.total_amount, (kept.cash_amount, refused.cash_amount)
    assert due == (4_950, 4_950)
    await come_back(session, refused)
    await inspect(session, refused, 1)
    await end(session, refused)
    sandbox, cash = await payments_of(session, order)

    assert (cash.amount, order.total_amount) == (4_950, total - 4_950)
    assert await refund_all(session, order) == total // 2 - 4_950
    await arrive(session, kept)
    assert order.fulfilment_status is FulfilmentStatus.DELIVERED
    await collect_cash(session, cash.id, order.money(4_950), cause=Cause(NOW))
    await confirm_receipt(session, order.id, cause=Cause(NOW))

    assert (order.status, sandbox.refunded_amount) == (OrderStatus.COMPLETED, 4_950)
    await check_books(session)


async def two_parcels_with_a_fee(
    session: AsyncSession, *, advance: int = 0
) -> tuple[Order, Sequence[Shipment], Payment]:
    """Three units of 99.00 by EXPRESS for 14.00 on their way: one unit and the fee, then two units.

    They are to be paid in cash but for what is paid in advance.
    """
    variant = await a_variant(session, stock={"MAIN": 3})
    deliveries = [deliver_to(HANGZHOU, [(variant, 3)], method=ShippingMethod.EXPRESS)]
    payments = {SANDBOX: advance, CASH: None} if advance else {CASH: None}
    order = await create_order(session, lines=[(variant, 3)], deliveries=deliveries, payments=payments)
    await pay(session, order)
    [(delivery_id, [waiting])] = await parcels_to_pack(session, order)
    parcels = await pack_shipments(
        session,
        delivery_id,
        [ParcelToPack([replace(waiting, quantity=units)]) for units in (1, 2)],
        numbers=["FIRST", "SECOND"],
        cause=Cause(NOW),
    )
    for parcel in parcels:
        await send(session, parcel)
    if not advance:
        assert [parcel.cash_amount for parcel in parcels] == [9_900 + 1_400, 19_800]
    return order, parcels, (await payments_of(session, order))[-1]


@pytest.mark.parametrize("ended_first", [0, 1])
async def test_a_cash_order_all_of_whose_parcels_come_back_is_cancelled_with_its_fee(
    shop: Shop, session: AsyncSession, ended_first: int
) -> None:
    order, parcels, cash = await two_parcels_with_a_fee(session)
    for parcel in parcels:
        await come_back(session, parcel)
        await inspect(session, parcel, 2 if parcel.number == "SECOND" else 1)
    await end(session, parcels[ended_first])
    assert (order.status, cash.status) == (OrderStatus.CONFIRMED, PaymentStatus.PENDING)
    assert await audit_books(session) == []
    await end(session, parcels[1 - ended_first])

    assert (order.status, order.total_amount, cash.status) == (OrderStatus.CANCELLED, 0, PaymentStatus.CLOSED)
    await check_books(session)


@pytest.mark.parametrize("collected_before", [True, False])
async def test_the_fee_that_came_back_with_its_parcel_is_not_due_for_what_was_kept(
    shop: Shop, session: AsyncSession, collected_before: bool
) -> None:
    order, (refused, kept), cash = await two_parcels_with_a_fee(session)

    async def collect() -> None:
        await arrive(session, kept)
        await collect_cash(session, cash.id, order.money(19_800), cause=Cause(NOW))

    if collected_before:
        await collect()
    await come_back(session, refused)
    await inspect(session, refused, 1)
    await end(session, refused)
    if not collected_before:
        await collect()
    assert (order.total_amount, cash.status) == (19_800, PaymentStatus.CAPTURED)
    assert (order.cancelled_shipping_amount, order.cancelled_amount) == (1_400, 9_900 + 1_400)
    await confirm_receipt(session, order.id, cause=Cause(NOW))

    assert (order.status, order.payment_status) == (OrderStatus.COMPLETED, OrderPaymentStatus.PAID)
    await check_books(session)


async def test_cash_for_a_replacement_is_not_due_when_its_ticket_ends_in_money(
    shop: Shop, session: AsyncSession
) -> None:
    """One of two parcels is lost, and sold out when it is to be sent again; nobody has paid it."""
    order, (lost, kept), cash = await two_parcels_with_a_fee(session)
    line = (await order_lines_of(session, order))[0]
    ticket = await create_ticket(
        session,
        order=order,
        type=TicketType.RESHIP,
        reason=TicketReason.NOT_RECEIVED,
        lines=[(line, 1)],
        now=NOW + timedelta(days=9),
    )
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW))
    await arrive(session, kept)
    await collect_cash(session, cash.id, order.money(19_800), cause=Cause(NOW))
    before = ticket.status
    assert (lost.ending, before) == (ShipmentEnding.CLAIMED, TicketStatus.AWAITING_CHOICE)
    assert order.total_amount == 3 * 9_900 + 1_400

    await choose_replacement(
        session, ticket.id, ReplacementChoice.MONEY, DEADLINES, cause=Cause(NOW, order.account_id)
    )

    assert (ticket.status, ticket.refund_amount) == (TicketStatus.COMPLETED, 0)
    assert (order.total_amount, cash.status) == (19_800, PaymentStatus.CAPTURED)
    assert (line.cancelled, line.cancelled_amount, order.cancelled_shipping_amount) == (0, 9_900, 1_400)
    await check_books(session)


@pytest.mark.parametrize(("advance", "refund"), [(0, 0), (15_550, 9_900 - 5_650)])
async def test_what_was_to_be_paid_with_a_lost_parcel_is_not_refunded(
    shop: Shop, session: AsyncSession, advance: int, refund: int
) -> None:
    """Two units and the fee are kept; of the total, 311.00, a half is paid in advance, or nothing."""
    order, (lost, kept), cash = await two_parcels_with_a_fee(session, advance=advance)
    due = [parcel.cash_amount or 0 for parcel in (lost, kept)]
    await arrive(session, kept)
    await collect_cash(session, cash.id, order.money(due[1]), cause=Cause(NOW))
    line = (await order_lines_of(session, order))[0]
    ticket = await create_ticket(
        session,
        order=order,
        type=TicketType.REFUND_ONLY,
        reason=TicketReason.NOT_RECEIVED,
        lines=[(line, 1)],
        now=NOW + timedelta(days=9),
    )
    assert ticket.refund_amount == refund
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW))
    await settle_refunds(session, ticket)
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))

    assert ticket.status is TicketStatus.COMPLETED
    assert (cash.status, cash.amount) == (PaymentStatus.CAPTURED, due[1])
    assert order.total_amount - refund == (19_800 + 1_400 if advance else 19_800)
    await check_books(session)


async def test_an_order_whose_last_parcel_is_lost_completes_when_its_receipt_is_due(
    shop: Shop, session: AsyncSession
) -> None:
    """One of two parcels has arrived; the other one is sent again, and the customer never confirms."""
    order, (lost, kept), cash = await two_parcels_with_a_fee(session, advance=3 * 9_900 + 1_000)
    await arrive(session, kept)
    ticket = await create_ticket(
        session,
        order=order,
        type=TicketType.RESHIP,
        reason=TicketReason.NOT_RECEIVED,
        lines=[((await order_lines_of(session, order))[0], 1)],
        now=NOW + timedelta(days=9),
    )
    variant = (await session.scalars(select(Variant))).one()
    await receive(session, variant, 1)
    later = NOW + timedelta(days=9)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(later))
    assert await audit_books(session) == []
    [again] = await dispatch(session, order, now=later)
    await arrive(session, again, now=later)
    due = order.money(sum(each.cash_amount or 0 for each in (kept, again)))
    await collect_cash(session, cash.id, due, cause=Cause(later))
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(later))
    assert lost.ending is ShipmentEnding.CLAIMED

    assert await confirm_due_receipt(session, order.id, cause=Cause(NOW + RECEIPT_AFTER)) is True
    assert order.status is OrderStatus.COMPLETED
    await check_books(session)


async def test_cash_is_collected_for_each_parcel_that_has_arrived_once(
    shop: Shop, session: AsyncSession
) -> None:
    order, (first, second) = await two_deliveries(session)
    cash = (await payments_of(session, order))[1]

    async def collect(parcel: Shipment) -> None:
        await collect_cash(session, cash.id, order.money(4_950), shipment_id=parcel.id, cause=Cause(NOW))

    await arrive(session, first)
    with pytest.raises(WrongState, match="arrived"):
        await collect(second)
    await collect(first)
    with pytest.raises(WrongState, match="already"):
        await collect(first)
    assert (cash.status, cash.captured_amount) == (PaymentStatus.PENDING, 4_950)
    await arrive(session, second)
    await collect(second)

    assert (cash.status, cash.captured_amount) == (PaymentStatus.CAPTURED, 9_900)
    await check_books(session)


async def test_a_coupon_of_which_nothing_is_kept_is_free_again(shop: Shop, session: AsyncSession) -> None:
    coupon = await create_coupon(session, code="SPRING", usage_limit=10, usage_limit_per_buyer=5)
    _, parcel, _ = await sent_order(session, coupon_code="SPRING")
    used = select(Promotion.used).where(Promotion.id == coupon.id)
    assert await session.scalar(used) == 1
    await come_back(session, parcel)
    await inspect(session, parcel, 2)
    await end(session, parcel)

    assert await session.scalar(used) == 0
    await check_books(session)


async def test_a_parcel_that_nobody_ends_ends_by_itself_and_stays_missing(
    shop: Shop, session: AsyncSession
) -> None:
    order, parcel, _ = await sent_order(session)
    await come_back(session, parcel)
    due = select_overdue_shipments(NOW)
    assert (await session.scalars(due)).all() == [parcel.id]
    later = Cause(NOW + WEEK)

    async def end_by_itself(waited_since: timedelta) -> bool:
        return await end_overdue_shipment(
            session, parcel.id, waited_since=NOW + waited_since, receipt_after=RECEIPT_AFTER, cause=later
        )

    assert await end_by_itself(-timedelta(seconds=1)) is False
    assert await end_by_itself(timedelta(0)) is True
    assert await end_by_itself(timedelta(0)) is False
    assert order.status is OrderStatus.CANCELLED
    assert (await session.scalars(due)).all() == []
    await inspect(session, parcel, 1, missing=1)
    await inspect(session, parcel, 1)
    with pytest.raises(WrongState, match="booked already"):
        await inspect(session, parcel, 1)
    await check_books(session)


async def test_what_was_signed_for_after_its_end_and_comes_back_is_booked(
    shop: Shop, session: AsyncSession
) -> None:
    _, parcel, variant = await sent_order(session)
    await come_back(session, parcel, S.EXPIRED)
    await end(session, parcel)

    for hours, status in ((1, S.DELIVERED), (2, S.RETURNED)):
        await track(session, parcel, tracking_fact(status, after=timedelta(hours=hours)))
    await inspect(session, parcel, 1, damaged=1)

    assert (parcel.status, parcel.signed_after_end_at, parcel.inspected_at) == (S.RETURNED, None, NOW)
    level = select(StockLevel.on_hand, StockLevel.damaged).where(StockLevel.variant_id == variant.id)
    assert (await session.execute(level)).one() == (9, 1)
    await check_books(session)


async def test_an_inspection_says_of_every_unit_what_became_of_it(shop: Shop, session: AsyncSession) -> None:
    _, parcel, _ = await sent_order(session)
    with pytest.raises(WrongState, match="not come back"):
        await inspect(session, parcel, 2)
    await come_back(session, parcel)
    for counts in ((1, 0, 0), (3, 0, 0), (3, -1, 0)):
        with pytest.raises(Invalid):
            await inspect(session, parcel, *counts)
    with pytest.raises(Invalid):
        await inspect_shipment(session, parcel.id, [], cause=Cause(NOW))
    assert parcel.inspected_at is None
    await check_books(session)


async def test_a_parcel_that_came_back_is_sent_again_from_stock(shop: Shop, session: AsyncSession) -> None:
    order, parcel, variant = await sent_order(session)
    await come_back(session, parcel)
    await inspect(session, parcel, 1, missing=1)
    await send_again(session, parcel.id, cause=Cause(NOW))
    assert (parcel.ending, order.fulfilment_status) == (
        ShipmentEnding.SENT_AGAIN,
        FulfilmentStatus.UNFULFILLED,
    )
    assert await reserved_units(session, variant) == 2

    [again] = await dispatch(session, order)
    assert again.cash_amount == 19_800
    await arrive(session, again)
    [cash] = await payments_of(session, order)
    await collect_cash(session, cash.id, order.money(19_800), cause=Cause(NOW))
    await confirm_receipt(session, order.id, cause=Cause(NOW))
    assert order.status is OrderStatus.COMPLETED
    await check_books(session)


async def two_lines_sent_again(session: AsyncSession) -> Order:
    """A paid order of one unit of each of two variants whose only parcel came back and is sent once more."""
    first, second = await a_variant(session), await a_variant(session)
    order = await create_order(session, lines=[(first, 1), (second, 1)])
    await pay(session, order)
    [parcel] = await dispatch(session, order)
    await come_back(session, parcel)
    lines = await session.scalars(select(ShipmentLine).where(ShipmentLine.shipment_id == parcel.id))
    found = [InspectedUnits(line.order_line_id, 1, 0, 0) for line in lines]
    await inspect_shipment(session, parcel.id, found, cause=Cause(NOW))
    await send_again(session, parcel.id, cause=Cause(NOW))
    await session.commit()
    return order


async def cancel_at_once(session: AsyncSession, order: Order, line: OrderLine) -> None:
    await cancel_lines(
        session,
        order.id,
        [ClaimedUnits(line.id, 1)],
        reason="Too late",
        receipt_after=RECEIPT_AFTER,
        cause=Cause(NOW),
    )


async def claim_and_agree(session: AsyncSession, order: Order, line: OrderLine) -> None:
    ticket = await create_ticket(
        session, order=order, type=TicketType.REFUND_ONLY, reason=TicketReason.NO_REASON, lines=[(line, 1)]
    )
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW))


async def edit_and_pay(session: AsyncSession, order: Order, line: OrderLine) -> None:
    """The line goes, and dearer units of another come, which are paid before the edit is carried out."""
    dearer = await a_variant(session, prices={CurrencyCode.CNY: 25_000})
    changes = OrderChanges(lines=[LineChange(line.id, 0)], additions=[LineAddition(dearer.id, 1)])
    await edit(session, order, changes, method=SANDBOX)
    await pay(session, order)
    payment = (await payments_of(session, order))[-1]
    await carry_out_paid_edit(session, payment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))


@pytest.mark.parametrize(
    ("take_off", "kept"),
    [(cancel_at_once, 1), (claim_and_agree, 1), (edit_and_pay, 2)],
    ids=["cancelled", "claimed", "edited"],
)
async def test_what_came_back_and_waits_to_be_sent_again_can_still_leave_its_order(
    shop: Shop,
    session: AsyncSession,
    take_off: Callable[[AsyncSession, Order, OrderLine], Awaitable[None]],
    kept: int,
) -> None:
    order = await two_lines_sent_again(session)
    line, other = await order_lines_of(session, order)
    await take_off(session, order, line)
    await check_books(session)

    [delivery] = await Loaders(shop.database.reads).order_deliveries.load(order.id)
    shown = await Loaders(shop.database.reads).delivery_lines.load(delivery.id)
    assert line.cancelled == 1
    assert len(shown) == kept
    assert line.id not in {each.order_line_id for each in shown}
    [again] = await dispatch(session, order)
    await arrive(session, again)
    assert await refund_all(session, order) == 9_900 * (take_off is not edit_and_pay)
    ended = await confirm_receipt(session, order.id, cause=Cause(NOW))
    await follow_all_refunds(session, order)
    assert (ended.status, other.cancelled) == (OrderStatus.COMPLETED, 0)
    await check_books(session)


async def test_a_lost_parcel_that_a_ticket_has_refunded_leaves_nothing_open(
    shop: Shop, session: AsyncSession
) -> None:
    order, parcel, _ = await sent_order(session, cash=False)
    line = (await order_lines_of(session, order))[0]
    ticket = await create_ticket(
        session,
        order=order,
        type=TicketType.REFUND_ONLY,
        reason=TicketReason.NOT_RECEIVED,
        lines=[(line, 2)],
        now=NOW + timedelta(days=9),
    )
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert (parcel.ending, order.fulfilment_status) == (ShipmentEnding.CLAIMED, FulfilmentStatus.RETURNED)
    await settle_refunds(session, ticket)
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))

    assert order.status is OrderStatus.CLOSED
    await check_books(session)


async def test_a_parcel_marked_as_delivered_by_mistake_is_under_way_again(
    shop: Shop, session: AsyncSession
) -> None:
    order, parcel, _ = await sent_order(session)
    await track(session, parcel, tracking_fact(S.IN_TRANSIT))
    await track(session, parcel, tracking_fact(S.DELIVERED, after=timedelta(hours=1)))
    assert order.receipt_due_at is not None

    await correct_shipment(session, parcel.id, reason="Another house.", cause=Cause(NOW + WEEK))

    assert (parcel.status, parcel.delivered_at) == (S.IN_TRANSIT, None)
    assert [order.fulfilment_status, order.delivered_at, order.receipt_due_at] == [
        FulfilmentStatus.SHIPPED,
        None,
        None,
    ]
    assert await session.scalar(select(func.max(TrackingEvent.description))) == "The parcel is IN_TRANSIT."
    await track(session, parcel, tracking_fact(S.DELIVERED, after=timedelta(hours=1)))
    assert parcel.status is S.IN_TRANSIT
    await track(session, parcel, tracking_fact(S.DELIVERED, after=2 * WEEK))
    assert order.fulfilment_status is FulfilmentStatus.DELIVERED
    await check_books(session)


async def test_a_delivery_of_which_too_much_has_followed_is_not_corrected(
    shop: Shop, session: AsyncSession
) -> None:
    order, parcel, _ = await sent_order(session)
    with pytest.raises(WrongState, match="neither"):
        await correct_shipment(session, parcel.id, reason="No.", cause=Cause(NOW))
    await arrive(session, parcel)
    [cash] = await payments_of(session, order)
    await collect_cash(session, cash.id, order.money(19_800), cause=Cause(NOW))
    with pytest.raises(WrongState, match="Cash has been collected"):
        await correct_shipment(session, parcel.id, reason="No.", cause=Cause(NOW))
    await confirm_receipt(session, order.id, cause=Cause(NOW))
    with pytest.raises(WrongState, match="completed"):
        await correct_shipment(session, parcel.id, reason="No.", cause=Cause(NOW))
    assert (parcel.status, (await events_of(session, order))[-1]) == (S.DELIVERED, "order.completed")
    await check_books(session)
