"""An order ends only when nothing of it is open, and opens again when something opens in it."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket, refuse_ticket
from domain.aftersales.requests import cancel_ticket, escalate_ticket
from domain.aftersales.settlement import follow_replacement
from domain.aftersales.states import TRANSITIONS, UNSETTLED
from domain.audit import audit_books
from domain.cause import Cause
from domain.errors import WrongState
from domain.order import cancel_order, confirm_due_receipt, confirm_receipt
from domain.order.due import select_unconfirmed_receipts
from domain.order.states import CANCELLABLE_TICKETS
from domain.payment import confirm_refund, fail_refund, refund_in_goodwill, settle_refund
from events.shop import Shop
from models import (
    Order,
    OrderStatus,
    Refund,
    Shipment,
    ShipmentEnding,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.aftersales import DEADLINES, create_ticket
from tests.factories.order import NOW, a_variant, arrive, create_order, deliver, dispatch, events_of, pack
from tests.factories.returns import decide
from tests.factories.stock import reserved_units

LATER = NOW + timedelta(days=10)


async def refund_whole(session: AsyncSession, order: Order) -> Refund:
    """All of an order is refunded out of goodwill."""
    total = order.money(order.total_amount)
    by = Cause(NOW, order.account_id)
    await refund_in_goodwill(session, order.id, total, reason="Sorry.", key="k", cause=by)
    return (await session.scalars(select(Refund).where(Refund.order_id == order.id))).one()


async def pay_back(session: AsyncSession, refund: Refund) -> None:
    await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))


async def test_a_refunded_order_is_closed_when_its_replacement_has_arrived(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await a_variant(session, stock={"MAIN": 5})
    order = await create_order(session, lines=[(variant, 1)], status=OrderStatus.COMPLETED)
    ticket = await create_ticket(
        session, order=order, type=TicketType.RESHIP, reason=TicketReason.MISSING_ITEM
    )
    assert order.status is OrderStatus.CONFIRMED
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW))
    await pay_back(session, await refund_whole(session, order))
    assert (order.status, await reserved_units(session, variant)) == (OrderStatus.CONFIRMED, 1)

    [replacement] = await dispatch(session, order)
    await arrive(session, replacement)
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))

    assert [order.status, ticket.status] == [OrderStatus.CLOSED, TicketStatus.COMPLETED]
    assert await reserved_units(session, variant) == 0
    assert await audit_books(session) == []
    await session.commit()


async def test_a_completed_order_opens_for_a_claim_and_completes_when_it_ends(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, status=OrderStatus.COMPLETED)
    ticket = await create_ticket(session, order=order)
    opened = [order.status, order.completed_at, order.receipt_confirmed_at]

    await cancel_ticket(session, ticket.id, DEADLINES, cause=Cause(LATER, order.account_id))

    assert opened == [OrderStatus.CONFIRMED, None, NOW]
    assert [order.status, order.completed_at, order.receipt_confirmed_at] == [
        OrderStatus.COMPLETED,
        LATER,
        NOW,
    ]
    assert (await events_of(session, order))[-2:] == ["order.reopened", "order.completed"]
    await session.commit()


async def test_receipt_is_not_due_while_a_claim_is_open(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    await deliver(session, order)
    ticket = await create_ticket(session, order=order)
    await session.flush()
    due = select_unconfirmed_receipts(LATER)

    assert (await session.scalars(due)).all() == []
    assert await confirm_due_receipt(session, order.id, cause=Cause(LATER)) is False
    await confirm_receipt(session, order.id, cause=Cause(LATER))
    with pytest.raises(WrongState, match="already"):
        await confirm_receipt(session, order.id, cause=Cause(LATER))
    assert (await events_of(session, order))[-1] == "order.receipt_confirmed"
    await cancel_ticket(session, ticket.id, DEADLINES, cause=Cause(LATER, order.account_id))

    assert order.status is OrderStatus.COMPLETED
    await session.commit()


async def test_an_order_whose_refund_fails_waits_for_the_staff(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.COMPLETED)
    refund = await refund_whole(session, order)
    await fail_refund(session, refund.id, reason="No.", retry_after=timedelta(hours=1), cause=Cause(NOW))
    assert order.status is OrderStatus.CONFIRMED

    await confirm_refund(session, refund.id, reference="BANK 1", cause=Cause(NOW))

    assert [order.status, (await events_of(session, order))[-1]] == [OrderStatus.CLOSED, "order.closed"]
    await session.commit()


async def test_what_was_packed_for_a_cancelled_order_ends_with_it(shop: Shop, session: AsyncSession) -> None:
    order = await create_order(session, status=OrderStatus.CONFIRMED)
    [parcel] = await pack(session, order)
    await cancel_order(session, order.id, reason="No more.", cause=Cause(NOW, order.account_id))

    ended = await session.get_one(Shipment, parcel.id, populate_existing=True)
    assert (ended.ending, ended.ended_at) == (ShipmentEnding.CANCELLED, NOW)
    await session.commit()


async def test_an_order_is_not_cancelled_while_a_manager_decides_about_it(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(session, lines=[(await a_variant(session), 2)], status=OrderStatus.CONFIRMED)
    ticket = await create_ticket(
        session, order=order, type=TicketType.REFUND_ONLY, reason=TicketReason.NO_REASON
    )
    await refuse_ticket(session, ticket.id, DEADLINES, reason="No.", cause=Cause(NOW))
    await escalate_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, order.account_id))
    with pytest.raises(WrongState, match="comes first"):
        await cancel_order(session, order.id, reason="No more.", cause=Cause(NOW, order.account_id))
    await decide(session, ticket.id, DEADLINES, agreed=False, reason="No.", cause=Cause(NOW))

    await cancel_order(session, order.id, reason="No more.", cause=Cause(NOW, order.account_id))

    assert order.status is OrderStatus.CANCELLED
    await session.commit()


def test_a_cancelled_order_cancels_the_tickets_that_can_be() -> None:
    cancellable = {status for status in UNSETTLED if TicketStatus.CANCELLED in TRANSITIONS[status]}
    assert cancellable - {TicketStatus.ANSWERED} == CANCELLABLE_TICKETS  # questions stay
