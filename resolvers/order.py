from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import strawberry

from domain.errors import Invalid, NotFound
from domain.order import (
    Placement,
    Promise,
    Quote,
    cancel_order,
    confirm_receipt,
    quote_order,
)
from events.stream import follow
from loaders.order import NUMBER_PREFIX, OrderSort, orders_wanted
from loaders.page import PAGE_DEFAULT, Page
from models import (
    Account,
    CurrencyCode,
    Delivery,
    DeliveryLine,
    Event,
    FulfilmentStatus,
    Order,
    OrderLine,
    OrderPaymentStatus,
    OrderStatus,
    Subject,
)
from resolvers.cart import owner
from resolvers.context import Info
from resolvers.finding import orders_asked
from resolvers.ids import row_id
from resolvers.inputs.order import (
    CheckoutQuoteInput,
    DeliveryInput,
    OrderFilter,
    OrderLineInput,
    PaymentInput,
    wish_of,
)
from resolvers.offer import DiscountPart
from resolvers.paging import paged

STORY: Mapping[str, str] = {
    "order.placed": "Order placed",
    "payment.started": "Payment begun",
    "payment.captured": "Payment received",
    "payment.failed": "Payment failed",
    "order.confirmed": "Order confirmed",
    "order.packing": "Being packed",
    "order.unfulfilled": "Waiting to be packed",
    "order.partially_shipped": "Partly on its way",
    "order.lines_cancelled": "Partly cancelled",
    "order.address_changed": "Address changed",
    "order.held": "Being checked by us",
    "order.released": "Checked, goes on",
    "order.shipped": "On its way",
    "order.partially_delivered": "Partly delivered",
    "order.delivered": "Delivered",
    "order.returned": "Come back to us",
    "cash.collected": "Cash received",
    "order.completed": "Receipt confirmed",
    "order.cancelled": "Order cancelled",
    "refund.requested": "Refund on its way",
    "refund.succeeded": "Refunded",
    "refund.failed": "Refund delayed",
    "order.closed": "Closed, everything refunded",
}
"""Event -> what a customer reads; what is not here is told to watchers only."""


@dataclass(frozen=True, slots=True)
class LineOption:
    """A choice that makes a variant, such as a size."""

    name: str
    value: str


async def order(info: Info, id: strawberry.ID | None = None, number: str | None = None) -> Order | None:
    """One order, by id or by number; null when it does not exist or is not yours.

    id: its global id
    number: its number, as the customer reads it out
    """
    if (id is None) == (number is None):
        raise Invalid("Give either the id or the number.", field=("id",))
    if number is not None:
        return seen(info, await info.context.load.order_by_number.load(number.strip().upper()))
    try:
        return await find_order(info, row_id(id or "", "Order"))
    except NotFound:
        return None


async def orders(
    info: Info,
    filter: OrderFilter | None = None,
    sort: OrderSort = OrderSort.NEWEST,
    search: str | None = None,
    first: int = PAGE_DEFAULT,
    after: str | None = None,
) -> Page[Order]:
    """Orders: one's own, or all for the staff.

    filter: which of them
    sort: in which order
    search: how a number begins, how a phone number ends, an e-mail address, a SKU, or words of a title
    first: how many, at most 100
    after: the cursor to go on from
    """
    wanted = await orders_asked(info, filter or OrderFilter(), search)
    statement, rows = orders_wanted(wanted, sort)
    return await paged(info, statement, rows, first=first, after=after)


async def checkout_quote(info: Info, input: CheckoutQuoteInput) -> Quote:
    """What an order would cost now, to the cent, and everything that stands against it. Changes nothing.

    input: what would be ordered, and where it would go
    """
    wish = input.wish(owner(info), info.context.viewer.currency)
    async with info.context.shop.database.reads() as session:
        return await quote_order(session, wish, now=info.context.now)


async def order_place(
    info: Info,
    deliveries: list[DeliveryInput],
    payments: list[PaymentInput],
    idempotency_key: str,
    lines: list[OrderLineInput] | None = None,
    coupon_codes: list[str] | None = None,
    currency: CurrencyCode | None = None,
    note: str = "",
) -> Order:
    """Order what is in the cart, or the lines given. The same idempotency key gives the same order again.

    deliveries: where it goes; every unit of every line to exactly one address
    payments: how it is paid; the amounts add up to the quoted total exactly
    idempotency_key: chosen by the client, the same for every attempt at the same order
    lines: what is ordered, each variant once; what is in the cart when left out
    coupon_codes: coupons in place of those on the cart
    currency: the currency of `lines`; the viewer's when left out
    note: words to the shop, up to 500 characters
    """
    money = currency or info.context.viewer.currency
    wish = wish_of(owner(info), lines, deliveries, coupon_codes, currency=money)
    wanted = [payment.wanted(index) for index, payment in enumerate(payments)]
    promise = Promise(wanted, note, idempotency_key)
    context = info.context
    number = context.shop.secrets.number(NUMBER_PREFIX, context.now)
    order = await context.shop.placing.place(context.shop, Placement(wish, promise, number))
    context.forget()
    return order


async def order_cancel(info: Info, id: strawberry.ID, reason: str) -> Order:
    """Cancel an order of which nothing has left yet; what was paid is refunded.

    id: the order
    reason: why, in up to 500 characters
    """
    order_id = await own_order(info, id)
    async with info.context.transaction() as session:
        return await cancel_order(
            session, order_id, reason=reason, now=info.context.now, by=info.context.viewer.id
        )


async def order_receipt_confirm(info: Info, id: strawberry.ID) -> Order:
    """Say that everything has arrived; the windows of after-sales begin.

    id: the order
    """
    order_id = await own_order(info, id)
    async with info.context.transaction() as session:
        return await confirm_receipt(session, order_id, now=info.context.now, by=info.context.viewer.id)


async def order_updates(info: Info, id: strawberry.ID, after: int | None = None) -> AsyncIterator[Event]:
    """Everything that happens to an order: first what came after a version, then live, each once, in order.

    id: the order
    after: the last version you have seen; left out, only what is still to come
    """
    found = await find_order(info, row_id(id, "Order"))
    if found is None:
        raise NotFound("order", field=("id",))
    if after is not None and not 0 <= after <= found.version:
        raise Invalid(f"This order is at version {found.version}.", field=("after",))
    async for event in follow(info.context.shop, Subject.ORDER, found.id, after):
        yield event


async def timelines(orders: Sequence[Order], info: Info) -> list[list[Event]]:
    """What has happened to it, the oldest first."""
    told = await info.context.load.order_events.load_many([order.id for order in orders])
    return [[event for event in events if event.name in STORY] for events in told]


async def actors(events: Sequence[Event], info: Info) -> list[Account | None]:
    """Who did it; null for what happened by itself, and for customers where it was one of the staff."""
    viewer = info.context.viewer
    ids = {event.actor_id for event in events if event.actor_id is not None}
    seen_ids = [actor for actor in ids if viewer.is_staff or viewer.owns(actor)]
    found = dict(zip(seen_ids, await info.context.load.account.load_many(seen_ids), strict=True))
    return [found.get(event.actor_id or 0) for event in events]


def options(root: OrderLine) -> list[LineOption]:
    """What was chosen; empty for a product with one variant."""
    return [LineOption(option["name"], option["value"]) for option in root.options]


def discounts(root: OrderLine | Delivery) -> list[DiscountPart]:
    """What each offer took off."""
    return [DiscountPart(part["offer_id"], root.money(part["amount"])) for part in root.discounts]


def words_told(root: Event) -> str:
    """What happened, in words for a customer."""
    return STORY[root.name]


def status_told(root: Event) -> OrderStatus:
    """Where the order stood then."""
    return OrderStatus(root.payload["status"])


def payment_status_told(root: Event) -> OrderPaymentStatus:
    """What had been paid then."""
    return OrderPaymentStatus(root.payload["payment_status"])


def fulfilment_status_told(root: Event) -> FulfilmentStatus:
    """How far its goods were then."""
    return FulfilmentStatus(root.payload["fulfilment_status"])


async def find_order(info: Info, order_id: int) -> Order | None:
    """The order, if this viewer may see it."""
    return seen(info, await info.context.load.order.load(order_id))


def seen(info: Info, found: Order | None) -> Order | None:
    """Customers see their own, staff all."""
    if found is None or not (info.context.viewer.is_staff or info.context.viewer.owns(found.account_id)):
        return None
    return found


async def own_order(info: Info, id: strawberry.ID) -> int:
    """The number of an order this viewer may act on."""
    found = await find_order(info, row_id(id, "Order"))
    if found is None:
        raise NotFound("order", field=("id",))
    return found.id


async def find_order_line(info: Info, line_id: int) -> OrderLine | None:
    line = await info.context.load.order_line.load(line_id)
    return line if line and await find_order(info, line.order_id) else None


async def find_delivery(info: Info, delivery_id: int) -> Delivery | None:
    delivery = await info.context.load.delivery.load(delivery_id)
    return delivery if delivery and await find_order(info, delivery.order_id) else None


async def find_delivery_line(info: Info, line_id: int) -> DeliveryLine | None:
    line = await info.context.load.delivery_line.load(line_id)
    return line if line and await find_delivery(info, line.delivery_id) else None
