"""Claims: who may ask for what, and what is refunded."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import (
    agree_ticket,
)
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.quote import quote_claim
from domain.aftersales.rules import NotEligible, TicketObstacle
from domain.cause import Cause
from domain.errors import DomainError, ErrorCode, NotFound, WrongState
from domain.order import lock_order
from domain.payment import request_refund
from events.shop import Shop
from models import (
    CurrencyCode,
    DeliveryLine,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentMethod,
    Refund,
    ShipmentLine,
    StockLevel,
    Ticket,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.aftersales import (
    DEADLINES,
    count_tickets,
    create_ticket,
    order_lines_of,
    order_of_three,
    quote_lines,
    refunds_of,
    ticket_claim,
)
from tests.factories.catalog import create_product, variant_of
from tests.factories.order import NOW, arrive, create_order, dispatch
from tests.factories.returns import accept_return
from tests.factories.shipment import pack

DAY = timedelta(days=1)
LAST_OF_SEVEN = datetime(2026, 3, 8, 16, tzinfo=UTC) - timedelta(microseconds=1) - NOW
"""Until the end of the seventh day in Shanghai after the one of the arrival."""
S, T, R, X = TicketStatus, TicketType, TicketReason, TicketObstacle
LOW_PRICE = {CurrencyCode.CNY: 1_000}
"""A price below which shipping costs something."""

# --- who may ask for what


async def test_a_return_without_a_reason_is_possible_for_seven_days_after_receipt(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)

    last = await quote_lines(session, order, [(line, 1)], reason=R.NO_REASON, after=LAST_OF_SEVEN)
    late = await quote_lines(
        session, order, [(line, 1)], reason=R.NO_REASON, after=LAST_OF_SEVEN + timedelta(microseconds=1)
    )
    await session.commit()

    assert last.eligible
    assert last.deadline == NOW + LAST_OF_SEVEN
    assert late.obstacle is not None
    assert late.obstacle.obstacle is X.WINDOW_CLOSED
    assert late.refund.minor == 0


async def test_a_fault_can_be_reported_for_fifteen_days_after_receipt(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)

    last = await quote_lines(session, order, [(line, 1)], after=LAST_OF_SEVEN + 8 * DAY)
    late = await quote_lines(session, order, [(line, 1)], after=LAST_OF_SEVEN + 9 * DAY)
    await session.commit()

    assert last.eligible
    assert late.obstacle is not None
    assert late.obstacle.obstacle is X.WINDOW_CLOSED


async def test_only_what_has_arrived_can_be_returned(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CONFIRMED)
    shipments = await dispatch(session, order)

    under_way = await quote_lines(session, order, [(line, 1)])
    await arrive(session, shipments[0])
    arrived = await quote_lines(session, order, [(line, 3)])
    await session.commit()

    assert under_way.obstacle is not None
    assert under_way.obstacle.obstacle is X.NOT_DELIVERED
    assert str(under_way.obstacle) == "Teapot has not arrived yet."
    assert arrived.eligible


async def test_goods_that_never_arrived_are_refunded_once_they_were_sent(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CONFIRMED)
    lost = ticket_claim([(line, 3)], type=T.REFUND_ONLY, reason=R.NOT_RECEIVED)

    before = await quote_claim(session, order, lost, DEADLINES, asked_at=NOW)
    await dispatch(session, order)
    sent = await quote_claim(session, order, lost, DEADLINES, asked_at=NOW + 8 * DAY)
    await session.commit()

    assert before.obstacle is not None
    assert before.obstacle.obstacle is X.NOT_SHIPPED
    assert sent.eligible


async def test_no_more_units_can_be_claimed_than_were_bought(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    await create_ticket(session, order=order, lines=[(line, 2)])

    rest = await quote_lines(session, order, [(line, 1)], type=T.EXCHANGE)
    more = await quote_lines(session, order, [(line, 2)], type=T.EXCHANGE)
    await session.commit()

    assert rest.eligible
    assert rest.lines[0].left == 1
    assert more.obstacle is not None
    assert more.obstacle.obstacle is X.ALREADY_ASKED
    assert str(more.obstacle) == "Only 1 of Teapot can still be asked for."
    assert more.obstacle.field == ("lines", 0, "quantity")


async def test_the_units_of_a_refused_ticket_can_be_claimed_again(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    await create_ticket(session, order=order, lines=[(line, 3)], status=S.REFUSED)

    assert (await quote_lines(session, order, [(line, 3)])).eligible
    await session.commit()


@pytest.mark.parametrize("quantity", [0, -1])
async def test_a_quantity_is_at_least_one(shop: Shop, session: AsyncSession, quantity: int) -> None:
    order, line = await order_of_three(session)

    with pytest.raises(DomainError) as refusal:
        await quote_lines(session, order, [(line, quantity)])
    await session.commit()

    assert (refusal.value.code, refusal.value.field) == (ErrorCode.INVALID, ("lines", 0, "quantity"))


async def test_a_line_of_another_order_does_not_exist(shop: Shop, session: AsyncSession) -> None:
    order, _ = await order_of_three(session)
    _, foreign = await order_of_three(session)

    with pytest.raises(NotFound) as refusal:
        await quote_lines(session, order, [(foreign, 1)])
    await session.commit()

    assert refusal.value.field == ("lines", 0, "order_line_id")


async def test_an_order_not_paid_yet_has_nothing_to_refund(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session, status=OrderStatus.PENDING)

    quote = await quote_lines(session, order, [(line, 1)], type=T.REFUND_ONLY, reason=R.NO_REASON)
    await session.commit()

    assert quote.obstacle is not None
    assert quote.obstacle.obstacle is X.NOT_PAID


async def test_nothing_can_be_claimed_of_a_cancelled_order(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CANCELLED)

    quote = await quote_lines(session, order, [(line, 1)])
    await session.commit()

    assert quote.obstacle is not None
    assert quote.obstacle.obstacle is X.ORDER_OVER


async def test_a_refused_request_opens_no_ticket(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    with pytest.raises(NotEligible):
        await create_ticket(session, order=order, lines=[(line, 4)])

    assert await count_tickets(session) == 0
    await session.commit()


# --- before it is sent


async def test_part_of_a_paid_order_can_be_withdrawn_before_it_is_packed(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CONFIRMED)
    ticket = await create_ticket(
        session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY, reason=R.NO_REASON
    )
    assert (await quote_lines(session, order, [(line, 2)], type=T.REFUND_ONLY, reason=R.NO_REASON)).obstacle

    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))

    [delivery_line] = (await session.scalars(select(DeliveryLine))).all()
    [level] = (await session.scalars(select(StockLevel).execution_options(populate_existing=True))).all()
    assert (delivery_line.quantity, delivery_line.packed) == (2, 0)
    assert (level.on_hand, level.reserved) == (10, 2)
    assert ticket.status is S.REFUNDING
    assert ticket.refund.minor == 9_900
    await session.commit()


async def test_an_order_of_which_nothing_is_left_is_cancelled_instead(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CONFIRMED)

    quote = await quote_lines(session, order, [(line, 3)], type=T.REFUND_ONLY, reason=R.NO_REASON)
    await session.commit()

    assert quote.obstacle is not None
    assert quote.obstacle.obstacle is X.CANCEL_INSTEAD


async def test_units_that_are_to_be_withdrawn_are_packed_only_when_their_ticket_is_answered(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CONFIRMED)
    ticket = await create_ticket(
        session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY, reason=R.NO_REASON
    )
    await session.commit()

    with pytest.raises(WrongState, match="answer the ticket first"):
        await pack(session, order)
    await session.rollback()
    order = await lock_order(session, order.id)
    await pack(session, order, 2)
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    await session.commit()

    [parcel] = await session.scalars(select(ShipmentLine.quantity))
    [cancelled] = await session.scalars(select(OrderLine.cancelled))
    assert (parcel, cancelled) == (2, 1)


async def test_units_packed_before_the_answer_are_not_withdrawn(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session, status=OrderStatus.CONFIRMED)
    ticket = await create_ticket(
        session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY, reason=R.NO_REASON
    )
    # Earlier releases packed what was to be withdrawn.
    asked = update(Ticket).where(Ticket.id == ticket.id)
    await session.execute(asked.values(reason=R.DAMAGED))
    await dispatch(session, order)
    await session.execute(asked.values(reason=R.NO_REASON))
    await session.commit()

    async with shop.database.writes() as session:
        with pytest.raises(WrongState):
            await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
        await session.rollback()
    async with shop.database.writes.begin() as session:
        await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(NOW + 2 * DAY))

        found = await session.get_one(Ticket, ticket.id, populate_existing=True)
        assert found.status is S.REFUSED
        assert found.refusal == "Some of it has been packed or sent meanwhile: it can only be returned."
        assert await session.scalar(select(func.count(Refund.id))) == 0


# --- what goes back


async def test_a_refund_goes_back_to_the_payments_in_proportion(shop: Shop, session: AsyncSession) -> None:
    variant = await variant_of(session, await create_product(session))
    order = await create_order(
        session,
        status=OrderStatus.COMPLETED,
        lines=[(variant, 3)],
        payments={PaymentMethod.SANDBOX: 9_900, PaymentMethod.CASH_ON_DELIVERY: None},
    )
    [line] = await order_lines_of(session, order)
    quote = await quote_lines(session, order, [(line, 1)])
    ticket = await create_ticket(session, order=order, lines=[(line, 1)], status=S.RETURN_SHIPPED)
    await accept_return(session, ticket.id, DEADLINES, damaged=False, cause=Cause(NOW, None))

    assert [(leg.payment.method, leg.refund.minor) for leg in quote.legs] == [
        (PaymentMethod.SANDBOX, 3_300),
        (PaymentMethod.CASH_ON_DELIVERY, 6_600),
    ]
    assert [refund.amount for refund in await refunds_of(session, ticket)] == [3_300, 6_600]
    await session.commit()


async def test_the_shipping_fee_goes_back_with_the_last_of_a_whole_faulty_order(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await variant_of(session, await create_product(session, prices=LOW_PRICE))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 2)])
    [line] = await order_lines_of(session, order)
    assert order.shipping_amount > 0
    unwanted = await quote_lines(session, order, [(line, 2)], reason=R.NO_REASON)
    whole = await quote_lines(session, order, [(line, 2)])
    first = await create_ticket(session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY)
    await agree_ticket(session, first.id, DEADLINES, cause=Cause(NOW, None))
    rest = await quote_lines(session, order, [(line, 1)])
    await session.commit()

    assert unwanted.shipping.minor == 0
    assert whole.shipping == order.shipping
    assert whole.refund == order.total
    assert first.refund.minor == 1_000
    assert rest.refund.minor == order.total.minor - 1_000


async def test_two_tickets_for_a_whole_faulty_order_bring_the_fee_back_too(
    shop: Shop, session: AsyncSession
) -> None:
    variant = await variant_of(session, await create_product(session, prices=LOW_PRICE))
    order = await create_order(session, status=OrderStatus.COMPLETED, lines=[(variant, 2)])
    [line] = await order_lines_of(session, order)
    halves = [await create_ticket(session, order=order, lines=[(line, 1)], type=T.REFUND_ONLY) for _ in "ab"]
    for half in halves:
        await agree_ticket(session, half.id, DEADLINES, cause=Cause(NOW, None))
    await session.commit()

    assert [half.refund.minor for half in halves] == [1_000, 1_000 + order.shipping_amount]


async def test_no_more_is_refunded_than_is_left_of_what_was_paid(shop: Shop, session: AsyncSession) -> None:
    order, line = await order_of_three(session)
    ticket = await create_ticket(session, order=order, lines=[(line, 3)], type=T.REFUND_ONLY)
    await lock_order(session, order.id)
    await request_refund(session, order, order.money(20_000), reason="goodwill", cause=Cause(NOW))
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))

    payment = (await session.scalars(select(Payment))).one()
    assert ticket.refund.minor == order.total_amount - 20_000
    assert payment.refunded_amount == payment.captured_amount
    await session.commit()
