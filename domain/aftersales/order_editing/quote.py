"""What an edit would come to, line by line, before and after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.order_editing.changes import OrderChanges
from domain.aftersales.order_editing.facts import EditFacts, load_edit_facts
from domain.aftersales.order_editing.plan import EditPlan
from domain.aftersales.order_editing.planning import plan_edit
from domain.errors import DomainError, NotFound
from domain.order.open_parts import check_no_open_ticket
from domain.order.waiting_edit import find_waiting_edit
from domain.payment.states import OPEN
from models import Delivery, Money, Order, Payment


@dataclass(frozen=True, slots=True)
class PricedEdit:
    """An edit that can be made: the order as it is, and the plan."""

    facts: EditFacts
    plan: EditPlan

    @property
    def order(self) -> Order:
        return self.facts.order

    @property
    def total(self) -> Money:
        """The price of the order after the edit."""
        return self.order.money(self.order.total.minor + self.plan.difference)

    @property
    def difference(self) -> Money:
        return self.order.money(self.plan.difference)


@dataclass(frozen=True, slots=True)
class OrderEditQuoteLine:
    """A line before and after an edit."""

    order_line_id: int | None
    """None for a line that is added."""
    variant_id: int
    quantity_before: int
    quantity: int
    unit_price: Money
    before: Money
    after: Money


@dataclass(frozen=True, slots=True)
class OrderEditQuoteDelivery:
    """The fee of a delivery before and after an edit."""

    delivery: Delivery
    before: Money
    after: Money


@dataclass(frozen=True, slots=True)
class OrderEditQuote:
    """What an edit would come to, or why it cannot be made."""

    order: Order
    lines: Sequence[OrderEditQuoteLine]
    deliveries: Sequence[OrderEditQuoteDelivery]
    total: Money
    difference: Money
    payment_needed: bool
    """Whether the difference is a payment of its own, since nothing of the order is unpaid."""
    problem: DomainError | None

    @property
    def total_before(self) -> Money:
        return self.order.total


async def quote_edit(
    session: AsyncSession, order_id: int, changes: OrderChanges, *, now: datetime
) -> OrderEditQuote:
    """The quote of an edit; nothing is changed or locked."""
    order = await session.get(Order, order_id)
    if order is None:
        raise NotFound("order", field=("id",))
    try:
        priced = await price_edit_of(session, order, changes, now=now)
    except DomainError as refusal:
        return OrderEditQuote(order, (), (), order.total, order.money(0), False, refusal)
    plan = priced.plan
    return OrderEditQuote(
        order,
        lines=quoted_lines(priced),
        deliveries=quoted_deliveries(priced),
        total=priced.total,
        difference=priced.difference,
        payment_needed=plan.difference > 0 and not await has_open_payment(session, order),
        problem=None,
    )


async def price_edit_of(
    session: AsyncSession, order: Order, changes: OrderChanges, *, now: datetime
) -> PricedEdit:
    """The plan of an edit of an order; raises why it cannot be made."""
    facts = await load_edit_facts(session, order, changes, now=now)
    plan = plan_edit(facts, changes, now=now)
    if plan.difference:
        await check_no_open_ticket(session, order)
    return PricedEdit(facts, plan)


def quoted_lines(priced: PricedEdit) -> list[OrderEditQuoteLine]:
    """The lines of the order, without those of which nothing was left before, and what is added."""
    money, kept = priced.order.money, priced.facts.kept
    lines = [
        OrderEditQuoteLine(
            order_line_id=planned.line_id,
            variant_id=kept[planned.line_id].line.variant_id,
            quantity_before=planned.units_before,
            quantity=planned.units,
            unit_price=kept[planned.line_id].line.unit_price,
            before=money(planned.before),
            after=money(planned.after),
        )
        for planned in priced.plan.lines
        if planned.units_before
    ]
    return lines + [
        OrderEditQuoteLine(
            order_line_id=None,
            variant_id=added.variant_id,
            quantity_before=0,
            quantity=added.quantity,
            unit_price=money(added.unit_amount),
            before=money(0),
            after=money(added.after),
        )
        for added in priced.plan.additions
    ]


def quoted_deliveries(priced: PricedEdit) -> list[OrderEditQuoteDelivery]:
    deliveries = {each.id: each for each in priced.facts.sending.deliveries}
    money = priced.order.money
    found = [
        OrderEditQuoteDelivery(deliveries[planned.delivery_id], money(planned.before), money(planned.after))
        for planned in priced.plan.deliveries
    ]
    return sorted(found, key=lambda each: each.delivery.position)


async def has_open_payment(session: AsyncSession, order: Order) -> bool:
    """Whether something of the order is unpaid, beside an edit that waits for its payment."""
    edit = await find_waiting_edit(session, order.id)
    found = select(Payment.id).where(Payment.order_id == order.id, Payment.status.in_(OPEN))
    if edit is not None:
        found = found.where(Payment.id != edit.payment_id)
    return await session.scalar(found.limit(1)) is not None
