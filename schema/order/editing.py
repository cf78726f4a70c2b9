"""Changing orders after they were placed."""

import strawberry

from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.order import editing as resolve
from resolvers.order.waiting_edit import order_edit_cancel
from schema.cart import Cart
from schema.catalog import Variant
from schema.limits.sizes import FEW, PRICING, SOME
from schema.mutation import UserError, mutation, user_error
from schema.order import Delivery, Order, OrderLine, OrderNote
from schema.rows import field, loaded, plain_list, row_type
from schema.scalars import Money


@row_type(resolve.NotBoughtAgainLine)
class NotBoughtAgain:
    """A line of an old order that could not be added to the cart."""

    line: OrderLine
    """The order line."""
    message: str = field(resolve.not_bought_message)


@row_type(resolve.OrderEditQuoteLine)
class OrderEditQuoteLine:
    """A line of an order before and after an edit."""

    order_line: OrderLine | None = loaded("order_line", key="order_line_id")
    """The line; null for one that is added."""
    variant: Variant | None = loaded("variant", key="variant_id")
    """The variant; null when it does not exist any more."""
    quantity_before: int
    """How many units there are, of those that were neither cancelled nor returned."""
    quantity: int
    """How many units there would be."""
    unit_price: Money
    """What one unit costs: the agreed price, or today's for one that is added."""
    before: Money
    """What they cost now, after the discount."""
    after: Money
    """What they would cost, after the discount."""


@row_type(resolve.OrderEditQuoteDelivery)
class OrderEditQuoteDelivery:
    """The fee of a delivery before and after an edit."""

    delivery: Delivery
    """The delivery."""
    before: Money
    """Its fee now, after what the promotions take off it."""
    after: Money
    """What its fee would be."""


def problems(root: resolve.OrderEditQuote, info: Info) -> list[UserError]:
    return [user_error(each, info) for each in root.problem.each] if root.problem else []


@row_type(resolve.OrderEditQuote)
class OrderEditQuote:
    """What an edit would come to, or why it cannot be made."""

    lines: list[OrderEditQuoteLine] = plain_list(size=SOME)
    """The lines of the order and those that are added."""
    deliveries: list[OrderEditQuoteDelivery] = plain_list(size=FEW)
    """The deliveries and their fees."""
    total_before: Money
    """The total of the order now."""
    total: Money
    """The total it would have; pass it to `orderEdit`."""
    difference: Money
    """What would be due in addition; negative for what would come back or not be due any more."""
    payment_needed: bool
    """Whether the difference would be a payment of its own, of which `orderEdit` must name the method."""
    problems: list[UserError] = plain_list(
        resolver=problems,
        description="Why the edit cannot be made; empty when it can. Paths lead into the arguments.",
        size=FEW,
    )


@strawberry.type
class OrderEditingQuery:
    order_edit_quote: OrderEditQuote = field(
        resolve.order_edit_quote, allow=Permission.ORDER_CHANGE, price=PRICING
    )


@strawberry.type
class OrderEditingMutation:
    order_edit = mutation(resolve.order_edit, returns=Order, allow=Permission.ORDER_CHANGE, price=PRICING)
    order_edit_cancel = mutation(order_edit_cancel, returns=Order, allow=Permission.ORDER_CHANGE)
    order_payments_change = mutation(
        resolve.order_payments_change, returns=Order, allow=Permission.ORDER_CHANGE
    )
    order_lines_cancel = mutation(resolve.order_lines_cancel, returns=Order, allow=Permission.ORDER_CHANGE)
    order_buy_again = mutation(
        resolve.order_buy_again,
        returns=Cart,
        allow=Permission.CART,
        further_fields={
            "left_out": (list[NotBoughtAgain], "The lines that could not be added to it; null when refused.")
        },
    )
    order_address_change = mutation(
        resolve.order_address_change, returns=Delivery, allow=Permission.ORDER_CHANGE
    )
    order_window_change = mutation(
        resolve.order_window_change, returns=Delivery, allow=Permission.ORDER_CHANGE
    )
    order_hold = mutation(resolve.order_hold, returns=Order, allow=Permission.ORDER_HOLD)
    order_release = mutation(resolve.order_release, returns=Order, allow=Permission.ORDER_HOLD)
    order_note_add = mutation(resolve.order_note_add, returns=OrderNote, allow=Permission.ORDER_NOTE)
