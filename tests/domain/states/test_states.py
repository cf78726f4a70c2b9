"""What may happen to an order and its money, in every state they can be in."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from inspect import getmembers, isclass
from itertools import product

import pytest
from sqlalchemy import literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

import models
from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.order_editing.address import change_address
from domain.aftersales.order_editing.changes import LineChange, OrderChanges
from domain.aftersales.order_editing.extra_payment import carry_out_paid_edit, drop_unpaid_edit, withdraw_edit
from domain.aftersales.order_editing.payments import change_payments
from domain.aftersales.order_editing.window import change_window
from domain.aftersales.rules import ClaimedUnits
from domain.cause import Cause
from domain.errors import WrongState
from domain.order import (
    PlannedPayment,
    cancel_order,
    cancel_overdue_orders,
    confirm_due_receipt,
    confirm_receipt,
    hold_order,
    lock_order,
    release_order,
)
from domain.payment import (
    PaymentMismatch,
    approve_refund,
    capture_payment,
    close_payments,
    decline_refund,
    fail_refund,
    record_dispute,
    refund_everything,
    refund_in_goodwill,
    report_refund,
    request_refund,
    retry_refund,
    settle_refund,
    start_payment,
)
from domain.payment.approval_limit import APPROVAL_LIMITS, APPROVAL_LIMITS_KEY
from domain.shipment import TrackingFact, add_tracking_events, dispatch_shipment, lock_shipment
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    CurrencyCode,
    Delivery,
    DeliveryWindow,
    Dispute,
    DisputeStatus,
    FulfilmentStatus,
    Money,
    Order,
    OrderEdit,
    OrderEditStatus,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Refund,
    RefundOutcome,
    RefundReport,
    RefundStatus,
    Role,
    Shipment,
    ShipmentStatus,
    TicketStatus,
)
from models.order import DISPLAY_STATUS
from tests.domain.states.outcomes import (
    COMMANDS_TO_STATE,
    LATER,
    Command,
    check_outcomes,
    documented_outcomes,
)
from tests.domain.test_order_edit import only_edit, order_with_waiting_edit
from tests.domain.test_state import TABLES
from tests.factories.account import create_account
from tests.factories.aftersales import create_ticket, order_lines_of
from tests.factories.cart import create_coupon
from tests.factories.dispute import dispute_report
from tests.factories.order import (
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
    dispatch,
    pack,
    pay,
    payments_of,
)
from tests.factories.order_edit import edit
from tests.factories.payment import fail_newest_attempt, start_after_closing

DERIVED = {
    models.AttemptStatus,
    models.OrderPaymentStatus,
    FulfilmentStatus,
    models.OrderDisplayStatus,
}
"""From the books and from the parcels, or said by providers: nobody moves these."""


async def order_in_state(session: AsyncSession, state: str) -> Order:
    """An order of two things for two addresses, brought to a state on the ordinary way."""
    near, far = await a_variant(session), await a_variant(session)
    order = await create_order(
        session,
        lines=[(near, 2), (far, 2)],
        deliveries=[deliver_to(HANGZHOU, [(near, 2)]), deliver_to(CHENGDU, [(far, 2)])],
        status=OrderStatus.PENDING if state == "PENDING" else OrderStatus.CONFIRMED,
    )
    match state:
        case "PENDING" | "CONFIRMED":
            return order
        case "HELD":
            return await hold_order(session, order.id, reason="Odd.", cause=Cause(NOW))
        case "CANCELLED":
            return await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
        case "PACKING" | "PARTIALLY_SHIPPED":
            shipments = await pack(session, order)
            if state == "PARTIALLY_SHIPPED":
                await dispatch_one(session, shipments[0])
            return order
    shipments = await dispatch(session, order)
    reached = {"SHIPPED": 0, "PARTIALLY_DELIVERED": 1}.get(state, 2)
    for shipment in shipments[:reached]:
        await (return_to_sender if state == "RETURNED" else arrive)(session, shipment)
    if state in {"COMPLETED", "CLOSED"}:
        await confirm_receipt(session, order.id, cause=Cause(NOW))
    if state == "CLOSED":
        await refund_everything(session, order, reason="sorry", cause=Cause(NOW))
        for refund in await session.scalars(select(Refund)):
            await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    return order


async def dispatch_one(session: AsyncSession, shipment: Shipment) -> None:
    await dispatch_shipment(
        session,
        shipment.id,
        carrier=SIMULATED_CARRIER,
        tracking_number=f"SIM-{shipment.number}",
        cause=Cause(NOW),
    )


async def return_to_sender(session: AsyncSession, shipment: Shipment) -> None:
    _, shipment = await lock_shipment(session, shipment.id)
    fact = TrackingFact(ShipmentStatus.RETURNED, "RETURNED", "Nobody at home.", NOW)
    await add_tracking_events(session, shipment, [fact], cause=Cause(NOW), receipt_after=RECEIPT_AFTER)


async def cancel_a_unit(session: AsyncSession, order: Order) -> None:
    line = (await order_lines_of(session, order))[0]
    units = [ClaimedUnits(line.id, 1)]
    await cancel_lines(session, order.id, units, reason="One.", receipt_after=RECEIPT_AFTER, cause=Cause(NOW))


async def change_first_address(session: AsyncSession, order: Order) -> None:
    [delivery, *_] = await session.scalars(
        select(Delivery).where(Delivery.order_id == order.id).order_by(Delivery.position)
    )
    await change_address(session, delivery.id, HANGZHOU, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))


async def change_first_window(session: AsyncSession, order: Order) -> None:
    [delivery, *_] = await session.scalars(
        select(Delivery).where(Delivery.order_id == order.id).order_by(Delivery.position)
    )
    window = DeliveryWindow(NOW + timedelta(days=2), NOW + timedelta(days=2, hours=3))
    await change_window(session, delivery.id, window, cause=Cause(NOW))


async def first_payment(session: AsyncSession, order: Order) -> Payment:
    return (await payments_of(session, order))[0]


async def start_first_payment(session: AsyncSession, order: Order) -> None:
    payment = await first_payment(session, order)
    await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, cause=Cause(NOW))


async def capture_first_payment(session: AsyncSession, order: Order) -> None:
    await capture_payment(session, (await first_payment(session, order)).id, cause=Cause(NOW))


async def refund_a_part(session: AsyncSession, order: Order) -> None:
    amount = order.money(100)
    await refund_in_goodwill(
        session, order.id, amount, reason="Sorry.", key="k", cause=Cause(NOW, order.account_id)
    )


async def open_return(session: AsyncSession, order: Order) -> None:
    await create_ticket(session, order=order)


async def dispatch_rest(session: AsyncSession, order: Order) -> None:
    await pack(session, order)
    waiting = await session.scalars(
        select(Shipment).where(Shipment.order_id == order.id, Shipment.dispatched_at.is_(None))
    )
    for shipment in waiting.all():
        await dispatch_one(session, shipment)


async def edit_first_line(session: AsyncSession, order: Order) -> None:
    line = (await order_lines_of(session, order))[0]
    await edit(session, order, OrderChanges(lines=[LineChange(line.id, 1)]), key="edit-9")


async def add_to_first_line(session: AsyncSession, order: Order) -> None:
    line = (await order_lines_of(session, order))[0]
    await edit(session, order, OrderChanges(lines=[LineChange(line.id, 3)]), method=SANDBOX, key="edit-9")


async def add_coupon(session: AsyncSession, order: Order) -> None:
    await create_coupon(session, code="LATER", amount=100)
    await edit(session, order, OrderChanges(add_codes=["LATER"]), key="edit-9")


async def divide_payments(session: AsyncSession, order: Order) -> None:
    parts = [PlannedPayment(SANDBOX, order.money(each)) for each in (100, order.total_amount - 100)]
    await change_payments(session, order.id, parts, TERMS, cause=Cause(NOW, order.account_id))


ORDER: Mapping[str, Command] = {
    "a unit is edited away": edit_first_line,
    "a unit is added, to be paid": add_to_first_line,
    "a coupon is added": add_coupon,
    "the payment methods are changed": divide_payments,
    "the customer cancels": lambda session, it: cancel_order(session, it.id, reason="No.", cause=Cause(NOW)),
    "one unit is cancelled": cancel_a_unit,
    "the payment deadline passes": lambda session, it: cancel_overdue_orders(
        session, [it.id], cause=Cause(LATER)
    ),
    "a payment is started": start_first_payment,
    "the payment is captured": capture_first_payment,
    "the address is changed": change_first_address,
    "the wished time is changed": change_first_window,
    "everything is packed": pack,
    "everything is dispatched": dispatch_rest,
    "staff put it on hold": lambda session, it: hold_order(session, it.id, reason="Odd.", cause=Cause(NOW)),
    "staff release it": lambda session, it: release_order(session, it.id, cause=Cause(NOW)),
    "receipt is confirmed": lambda session, it: confirm_receipt(session, it.id, cause=Cause(NOW)),
    "the receipt deadline passes": lambda session, it: confirm_due_receipt(
        session, it.id, cause=Cause(LATER)
    ),
    "a part is refunded": refund_a_part,
    "a return is requested": open_return,
}


@pytest.mark.parametrize("state", documented_outcomes("Orders"))
async def test_what_may_happen_to_an_order(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Orders", state, order_in_state, ORDER)


async def edit_in_state(session: AsyncSession, state: str) -> OrderEdit:
    await order_with_waiting_edit(session)
    waiting = await only_edit(session)
    match state:
        case "DONE":
            await pay_edit(session, waiting)
        case "DROPPED":
            await drop_unpaid_edit(session, waiting.id, cause=Cause(LATER))
    return waiting


async def pay_edit(session: AsyncSession, waiting: OrderEdit) -> None:
    payment = await session.get_one(Payment, waiting.payment_id)
    if payment.status is PaymentStatus.PENDING:
        await capture_payment(session, payment.id, cause=Cause(NOW))
    await carry_out_paid_edit(session, payment.id, receipt_after=RECEIPT_AFTER, cause=Cause(NOW))


def on_order(command: Command) -> Command:
    """The command for the order of an edit."""

    async def run(session: AsyncSession, waiting: OrderEdit) -> None:
        await command(session, await lock_order(session, waiting.order_id))

    return run


async def edit_address(session: AsyncSession, order: Order) -> None:
    [delivery] = await session.scalars(select(Delivery).where(Delivery.order_id == order.id))
    await edit(session, order, OrderChanges(addresses={delivery.id: CHENGDU}), key="edit-9")


EDIT: Mapping[str, Command] = {
    "the difference is paid": pay_edit,
    "its deadline passes": lambda session, it: drop_unpaid_edit(session, it.id, cause=Cause(LATER)),
    "something else is edited": on_order(edit_address),
    "the customer gives it up": lambda session, it: withdraw_edit(session, it.order_id, cause=Cause(NOW)),
    "the customer cancels the order": on_order(ORDER["the customer cancels"]),
    "everything is packed": on_order(pack),
}


@pytest.mark.parametrize("state", documented_outcomes("Edits of paid orders"))
async def test_what_may_happen_to_an_edit(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Edits of paid orders", state, edit_in_state, EDIT)


async def payment_in_state(session: AsyncSession, state: str) -> Payment:
    order = await create_order(session)
    payment = await first_payment(session, order)
    if state in {"STARTED", "FAILED"}:
        await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, cause=Cause(NOW))
    match state:
        case "FAILED":
            await fail_newest_attempt(session, payment, reason="No money.", cause=Cause(NOW))
        case "CAPTURED":
            await pay(session, order)
        case "CLOSED":
            await cancel_order(session, order.id, reason="Never mind.", cause=Cause(NOW))
            await close_payments(session, order, cause=Cause(NOW))
    return payment


async def close_all_payments(session: AsyncSession, payment: Payment) -> None:
    await close_payments(session, await lock_order(session, payment.order_id), cause=Cause(NOW))


PAYMENT: Mapping[str, Command] = {
    "the customer starts it": lambda session, it: start_after_closing(
        session, it.id, query_at=LATER, cause=Cause(NOW)
    ),
    "the provider captures it": lambda session, it: capture_payment(session, it.id, cause=Cause(NOW)),
    "the provider reports a failure": lambda session, it: fail_newest_attempt(
        session, it, reason="No.", cause=Cause(NOW)
    ),
    "it is closed": close_all_payments,
}


@pytest.mark.parametrize("state", documented_outcomes("Payments"))
async def test_what_may_happen_to_a_payment(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Payments", state, payment_in_state, PAYMENT)


async def refund_in_state(session: AsyncSession, state: str) -> Refund:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    above_the_limit = state in ("WAITING", "DECLINED")
    session.info[APPROVAL_LIMITS_KEY] = {} if above_the_limit else APPROVAL_LIMITS
    goods = Money(100, CurrencyCode.CNY)
    [refund] = await request_refund(session, order, goods, reason="sorry", cause=Cause(NOW))
    refund.goodwill = True
    clerk = await create_account(session, role=Role.SUPPORT)
    if state == "DECLINED":
        await decline_refund(session, refund.id, reason="No.", cause=Cause(NOW, clerk.id))
    if state == "ABNORMAL":
        await report_of(RefundOutcome.ABNORMAL)(session, refund)
    if state == "FAILED":
        await fail_refund(
            session, refund.id, reason="No.", retry_after=timedelta(minutes=5), cause=Cause(NOW)
        )
    if state == "SUCCEEDED":
        await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    return refund


def report_of(outcome: RefundOutcome) -> Callable[[AsyncSession, Refund], Awaitable[object]]:
    """The provider reports this of a refund."""

    async def report(session: AsyncSession, refund: Refund) -> None:
        reported = RefundReport(refund.reference, "R", outcome, refund.total, reason="No such card.")
        method, minute = PaymentMethod.SANDBOX, timedelta(minutes=1)
        try:
            await report_refund(
                session, reported, method=method, retry_after=minute, query_after=minute, cause=Cause(NOW)
            )
        except PaymentMismatch as mismatch:
            raise WrongState("It is not to be paid.") from mismatch

    return report


def decide(command: Callable[..., Awaitable[Refund]]) -> Callable[[AsyncSession, Refund], Awaitable[object]]:
    """Another member of the staff gives the command."""

    async def give(session: AsyncSession, refund: Refund) -> Refund:
        clerk = await create_account(session, role=Role.SUPPORT)
        return await command(session, refund.id, reason="Looked into.", cause=Cause(NOW, clerk.id))

    return give


REFUND: Mapping[str, Command] = {
    "the provider cannot give it back": report_of(RefundOutcome.ABNORMAL),
    "a second person approves it": decide(approve_refund),
    "somebody declines it": decide(decline_refund),
    "it is paid to the customer": lambda session, it: settle_refund(
        session, it.id, provider_reference="R", cause=Cause(NOW)
    ),
    "the provider refuses it": lambda session, it: fail_refund(
        session, it.id, reason="No.", retry_after=timedelta(minutes=5), cause=Cause(NOW)
    ),
    "it is retried": lambda session, it: retry_refund(session, it.id, cause=Cause(LATER)),
}


def report_dispute(status: DisputeStatus) -> Command:
    async def report(session: AsyncSession, dispute: Dispute) -> None:
        payment = await session.get_one(Payment, dispute.payment_id)
        await record_dispute(session, SANDBOX, dispute_report(payment, status=status), Cause(NOW))

    return report


async def dispute_in_state(session: AsyncSession, state: str) -> Dispute:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    payment = await first_payment(session, order)
    return await record_dispute(
        session, SANDBOX, dispute_report(payment, status=DisputeStatus(state)), Cause(NOW)
    )


DISPUTE: Mapping[str, Command] = {
    "the provider opens it": report_dispute(DisputeStatus.OPEN),
    "the shop wins it": report_dispute(DisputeStatus.WON),
    "the shop loses it": report_dispute(DisputeStatus.LOST),
}


@pytest.mark.parametrize("state", documented_outcomes("Disputes"))
async def test_what_may_happen_to_a_dispute(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Disputes", state, dispute_in_state, DISPUTE)


@pytest.mark.parametrize("state", documented_outcomes("Refunds"))
async def test_what_may_happen_to_a_refund(shop: Shop, state: str) -> None:
    await check_outcomes(shop, "Refunds", state, refund_in_state, REFUND)


async def test_the_display_status_is_the_same_for_the_database(shop: Shop, session: AsyncSession) -> None:
    """By it orders are found, through an index."""
    order = await create_order(session)
    for status in OrderStatus:
        for goods, ready, unsent in product(FulfilmentStatus, (False, True), (False, True)):
            order.status, order.fulfilment_status = status, goods
            order.ready_for_pickup, order.nothing_sent = ready, unsent
            await session.flush()
            found = await session.scalar(select(literal_column(DISPLAY_STATUS)).select_from(Order))
            assert found == order.display_status.value, (status, goods, ready, unsent)
    await session.rollback()
    await session.commit()


def test_every_state_is_drawn() -> None:
    goods = {status.value for status in FulfilmentStatus} - {"UNFULFILLED"}
    assert set(documented_outcomes("Orders")) == {status.value for status in OrderStatus} | goods | {"HELD"}
    edits = {status.value for status in OrderEditStatus}
    assert set(documented_outcomes("Edits of paid orders")) == edits
    assert set(documented_outcomes("Payments")) == {status.value for status in PaymentStatus}
    assert set(documented_outcomes("Disputes")) == {status.value for status in DisputeStatus}
    assert set(documented_outcomes("Refunds")) == {status.value for status in RefundStatus}
    assert (
        set(documented_outcomes("Tickets"))
        == {status.value for status in TicketStatus} - {TicketStatus.ANSWERED.value}
        == set(COMMANDS_TO_STATE)
    )


def test_every_status_has_a_table_or_is_derived() -> None:
    statuses = {
        kind
        for name, kind in getmembers(models, isclass)
        if name.endswith("Status") and issubclass(kind, StrEnum)
    }
    ruled = {type(next(iter(rules))) for rules in TABLES}
    assert ruled.isdisjoint(DERIVED)
    assert statuses - ruled == DERIVED
