"""Placing orders: one transaction for one order or for many, exactly once, at the prices of this moment."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain.cart.sellable import label_of
from domain.cause import Cause
from domain.errors import DomainError, Invalid, LimitReached, OutOfStock, collect_refusals
from domain.events import OrderConfirmed, OrderPlaced
from domain.ledger import payment_status_for
from domain.order.basket import OrderBasket, lock_baskets
from domain.order.batch import (
    BatchItem,
    OrderBatch,
    OrderResult,
    claim_keys,
    open_accounts,
    open_sign_ins,
    release_refused_keys,
)
from domain.order.cash_rules import CashRules, check_cash_amount, read_cash_rules
from domain.order.credit import check_credit, lock_credit, pay_with_credit
from domain.order.insert import (
    InsertPlan,
    allocation_of,
    find_backordered_lines,
    insert_orders,
    new_order,
)
from domain.order.method_choice import check_cash
from domain.order.quote import OrderQuote, QuoteFacts, build_quote, read_facts
from domain.order.refusals import AmountMismatch, ExclusionNotConfirmed, NotOffered
from domain.order.request import OrderRequest, PaymentPlan, PlannedPayment
from domain.order.states import TRANSITIONS
from domain.promotion import use_promotions
from domain.state import move
from domain.stock import Reservation, insert_backorders, reserve_for_orders
from models import CurrencyCode, FulfilmentStatus, Money, Order, OrderStatus, PaymentMethod

NOTE_LIMIT = 500
PAYMENTS_LIMIT = 30
"""Payments of one order, where the shop is not set up otherwise."""

FLASH_PAY_WITHIN = timedelta(minutes=10)
"""How long an unpaid order keeps units of a flash sale from others."""


class SoldMeanwhile(OutOfStock):
    """Another transaction changed the stock after it was read here: placing can be tried again."""

    def __init__(self, refusal: OutOfStock) -> None:
        super().__init__(refusal.name, left=refusal.left, field=("lines",))


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """The payment methods on offer, how many payments an order may have, and how long it may stay unpaid."""

    offered_methods: AbstractSet[PaymentMethod]
    pay_within: timedelta
    """For methods that `method_pay_within` does not name."""
    flash_pay_within: timedelta = FLASH_PAY_WITHIN
    method_pay_within: Mapping[PaymentMethod, timedelta] = field(default_factory=dict)
    payments_limit: int = PAYMENTS_LIMIT

    def time_to_pay(
        self, methods: Iterable[PaymentMethod], *, in_flash_sale: bool = False
    ) -> timedelta | None:
        """How long an order with these methods may stay unpaid: the shortest; None if all are paid later."""
        times = [
            self.method_pay_within.get(method, self.pay_within) for method in methods if method.has_provider
        ]
        if not times:
            return None
        return min([*times, self.flash_pay_within] if in_flash_sale else times)


async def place_order(session: AsyncSession, item: BatchItem, terms: OrderTerms, *, cause: Cause) -> Order:
    """Place one order: as `place_orders`, but a refusal is raised."""
    [result] = await place_orders(session, [item], terms, cause=cause)
    if isinstance(result, DomainError):
        raise result
    return result


async def place_orders(
    session: AsyncSession,
    items: Sequence[BatchItem],
    terms: OrderTerms,
    *,
    cause: Cause,
    lock_first: bool = False,
) -> list[OrderResult]:
    """Place the orders of different buyers, with their stock reserved and their invoices posted.

    Each step is one statement for all of them. The first items get the first units; a refused one leaves
    nothing behind. The same idempotency key gives the same order again. Without an order among the results
    there is nothing to commit.

    Raises SoldMeanwhile or PromotionUsedUp where another transaction took stock or a promotion after they
    were read. With `lock_first` they are locked before they are read, so that this cannot happen.
    """
    batch = OrderBatch.of(items)
    await open_accounts(session, batch, now=cause.now)
    await claim_keys(session, batch, now=cause.now)
    await plan_orders(session, batch.open_items, terms, now=cause.now, lock_first=lock_first)
    if batch.has_orders:
        await release_refused_keys(session, batch)
    if plans := batch.insert_plans:
        await insert_orders(session, plans, cause=cause)
        await pay_with_credit(session, plans, cause=cause)
        await open_sign_ins(session, batch, now=cause.now)
        await reserve_and_use(session, plans, now=cause.now)
    for item in batch.items:
        if item.insert_plan:
            item.result = item.insert_plan.order
    return batch.results


async def plan_orders(
    session: AsyncSession, items: Sequence[BatchItem], terms: OrderTerms, *, now: datetime, lock_first: bool
) -> None:
    """Plan the order of each item or refuse it, one after the other."""
    requests = [item.request for item in items]
    baskets = await lock_baskets(session, requests, lock_stock=lock_first)
    balances = await lock_credit(session, items)
    accepted: list[tuple[BatchItem, OrderBasket]] = []
    for item, basket in zip(items, baskets, strict=True):
        if isinstance(basket, DomainError):
            item.result = basket
        else:
            accepted.append((item, basket))
    facts = await read_facts(
        session,
        [item.request for item, _ in accepted],
        [basket for _, basket in accepted],
        now=now,
        lock_promotions=lock_first,
    )
    if any(pays_cash(item) for item, _ in accepted):
        facts = replace(facts, cash=await read_cash_rules(session))
    for item, basket in accepted:
        with item.catch_refusal():
            check_credit(item, balances)
            item.insert_plan = plan_order(item, basket, facts, terms, now=now)


def pays_cash(item: BatchItem) -> bool:
    return any(payment.method.collected_offline for payment in item.payment_plan.payments)


def plan_order(
    item: BatchItem, basket: OrderBasket, facts: QuoteFacts, terms: OrderTerms, *, now: datetime
) -> InsertPlan:
    """The order as it will be written; its stock and promotions are taken from those of the batch."""
    quote = build_quote(item.request, basket, facts, now=now)
    check_request(item.request, item.payment_plan, quote, terms, facts.cash)
    order = build_order(quote, item, terms, now=now)
    plan = InsertPlan(order, quote, quote.allocate(), item.payment_plan.payments)
    for part in plan.allocated:
        quote.lines[part.line].item.take(part.warehouse_id, part.in_stock)
    facts.promotions.count_uses(quote.pricing.priced, item.request.owner.account_id)
    plan.record(OrderPlaced(order), Cause(now, item.placed_by or order.account_id))
    if not any(is_advance_payment(payment) for payment in item.payment_plan.payments):
        move(order, OrderStatus.CONFIRMED, TRANSITIONS)
        order.version, order.confirmed_at = order.version + 1, now
        plan.record(OrderConfirmed(order), Cause(now))
    return plan


def check_request(
    request: OrderRequest, payment_plan: PaymentPlan, quote: OrderQuote, terms: OrderTerms, rules: CashRules
) -> None:
    """Raise every reason against this order, if there is any.

    Whether the payments add up to what is due can be said only of an order without other problems.
    """
    with collect_refusals() as check:
        check.add(*quote.problems)
        with check:
            if quote.needs_delivery and not request.deliveries:
                raise Invalid("Say where it goes.", field=("deliveries",))
        with check:
            check_exclusions(request, quote)
        with check:
            if len(payment_plan.note) > NOTE_LIMIT:
                raise Invalid("A note has at most {limit} characters.", limit=NOTE_LIMIT, field=("note",))
        with check:
            check_each_payment(payment_plan.payments, quote.currency, terms)
    check_sums(payment_plan.payments, quote, rules)


def check_exclusions(request: OrderRequest, quote: OrderQuote) -> None:
    """Refuse goods that cannot be returned without a reason, unless the buyer knows that and why."""
    for line in quote.lines:
        if line.exclusion and request.confirmed_exclusions.get(line.variant.id) is not line.exclusion:
            raise ExclusionNotConfirmed(label_of(line.item.sellable))


def check_each_payment(payments: Sequence[PlannedPayment], currency: CurrencyCode, terms: OrderTerms) -> None:
    """Refuse too many payments, methods not on offer, other currencies and amounts of nothing."""
    if len(payments) > terms.payments_limit:
        raise LimitReached(
            "An order has at most {limit} payments.", limit=terms.payments_limit, field=("payments",)
        )
    with collect_refusals() as check:
        for index, payment in enumerate(payments):
            path = ("payments", index)
            with check:
                if payment.method not in terms.offered_methods:
                    raise NotOffered(payment.method, field=(*path, "method"))
            with check:
                if payment.amount.currency is not currency:
                    raise Invalid(
                        "This order is in {currency}.", currency=currency.value, field=(*path, "amount")
                    )
                if payment.amount.minor <= 0:
                    raise Invalid("A payment is more than nothing.", field=(*path, "amount"))


def check_sums(payments: Sequence[PlannedPayment], quote: OrderQuote, rules: CashRules) -> None:
    """Refuse a sum other than the total, and cash at the door that the rules do not allow."""
    zero = Money.zero(quote.currency)
    paid = sum((payment.amount for payment in payments), start=zero)
    if paid != quote.total:
        raise AmountMismatch(due=quote.total, given=paid, field=("payments",))
    cash = sum((payment.amount for payment in payments if not is_advance_payment(payment)), start=zero)
    if cash.minor:
        check_cash(cash, quote, field=("payments",))
        places = [delivery.postal for delivery in quote.deliveries]
        check_cash_amount(cash, rules.terms_for(places, quote.currency), field=("payments",))


def build_order(quote: OrderQuote, item: BatchItem, terms: OrderTerms, *, now: datetime) -> Order:
    total = quote.total.minor
    return new_order(
        number=item.number,
        account_id=item.buyer_id,
        status=OrderStatus.PENDING,
        payment_status=payment_status_for(total=total, cancelled=0, captured=0, refunded=0),
        fulfilment_status=FulfilmentStatus.UNFULFILLED,
        ready_for_pickup=False,
        nothing_sent=False,
        currency=quote.currency,
        subtotal_amount=quote.subtotal.minor,
        discount_amount=quote.discount.minor,
        shipping_amount=quote.shipping.minor,
        cancelled_amount=0,
        cancelled_shipping_amount=0,
        extra_amount=0,
        credited_amount=0,
        total_amount=total,
        note=item.payment_plan.note.strip(),
        version=1,
        placed_at=now,
        payment_due_at=payment_due_at(quote, item.payment_plan, terms, now=now),
    )


def payment_due_at(
    quote: OrderQuote, payment_plan: PaymentPlan, terms: OrderTerms, *, now: datetime
) -> datetime | None:
    """When the order is cancelled unless it is paid; None where nothing is paid in advance."""
    methods = [payment.method for payment in payment_plan.payments]
    time = terms.time_to_pay(methods, in_flash_sale=quote.pricing.in_flash_sale)
    return now + time if time else None


async def reserve_and_use(session: AsyncSession, plans: Sequence[InsertPlan], *, now: datetime) -> None:
    """Reserve or backorder the stock of new orders and count the uses of their promotions.

    This comes last: the rows that many orders change are locked for the shortest time.
    """
    reservations = [
        Reservation(plan.order.id, plan.order.account_id, allocation_of(plan, part), part.backordered)
        for plan in plans
        for part in plan.counted_units
    ]
    try:
        await reserve_for_orders(session, reservations, now=now)
    except OutOfStock as refusal:
        raise SoldMeanwhile(refusal) from None
    await insert_backorders(session, await find_backordered_lines(session, plans))
    uses = [
        use
        for plan in plans
        for use in plan.quote.pricing.use_requests(order_id=plan.order.id, account_id=plan.order.account_id)
    ]
    await use_promotions(session, uses, now=now)


def is_advance_payment(payment: PlannedPayment) -> bool:
    return not payment.method.collected_offline
