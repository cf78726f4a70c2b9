"""Tickets: who may ask for what, and what becomes of it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.answering import (
    accept_return,
    agree_ticket,
    assign_ticket,
    decide_ticket,
    refuse_return,
)
from domain.aftersales.conversation import add_message
from domain.aftersales.opening import (
    Change,
    cancel_ticket,
    escalate_ticket,
    reapply_ticket,
)
from domain.aftersales.quote import Quote, quote_claim
from domain.aftersales.rules import REASONS, NotEligible, TicketObstacle, Wanted
from domain.aftersales.settling import follow_refunds, retry_refunds
from domain.aftersales.states import ACCEPTED, AGREED, FINAL, TRANSITIONS
from domain.aftersales.unattended import act_overdue
from domain.errors import DomainError, ErrorCode, NotFound, OutOfStock, WrongState
from domain.idempotency import KeyReused
from domain.order import lock_order
from domain.payment import fail_refund, request_refund, settle_refund
from domain.state import move
from events.shop import Shop
from models import (
    CurrencyCode,
    Delivery,
    DeliveryLine,
    Event,
    MovementKind,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentMethod,
    Refund,
    Role,
    StockLevel,
    StockMovement,
    Subject,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.account import create_account
from tests.factories.aftersales import (
    DEADLINES,
    claim,
    create_media,
    create_ticket,
    lines_of,
    refunds_of,
    settle_refunds,
)
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import NOW, arrive, create_order, dispatch

DAY = timedelta(days=1)
LITTLE = {CurrencyCode.CNY: 1_000}
"""A price below which shipping costs something."""
S, T, R, X = TicketStatus, TicketType, TicketReason, TicketObstacle

DRAWN = {
    (S.APPLIED, S.REFUNDING),
    (S.APPLIED, S.AWAITING_RETURN),
    (S.APPLIED, S.RESHIPPING),
    (S.APPLIED, S.REFUSED),
    (S.APPLIED, S.CANCELLED),
    (S.AWAITING_RETURN, S.RETURN_SHIPPED),
    (S.AWAITING_RETURN, S.CANCELLED),
    (S.RETURN_SHIPPED, S.REFUNDING),
    (S.RETURN_SHIPPED, S.RESHIPPING),
    (S.RETURN_SHIPPED, S.RETURN_REFUSED),
    (S.RETURN_SHIPPED, S.CANCELLED),
    (S.RETURN_REFUSED, S.ARBITRATION),
    (S.RESHIPPING, S.COMPLETED),
    (S.REFUNDING, S.COMPLETED),
    (S.REFUNDING, S.REFUND_FAILED),
    (S.REFUND_FAILED, S.REFUNDING),
    (S.REFUSED, S.APPLIED),
    (S.REFUSED, S.ARBITRATION),
    (S.ARBITRATION, S.REFUNDING),
    (S.ARBITRATION, S.AWAITING_RETURN),
    (S.ARBITRATION, S.RESHIPPING),
    (S.ARBITRATION, S.REJECTED),
}


@pytest.mark.parametrize("was", S)
@pytest.mark.parametrize("to", S)
def test_a_ticket_moves_only_where_an_arrow_is_drawn(was: TicketStatus, to: TicketStatus) -> None:
    ticket = Ticket(status=was)

    if (was, to) in DRAWN:
        move(ticket, to, TRANSITIONS)
        assert ticket.status is to
    else:
        with pytest.raises(WrongState):
            move(ticket, to, TRANSITIONS)
        assert ticket.status is was


def test_each_type_has_its_own_reasons() -> None:
    assert set(REASONS) == set(T)
    assert REASONS[T.REFUND_ONLY] == set(R)
    assert REASONS[T.RETURN_REFUND] == set(R) - {R.MISSING_ITEM, R.NOT_RECEIVED}
    assert REASONS[T.EXCHANGE] == {R.QUALITY_FAULT, R.WRONG_ITEM, R.DAMAGED, R.NOT_AS_DESCRIBED}
    assert REASONS[T.RESHIP] == {R.MISSING_ITEM, R.WRONG_ITEM, R.NOT_RECEIVED}


async def quoted(
    session: AsyncSession,
    order: Order,
    lines: Sequence[tuple[OrderLine, int]],
    *,
    type: TicketType = T.RETURN_REFUND,
    reason: TicketReason = R.QUALITY_FAULT,
    after: timedelta = timedelta(0),
) -> Quote:
    wanted = claim(lines, type=type, reason=reason)
    return await quote_claim(session, order, wanted, DEADLINES, asked_at=NOW + after)


async def status_of(session: AsyncSession, ticket: Ticket) -> TicketStatus:
    await session.flush()
    await session.refresh(ticket)
    return ticket.status


async def events_of(session: AsyncSession, ticket: Ticket) -> list[str]:
    rows = await session.scalars(
        select(Event.name)
        .where(Event.subject == Subject.TICKET, Event.subject_id == ticket.id)
        .order_by(Event.version)
    )
    return list(rows)


async def levels(session: AsyncSession) -> dict[int, tuple[int, int, int]]:
    """On hand, reserved and damaged by warehouse, of the one variant there is."""
    rows = await session.scalars(select(StockLevel).execution_options(populate_existing=True))
    return {row.warehouse_id: (row.on_hand, row.reserved, row.damaged) for row in rows}


async def settle_one(session: AsyncSession, refund: Refund) -> None:
    await settle_refund(session, refund.id, provider_reference="R", now=NOW)


async def tickets(session: AsyncSession) -> int:
    return await session.scalar(select(func.count(Ticket.id))) or 0


async def big_order(
    session: AsyncSession, *, quantity: int = 3, status: OrderStatus = OrderStatus.COMPLETED
) -> tuple[Order, OrderLine]:
    variant = await variant_of(session, await create_product(session, title="Teapot"))
    order = await create_order(session, status=status, lines=[(variant, quantity)])
    return order, (await lines_of(session, order))[0]


# --- who may ask for what


async def test_a_return_without_a_reason_is_possible_for_seven_days_after_receipt(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)

        last = await quoted(session, order, [(line, 1)], reason=R.NO_REASON, after=7 * DAY)
        late = await quoted(
            session, order, [(line, 1)], reason=R.NO_REASON, after=7 * DAY + timedelta(seconds=1)
        )

    assert last.eligible
    assert last.deadline == NOW + 7 * DAY
    assert late.obstacle is not None
    assert late.obstacle.obstacle is X.WINDOW_CLOSED
    assert late.refund.minor == 0


async def test_a_fault_can_be_reported_for_fifteen_days_after_receipt(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)

        last = await quoted(session, order, [(line, 1)], after=15 * DAY)
        late = await quoted(session, order, [(line, 1)], after=15 * DAY + timedelta(seconds=1))

    assert last.eligible
    assert late.obstacle is not None
    assert late.obstacle.obstacle is X.WINDOW_CLOSED


async def test_only_what_has_arrived_can_be_returned(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session, status=OrderStatus.CONFIRMED)
        shipments = await dispatch(session, order)

        under_way = await quoted(session, order, [(line, 1)])
        await arrive(session, shipments[0])
        arrived = await quoted(session, order, [(line, 3)])

    assert under_way.obstacle is not None
    assert under_way.obstacle.obstacle is X.NOT_DELIVERED
    assert str(under_way.obstacle) == "Teapot has not arrived yet."
    assert arrived.eligible


async def test_what_never_came_is_refunded_once_it_was_sent(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session, status=OrderStatus.CONFIRMED)
        lost = claim([(line, 3)], type=T.REFUND_ONLY, reason=R.NOT_RECEIVED)

        waiting = await quote_claim(session, order, lost, DEADLINES, asked_at=NOW)
        await dispatch(session, order)
        sent = await quote_claim(session, order, lost, DEADLINES, asked_at=NOW)

    assert waiting.obstacle is not None
    assert waiting.obstacle.obstacle is X.NOT_SHIPPED
    assert sent.eligible


async def test_no_more_can_be_asked_for_than_was_bought(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)
        await create_ticket(session, order=order, lines=[(line, 2)])

        rest = await quoted(session, order, [(line, 1)], type=T.EXCHANGE)
        more = await quoted(session, order, [(line, 2)], type=T.EXCHANGE)

    assert rest.eligible
    assert rest.lines[0].left == 1
    assert more.obstacle is not None
    assert more.obstacle.obstacle is X.ALREADY_ASKED
    assert str(more.obstacle) == "Only 1 of Teapot can still be asked for."
    assert more.obstacle.field == ("lines", 0, "quantity")


async def test_a_refused_ticket_leaves_its_goods_free(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)
        await create_ticket(session, order=order, lines=[(line, 3)], status=S.REFUSED)

        assert (await quoted(session, order, [(line, 3)])).eligible


@pytest.mark.parametrize("quantity", [0, -1])
async def test_a_quantity_is_at_least_one(shop: Shop, quantity: int) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)

        with pytest.raises(DomainError) as refusal:
            await quoted(session, order, [(line, quantity)])

    assert (refusal.value.code, refusal.value.field) == (ErrorCode.INVALID, ("lines", 0, "quantity"))


async def test_a_line_of_another_order_does_not_exist(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, _ = await big_order(session)
        _, foreign = await big_order(session)

        with pytest.raises(NotFound) as refusal:
            await quoted(session, order, [(foreign, 1)])

    assert refusal.value.field == ("lines", 0, "line_id")


async def test_an_order_not_paid_yet_has_nothing_to_refund(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session, status=OrderStatus.PENDING)

        quote = await quoted(session, order, [(line, 1)], type=T.REFUND_ONLY, reason=R.NO_REASON)

    assert quote.obstacle is not None
    assert quote.obstacle.obstacle is X.NOT_PAID


async def test_a_cancelled_order_has_nothing_to_ask_for(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session, status=OrderStatus.CANCELLED)

        quote = await quoted(session, order, [(line, 1)])

    assert quote.obstacle is not None
    assert quote.obstacle.obstacle is X.ORDER_OVER


async def test_a_refused_request_opens_no_ticket(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)
        with pytest.raises(NotEligible):
            await create_ticket(session, order=order, lines=[(line, 4)])

        assert await tickets(session) == 0


# --- before it is sent


async def test_part_of_a_paid_order_can_be_given_up_before_it_is_packed(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session, status=OrderStatus.CONFIRMED)
        ticket = await create_ticket(
            session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY, reason=R.NO_REASON
        )
        assert (await quoted(session, order, [(line, 2)], type=T.REFUND_ONLY, reason=R.NO_REASON)).obstacle

        await agree_ticket(session, ticket.id, DEADLINES, now=NOW, by=None)

        [waiting] = (await session.scalars(select(DeliveryLine))).all()
        [level] = (await session.scalars(select(StockLevel).execution_options(populate_existing=True))).all()
        assert (waiting.quantity, waiting.packed) == (2, 0)
        assert (level.on_hand, level.reserved) == (10, 2)
        assert ticket.status is S.REFUNDING
        assert ticket.refund.minor == 9_900


async def test_an_order_of_which_nothing_is_left_is_cancelled_instead(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session, status=OrderStatus.CONFIRMED)

        quote = await quoted(session, order, [(line, 3)], type=T.REFUND_ONLY, reason=R.NO_REASON)

    assert quote.obstacle is not None
    assert quote.obstacle.obstacle is X.CANCEL_INSTEAD


async def test_what_was_packed_before_the_answer_is_not_given_up(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session, status=OrderStatus.CONFIRMED)
        ticket = await create_ticket(
            session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY, reason=R.NO_REASON
        )
        await dispatch(session, order)

    async with shop.database.writes() as session:
        with pytest.raises(WrongState):
            await agree_ticket(session, ticket.id, DEADLINES, now=NOW, by=None)
        await session.rollback()
    async with shop.database.writes.begin() as session:
        await act_overdue(session, ticket.id, DEADLINES, now=NOW + 2 * DAY)

        found = await session.get_one(Ticket, ticket.id, populate_existing=True)
        assert found.status is S.REFUSED
        assert found.refusal == "Some of it has been packed or sent meanwhile; return it when it has arrived."
        assert await session.scalar(select(func.count(Refund.id))) == 0


# --- what goes back


async def test_the_refund_goes_back_over_the_roads_it_came(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session))
        order = await create_order(
            session,
            status=OrderStatus.COMPLETED,
            lines=[(variant, 3)],
            payments={PaymentMethod.SANDBOX: 9_900, PaymentMethod.CASH_ON_DELIVERY: None},
        )
        [line] = await lines_of(session, order)
        quote = await quoted(session, order, [(line, 1)])
        ticket = await create_ticket(session, order=order, lines=[(line, 1)], status=S.RETURN_SHIPPED)
        await accept_return(session, ticket.id, DEADLINES, damaged=False, now=NOW, by=None)

        assert [(leg.payment.method, leg.refund.minor) for leg in quote.legs] == [
            (PaymentMethod.SANDBOX, 3_300),
            (PaymentMethod.CASH_ON_DELIVERY, 6_600),
        ]
        assert [refund.amount for refund in await refunds_of(session, ticket)] == [3_300, 6_600]


async def test_the_shipping_fee_goes_back_with_the_last_of_a_whole_faulty_order(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, prices=LITTLE))
        order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 2)])
        [line] = await lines_of(session, order)
        assert order.shipping_amount > 0
        unwanted = await quoted(session, order, [(line, 2)], reason=R.NO_REASON)
        whole = await quoted(session, order, [(line, 2)])
        first = await create_ticket(session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY)
        await agree_ticket(session, first.id, DEADLINES, now=NOW, by=None)
        rest = await quoted(session, order, [(line, 1)])

    assert unwanted.shipping.minor == 0
    assert whole.shipping == order.shipping
    assert whole.refund == order.total
    assert first.refund.minor == 1_000
    assert rest.refund.minor == order.total.minor - 1_000


async def test_two_halves_of_a_faulty_order_bring_the_fee_back_too(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, prices=LITTLE))
        order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 2)])
        [line] = await lines_of(session, order)
        halves = [
            await create_ticket(session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY) for _ in "ab"
        ]
        for half in halves:
            await agree_ticket(session, half.id, DEADLINES, now=NOW, by=None)

    assert [half.refund.minor for half in halves] == [1_000, 1_000 + order.shipping_amount]


async def test_no_more_is_refunded_than_is_left_of_what_was_paid(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)
        ticket = await create_ticket(session, order=order, lines=[(line, 3)], type=T.REFUND_ONLY)
        await lock_order(session, order.id)
        await request_refund(session, order, order.money(20_000), reason="goodwill", now=NOW)
        await agree_ticket(session, ticket.id, DEADLINES, now=NOW, by=None)

        payment = (await session.scalars(select(Payment))).one()
        assert ticket.refund.minor == order.total_amount - 20_000
        assert payment.refunded_amount == payment.captured_amount


# --- what becomes of it


async def test_a_return_goes_back_to_the_warehouse_it_came_from(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, stock={"MAIN": 2, "WEST": 2}))
        order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 3)])
        [line] = await lines_of(session, order)
        before = await levels(session)
        for quantity, damaged in ((2, False), (1, True)):
            ticket = await create_ticket(
                session, order=order, lines=[(line, quantity)], status=S.RETURN_SHIPPED
            )
            await accept_return(session, ticket.id, DEADLINES, damaged=damaged, now=NOW, by=None)

        after = await levels(session)
        back = await session.scalars(
            select(StockMovement.on_hand + StockMovement.damaged)
            .where(StockMovement.kind == MovementKind.RETURNED)
            .order_by(StockMovement.id)
        )
    assert sorted(before.values()) == [(0, 0, 0), (1, 0, 0)]
    assert sum(on_hand for on_hand, _, _ in after.values()) == 3
    assert sum(damaged for _, _, damaged in after.values()) == 1
    assert max(on_hand + damaged for on_hand, _, damaged in after.values()) == 2
    assert list(back) == [2, 1]


async def test_what_is_sold_without_a_limit_does_not_come_into_the_stock(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, tracked=False, stock={}))
        order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 1)])
        ticket = await create_ticket(session, order=order, status=S.RETURN_SHIPPED)
        await accept_return(session, ticket.id, DEADLINES, damaged=False, now=NOW, by=None)

        assert ticket.status is S.REFUNDING
        assert (await session.scalars(select(StockMovement))).all() == []


async def test_a_ticket_ends_when_every_part_of_its_refund_has_arrived(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order = await create_order(
            session,
            status=OrderStatus.COMPLETED,
            payments={PaymentMethod.SANDBOX: 5_000, PaymentMethod.CASH_ON_DELIVERY: None},
        )
        ticket = await create_ticket(session, order=order, type=T.REFUND_ONLY)
        await agree_ticket(session, ticket.id, DEADLINES, now=NOW, by=None)
        first, second = await refunds_of(session, ticket)

        await settle_one(session, first)
        await follow_refunds(session, ticket.id, now=NOW)
        assert await status_of(session, ticket) is S.REFUNDING
        await settle_one(session, second)
        await follow_refunds(session, ticket.id, now=NOW)
        await follow_refunds(session, ticket.id, now=NOW)

        assert await status_of(session, ticket) is S.COMPLETED
        assert ticket.closed_at == NOW
        assert await events_of(session, ticket) == ["ticket.opened", "ticket.agreed", "ticket.completed"]


async def test_a_refund_that_fails_is_tried_again(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        ticket = await create_ticket(session, type=T.REFUND_ONLY)
        agent = await create_account(session, role=Role.SUPPORT)
        await agree_ticket(session, ticket.id, DEADLINES, now=NOW, by=agent.id)
        [refund] = await refunds_of(session, ticket)
        await fail_refund(session, refund.id, reason="closed", retry_after=DAY, now=NOW)
        await follow_refunds(session, ticket.id, now=NOW)
        assert await status_of(session, ticket) is S.REFUND_FAILED

        await retry_refunds(session, ticket.id, now=NOW, by=agent.id)
        assert await status_of(session, ticket) is S.REFUNDING
        await settle_refunds(session, ticket)
        await follow_refunds(session, ticket.id, now=NOW)

        assert await status_of(session, ticket) is S.COMPLETED
        assert len(await refunds_of(session, ticket)) == 1


async def test_an_exchange_sends_the_goods_again_to_where_they_went(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)
        ticket = await create_ticket(
            session, order=order, lines=[(line, 2)], type=T.EXCHANGE, status=S.RETURN_SHIPPED
        )
        await accept_return(session, ticket.id, DEADLINES, damaged=True, now=NOW, by=None)

        first, again = (await session.scalars(select(Delivery).order_by(Delivery.position))).all()
        [sent] = await session.scalars(select(DeliveryLine).where(DeliveryLine.delivery_id == again.id))
        assert ticket.status is S.RESHIPPING
        assert (again.ticket_id, again.fee_amount, again.line1) == (ticket.id, 0, first.line1)
        assert (sent.order_line_id, sent.quantity, sent.reserved) == (line.id, 2, True)
        assert list((await levels(session)).values()) == [(7, 2, 2)]


async def test_a_replacement_that_is_sold_out_is_not_promised(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        variant = await variant_of(session, await create_product(session, stock={"MAIN": 1}))
        order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 1)])
        ticket = await create_ticket(session, order=order, type=T.RESHIP, reason=R.MISSING_ITEM)

    async with shop.database.writes() as session:
        with pytest.raises(OutOfStock):
            await agree_ticket(session, ticket.id, DEADLINES, now=NOW, by=None)
        await session.rollback()
    async with shop.database.writes.begin() as session:
        await act_overdue(session, ticket.id, DEADLINES, now=NOW + 2 * DAY)

        found = await session.get_one(Ticket, ticket.id, populate_existing=True)
        assert (found.status, found.due_at) == (S.APPLIED, NOW + 4 * DAY)
        assert await events_of(session, found) == ["ticket.opened", "ticket.postponed"]
        assert await session.scalar(select(func.count(Delivery.id))) == 1


async def test_goods_that_are_not_accepted_may_be_argued_about(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, _ = await big_order(session)
        boss = await create_account(session, role=Role.MANAGER)
        ticket = await create_ticket(session, order=order, status=S.RETURN_SHIPPED)
        await refuse_return(session, ticket.id, DEADLINES, reason="An old one.", now=NOW, by=boss.id)
        assert (ticket.status, ticket.refusal) == (S.RETURN_REFUSED, "An old one.")
        await escalate_ticket(session, ticket.id, DEADLINES, now=NOW + 60 * DAY, by=order.account_id)
        assert await status_of(session, ticket) is S.ARBITRATION

        await decide_ticket(
            session, ticket.id, DEADLINES, agreed=True, reason="It is ours.", now=NOW, by=boss.id
        )

        assert await status_of(session, ticket) is S.REFUNDING
        assert ticket.refusal is None


@pytest.mark.parametrize(
    ("type", "reason", "to"),
    [
        (T.REFUND_ONLY, R.DAMAGED, S.REFUNDING),
        (T.RETURN_REFUND, R.DAMAGED, S.AWAITING_RETURN),
        (T.EXCHANGE, R.DAMAGED, S.AWAITING_RETURN),
        (T.RESHIP, R.MISSING_ITEM, S.RESHIPPING),
    ],
)
async def test_a_managers_yes_is_followed_by_what_an_agents_would_have_been(
    shop: Shop, type: TicketType, reason: TicketReason, to: TicketStatus
) -> None:
    async with shop.database.writes.begin() as session:
        boss = await create_account(session, role=Role.MANAGER)
        ticket = await create_ticket(session, type=type, reason=reason, status=S.REFUSED)
        await escalate_ticket(session, ticket.id, DEADLINES, now=NOW, by=ticket.account_id)
        await decide_ticket(session, ticket.id, DEADLINES, agreed=True, reason="Fair.", now=NOW, by=boss.id)

        assert ticket.status is to


async def test_a_managers_no_is_the_last_word(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        boss = await create_account(session, role=Role.MANAGER)
        ticket = await create_ticket(session, status=S.REFUSED)
        await escalate_ticket(session, ticket.id, DEADLINES, now=NOW, by=ticket.account_id)
        await decide_ticket(session, ticket.id, DEADLINES, agreed=False, reason="No.", now=NOW, by=boss.id)

        assert (ticket.status, ticket.refusal, ticket.closed_at) == (S.REJECTED, "No.", NOW)
        with pytest.raises(WrongState):
            await escalate_ticket(session, ticket.id, DEADLINES, now=NOW, by=ticket.account_id)
        with pytest.raises(WrongState):
            await reapply_ticket(
                session, ticket.id, Change("Again."), DEADLINES, now=NOW, by=ticket.account_id
            )


async def test_a_refused_ticket_can_be_changed_and_asked_again_in_time(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)
        ticket = await create_ticket(session, order=order, lines=[(line, 1)], status=S.REFUSED)
        change = Change("All leak.", reason=R.DAMAGED, lines=(Wanted(line.id, 3),))
        await reapply_ticket(session, ticket.id, change, DEADLINES, now=NOW + 30 * DAY, by=order.account_id)

        assert (ticket.status, ticket.reason, ticket.refusal) == (S.APPLIED, R.DAMAGED, None)
        assert ticket.description == "All leak."
        assert ticket.refund == order.goods
        assert ticket.due_at == NOW + 32 * DAY


async def test_nobody_escalates_for_goods_another_ticket_has_taken(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)
        refused = await create_ticket(session, order=order, lines=[(line, 2)], status=S.REFUSED)
        await create_ticket(session, order=order, lines=[(line, 2)])

    async with shop.database.writes() as session:
        with pytest.raises(NotEligible) as refusal:
            await escalate_ticket(session, refused.id, DEADLINES, now=NOW, by=order.account_id)
        await session.rollback()
        assert refusal.value.obstacle is X.ALREADY_ASKED
        assert (await session.get_one(Ticket, refused.id)).status is S.REFUSED


@pytest.mark.parametrize("status", [S.APPLIED, S.AWAITING_RETURN, S.RETURN_SHIPPED])
async def test_a_customer_can_give_up_until_the_shop_has_settled(shop: Shop, status: TicketStatus) -> None:
    async with shop.database.writes.begin() as session:
        ticket = await create_ticket(session, status=status)
        await cancel_ticket(session, ticket.id, DEADLINES, now=NOW, by=ticket.account_id)

        assert (ticket.status, ticket.due_at, ticket.closed_at) == (S.CANCELLED, None, NOW)


async def test_a_ticket_on_its_way_to_an_end_cannot_be_given_up(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        ticket = await create_ticket(session, type=T.REFUND_ONLY, status=S.REFUNDING)
        with pytest.raises(WrongState):
            await cancel_ticket(session, ticket.id, DEADLINES, now=NOW, by=ticket.account_id)

        assert ticket.status is S.REFUNDING


# --- when nobody acts


@pytest.mark.parametrize("type", T)
async def test_an_unanswered_ticket_is_agreed_after_two_days(shop: Shop, type: TicketType) -> None:
    async with shop.database.writes.begin() as session:
        ticket = await create_ticket(session, type=type, reason=R.WRONG_ITEM)
        assert ticket.due_at == NOW + 2 * DAY
        await act_overdue(session, ticket.id, DEADLINES, now=NOW + 2 * DAY - timedelta(seconds=1))
        assert ticket.status is S.APPLIED
        await act_overdue(session, ticket.id, DEADLINES, now=NOW + 2 * DAY)

        assert ticket.status is AGREED[type]


async def test_a_ticket_is_closed_when_the_goods_are_not_sent_in_seven_days(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        ticket = await create_ticket(session, status=S.AWAITING_RETURN)
        assert ticket.due_at == NOW + 7 * DAY
        await act_overdue(session, ticket.id, DEADLINES, now=NOW + 7 * DAY)

        assert ticket.status is S.CANCELLED


@pytest.mark.parametrize("type", ACCEPTED)
async def test_goods_nobody_looks_at_are_accepted_after_ten_days(shop: Shop, type: TicketType) -> None:
    async with shop.database.writes.begin() as session:
        ticket = await create_ticket(session, type=type, status=S.RETURN_SHIPPED)
        assert ticket.due_at == NOW + 10 * DAY
        await act_overdue(session, ticket.id, DEADLINES, now=NOW + 10 * DAY)

        assert ticket.status is ACCEPTED[type]
        kinds = await session.scalars(select(StockMovement.kind))
        assert MovementKind.RETURNED not in set(kinds)


async def test_nobody_waits_for_a_ticket_that_has_ended() -> None:
    assert {S.REJECTED, S.COMPLETED, S.CANCELLED} == FINAL
    assert all(DEADLINES.due_at(status, NOW) is None for status in FINAL)


# --- said once, counted once


async def test_the_same_request_sent_twice_opens_one_ticket(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)
        first = await create_ticket(session, order=order, lines=[(line, 1)], key="same")
        second = await create_ticket(session, order=order, lines=[(line, 1)], key="same")

        assert second.id == first.id
        assert await tickets(session) == 1
        with pytest.raises(KeyReused):
            await create_ticket(session, order=order, lines=[(line, 2)], key="same")


async def test_a_customer_attaches_only_pictures_of_their_own(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, _ = await big_order(session)
        stranger = await create_account(session)
        own = await create_media(session, uploader_id=order.account_id)
        foreign = await create_media(session, uploader_id=stranger.id)

        with pytest.raises(NotFound) as refusal:
            await create_ticket(session, order=order, media_ids=[own.id, foreign.id])
        assert refusal.value.field == ("media_ids", 1)


async def test_an_internal_note_is_no_news(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        agent = await create_account(session, role=Role.SUPPORT)
        ticket = await create_ticket(session)
        for internal in (True, False):
            await add_message(session, ticket.id, body="Hm.", internal=internal, now=NOW, by=agent.id)

        assert ticket.version == 2
        assert await events_of(session, ticket) == ["ticket.opened", "ticket.message"]


async def test_only_support_staff_is_given_tickets(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        agent = await create_account(session, role=Role.SUPPORT)
        clerk = await create_account(session, role=Role.WAREHOUSE)
        ticket = await create_ticket(session)
        await assign_ticket(session, ticket.id, agent.id, now=NOW, by=agent.id)
        with pytest.raises(DomainError) as refusal:
            await assign_ticket(session, ticket.id, clerk.id, now=NOW, by=agent.id)

        assert refusal.value.field == ("assignee_id",)
        assert ticket.assignee_id == agent.id


async def test_two_agents_who_agree_at_once_refund_once(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        ticket = await create_ticket(session, type=T.REFUND_ONLY)

    async def agree() -> ErrorCode | None:
        try:
            async with shop.database.writes.begin() as session:
                await agree_ticket(session, ticket.id, DEADLINES, now=NOW, by=None)
        except DomainError as refusal:
            return refusal.code
        return None

    answers = await asyncio.gather(*(agree() for _ in range(4)))

    async with shop.database.reads() as session:
        assert sorted(answers, key=str) == [None, *[ErrorCode.WRONG_STATE] * 3]
        assert await session.scalar(select(func.count(Refund.id))) == 1
        assert (await session.get_one(Ticket, ticket.id)).version == 2


async def test_two_requests_at_once_share_what_was_bought(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        order, line = await big_order(session)

    async def ask(key: str) -> bool:
        try:
            async with shop.database.writes.begin() as session:
                await create_ticket(session, order=order, lines=[(line, 2)], key=key)
        except NotEligible:
            return False
        return True

    granted = await asyncio.gather(*(ask(key) for key in "abcd"))

    async with shop.database.reads() as session:
        assert sum(granted) == 1
        assert await tickets(session) == 1
