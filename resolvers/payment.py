from dataclasses import dataclass
from urllib.parse import urlsplit

import strawberry

from domain.errors import Invalid, NotFound
from domain.order import CASH_LIMITS
from domain.payment import collect_cash, confirm_refund, refund_in_goodwill
from events.payment import Started, begin_payment
from loaders.page import PAGE_DEFAULT, Page
from loaders.payment import OLDEST_REFUND, refunds_wanted
from models import CurrencyCode, Money, Order, Payment, PaymentMethod, Refund, RefundStatus
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.money import MoneyInput
from resolvers.order import find_order
from resolvers.paging import paged

RETURN_URL_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class PaymentOffer:
    """A way to pay that the shop offers."""

    method: PaymentMethod
    limit: Money | None


async def payment_methods(info: Info, currency: CurrencyCode | None = None) -> list[PaymentOffer]:
    """The ways to pay that are offered now.

    currency: of the order; the viewer's when left out
    """
    money = currency or info.context.viewer.currency
    cash = CASH_LIMITS.get(money)
    return [
        PaymentOffer(method, Money(cash or 0, money) if is_cash(method) else None)
        for method in PaymentMethod
        if method in info.context.shop.payments and (cash or not is_cash(method))
    ]


async def payment_start(info: Info, id: strawberry.ID, return_url: str | None = None) -> Started:
    """Begin to pay a part of an order, or go on with one that was begun: the answer says what to do next.

    id: the payment
    return_url: where the customer's browser goes afterwards; what it says there is never believed
    """
    payment_id = await own_payment(info, id)
    began = await begin_payment(
        info.context.shop, payment_id, return_url=address(return_url), by=info.context.viewer.id
    )
    info.context.forget()
    return began


async def payment_refund(
    info: Info, order_id: strawberry.ID, amount: MoneyInput, reason: str, idempotency_key: str
) -> Order:
    """Give a customer part of the price back in goodwill, over the roads it came, in proportion.

    order_id: the order
    amount: how much
    reason: why, as the customer reads it
    idempotency_key: chosen by the client, the same for every attempt at the same refund
    """
    number = row_id(order_id, "Order", field=("order_id",))
    money = amount.money(field=("amount",))
    async with info.context.transaction() as session:
        return await refund_in_goodwill(
            session,
            number,
            money,
            reason=reason,
            key=idempotency_key,
            now=info.context.now,
            by=info.context.viewer.id,
        )


async def refund_confirm(info: Info, id: strawberry.ID, reference: str) -> Refund:
    """Say that a refund no provider can carry out has been transferred by hand.

    id: the refund
    reference: of the transfer, as the bank shows it
    """
    refund_id = row_id(id, "Refund")
    async with info.context.transaction() as session:
        return await confirm_refund(
            session, refund_id, reference=reference, now=info.context.now, by=info.context.viewer.id
        )


async def cash_collect(info: Info, payment_id: strawberry.ID, amount: MoneyInput) -> Payment:
    """Take the cash of a delivery: all of it, once.

    payment_id: the payment that is made in cash
    amount: what was taken, which must be what is due
    """
    number = row_id(payment_id, "Payment", field=("payment_id",))
    money = amount.money(field=("amount",))
    async with info.context.transaction() as session:
        return await collect_cash(session, number, money, now=info.context.now, by=info.context.viewer.id)


async def refunds(
    info: Info,
    status: list[RefundStatus] | None = None,
    method: list[PaymentMethod] | None = None,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Page[Refund]:
    """Refunds of all orders, the oldest first; pending ones of cash wait for a transfer.

    status: in one of these states
    method: of payments made in one of these ways
    first: how many, at most 100
    after: the cursor to go on from
    """
    statement = refunds_wanted(status=status, method=method)
    return await paged(info, statement, OLDEST_REFUND, first=first, after=after)


async def find_payment(info: Info, payment_id: int) -> Payment | None:
    """The payment, if this viewer may see its order."""
    payment = await info.context.load.payment.load(payment_id)
    return payment if payment and await find_order(info, payment.order_id) else None


async def find_refund(info: Info, refund_id: int) -> Refund | None:
    refund = await info.context.load.refund.load(refund_id)
    return refund if refund and await find_order(info, refund.order_id) else None


async def own_payment(info: Info, id: strawberry.ID) -> int:
    """The number of a payment this viewer may act on."""
    found = await find_payment(info, row_id(id, "Payment"))
    if found is None:
        raise NotFound("payment", field=("id",))
    return found.id


def address(return_url: str | None) -> str | None:
    """Where to go back to: an address of the web, and no script."""
    if return_url is None:
        return None
    try:
        parts = urlsplit(return_url)
    except ValueError:
        parts = urlsplit("")
    if len(return_url) > RETURN_URL_LIMIT or parts.scheme not in ("http", "https") or not parts.netloc:
        raise Invalid("This is not an address of the web.", field=("return_url",))
    return return_url


def is_cash(method: PaymentMethod) -> bool:
    return method is PaymentMethod.CASH_ON_DELIVERY
