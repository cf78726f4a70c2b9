"""Tickets: transitions, returns, refunds, replacements and decisions."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import (
    agree_ticket,
)
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.reasons import REASONS, ClaimStage, WindowKind, stage_of
from domain.aftersales.requests import (
    TicketRequestChange,
    cancel_ticket,
    escalate_ticket,
    reapply_ticket,
)
from domain.aftersales.rules import ClaimedUnits, NotEligible, TicketObstacle
from domain.aftersales.settlement import follow_refunds, retry_refunds
from domain.aftersales.states import TRANSITIONS
from domain.cause import Cause
from domain.errors import WrongState
from domain.payment import fail_refund
from domain.state import move
from events.shop import Shop
from models import (
    Delivery,
    DeliveryLine,
    MovementKind,
    OrderStatus,
    PaymentMethod,
    Role,
    StockMovement,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.account import create_account
from tests.factories.aftersales import (
    DEADLINES,
    create_ticket,
    order_lines_of,
    order_of_three,
    refunds_of,
    settle_one,
    settle_refunds,
    status_of,
    stock_by_warehouse,
    ticket_events,
)
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import NOW, create_order
from tests.factories.returns import accept_return, decide, refuse_return

DAY = timedelta(days=1)
S, T, R, X = TicketStatus, TicketType, TicketReason, TicketObstacle

ALLOWED = {
    (S.APPLIED, S.REFUNDING),
    (S.APPLIED, S.AWAITING_RETURN),
    (S.APPLIED, S.RESHIPPING),
    (S.APPLIED, S.REFUSED),
    (S.APPLIED, S.CANCELLED),
    (S.AWAITING_RETURN, S.RETURN_SHIPPED),
    (S.AWAITING_RETURN, S.CANCELLED),
    (S.AWAITING_RETURN, S.ARBITRATION),
    (S.APPLIED, S.COMPLETED),
    (S.RETURN_SHIPPED, S.REFUNDING),
    (S.RETURN_SHIPPED, S.RESHIPPING),
    (S.RETURN_SHIPPED, S.RETURN_REFUSED),
    (S.RETURN_SHIPPED, S.CANCELLED),
    (S.RETURN_REFUSED, S.ARBITRATION),
    (S.RESHIPPING, S.COMPLETED),
    (S.RESHIPPING, S.AWAITING_CHOICE),
    (S.APPLIED, S.AWAITING_CHOICE),
    (S.RETURN_SHIPPED, S.AWAITING_CHOICE),
    (S.ARBITRATION, S.AWAITING_CHOICE),
    (S.AWAITING_CHOICE, S.AWAITING_STOCK),
    (S.AWAITING_CHOICE, S.RESHIPPING),
    (S.AWAITING_CHOICE, S.REFUNDING),
    (S.RETURN_SHIPPED, S.AWAITING_PAYMENT),
    (S.ARBITRATION, S.AWAITING_PAYMENT),
    (S.AWAITING_CHOICE, S.AWAITING_PAYMENT),
    (S.AWAITING_STOCK, S.AWAITING_PAYMENT),
    (S.AWAITING_PAYMENT, S.RESHIPPING),
    (S.AWAITING_PAYMENT, S.AWAITING_CHOICE),
    (S.AWAITING_STOCK, S.RESHIPPING),
    (S.AWAITING_STOCK, S.REFUNDING),
    (S.REFUNDING, S.COMPLETED),
    (S.REFUNDING, S.REFUND_FAILED),
    (S.REFUND_FAILED, S.REFUNDING),
    (S.REFUSED, S.APPLIED),
    (S.REFUSED, S.ARBITRATION),
    (S.ARBITRATION, S.REFUNDING),
    (S.ARBITRATION, S.AWAITING_RETURN),
    (S.ARBITRATION, S.RESHIPPING),
    (S.ARBITRATION, S.REJECTED),
    (S.APPLIED, S.ANSWERED),
    (S.ANSWERED, S.APPLIED),
    (S.ANSWERED, S.COMPLETED),
    (S.ANSWERED, S.CANCELLED),
    (S.RETURN_SHIPPED, S.REPAIRING),
    (S.ARBITRATION, S.REPAIRING),
    (S.REPAIRING, S.RESHIPPING),
    (S.REPAIRING, S.AWAITING_CHOICE),
}


@pytest.mark.parametrize("was", S)
@pytest.mark.parametrize("to", S)
def test_a_ticket_moves_only_along_its_transitions(was: TicketStatus, to: TicketStatus) -> None:
    ticket = Ticket(status=was)

    if (was, to) in ALLOWED:
        move(ticket, to, TRANSITIONS)
        assert ticket.status is to
    else:
        with pytest.raises(WrongState):
            move(ticket, to, TRANSITIONS)
        assert ticket.status is was


def test_each_type_has_its_own_reasons() -> None:
    reasons = {type: {reason for reason, rules in REASONS.items() if type in rules.types} for type in T}

    assert set(REASONS) == set(R)
    assert reasons == {
        T.REFUND_ONLY: set(R) - {R.FAULT_IN_USE, R.QUESTION},
        T.RETURN_REFUND: set(R) - {R.MISSING_ITEM, R.NOT_RECEIVED, R.FAULT_IN_USE, R.QUESTION},
        T.EXCHANGE: {R.NO_REASON, R.QUALITY_FAULT, R.WRONG_ITEM, R.DAMAGED, R.NOT_AS_DESCRIBED},
        T.RESHIP: {R.MISSING_ITEM, R.WRONG_ITEM, R.NOT_RECEIVED},
        T.REPAIR: {R.QUALITY_FAULT, R.DAMAGED, R.FAULT_IN_USE},
        T.QUESTION: {R.QUESTION},
    }


def test_every_reason_but_a_change_of_mind_is_a_fault_with_the_longer_window() -> None:
    assert {reason for reason, rules in REASONS.items() if not rules.fault} == {R.NO_REASON, R.QUESTION}
    assert {reason for reason, rules in REASONS.items() if rules.window is WindowKind.RETURN} == {R.NO_REASON}


@pytest.mark.parametrize("type", T)
@pytest.mark.parametrize("reason", R)
def test_goods_must_have_arrived_unless_they_were_lost_or_not_sent_yet(
    type: TicketType, reason: TicketReason
) -> None:
    special = {R.NOT_RECEIVED: ClaimStage.SENT}
    if type is T.REFUND_ONLY:
        special[R.NO_REASON] = ClaimStage.WAITING

    assert stage_of(type, reason) is special.get(reason, ClaimStage.ARRIVED)


# --- returns, refunds, replacements, decisions


async def test_a_return_goes_back_to_the_warehouse_it_came_from(shop: Shop, session: AsyncSession) -> None:
    variant = await variant_of(session, await create_product(session, stock={"MAIN": 2, "WEST": 2}))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 3)])
    [line] = await order_lines_of(session, order)
    before = await stock_by_warehouse(session)
    for quantity, damaged in ((2, False), (1, True)):
        ticket = await create_ticket(session, order=order, lines=[(line, quantity)], status=S.RETURN_SHIPPED)
        await accept_return(session, ticket.id, DEADLINES, damaged=damaged, cause=Cause(NOW, None))

    after = await stock_by_warehouse(session)
    back = await session.scalars(
        select(StockMovement.on_hand + StockMovement.damaged)
        .where(StockMovement.kind == MovementKind.RETURNED)
        .order_by(StockMovement.id)
    )
    await session.commit()
    assert sorted(before.values()) == [(0, 0, 0), (1, 0, 0)]
    assert sum(on_hand for on_hand, _, _ in after.values()) == 3
    assert sum(damaged for _, _, damaged in after.values()) == 1
    assert max(on_hand + damaged for on_hand, _, damaged in after.values()) == 2
    assert list(back) == [2, 1]


async def test_returned_units_without_a_stock_limit_are_not_restocked(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await variant_of(session, await create_product(session, tracked=False, stock={}))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 1)])
    ticket = await create_ticket(session, order=order, status=S.RETURN_SHIPPED)
    await accept_return(session, ticket.id, DEADLINES, damaged=False, cause=Cause(NOW, None))

    assert ticket.status is S.REFUNDING
    assert (await session.scalars(select(StockMovement))).all() == []
    await session.commit()


async def test_a_ticket_ends_when_every_part_of_its_refund_has_arrived(
    shop: Shop, session: AsyncSession
) -> None:
    order = await create_order(
        session,
        status=OrderStatus.COMPLETED,
        payments={PaymentMethod.SANDBOX: 5_000, PaymentMethod.CASH_ON_DELIVERY: None},
    )
    ticket = await create_ticket(session, order=order, type=T.REFUND_ONLY)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    first, second = await refunds_of(session, ticket)

    await settle_one(session, first)
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert await status_of(session, ticket) is S.REFUNDING
    await settle_one(session, second)
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))

    assert await status_of(session, ticket) is S.COMPLETED
    assert ticket.closed_at == NOW
    assert await ticket_events(session, ticket) == ["ticket.opened", "ticket.agreed", "ticket.completed"]
    await session.commit()


async def test_a_refund_that_fails_is_tried_again(shop: Shop, session: AsyncSession) -> None:
    ticket = await create_ticket(session, type=T.REFUND_ONLY)
    agent = await create_account(session, role=Role.SUPPORT)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, agent.id))
    [refund] = await refunds_of(session, ticket)
    await fail_refund(session, refund.id, reason="closed", retry_after=DAY, cause=Cause(NOW))
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert await status_of(session, ticket) is S.REFUND_FAILED

    await retry_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW, agent.id))
    assert await status_of(session, ticket) is S.REFUNDING
    await settle_refunds(session, ticket)
    await follow_refunds(session, ticket.id, DEADLINES, cause=Cause(NOW))

    assert await status_of(session, ticket) is S.COMPLETED
    assert len(await refunds_of(session, ticket)) == 1
    await session.commit()


async def test_an_exchange_sends_the_goods_again_to_where_they_went(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    ticket = await create_ticket(
        session, order=order, lines=[(line, 2)], type=T.EXCHANGE, status=S.RETURN_SHIPPED
    )
    await accept_return(session, ticket.id, DEADLINES, damaged=True, cause=Cause(NOW, None))

    first, again = (await session.scalars(select(Delivery).order_by(Delivery.position))).all()
    [sent] = await session.scalars(select(DeliveryLine).where(DeliveryLine.delivery_id == again.id))
    assert ticket.status is S.RESHIPPING
    assert (again.ticket_id, again.fee_amount, again.line1) == (ticket.id, 0, first.line1)
    assert (sent.order_line_id, sent.quantity, sent.reserved) == (line.id, 2, True)
    assert list((await stock_by_warehouse(session)).values()) == [(7, 2, 2)]
    await session.commit()


@pytest.mark.parametrize("unanswered", [False, True])
async def test_a_customer_chooses_when_the_replacement_is_sold_out(
    shop: Shop, session: AsyncSession, unanswered: bool
) -> None:
    variant = await variant_of(session, await create_product(session, stock={"MAIN": 1}))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 1)])
    ticket = await create_ticket(session, order=order, type=T.RESHIP, reason=R.MISSING_ITEM)

    if unanswered:
        await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + 2 * DAY))
    else:
        await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW + 2 * DAY, None))

    assert (ticket.status, ticket.due_at) == (S.AWAITING_CHOICE, NOW + 9 * DAY)
    assert await ticket_events(session, ticket) == [
        "ticket.opened",
        "ticket.agreed",
        "ticket.replacement_unavailable",
    ]
    assert await session.scalar(select(func.count(Delivery.id))) == 1
    await session.commit()


async def test_a_refused_return_can_be_escalated(shop: Shop, session: AsyncSession) -> None:
    order, _ = await order_of_three(session)
    manager = await create_account(session, role=Role.MANAGER)
    ticket = await create_ticket(session, order=order, status=S.RETURN_SHIPPED)
    await refuse_return(session, ticket.id, DEADLINES, reason="An old one.", cause=Cause(NOW, manager.id))
    assert (ticket.status, ticket.refusal) == (S.RETURN_REFUSED, "An old one.")
    await escalate_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW + 60 * DAY, order.account_id))
    assert await status_of(session, ticket) is S.ARBITRATION

    await decide(
        session, ticket.id, DEADLINES, agreed=True, reason="It is ours.", cause=Cause(NOW, manager.id)
    )

    assert await status_of(session, ticket) is S.REFUNDING
    assert ticket.refusal is None
    await session.commit()


@pytest.mark.parametrize(
    ("type", "reason", "to"),
    [
        (T.REFUND_ONLY, R.DAMAGED, S.REFUNDING),
        (T.RETURN_REFUND, R.DAMAGED, S.AWAITING_RETURN),
        (T.EXCHANGE, R.DAMAGED, S.AWAITING_RETURN),
        (T.RESHIP, R.MISSING_ITEM, S.RESHIPPING),
    ],
)
async def test_a_manager_who_agrees_leads_to_the_same_status_as_an_agent(
    shop: Shop, session: AsyncSession, type: TicketType, reason: TicketReason, to: TicketStatus
) -> None:
    manager = await create_account(session, role=Role.MANAGER)
    ticket = await create_ticket(session, type=type, reason=reason, status=S.REFUSED)
    await escalate_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, ticket.account_id))
    await decide(session, ticket.id, DEADLINES, agreed=True, reason="Fair.", cause=Cause(NOW, manager.id))

    assert ticket.status is to
    await session.commit()


async def test_a_managers_refusal_is_final(shop: Shop, session: AsyncSession) -> None:
    manager = await create_account(session, role=Role.MANAGER)
    ticket = await create_ticket(session, status=S.REFUSED)
    await escalate_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, ticket.account_id))
    await decide(session, ticket.id, DEADLINES, agreed=False, reason="No.", cause=Cause(NOW, manager.id))

    assert (ticket.status, ticket.refusal, ticket.closed_at) == (S.REJECTED, "No.", NOW)
    with pytest.raises(WrongState):
        await escalate_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, ticket.account_id))
    with pytest.raises(WrongState):
        await reapply_ticket(
            session,
            ticket.id,
            TicketRequestChange("Again."),
            DEADLINES,
            cause=Cause(NOW, ticket.account_id),
        )
    await session.commit()


async def test_a_refused_ticket_can_be_changed_and_asked_again_in_time(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    ticket = await create_ticket(session, order=order, lines=[(line, 1)], status=S.REFUSED)
    change = TicketRequestChange("All leak.", reason=R.DAMAGED, lines=(ClaimedUnits(line.id, 3),))
    await reapply_ticket(session, ticket.id, change, DEADLINES, cause=Cause(NOW + 30 * DAY, order.account_id))

    assert (ticket.status, ticket.reason, ticket.refusal) == (S.APPLIED, R.DAMAGED, None)
    assert ticket.description == "All leak."
    assert ticket.refund == order.subtotal
    assert ticket.due_at == NOW + 32 * DAY
    await session.commit()


async def test_a_ticket_is_not_escalated_for_units_another_ticket_claims(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    refused = await create_ticket(session, order=order, lines=[(line, 2)], status=S.REFUSED)
    await create_ticket(session, order=order, lines=[(line, 2)])
    await session.commit()

    async with shop.database.writes() as session:
        with pytest.raises(NotEligible) as refusal:
            await escalate_ticket(session, refused.id, DEADLINES, cause=Cause(NOW, order.account_id))
        await session.rollback()
        assert refusal.value.obstacle is X.ALREADY_ASKED
        assert (await session.get_one(Ticket, refused.id)).status is S.REFUSED


@pytest.mark.parametrize("status", [S.APPLIED, S.AWAITING_RETURN, S.RETURN_SHIPPED])
async def test_a_customer_can_cancel_a_ticket_until_it_is_settled(
    shop: Shop, session: AsyncSession, status: TicketStatus
) -> None:
    ticket = await create_ticket(session, status=status)
    await cancel_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, ticket.account_id))

    assert (ticket.status, ticket.due_at, ticket.closed_at) == (S.CANCELLED, None, NOW)
    await session.commit()


async def test_a_settled_ticket_cannot_be_cancelled(shop: Shop, session: AsyncSession) -> None:
    ticket = await create_ticket(session, type=T.REFUND_ONLY, status=S.REFUNDING)
    with pytest.raises(WrongState):
        await cancel_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, ticket.account_id))

    assert ticket.status is S.REFUNDING
    await session.commit()
