"""However an order is cancelled and returned in parts, what is refunded is what was paid, to the cent."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.cancelling import cancel_lines
from domain.aftersales.decisions import agree_ticket, refuse_ticket
from domain.aftersales.rules import ClaimedUnits
from domain.aftersales.states import DECLINED, SETTLED
from domain.cause import Cause
from domain.errors import DomainError
from domain.ledger import net_sales
from domain.order import NOT_DISPATCHED, cancel_order, lock_order
from domain.payment import collect_cash, refund_everything, refund_in_goodwill, settle_refund
from domain.shipment import ParcelToPack, dispatch_shipment, pack_shipments
from events.shop import Shop
from models import (
    SIMULATED_CARRIER,
    CurrencyCode,
    Money,
    Order,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    Payment,
    PromotionScopeKind,
    Refund,
    RefundStatus,
    ShippingMethod,
    Ticket,
    TicketLine,
    TicketReason,
    TicketStatus,
    TicketType,
)
from tests.factories.aftersales import DEADLINES, create_ticket, order_lines_of
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
    deliver,
    deliver_to,
    parcels_to_pack,
    pay,
    payments_of,
)
from tests.factories.promotion import create_flash_sale, create_percent
from tests.factories.returns import accept_return

pytestmark = pytest.mark.usefixtures("audit_at_end")

NUMBERS = count(1)


@dataclass(frozen=True)
class BoughtLine:
    """An order: prices and quantities of its lines, and the promotions that apply."""

    lines: Sequence[tuple[int, int]]
    coupon: int
    off_the_first: int
    flash_units: int
    cash: int
    paid: bool
    parcels: int
    """How many have arrived before anything is cancelled."""
    sent_after_all: bool
    """Whether all the rest is sent and returned; otherwise it is cancelled where it can be."""


BOUGHT = st.builds(
    BoughtLine,
    lines=st.lists(st.tuples(st.integers(2, 2_000), st.integers(2, 6)), min_size=1, max_size=3),
    coupon=st.integers(0, 60),
    off_the_first=st.integers(0, 60),
    flash_units=st.integers(0, 3),
    cash=st.sampled_from([0, 0, 1, 333]),
    paid=st.sampled_from([True, True, True, False]),
    parcels=st.sampled_from([0, 0, 0, 1, 2]),
    sent_after_all=st.booleans(),
)


@dataclass(frozen=True)
class Act:
    """One command, which may be refused."""

    name: str
    line: int
    units: int
    amount: int


async def order_of(session: AsyncSession, bought: BoughtLine) -> Order:
    """The first line goes to one address, the others to another, with shipping fees."""
    lines = [
        (await a_variant(session, prices={CurrencyCode.CNY: price}), quantity)
        for price, quantity in bought.lines
    ]
    first, price = lines[0][0], bought.lines[0][0]
    if bought.flash_units:
        await create_flash_sale(session, first, price=price // 2, share=bought.flash_units)
    if bought.off_the_first:
        await create_percent(
            session, bought.off_the_first, scope=PromotionScopeKind.VARIANTS, scope_ids=[first.id]
        )
    coupon = await create_coupon(session, percent=bought.coupon) if bought.coupon else None
    return await create_order(
        session,
        lines=lines,
        coupon_code=coupon.code if coupon else None,
        payments={SANDBOX: None} | ({CASH: bought.cash} if bought.cash else {}),
        deliveries=[
            deliver_to(address, part, method=ShippingMethod.EXPRESS)
            for address, part in ((HANGZHOU, lines[:1]), (CHENGDU, lines[1:]))
            if part
        ],
    )


async def line_of(session: AsyncSession, order: Order, act: Act) -> OrderLine:
    lines = await order_lines_of(session, order)
    return lines[act.line % len(lines)]


async def cancel_units(session: AsyncSession, order: Order, act: Act) -> None:
    units_to_claim = [ClaimedUnits((await line_of(session, order, act)).id, act.units)]
    await cancel_lines(
        session, order.id, units_to_claim, reason="x", receipt_after=RECEIPT_AFTER, cause=Cause(NOW)
    )


async def refund_unsent(session: AsyncSession, order: Order, act: Act) -> None:
    """Units that are not paid yet are taken off what is due: then nothing is refunded."""
    type, reason = TicketType.REFUND_ONLY, TicketReason.NO_REASON
    opened = await ticket(session, order, act, type, reason, TicketStatus.APPLIED)
    await agree_ticket(session, opened.id, DEADLINES, cause=Cause(NOW, None))


async def complain(session: AsyncSession, order: Order, act: Act) -> None:
    await ticket(session, order, act, TicketType.REFUND_ONLY, TicketReason.DAMAGED, TicketStatus.REFUNDING)


async def complain_in_vain(session: AsyncSession, order: Order, act: Act) -> None:
    await ticket(session, order, act, TicketType.REFUND_ONLY, TicketReason.DAMAGED, TicketStatus.REFUSED)


async def ask(session: AsyncSession, order: Order, act: Act) -> None:
    """A ticket that is answered only at the end."""
    type = TicketType.REFUND_ONLY
    reason = TicketReason.NO_REASON if order.fulfilment_status in NOT_DISPATCHED else TicketReason.DAMAGED
    await ticket(session, order, act, type, reason, TicketStatus.APPLIED)


async def send_back(session: AsyncSession, order: Order, act: Act) -> None:
    type, reason = TicketType.RETURN_REFUND, TicketReason.QUALITY_FAULT
    sent = await ticket(session, order, act, type, reason, TicketStatus.RETURN_SHIPPED)
    await accept_return(session, sent.id, DEADLINES, damaged=False, cause=Cause(NOW, None))


async def ticket(
    session: AsyncSession,
    order: Order,
    act: Act,
    type: TicketType,
    reason: TicketReason,
    status: TicketStatus,
) -> Ticket:
    lines = [(await line_of(session, order, act), act.units)]
    return await create_ticket(session, order=order, type=type, reason=reason, lines=lines, status=status)


async def goodwill_refund(session: AsyncSession, order: Order, act: Act) -> None:
    amount = Money(act.amount, order.currency)
    key = f"goodwill-{next(NUMBERS)}"
    by = order.account_id
    await refund_in_goodwill(session, order.id, amount, reason="Sorry.", key=key, cause=Cause(NOW, by))


async def pay_it(session: AsyncSession, order: Order, act: Act) -> None:
    await pay(session, order)


async def send_one_parcel(session: AsyncSession, order: Order, act: Act) -> None:
    """A parcel is delivered, and its cash collected."""
    parcels = await parcels_to_pack(session, order)
    if not parcels:
        return
    delivery_id, picked = parcels[0]
    number = f"U{next(NUMBERS):08}"
    [parcel] = await pack_shipments(
        session, delivery_id, [ParcelToPack(picked)], numbers=[number], cause=Cause(NOW)
    )
    await dispatch_shipment(
        session, parcel.id, carrier=SIMULATED_CARRIER, tracking_number=f"SIM-{number}", cause=Cause(NOW)
    )
    await arrive(session, parcel)
    for payment in await payments_of(session, order):
        if payment.method is CASH and payment.amount and not payment.captured_amount:
            await collect_cash(session, payment.id, payment.total, cause=Cause(NOW, None))


ACTS: dict[str, Callable[[AsyncSession, Order, Act], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        cancel_units,
        refund_unsent,
        complain,
        complain_in_vain,
        ask,
        send_back,
        goodwill_refund,
        pay_it,
        send_one_parcel,
    )
}
ACT = st.builds(
    Act,
    name=st.sampled_from(["cancel_units", "cancel_units", "refund_unsent", "send_back", *sorted(ACTS)]),
    line=st.integers(0, 2),
    units=st.integers(1, 2),
    amount=st.integers(1, 999),
)


async def do(shop: Shop, order_id: int, act: Act) -> bool:
    """One command in a transaction of its own; whether it was allowed."""
    try:
        async with shop.database.writes.begin() as session:
            await ACTS[act.name](session, await lock_order(session, order_id), act)
    except DomainError:
        return False
    return True


@dataclass
class Books:
    """What was paid and refunded."""

    order: Order
    lines: Sequence[OrderLine]
    payments: Sequence[Payment]
    back_by_payment: dict[int, int]
    back_by_line: dict[int, int]
    ticket_fees: int
    """Fees refunded by tickets, without those of withdrawals, which the order counts."""

    @property
    def paid(self) -> int:
        return sum(payment.captured_amount for payment in self.payments)

    @property
    def back(self) -> int:
        return sum(self.back_by_payment.values())


async def books_of(session: AsyncSession, order_id: int) -> Books:
    order = await session.get_one(Order, order_id)
    by_payment = (
        select(Refund.payment_id, func.sum(Refund.amount))
        .where(Refund.order_id == order_id)
        .group_by(Refund.payment_id)
    )
    granted = (
        select(TicketLine.order_line_id, func.sum(TicketLine.refund_amount))
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(Ticket.order_id == order_id, Ticket.status.in_(SETTLED), ~TicketLine.cancelled)
        .group_by(TicketLine.order_line_id)
    )
    withdrawals = select(TicketLine.ticket_id).where(TicketLine.cancelled)
    tickets = await session.scalar(
        select(func.sum(Ticket.refund_amount)).where(
            Ticket.order_id == order_id, Ticket.status.in_(SETTLED), Ticket.id.not_in(withdrawals)
        )
    )
    lines = await order_lines_of(session, order)
    by_ticket = {id: int(amount) for id, amount in await session.execute(granted)}
    return Books(
        order,
        lines,
        await payments_of(session, order),
        {id: int(amount) for id, amount in await session.execute(by_payment)},
        {line.id: line.cancelled_amount + by_ticket.get(line.id, 0) for line in lines},
        int(tickets or 0) - sum(by_ticket.values()),
    )


async def check_refunds(shop: Shop, order_id: int) -> None:
    async with shop.database.reads() as session:
        books = await books_of(session, order_id)
    for payment in books.payments:
        assert books.back_by_payment.get(payment.id, 0) == payment.refunded_amount
        assert payment.refunded_amount <= payment.captured_amount <= payment.amount
    for line in books.lines:
        assert 0 <= books.back_by_line[line.id] <= line.total.minor
    fees = books.order.cancelled_shipping_amount + books.ticket_fees
    assert fees <= books.order.shipping_amount


async def answer_everybody(shop: Shop, order_id: int) -> None:
    async with shop.database.reads() as session:
        waiting = select(Ticket.id).where(Ticket.order_id == order_id, Ticket.status == TicketStatus.APPLIED)
        ids = list(await session.scalars(waiting))
    for ticket_id in ids:
        try:
            async with shop.database.writes.begin() as session:
                await agree_ticket(session, ticket_id, DEADLINES, cause=Cause(NOW, None))
        except DomainError:
            async with shop.database.writes.begin() as session:
                await refuse_ticket(session, ticket_id, DEADLINES, reason="Sent.", cause=Cause(NOW, None))


async def bring_it_all_back(session: AsyncSession, order: Order) -> None:
    """Everything is delivered, paid, and returned for a fault."""
    await pay(session, order)
    await deliver(session, order)
    claimed = (
        select(TicketLine.order_line_id, func.sum(TicketLine.quantity))
        .join(Ticket, Ticket.id == TicketLine.ticket_id)
        .where(Ticket.order_id == order.id, Ticket.status.not_in(DECLINED), ~TicketLine.cancelled)
        .group_by(TicketLine.order_line_id)
    )
    taken = {id: int(units) for id, units in await session.execute(claimed)}
    units_to_claim = [
        (line, line.quantity - line.cancelled - taken.get(line.id, 0))
        for line in await order_lines_of(session, order)
    ]
    lines = [(line, units) for line, units in units_to_claim if units]
    books = await books_of(session, order.id)
    if lines and books.back < books.paid:
        sent = await create_ticket(session, order=order, lines=lines, status=TicketStatus.RETURN_SHIPPED)
        await accept_return(session, sent.id, DEADLINES, damaged=False, cause=Cause(NOW, None))


async def undo(shop: Shop, order_id: int, *, sent_after_all: bool) -> None:
    """Cancel or return everything."""
    async with shop.database.writes.begin() as session:
        order = await lock_order(session, order_id)
        if order.status is OrderStatus.CANCELLED:
            return
        if sent_after_all or order.fulfilment_status not in NOT_DISPATCHED:
            await bring_it_all_back(session, order)
        else:
            await cancel_order(session, order.id, reason="x", cause=Cause(NOW))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(
    BoughtLine([(999, 5), (7, 2)], 13, 7, 2, cash=333, paid=True, parcels=0, sent_after_all=True),
    [
        Act("cancel_units", 0, 1, 0),
        Act("refund_unsent", 0, 1, 0),
        Act("goodwill_refund", 0, 1, 500),
        Act("ask", 1, 1, 0),
    ],
)
@example(
    BoughtLine([(100, 3), (1_999, 4)], 0, 33, 1, cash=0, paid=True, parcels=1, sent_after_all=False),
    [Act("cancel_units", 1, 1, 0), Act("send_back", 0, 2, 0), Act("complain", 0, 1, 0)],
)
@given(BOUGHT, st.lists(ACT, min_size=3, max_size=8))
async def test_whatever_is_done_to_an_order_undoing_it_gives_back_what_was_paid(
    shop: Shop, session: AsyncSession, bought: BoughtLine, acts: list[Act]
) -> None:
    order_id = (await order_of(session, bought)).id
    await session.commit()
    begun = ["pay_it"] * bought.paid + ["send_one_parcel"] * bought.parcels
    goodwill = 0
    for act in [*(Act(name, 0, 0, 0) for name in begun), *acts]:
        done = await do(shop, order_id, act)
        goodwill += act.amount if done and act.name == "goodwill_refund" else 0
        await check_refunds(shop, order_id)

    await answer_everybody(shop, order_id)
    await undo(shop, order_id, sent_after_all=bought.sent_after_all)
    await check_refunds(shop, order_id)

    books = await books_of(session, order_id)
    fee_kept = books.order.shipping_amount - books.order.cancelled_shipping_amount - books.ticket_fees
    if books.order.status is not OrderStatus.CANCELLED:
        # Fees stay when something was returned for no fault; what staff gave goes off what is left.
        assert books.paid - books.back == max(0, fee_kept - goodwill)
    await refund_everything(session, await lock_order(session, order_id), reason="x", cause=Cause(NOW))
    for refund in await session.scalars(select(Refund).where(Refund.order_id == order_id)):
        if refund.status is not RefundStatus.SUCCEEDED:
            await settle_refund(session, refund.id, provider_reference="R", cause=Cause(NOW))
    await session.commit()

    after = await books_of(session, order_id)
    assert [each.refunded_amount for each in after.payments] == [
        each.captured_amount for each in after.payments
    ]
    assert (await net_sales(session, after.order)).minor == 0
    await session.commit()
    if after.paid:
        assert after.order.payment_status is OrderPaymentStatus.REFUNDED
