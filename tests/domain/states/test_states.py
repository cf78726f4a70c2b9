"""What may happen to an order and its money, in every state they can be in."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from inspect import getmembers, isclass

import pytest
from sqlalchemy import literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

import models
from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.rules import Wanted
from domain.order import (
    assume_receipt,
    cancel_order,
    change_address,
    close_unpaid,
    confirm_receipt,
    hold_order,
    lock_order,
    release_order,
)
from domain.payment import (
    capture_payment,
    close_payments,
    fail_payment,
    fail_refund,
    refund_everything,
    refund_in_goodwill,
    retry_refund,
    settle_refund,
    start_payment,
)
from domain.shipment import TrackingFact, add_tracking_events, dispatch_shipment, lock_shipment
from events.shop import Shop
from models import (
    CarrierCode,
    Delivery,
    FulfilmentStatus,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    Shipment,
    ShipmentStatus,
    TicketStatus,
)
from models.order import HEADLINE
from tests.domain.states.trying import LATER, WAY, Act, drawn, tried
from tests.domain.test_state import TABLES
from tests.factories.aftersales import create_ticket, lines_of
from tests.factories.order import (
    CHENGDU,
    HANGZHOU,
    NOW,
    PAY_WITHIN,
    RECEIPT_AFTER,
    a_variant,
    arrive,
    create_order,
    deliver_to,
    dispatch,
    pack,
    pay,
    payments_of,
)

DERIVED = {models.OrderPaymentStatus, FulfilmentStatus}
"""From the books and from the parcels: nobody moves these."""


async def an_order(session: AsyncSession, state: str) -> Order:
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
            return await hold_order(session, order.id, reason="Odd.", now=NOW)
        case "CANCELLED":
            return await cancel_order(session, order.id, reason="Never mind.", now=NOW)
        case "PACKING" | "PARTIALLY_SHIPPED":
            shipments = await pack(session, order)
            if state == "PARTIALLY_SHIPPED":
                await leave(session, shipments[0])
            return order
    shipments = await dispatch(session, order)
    reached = {"SHIPPED": 0, "PARTIALLY_DELIVERED": 1}.get(state, 2)
    for shipment in shipments[:reached]:
        await (come_back if state == "RETURNED" else arrive)(session, shipment)
    if state in {"COMPLETED", "CLOSED"}:
        await confirm_receipt(session, order.id, now=NOW)
    if state == "CLOSED":
        await refund_everything(session, order, reason="sorry", now=NOW)
        for refund in await session.scalars(select(Refund)):
            await settle_refund(session, refund.id, provider_reference="R", now=NOW)
    return order


async def leave(session: AsyncSession, shipment: Shipment) -> None:
    await dispatch_shipment(
        session,
        shipment.id,
        carrier=CarrierCode.SIMULATED,
        tracking_number=f"SIM-{shipment.number}",
        now=NOW,
    )


async def come_back(session: AsyncSession, shipment: Shipment) -> None:
    _, shipment = await lock_shipment(session, shipment.id)
    fact = TrackingFact(ShipmentStatus.RETURNED, "RETURNED", "Nobody at home.", NOW)
    await add_tracking_events(session, shipment, [fact], now=NOW, receipt_after=RECEIPT_AFTER)


async def cancel_a_unit(session: AsyncSession, order: Order) -> None:
    line = (await lines_of(session, order))[0]
    wanted = [Wanted(line.id, 1)]
    await cancel_lines(session, order.id, wanted, reason="One.", receipt_after=RECEIPT_AFTER, now=NOW)


async def redirect(session: AsyncSession, order: Order) -> None:
    [delivery, *_] = await session.scalars(
        select(Delivery).where(Delivery.order_id == order.id).order_by(Delivery.position)
    )
    await change_address(session, delivery.id, HANGZHOU, now=NOW)


async def first_payment(session: AsyncSession, order: Order) -> Payment:
    return (await payments_of(session, order))[0]


async def begin_paying(session: AsyncSession, order: Order) -> None:
    payment = await first_payment(session, order)
    await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, now=NOW)


async def money_arrives(session: AsyncSession, order: Order) -> None:
    await capture_payment(session, (await first_payment(session, order)).id, now=NOW)


async def goodwill(session: AsyncSession, order: Order) -> None:
    amount = order.money(100)
    await refund_in_goodwill(
        session, order.id, amount, reason="Sorry.", key="k", now=NOW, by=order.account_id
    )


async def ask_for_return(session: AsyncSession, order: Order) -> None:
    await create_ticket(session, order=order)


async def the_rest_leaves(session: AsyncSession, order: Order) -> None:
    await pack(session, order)
    waiting = await session.scalars(
        select(Shipment).where(Shipment.order_id == order.id, Shipment.dispatched_at.is_(None))
    )
    for shipment in waiting.all():
        await leave(session, shipment)


ORDER: Mapping[str, Act] = {
    "the customer cancels": lambda session, it: cancel_order(session, it.id, reason="No.", now=NOW),
    "one unit is cancelled": cancel_a_unit,
    "the time to pay is over": lambda session, it: close_unpaid(session, [it.id], now=LATER),
    "a payment begins": begin_paying,
    "the money arrives": money_arrives,
    "another address": redirect,
    "all is packed": pack,
    "all leaves": the_rest_leaves,
    "staff holds it": lambda session, it: hold_order(session, it.id, reason="Odd.", now=NOW),
    "staff lets it go on": lambda session, it: release_order(session, it.id, now=NOW),
    "receipt is confirmed": lambda session, it: confirm_receipt(session, it.id, now=NOW),
    "nobody confirms receipt": lambda session, it: assume_receipt(session, it.id, now=LATER),
    "a part is given back": goodwill,
    "a return is asked for": ask_for_return,
}


@pytest.mark.parametrize("state", drawn("Orders"))
async def test_what_may_happen_to_an_order(shop: Shop, state: str) -> None:
    await tried(shop, "Orders", state, an_order, ORDER)


async def a_payment(session: AsyncSession, state: str) -> Payment:
    order = await create_order(session)
    payment = await first_payment(session, order)
    if state in {"STARTED", "FAILED"}:
        await start_payment(session, payment.id, query_at=NOW + PAY_WITHIN, now=NOW)
    match state:
        case "FAILED":
            await fail_payment(session, payment.id, reason="No money.", now=NOW)
        case "CAPTURED":
            await pay(session, order)
        case "CLOSED":
            await cancel_order(session, order.id, reason="Never mind.", now=NOW)
            await close_payments(session, order, now=NOW)
    return payment


async def expect_no_more(session: AsyncSession, payment: Payment) -> None:
    await close_payments(session, await lock_order(session, payment.order_id), now=NOW)


PAYMENT: Mapping[str, Act] = {
    "it begins": lambda session, it: start_payment(session, it.id, query_at=LATER, now=NOW),
    "the money arrives": lambda session, it: capture_payment(session, it.id, now=NOW),
    "the provider says no": lambda session, it: fail_payment(session, it.id, reason="No.", now=NOW),
    "nobody waits for it any longer": expect_no_more,
}


@pytest.mark.parametrize("state", drawn("Payments"))
async def test_what_may_happen_to_a_payment(shop: Shop, state: str) -> None:
    await tried(shop, "Payments", state, a_payment, PAYMENT)


async def a_refund(session: AsyncSession, state: str) -> Refund:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await refund_everything(session, order, reason="sorry", now=NOW)
    refund = (await session.scalars(select(Refund))).one()
    if state == "FAILED":
        await fail_refund(session, refund.id, reason="No.", retry_after=timedelta(minutes=5), now=NOW)
    if state == "SUCCEEDED":
        await settle_refund(session, refund.id, provider_reference="R", now=NOW)
    return refund


REFUND: Mapping[str, Act] = {
    "the money is back": lambda session, it: settle_refund(session, it.id, provider_reference="R", now=NOW),
    "the provider says no": lambda session, it: fail_refund(
        session, it.id, reason="No.", retry_after=timedelta(minutes=5), now=NOW
    ),
    "it is time to try again": lambda session, it: retry_refund(session, it.id, now=LATER),
}


@pytest.mark.parametrize("state", drawn("Refunds"))
async def test_what_may_happen_to_a_refund(shop: Shop, state: str) -> None:
    await tried(shop, "Refunds", state, a_refund, REFUND)


async def test_the_headline_is_the_same_for_the_database(shop: Shop) -> None:
    """By it orders are found, through an index."""
    async with shop.database.writes.begin() as session:
        order = await create_order(session)
        for status in OrderStatus:
            for goods in FulfilmentStatus:
                order.status, order.fulfilment_status = status, goods
                await session.flush()
                found = await session.scalar(select(literal_column(HEADLINE)).select_from(Order))
                assert found == order.headline.value, (status, goods)
        await session.rollback()


def test_every_state_is_drawn() -> None:
    goods = {status.value for status in FulfilmentStatus} - {"UNFULFILLED"}
    assert set(drawn("Orders")) == {status.value for status in OrderStatus} | goods | {"HELD"}
    assert set(drawn("Payments")) == {status.value for status in PaymentStatus}
    assert set(drawn("Refunds")) == {status.value for status in RefundStatus}
    assert set(drawn("Tickets")) == {status.value for status in TicketStatus} == set(WAY)


def test_every_status_has_a_table_or_is_derived() -> None:
    statuses = {
        kind
        for name, kind in getmembers(models, isclass)
        if name.endswith("Status") and issubclass(kind, StrEnum)
    }
    ruled = {type(next(iter(rules))) for rules in TABLES}
    assert ruled.isdisjoint(DERIVED)
    assert statuses - ruled == DERIVED
