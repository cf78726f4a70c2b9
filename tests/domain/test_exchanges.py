"""Exchanges for something else: what is cheaper is refunded, what is dearer paid before it is sent."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.decisions import agree_ticket
from domain.aftersales.difference import choose_difference_payment, send_paid_replacement
from domain.aftersales.overdue import act_on_overdue
from domain.aftersales.quote import quote_claim
from domain.aftersales.replacement_choice import choose_replacement, fill_waiting_ticket
from domain.aftersales.requests import TicketRequest, open_ticket
from domain.aftersales.rules import ClaimedUnits, TicketClaim, TicketObstacle
from domain.aftersales.settlement import follow_replacement
from domain.cause import Cause
from domain.errors import DomainError, Invalid, NotForSale, NotFound, WrongState
from domain.payment import capture_payment, start_payment
from events.shop import Shop
from models import (
    CurrencyCode,
    Order,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    Product,
    Refund,
    ReplacementChoice,
    Shipment,
    StockLevel,
    Ticket,
    TicketDifference,
    TicketReason,
    TicketStatus,
    TicketType,
    Variant,
)
from tests.domain.test_replacements import bring_back
from tests.factories.aftersales import (
    DEADLINES,
    NUMBERS,
    order_of_three,
    quote_lines,
    settle_refunds,
    ship_back,
    ticket_events,
)
from tests.factories.cart import create_coupon
from tests.factories.catalog import create_variant
from tests.factories.order import NOW, TERMS, a_variant, arrive, create_order, dispatch
from tests.factories.returns import accept_return

pytestmark = pytest.mark.usefixtures("audit_at_end")

CNY = CurrencyCode.CNY
DAY = timedelta(days=1)
S, T, R, X, C = TicketStatus, TicketType, TicketReason, TicketObstacle, ReplacementChoice


def claim_of_exchange(
    line: OrderLine, variant: Variant | None, *, units: int = 1, parcel: Shipment | None = None
) -> TicketClaim:
    parcel_id = parcel.id if parcel else None
    variant_id = variant.id if variant else None
    return TicketClaim(T.EXCHANGE, R.DAMAGED, (ClaimedUnits(line.id, units, parcel_id, variant_id),))


async def exchange(session: AsyncSession, order: Order, claim: TicketClaim) -> Ticket:
    """An exchange whose goods are accepted, to be sold again."""
    number = next(NUMBERS)
    cause = Cause(NOW, order.account_id)
    ticket = await open_ticket(
        session,
        order.id,
        TicketRequest(claim, "Too small."),
        DEADLINES,
        number=f"X{number:08}",
        key=f"exchange-{number}",
        cause=cause,
    )
    await agree_ticket(session, ticket.id, DEADLINES, cause=Cause(NOW, None))
    await ship_back(session, ticket)
    await accept_return(session, ticket.id, DEADLINES, damaged=False, cause=Cause(NOW, None))
    return ticket


async def say_how(
    session: AsyncSession, ticket: Ticket, method: PaymentMethod = PaymentMethod.SANDBOX
) -> Payment:
    cause = Cause(NOW, ticket.account_id)
    await choose_difference_payment(session, ticket.id, method, TERMS, cause=cause)
    newest = select(Payment).where(Payment.order_id == ticket.order_id).order_by(Payment.position.desc())
    payment = (await session.scalars(newest.limit(1))).one()
    return payment


async def capture(session: AsyncSession, payment: Payment) -> None:
    await start_payment(session, payment.id, query_at=NOW, cause=Cause(NOW))
    await capture_payment(session, payment.id, cause=Cause(NOW))
    await send_paid_replacement(session, payment.id, DEADLINES, cause=Cause(NOW))


async def receive(session: AsyncSession, order: Order, ticket: Ticket) -> Shipment:
    [shipment] = await dispatch(session, order)
    await arrive(session, shipment)
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert ticket.status is S.COMPLETED
    return shipment


async def stock_of(session: AsyncSession, variant: Variant) -> tuple[int, int]:
    """On hand and reserved."""
    sums = select(func.sum(StockLevel.on_hand), func.sum(StockLevel.reserved))
    row = (await session.execute(sums.where(StockLevel.variant_id == variant.id))).one()
    return int(row[0]), int(row[1])


async def test_a_dearer_product_is_kept_until_the_difference_is_paid_and_has_the_ordinary_rights(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices={CNY: 11_900}, stock={"MAIN": 5})
    claim = claim_of_exchange(line, dear)
    quote = await quote_claim(session, order, claim, DEADLINES, asked_at=NOW)
    ticket = await exchange(session, order, claim)
    assert (quote.surcharge.minor, quote.lines[0].surcharge.minor, quote.refund.minor) == (2_000, 2_000, 0)
    assert (ticket.status, ticket.due_at) == (S.AWAITING_PAYMENT, NOW + 3 * DAY)
    assert await stock_of(session, dear) == (5, 1)
    assert (order.total_amount, order.payment_status) == (29_700, OrderPaymentStatus.PAID)

    with pytest.raises(Invalid):
        await say_how(session, ticket, PaymentMethod.CASH_ON_DELIVERY)
    payment = await say_how(session, ticket)
    assert await say_how(session, ticket) is payment
    assert (payment.amount, order.total_amount, order.payment_status) == (
        2_000,
        31_700,
        OrderPaymentStatus.PAID,
    )
    await capture(session, payment)
    await send_paid_replacement(session, payment.id, DEADLINES, cause=Cause(NOW))
    assert (ticket.status, await stock_of(session, dear)) == (S.RESHIPPING, (5, 1))
    shipment = await receive(session, order, ticket)
    assert await stock_of(session, dear) == (4, 0)
    assert (order.status, order.payment_status) == (OrderStatus.COMPLETED, OrderPaymentStatus.PAID)

    of_dear = TicketClaim(T.RETURN_REFUND, R.DAMAGED, (ClaimedUnits(line.id, 1, shipment.id),))
    one = await quote_claim(session, order, of_dear, DEADLINES, asked_at=NOW)
    back = await exchange(
        session, order, claim_of_exchange(line, await variant_of_line(session, line), parcel=shipment)
    )
    assert one.refund.minor == 11_900
    assert (back.status, back.refund_amount) == (S.RESHIPPING, 2_000)
    await settle_refunds(session, back)
    await receive(session, order, back)
    rest = await quote_lines(session, order, [(line, 3)])
    assert rest.refund.minor == 29_700
    assert await ticket_events(session, ticket) == [
        "ticket.opened",
        "ticket.agreed",
        "ticket.return_shipped",
        "ticket.difference_due",
        "ticket.return_accepted",
        "ticket.difference_paid",
        "ticket.completed",
    ]
    await session.commit()


async def variant_of_line(session: AsyncSession, line: OrderLine) -> Variant:
    return await session.get_one(Variant, line.variant_id)


async def test_what_is_not_paid_in_time_is_released_and_its_customer_chooses(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices={CNY: 11_900}, stock={"MAIN": 5})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    payment = await say_how(session, ticket)
    await start_payment(session, payment.id, query_at=NOW, cause=Cause(NOW))
    with pytest.raises(WrongState):
        await choose_replacement(session, ticket.id, C.MONEY, DEADLINES, cause=Cause(NOW, order.account_id))

    late = NOW + 3 * DAY
    await act_on_overdue(session, ticket.id, DEADLINES, cause=Cause(late))
    assert (ticket.status, payment.status, await stock_of(session, dear)) == (
        S.AWAITING_CHOICE,
        PaymentStatus.CLOSED,
        (5, 0),
    )
    assert (order.total_amount, await session.scalar(select(func.count(TicketDifference.id)))) == (29_700, 0)
    await capture_payment(session, payment.id, cause=Cause(late))
    await send_paid_replacement(session, payment.id, DEADLINES, cause=Cause(late))
    refund = (await session.scalars(select(Refund).where(Refund.payment_id == payment.id))).one()
    assert (refund.amount, ticket.status) == (2_000, S.AWAITING_CHOICE)

    await choose_replacement(session, ticket.id, C.WAIT, DEADLINES, cause=Cause(late, order.account_id))
    assert await fill_waiting_ticket(session, ticket.id, DEADLINES, cause=Cause(late))
    [again] = await dispatch(session, order)
    assert (ticket.status, await stock_of(session, await variant_of_line(session, line))) == (
        S.RESHIPPING,
        (7, 0),
    )
    assert again.order_id == order.id
    await session.commit()


async def test_a_cheaper_product_keeps_the_discount_in_proportion_and_never_brings_back_more_than_was_paid(
    shop: Shop, session: AsyncSession
) -> None:
    await create_coupon(session, code="HALF", percent=50)
    bought, cheap = await a_variant(session), await a_variant(session, prices={CNY: 100}, stock={"MAIN": 5})
    order = await create_order(session, lines=[(bought, 2)], coupon_code="HALF", status=OrderStatus.COMPLETED)
    line = (await session.scalars(select(OrderLine).where(OrderLine.order_id == order.id))).one()
    blue, free = [
        await create_variant(
            session,
            await session.get_one(Product, bought.product_id),
            options={"Colour": name},
            prices={CNY: price},
        )
        for name, price in (("Blue", 9_900), ("White", 0))
    ]
    quotes = [
        await quote_claim(session, order, claim_of_exchange(line, each), DEADLINES, asked_at=NOW)
        for each in (cheap, blue, free, None)
    ]
    ticket = await exchange(session, order, claim_of_exchange(line, cheap))
    await settle_refunds(session, ticket)
    shipment = await receive(session, order, ticket)
    of_cheap = TicketClaim(T.RETURN_REFUND, R.DAMAGED, (ClaimedUnits(line.id, 1, shipment.id),))
    later = await quote_claim(session, order, of_cheap, DEADLINES, asked_at=NOW)

    assert [(each.refund.minor, each.surcharge.minor) for each in quotes] == [
        (4_900, 0),
        (0, 0),
        (4_950, 0),
        (0, 0),
    ]
    assert sum(leg.refund.minor for leg in quotes[0].legs) == 4_900
    assert (ticket.refund_amount, later.refund.minor) == (4_900, 50)
    await session.commit()


async def test_a_dearer_replacement_that_comes_back_is_refunded_and_the_others_bring_what_they_cost(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    dear = await a_variant(session, prices={CNY: 11_900}, stock={"MAIN": 5})
    ticket = await exchange(session, order, claim_of_exchange(line, dear))
    await capture(session, await say_how(session, ticket))
    [shipment] = await dispatch(session, order)
    await bring_back(session, shipment)
    await follow_replacement(session, ticket.id, DEADLINES, cause=Cause(NOW))
    assert ticket.status is S.AWAITING_CHOICE
    await choose_replacement(session, ticket.id, C.MONEY, DEADLINES, cause=Cause(NOW, order.account_id))
    await settle_refunds(session, ticket)

    rest = await quote_lines(session, order, [(line, 2)])
    assert (ticket.refund_amount, rest.refund.minor) == (11_900, 19_800)
    await session.commit()


async def test_what_cannot_be_had_instead_is_refused_and_nothing_has_changed(
    shop: Shop, session: AsyncSession
) -> None:
    order, line = await order_of_three(session)
    few = await a_variant(session, stock={"MAIN": 1})
    download = await a_variant(session, requires_shipping=False)
    dollars = await a_variant(session, prices={CurrencyCode.USD: 900})
    unwanted = TicketClaim(T.EXCHANGE, R.NO_REASON, (ClaimedUnits(line.id, 1),))
    other_colour = TicketClaim(T.EXCHANGE, R.NO_REASON, (ClaimedUnits(line.id, 1, None, few.id),))

    async def obstacle_of(claim: TicketClaim) -> TicketObstacle | type[DomainError] | None:
        try:
            quote = await quote_claim(session, order, claim, DEADLINES, asked_at=NOW)
        except DomainError as refusal:
            return type(refusal)
        return quote.obstacle.obstacle if quote.obstacle else None

    found = [
        await obstacle_of(claim)
        for claim in (
            claim_of_exchange(line, few, units=2),
            claim_of_exchange(line, download),
            claim_of_exchange(line, dollars),
            TicketClaim(T.EXCHANGE, R.DAMAGED, (ClaimedUnits(line.id, 1, None, 99_999),)),
            TicketClaim(T.RETURN_REFUND, R.DAMAGED, (ClaimedUnits(line.id, 1, None, few.id),)),
            unwanted,
            other_colour,
        )
    ]

    assert found == [X.SOLD_OUT, Invalid, NotForSale, NotFound, Invalid, X.SAME_AGAIN, None]
    assert await session.scalar(select(func.count(Ticket.id))) == 0
    await session.commit()
