"""Orders: listing, quoting, placing, cancelling, confirming receipt."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from domain.errors import Invalid, NotFound
from domain.order import (
    OrderQuote,
    OrderQuoteDelivery,
    OrderQuoteLine,
    cancel_order,
    confirm_receipt,
)
from loaders.order import OrderSort, select_orders
from loaders.page import FIRST_PAGE, Page, PageRequest
from models import Delivery, Order, OrderLine, Payment, PaymentStatus, RefundTarget
from resolvers.catalog.product import translate_option
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.order import OrderFilter
from resolvers.order.checkout import checkout_quote, order_place, order_secret_request
from resolvers.order.finding import (
    find_delivery,
    find_delivery_line,
    find_order,
    find_order_line,
    own_order_id,
    visible_order,
)
from resolvers.order.pickup_places import PickupPlace, pickup_places
from resolvers.order.search import order_criteria
from resolvers.order.waiting import backordered_units, waiting_units
from resolvers.paging import query_page
from resolvers.promotion import DiscountPart

__all__ = [
    "LineOption",
    "OrderQuote",
    "OrderQuoteDelivery",
    "OrderQuoteLine",
    "OrderSort",
    "PickupPlace",
    "backordered_units",
    "cash_payments",
    "checkout_quote",
    "discounts",
    "find_delivery",
    "find_delivery_line",
    "find_order",
    "find_order_line",
    "options",
    "order",
    "order_cancel",
    "order_place",
    "order_receipt_confirm",
    "order_secret_request",
    "orders",
    "own_order_id",
    "pickup_places",
    "waiting_units",
]


@dataclass(frozen=True, slots=True)
class LineOption:
    """A choice that distinguishes a variant, such as a size."""

    name: str
    value: str


async def order(info: Info, id: strawberry.ID | None = None, number: str | None = None) -> Order | None:
    """One order, by id or by number; null when it does not exist or is not the viewer's.

    id: the order
    number: its number
    """
    if (id is None) == (number is None):
        raise Invalid("Give either the id or the number.", field=("id",))
    if number is not None:
        return await visible_order(info, await info.context.load.order_by_number.load(number.strip().upper()))
    try:
        return await find_order(info, row_id(id or "", "Order"))
    except NotFound:
        return None


async def orders(
    info: Info,
    filter: OrderFilter | None = None,
    sort: OrderSort = OrderSort.NEWEST,
    query: str | None = None,
    page: PageRequest = FIRST_PAGE,
) -> Page[Order]:
    """Orders: the viewer's own, or all for the staff.

    filter: which of them
    sort: in which order
    query: how a number begins, how a phone number ends, an e-mail address, a SKU, or words of a title
    """
    criteria = await order_criteria(info, filter or OrderFilter(), query)
    statement, rows = select_orders(criteria, sort)
    return await query_page(info, statement, rows, page)


async def order_cancel(
    info: Info, id: strawberry.ID, reason: str, refund_to: RefundTarget = RefundTarget.ORIGINAL
) -> Order:
    """Cancels an order of which nothing has left yet; what was paid is refunded in full.

    id: the order
    reason: why, in up to 500 characters
    refund_to: where what was paid goes; guests have no store credit
    """
    order_id = await own_order_id(info, id)
    async with info.context.transaction() as session:
        return await cancel_order(
            session, order_id, refund_to=refund_to, reason=reason, cause=info.context.cause
        )


async def order_receipt_confirm(info: Info, id: strawberry.ID) -> Order:
    """Confirms that everything on an order has arrived, which completes it.

    id: the order
    """
    order_id = await own_order_id(info, id)
    async with info.context.transaction() as session:
        return await confirm_receipt(session, order_id, cause=info.context.cause)


def options(root: OrderLine, info: Info) -> list[LineOption]:
    """The options of the variant when it was ordered; empty for a product with one variant."""
    viewer = info.context.viewer_of(info)
    return [LineOption(*translate_option(viewer, option)) for option in root.options]


def discounts(root: OrderLine | Delivery) -> list[DiscountPart]:
    """What each promotion takes off."""
    return [DiscountPart(part["promotion_id"], root.money(part["amount"])) for part in root.discounts]


async def cash_payments(orders: Sequence[Order], info: Info) -> Sequence[Sequence[Payment]]:
    """What is to be collected at the door, and what of it was."""
    found = await info.context.load.order_payments.load_many([order.id for order in orders])
    return [[payment for payment in payments if is_collected(payment)] for payments in found]


def is_collected(payment: Payment) -> bool:
    """Whether a payment is cash that was or is to be collected: of a closed one nothing ever is."""
    return payment.method.collected_offline and payment.status is not PaymentStatus.CLOSED
