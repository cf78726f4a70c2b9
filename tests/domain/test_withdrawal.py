"""Units that leave an order before they are packed: at once or by a ticket, by one rule."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.quote import quote_claim
from domain.aftersales.rules import ClaimedUnits, TicketClaim
from domain.cause import Cause
from domain.shipment import ParcelToPack, dispatch_shipment, pack_shipments
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    Order,
    PaymentMethod,
    PromotionKind,
    Refund,
    ShippingMethod,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.aftersales import DEADLINES, create_ticket, order_lines_of
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
    events_of,
    parcels_to_pack,
    pay,
    payments_of,
)
from tests.factories.promotion import create_promotion

pytestmark = pytest.mark.usefixtures("audit_at_end")

PAYMENTS: Mapping[str, Mapping[PaymentMethod, int | None]] = {
    "paid": {SANDBOX: None},
    "in cash": {CASH: None},
    "half in cash": {SANDBOX: 6_000, CASH: None},
}


async def order_to_two_places(session: AsyncSession, payments: Mapping[PaymentMethod, int | None]) -> Order:
    """A gift set of two articles at 99.00, each to a place of its own, and both fees."""
    first, second = await a_variant(session), await a_variant(session)
    order = await create_order(
        session,
        lines=[(first, 1), (second, 1)],
        payments=payments,
        deliveries=[
            deliver_to(HANGZHOU, [(first, 1)], method=ShippingMethod.EXPRESS),
            deliver_to(CHENGDU, [(second, 1)], method=ShippingMethod.EXPRESS),
        ],
    )
    await pay(session, order)
    return order


async def withdraw_second_line(session: AsyncSession, order: Order, *, by_ticket: bool) -> None:
    [_, line] = await order_lines_of(session, order)
    if not by_ticket:
        units = [ClaimedUnits(line.id, 1)]
        await cancel_lines(
            session, order.id, units, reason="NO_REASON", receipt_after=RECEIPT_AFTER, cause=Cause(NOW)
        )
        return
    claim = TicketClaim(TicketType.REFUND_ONLY, TicketReason.NO_REASON, (ClaimedUnits(line.id, 1),))
    quote = await quote_claim(session, order, claim, DEADLINES, asked_at=NOW)
    ticket = await create_ticket(
        session,
        order=order,
        type=claim.type,
        reason=claim.reason,
        lines=[(line, 1)],
        status=TicketStatus.REFUNDING if quote.refund else TicketStatus.COMPLETED,
    )
    assert ticket.refund == quote.refund


async def send_first_delivery(session: AsyncSession, order: Order) -> None:
    (delivery_id, picked), _ = await parcels_to_pack(session, order)
    number = f"W{order.id:08}"
    parcels = [ParcelToPack(picked)]
    [parcel] = await pack_shipments(session, delivery_id, parcels, numbers=[number], cause=Cause(NOW))
    await dispatch_shipment(
        session, parcel.id, carrier=SIMULATED_CARRIER, tracking_number=f"SIM-{number}", cause=Cause(NOW)
    )
    await arrive(session, parcel)


async def books_of_order(session: AsyncSession, order: Order) -> dict[str, Any]:
    """All that withdrawing changes."""
    refunded = await session.scalar(select(func.sum(Refund.amount)).where(Refund.order_id == order.id))
    return {
        "statuses": (order.status, order.payment_status, order.fulfilment_status),
        "amounts": (order.total_amount, order.cancelled_amount, order.cancelled_shipping_amount),
        "lines": [(each.cancelled, each.cancelled_amount) for each in await order_lines_of(session, order)],
        "payments": [(each.amount, each.status) for each in await payments_of(session, order)],
        "refunded": refunded,
        "receipt due": order.receipt_due_at,
        "events": [name for name in await events_of(session, order) if name.startswith("order.")],
    }


@pytest.mark.parametrize("case", PAYMENTS)
async def test_a_withdrawal_by_ticket_comes_to_what_cancelling_does(
    shop: Shop, session: AsyncSession, case: str
) -> None:
    await create_promotion(session, PromotionKind.BUY_N_GET_M, buy=1, get=1)
    books = []
    for by_ticket in (False, True):
        order = await order_to_two_places(session, PAYMENTS[case])
        await withdraw_second_line(session, order, by_ticket=by_ticket)
        books.append(await books_of_order(session, order))
    await session.commit()

    assert books[0] == books[1]
    assert books[0]["lines"] == [(0, 0), (1, 4_950)]
    _, unpaid, fee = books[0]["amounts"]
    assert (fee, unpaid + (books[0]["refunded"] or 0)) == (1_800, 4_950 + 1_800)
    assert unpaid == {"paid": 0, "in cash": 6_750, "half in cash": 6_750}[case]


async def test_an_order_is_delivered_when_what_was_not_sent_is_withdrawn(
    shop: Shop, session: AsyncSession
) -> None:
    due = []
    for by_ticket in (False, True):
        order = await order_to_two_places(session, {SANDBOX: None})
        await send_first_delivery(session, order)
        await withdraw_second_line(session, order, by_ticket=by_ticket)
        due.append((order.fulfilment_status.value, order.receipt_due_at))
    await session.commit()

    assert due == [("DELIVERED", NOW + RECEIPT_AFTER)] * 2
