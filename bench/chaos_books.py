"""The providers' own books and the shop's, compared attempt by attempt and refund by refund."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from models import (
    Event,
    Order,
    OrderStatus,
    Payment,
    PaymentAttempt,
    PaymentAttemptStatus,
    PaymentMethod,
    PaymentStatus,
    Refund,
    RefundStatus,
    SandboxCharge,
    SandboxRefund,
)

UNPAID = (OrderStatus.CANCELLED, OrderStatus.CLOSED)
"""No money of such an order is kept."""


@dataclass(frozen=True, slots=True)
class BookedRefund:
    """Minor units that were given back of a payment."""

    payment: str
    amount: int


@dataclass(slots=True)
class ProviderBook:
    """What a provider has taken and given back, by the shop's references; minor units."""

    captured: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """The provider's own name of each payment it has taken."""
    refunds: list[tuple[str, BookedRefund]] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    """Refunds that have not ended."""
    twice: list[str] = field(default_factory=list)
    """References under which money was taken more than once."""

    def take(self, reference: str, amount: int, name: str) -> None:
        if not amount:
            return
        if reference in self.captured:
            self.twice.append(reference)
        self.captured[reference] = self.captured.get(reference, 0) + amount
        self.names[reference] = name


def read_alipay_book(dump: Any) -> ProviderBook:
    book = ProviderBook()
    for reference, payment in dump["payments"].items():
        book.take(reference, int(Decimal(payment["captured"]) * 100), payment["provider_reference"])
    for reference, refund in dump["refunds"].items():
        booked = BookedRefund(refund["payment"], int(Decimal(refund["amount"]) * 100))
        book.refunds.append((reference, booked))
    return book


def read_wechat_book(dump: Any) -> ProviderBook:
    book = ProviderBook()
    for payment in dump["payments"]:
        amount = payment["total"] if payment["paid_at"] else 0
        book.take(payment["reference"], amount, payment["transaction_id"])
    for refund in dump["refunds"]:
        if refund["status"] == "PROCESSING":
            book.pending.append(refund["reference"])
        elif refund["status"] == "SUCCESS":
            book.refunds.append((refund["reference"], BookedRefund(refund["order"], refund["amount"])))
    return book


def read_card_book(dump: Any) -> ProviderBook:
    book = ProviderBook()
    for payment in dump["payments"]:
        book.take(payment["reference"], payment["captured"], payment["provider_reference"])
    for refund in dump["refunds"]:
        if refund["status"] == "pending":
            book.pending.append(refund["reference"])
        elif refund["status"] == "succeeded":
            book.refunds.append((refund["reference"], BookedRefund(refund["payment"], refund["amount"])))
    return book


async def read_sandbox_book(session: AsyncSession) -> ProviderBook:
    book = ProviderBook()
    for charge in await session.scalars(select(SandboxCharge)):
        amount = charge.amount if charge.status is PaymentStatus.CAPTURED else 0
        book.take(charge.reference, amount, f"SANDBOX-{charge.reference}")
    for refund in await session.scalars(select(SandboxRefund)):
        book.refunds.append((refund.reference, BookedRefund(refund.charge_reference, refund.amount)))
    return book


# --- the shop's


@dataclass(slots=True)
class ShopOrder:
    """An order as the shop has it."""

    number: str
    status: OrderStatus
    ordered: int
    """What it cost when it was placed, minor units."""
    attempts: list[PaymentAttempt] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    method: PaymentMethod = PaymentMethod.SANDBOX
    captured: int = 0
    refunded: int = 0

    @property
    def settled_at(self) -> datetime | None:
        """When the last money of it was known to the shop, or given back."""
        moments = [each.captured_at for each in self.attempts] + [each.settled_at for each in self.refunds]
        return max((each for each in moments if each), default=None)


async def read_shop_orders(session: AsyncSession) -> dict[str, ShopOrder]:
    """All orders by their number."""
    orders: dict[int, ShopOrder] = {}
    for order in await session.scalars(select(Order)):
        orders[order.id] = ShopOrder(order.number, order.status, order.total_amount - order.extra_amount)
    for payment in await session.scalars(select(Payment)):
        found = orders[payment.order_id]
        found.method = payment.method
        found.captured += payment.captured_amount
        found.refunded += payment.refunded_amount
    rows = await session.execute(
        select(Payment.order_id, PaymentAttempt).join(Payment, Payment.id == PaymentAttempt.payment_id)
    )
    for order_id, attempt in rows:
        orders[order_id].attempts.append(attempt)
    for refund in await session.scalars(select(Refund)):
        orders[refund.order_id].refunds.append(refund)
    return {order.number: order for order in orders.values()}


async def count_waiting_events(session: AsyncSession) -> int:
    return await session.scalar(select(func.count(Event.id)).where(Event.relayed_at.is_(None))) or 0


# --- compared


def compare_books(
    orders: Iterable[ShopOrder], books: Mapping[PaymentMethod, ProviderBook], parts: Mapping[str, set[int]]
) -> list[str]:
    """What is wrong, each in a line; `parts` are the amounts that may have been refunded, by order number.

    An order without any has kept all or nothing.
    """
    orders = list(orders)
    wrong: list[str] = []
    for method, book in books.items():
        own = [order for order in orders if order.method is method]
        wrong += [f"{method}: {line}" for line in compare_book(own, book)]
    for order in orders:
        book = books[order.method]
        wrong += [
            f"{order.number}: {line}" for line in compare_order(order, book, parts.get(order.number, {0}))
        ]
    return wrong


def compare_book(orders: Sequence[ShopOrder], book: ProviderBook) -> list[str]:
    """Where a provider's book and the shop's differ."""
    attempts = {each.reference: each for order in orders for each in order.attempts}
    refunds = {each.sent_reference: each for order in orders for each in order.refunds}
    wrong = [f"{reference} was taken more than once" for reference in book.twice]
    wrong += [f"refund {reference} has not ended" for reference in book.pending]
    for reference, amount in book.captured.items():
        attempt = attempts.get(reference)
        if attempt is None or attempt.status is not PaymentAttemptStatus.CAPTURED:
            wrong.append(f"{reference} was paid, and is {attempt.status if attempt else 'unknown'} here")
        elif (attempt.amount, attempt.provider_reference) != (amount, book.names[reference]):
            wrong.append(f"{reference} is {amount} as {book.names[reference]}, not {attempt.amount} here")
    for reference, attempt in attempts.items():
        if attempt.status is PaymentAttemptStatus.CAPTURED and reference not in book.captured:
            wrong.append(f"{reference} is paid here and not there")
    counted = Counter(reference for reference, _ in book.refunds)
    wrong += [f"refund {reference} was made {many} times" for reference, many in counted.items() if many > 1]
    for reference, booked in book.refunds:
        refund = refunds.get(reference)
        if refund is None or refund.status is not RefundStatus.SUCCEEDED or refund.amount != booked.amount:
            known = f"{refund.status} of {refund.amount}" if refund else "unknown"
            wrong.append(f"refund {reference} of {booked.amount} was made, and is {known} here")
    for reference, refund in refunds.items():
        if refund.status is not RefundStatus.SUCCEEDED:
            wrong.append(f"refund {reference} is {refund.status} here: {refund.failure}")
        elif reference not in counted:
            wrong.append(f"refund {reference} is paid here and not there")
    return wrong


def compare_order(order: ShopOrder, book: ProviderBook, parts: set[int]) -> list[str]:
    """What is wrong with the money of an order, by what its provider has."""
    own = {each.reference for each in order.attempts}
    taken = sum(book.captured.get(reference, 0) for reference in own)
    given = sum(booked.amount for _, booked in book.refunds if booked.payment in own)
    wrong = []
    if (taken, given) != (order.captured, order.refunded):
        wrong.append(f"took {taken} and gave back {given}; here {order.captured} and {order.refunded}")
    if given > taken:
        wrong.append(f"gave back {given} of {taken}")
    if order.status is OrderStatus.PENDING:
        wrong.append("still waits for its payment")
    elif order.status in UNPAID:
        if taken != given:
            wrong.append(f"is {order.status}, and {taken - given} is kept")
    elif taken - given not in {order.ordered - part for part in parts}:
        wrong.append(f"is {order.status}, cost {order.ordered}, and {taken - given} is kept")
    return wrong
