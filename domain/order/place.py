"""Placing an order: one transaction, exactly once, at the prices of this moment."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import idempotency
from domain.cart import empty_cart
from domain.coupon import use_coupon
from domain.errors import DomainError, Invalid, LimitReached, OutOfStock, Unauthenticated
from domain.ledger import payment_status, post
from domain.money import words
from domain.order.allocate import Part
from domain.order.change import confirm_if_secured
from domain.order.goods import take
from domain.order.quote import Quote, quote_basket
from domain.order.refusals import AmountMismatch, NotOffered
from domain.order.wish import Promise, WantedPayment, Wish
from domain.outbox import announce
from domain.stock import Allocation, reserve
from models import (
    CurrencyCode,
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Money,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PostingKind,
)

Row = dict[str, Any]

COMMAND = "orderPlace"
NOTE_LIMIT = 500
PAYMENTS_LIMIT = 5

CASH_LIMITS: Mapping[CurrencyCode, int] = {
    CurrencyCode.CNY: 5_000_00,
    CurrencyCode.HKD: 5_000_00,
    CurrencyCode.USD: 700_00,
}
"""The most a courier takes at the door for one order; no cash in other currencies."""


class SoldMeanwhile(OutOfStock):
    """Somebody was quicker between our look at the shelf and our grip: worth one more look."""

    def __init__(self, refusal: OutOfStock) -> None:
        DomainError.__init__(self, str(refusal), field=("lines",))
        self.left = refusal.left


async def place_order(
    session: AsyncSession,
    wish: Wish,
    promise: Promise,
    *,
    number: str,
    offered: AbstractSet[PaymentMethod],
    pay_within: timedelta,
    now: datetime,
) -> Order:
    """Make an order of a wish, with its stock set aside and its invoice in the books.

    The same idempotency key gives the same order again. Raises SoldMeanwhile where another order took
    goods between the choice of a warehouse and the reservation.
    """
    buyer = wish.owner.account_id
    if buyer is None:
        raise Unauthenticated
    key = promise.idempotency_key
    known = await idempotency.claim(
        session, account_id=buyer, command=COMMAND, key=key, content=content_of(wish, promise), now=now
    )
    if known is not None:
        return await session.get_one(Order, known)
    quote = await quote_basket(session, wish, await take(session, wish, now=now), now=now)
    refuse(wish, promise, quote, offered)
    order = new_order(quote, promise, buyer=buyer, number=number, now=now)
    if in_advance(promise.payments):
        order.payment_due_at = now + pay_within
    session.add(order)
    await session.flush()
    parts = await insert_contents(session, order, quote, promise)
    await invoice(session, order, now=now)
    if quote.basket.cart:
        await empty_cart(session, quote.basket.cart, now=now, by=buyer)
    announce(session, "order.placed", order, now=now, by=buyer)
    if not in_advance(promise.payments):
        await confirm_if_secured(session, order, now=now)
    await idempotency.settle(session, account_id=buyer, command=COMMAND, key=key, result_id=order.id)
    await set_aside(session, order, quote, parts, now=now)
    return order


def content_of(wish: Wish, promise: Promise) -> list[Row]:
    """What makes two requests the same: what was said, not with which tokens or in which mood for prices."""
    said = asdict(wish) | {"owner": None}
    if wish.lines is None:
        said["currency"] = None
    return [said, asdict(promise)]


def refuse(wish: Wish, promise: Promise, quote: Quote, offered: AbstractSet[PaymentMethod]) -> None:
    """Say the first thing that stands against this order, if anything does."""
    if quote.problems:
        raise quote.problems[0]
    if not wish.deliveries:
        raise Invalid("Say where it goes.", field=("deliveries",))
    if len(promise.note) > NOTE_LIMIT:
        raise Invalid(f"A note has at most {NOTE_LIMIT} characters.", field=("note",))
    refuse_payments(promise.payments, quote, offered)


def refuse_payments(
    payments: Sequence[WantedPayment], quote: Quote, offered: AbstractSet[PaymentMethod]
) -> None:
    """The payments are offered, together exactly what is due, and not too much of it in cash."""
    if len(payments) > PAYMENTS_LIMIT:
        raise LimitReached(f"An order has at most {PAYMENTS_LIMIT} payments.", field=("payments",))
    for index, payment in enumerate(payments):
        field = ("payments", index)
        if payment.method not in offered:
            raise NotOffered(payment.method, field=(*field, "method"))
        if payment.amount.currency is not quote.currency:
            raise Invalid(f"This order is in {quote.currency.value}.", field=(*field, "amount"))
        if payment.amount.minor <= 0:
            raise Invalid("A payment is more than nothing.", field=(*field, "amount"))
    zero = Money.zero(quote.currency)
    given = sum((payment.amount for payment in payments), start=zero)
    if given != quote.sums.total:
        raise AmountMismatch(due=quote.sums.total, given=given, field=("payments",))
    cash = sum((payment.amount for payment in payments if not is_advance(payment)), start=zero)
    limit = Money(CASH_LIMITS.get(quote.currency, 0), quote.currency)
    if cash.minor > limit.minor:
        raise LimitReached(f"At most {words(limit)} can be paid at the door.", field=("payments",))


def new_order(quote: Quote, promise: Promise, *, buyer: int, number: str, now: datetime) -> Order:
    total = quote.sums.total.minor
    coupon = quote.basket.coupon
    return Order(
        number=number,
        account_id=buyer,
        status=OrderStatus.PENDING,
        payment_status=payment_status(total=total, taken=0, returned=0),
        fulfilment_status=FulfilmentStatus.UNFULFILLED,
        currency=quote.currency,
        goods_amount=quote.sums.goods.minor,
        discount_amount=quote.sums.discount.minor,
        shipping_amount=quote.sums.shipping.minor,
        total_amount=total,
        coupon_id=coupon.id if coupon else None,
        note=promise.note.strip(),
        version=1,
        placed_at=now,
    )


async def insert_contents(
    session: AsyncSession, order: Order, quote: Quote, promise: Promise
) -> Sequence[Part]:
    """Lines, deliveries, payments, and what of which line goes where: one statement each."""
    lines = await insert_numbered(session, OrderLine, new_lines(order, quote))
    deliveries = await insert_numbered(session, Delivery, new_deliveries(order, quote))
    if payments := new_payments(order, promise):
        await session.execute(insert(Payment), payments)
    parts = quote.parts()
    await session.execute(
        insert(DeliveryLine),
        [
            {
                "delivery_id": deliveries[part.delivery],
                "order_line_id": lines[part.line],
                "warehouse_id": part.warehouse_id,
                "quantity": part.quantity,
                "packed": 0,
                "reserved": quote.lines[part.line].good.variant.limited,
            }
            for part in parts
        ],
    )
    return parts


async def insert_numbered(
    session: AsyncSession, table: type[OrderLine] | type[Delivery], rows: list[Row]
) -> list[int]:
    """Insert rows that have positions from 1 on; their ids in that order."""
    made = await session.execute(insert(table).returning(table.position, table.id), rows)
    return [row_id for _, row_id in sorted((position, row_id) for position, row_id in made)]


def new_lines(order: Order, quote: Quote) -> list[Row]:
    return [
        {
            "order_id": order.id,
            "position": position,
            "product_id": line.good.product.id,
            "variant_id": line.good.variant.id,
            "sku": line.good.variant.sku,
            "title": line.good.product.title,
            "options": line.good.variant.options,
            "picture_url": line.good.picture_url,
            "weight_grams": line.good.variant.weight_grams,
            "currency": order.currency,
            "unit_amount": line.unit.minor,
            "quantity": line.quantity,
            "discount_amount": line.discount.minor,
        }
        for position, line in enumerate(quote.lines, start=1)
    ]


def new_deliveries(order: Order, quote: Quote) -> list[Row]:
    return [
        {
            "order_id": order.id,
            "position": position,
            "method": delivery.method,
            "currency": order.currency,
            "fee_amount": delivery.fee.minor,
        }
        | asdict(delivery.postal)
        for position, delivery in enumerate(quote.deliveries, start=1)
    ]


def new_payments(order: Order, promise: Promise) -> list[Row]:
    return [
        {
            "order_id": order.id,
            "position": position,
            "method": payment.method,
            "status": PaymentStatus.PENDING,
            "currency": order.currency,
            "amount": payment.amount.minor,
            "captured_amount": 0,
            "refunded_amount": 0,
            "reference": f"{order.number}-{position}",
        }
        for position, payment in enumerate(promise.payments, start=1)
    ]


async def invoice(session: AsyncSession, order: Order, *, now: datetime) -> None:
    """The customer owes the total from now on; an order that costs nothing has no invoice."""
    if order.total:
        await post(
            session,
            order_id=order.id,
            payment_id=None,
            kind=PostingKind.INVOICED,
            amount=order.total,
            key=f"invoiced:{order.number}",
            now=now,
        )


async def set_aside(
    session: AsyncSession, order: Order, quote: Quote, parts: Sequence[Part], *, now: datetime
) -> None:
    """Reserve last: what many want at the same moment is held for the shortest time."""
    wants = [
        Allocation(quote.lines[part.line].good.variant.id, part.warehouse_id, part.quantity)
        for part in parts
        if quote.lines[part.line].good.variant.limited
    ]
    try:
        await reserve(session, wants, order_id=order.id, now=now, by=order.account_id)
    except OutOfStock as refusal:
        raise SoldMeanwhile(refusal) from None
    if order.coupon_id is not None:
        await use_coupon(session, order.coupon_id, now=now)


def in_advance(payments: Sequence[WantedPayment]) -> bool:
    return any(is_advance(payment) for payment in payments)


def is_advance(payment: WantedPayment) -> bool:
    return payment.method is not PaymentMethod.CASH_ON_DELIVERY
