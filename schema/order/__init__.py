"""Orders: their lines, deliveries and timelines, quotes and updates."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import order as resolve
from resolvers import reasons
from resolvers.carrier_call import order_carrier_calls
from resolvers.context import Info
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from resolvers.order import editing, timeline, titles
from resolvers.pickup import delivery_pickups
from resolvers.picture import line_picture_url
from resolvers.provider_call import order_provider_calls
from resolvers.shipment import delivery_cash_due
from schema.account import Account
from schema.catalog import Product, Variant
from schema.connection import Connection
from schema.limits.sizes import COUNT, FEW, PRICING, SEARCH, SOME
from schema.mutation import UserError, mutation, user_error
from schema.node import Node
from schema.order.address import DeliveryWindow, PostalAddress
from schema.order.pickup import DeliveryPickup
from schema.order.waiting_edit import OrderEdit
from schema.promotion import AppliedPromotion, DiscountPart, EvaluatedPromotion
from schema.rows import batched, field, loaded, plain_list, row_type, subscription
from schema.scalars import Money
from schema.shipping import ShippingOption
from schema.stock import Warehouse

if TYPE_CHECKING:
    from schema.aftersales import Ticket
    from schema.carrier_call import CarrierCall
    from schema.payment import Payment
    from schema.provider_call import ProviderCall
    from schema.shipment import Shipment

OrderStatus = describe_enum(models.OrderStatus)
OrderPaymentStatus = describe_enum(models.OrderPaymentStatus)
FulfilmentStatus = describe_enum(models.FulfilmentStatus)
OrderDisplayStatus = describe_enum(models.OrderDisplayStatus)
OrderSort = describe_enum(resolve.OrderSort)

LaterCarrierCall = Annotated["CarrierCall", strawberry.lazy("schema.carrier_call")]
LaterPayment = Annotated["Payment", strawberry.lazy("schema.payment")]
LaterProviderCall = Annotated["ProviderCall", strawberry.lazy("schema.provider_call")]
LaterShipment = Annotated["Shipment", strawberry.lazy("schema.shipment")]
LaterTicket = Annotated["Ticket", strawberry.lazy("schema.aftersales")]


@row_type(models.OrderLine)
class OrderLine(Node):
    """Units of a variant on an order, with the title and price of the moment it was placed."""

    position: int
    """Its position on the order, from 1."""
    title: str = batched(titles.line_titles)
    sku: str | None
    """The stock keeping unit, if it has one."""
    options: list["LineOption"] = field(resolve.options, size=FEW)
    picture_url: str | None = field(line_picture_url)
    unit_price: Money
    """What one unit cost."""
    quantity: int
    """How many units were bought."""
    discount: Money
    """This line's share of the order's discount."""
    discounts: list[DiscountPart] = field(resolve.discounts, size=FEW)
    total: Money
    """What all units cost after the discount."""
    cancelled: int
    """How many units were cancelled before they left."""
    backordered: int = batched(resolve.backordered_units)
    requires_shipping: bool
    """Whether it is sent or collected; otherwise it is delivered when it is paid."""
    exclusion: models.ClaimExclusion | None
    """Why it cannot be returned without a reason, as the buyer confirmed; null where it can."""
    exclusion_confirmed_at: datetime | None
    """When the buyer confirmed that."""
    product: Product | None = loaded("product", key="product_id")
    """The product as it is now."""
    variant: Variant | None = loaded("variant", key="variant_id")
    """The variant as it is now."""


@row_type(resolve.LineOption)
class LineOption:
    """A choice that distinguishes a variant, such as a size."""

    name: str
    """The name of the choice, such as "Size"."""
    value: str
    """The value chosen, such as "M"."""


@row_type(models.DeliveryLine)
class DeliveryLine(Node):
    """Units of one order line that leave one warehouse for one address."""

    order_line: OrderLine = loaded("order_line", key="order_line_id")
    """The order line."""
    quantity: int
    """How many units go there."""
    packed: int
    """How many of them are packed in parcels."""
    backordered: int = batched(resolve.waiting_units)
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """The warehouse they leave."""
    variant: Variant | None = loaded("variant", key="variant_id")
    """What is sent in place of the variant that was ordered; null where it is that."""


@row_type(models.Delivery)
class Delivery(Node):
    """The part of an order that goes to one address by one method."""

    position: int
    """Its position on the order, from 1."""
    address: PostalAddress
    """Where it goes."""
    method: models.ShippingMethod
    """How it is sent."""
    window: DeliveryWindow | None
    """When it is to come, as the customer wishes; null where any time will do."""
    fee: Money
    """What sending it costs before any discount."""
    discount: Money
    """What the promotions take off the fee."""
    discounts: list[DiscountPart] = field(resolve.discounts, size=FEW)
    total: Money
    """What is left of the fee."""
    lines: list[DeliveryLine] = loaded("delivery_lines", key="id", size=FEW)
    """The units that go there, by warehouse."""
    shipments: list[LaterShipment] = loaded("delivery_shipments", key="id", size=FEW)
    """Its parcels that are packed."""
    pickup: DeliveryPickup | None = batched(delivery_pickups)
    cash_due: Money | None = batched(delivery_cash_due, price=COUNT)
    order: "Order" = loaded("order", key="order_id")
    """The order it belongs to."""
    ticket: LaterTicket | None = loaded("ticket", key="ticket_id")
    """The ticket whose replacement this is; null for what was ordered originally."""
    sends_back: bool
    """Whether it brings back what the customer had returned for the ticket and the shop has not kept."""


@row_type(models.Event)
class OrderEvent:
    """One thing that has happened to an order."""

    version: int
    """The version of the order after this event."""
    name: str
    """What happened, for programs, such as "order.confirmed"."""
    message: str = field(timeline.event_message)
    reason: str | None = field(timeline.event_reason)
    occurred_at: datetime
    """When the shop recorded it."""
    actor: Account | None = batched(timeline.actors)


@row_type(models.Order)
class Order(Node):
    """What a customer bought, at the prices agreed when it was placed."""

    number: str
    """The number by which customers and staff refer to it."""
    status: models.OrderStatus
    """Whether it is confirmed, completed, cancelled or closed."""
    payment_status: models.OrderPaymentStatus
    """Whether it is paid or refunded, wholly or in part."""
    fulfilment_status: models.FulfilmentStatus
    """Whether it is packed, shipped or delivered, wholly or in part."""
    display_status: models.OrderDisplayStatus
    """The one status that customers read, derived from the three others."""
    subtotal: Money
    """What the lines cost before any discount."""
    discount: Money
    """What the promotions take off the lines."""
    shipping: Money
    """What the deliveries cost, after what the promotions take off their fees."""
    cancelled: Money
    """What was cancelled before it was paid, and is not due any more."""
    total: Money
    """What is to be paid: subtotal - discount + shipping - cancelled."""
    note: str
    """The customer's message to the shop; may be empty."""
    version: int
    """One higher with each event; pass it as `after` to `orderUpdates` to miss none."""
    placed_at: datetime
    """When it was placed."""
    payment_due_at: datetime | None
    """When it is cancelled unless it is paid by then, or returns to cash, where that is paid in advance
    instead; null when nothing is due."""
    confirmed_at: datetime | None
    """When it was confirmed: paid in advance, or accepted for payment at the door."""
    delivered_at: datetime | None
    """When the last of it arrived."""
    receipt_due_at: datetime | None
    """When its receipt is confirmed automatically; null before it arrives and once it is confirmed."""
    completed_at: datetime | None
    """When its receipt was confirmed."""
    cancelled_at: datetime | None
    """When it was cancelled."""
    cancel_reason: str | None = field(reasons.cancel_reason)
    held_at: datetime | None
    """Since when it is held; null when it is not."""
    hold: str | None = field(editing.hold)
    staff_notes: list["OrderNote"] | None = batched(editing.notes, size=FEW)
    customer: Account = loaded("account", key="account_id")
    """Who bought it."""
    lines: list[OrderLine] = loaded("order_lines", key="id", size=SOME)
    """What was bought."""
    promotions: list[AppliedPromotion] = loaded("order_promotions", key="id", size=FEW)
    """The promotions that were applied, in the order of application."""
    deliveries: list[Delivery] = loaded("order_deliveries", key="id", size=FEW)
    """Where it goes; replacements of after-sales come last."""
    payments: list[LaterPayment] = loaded("order_payments", key="id", size=FEW)
    """How it is paid."""
    waiting_edit: OrderEdit | None = loaded("order_waiting_edit", key="id")
    """The edit that waits for its payment; null when there is none."""
    cash_payments: list[LaterPayment] = batched(resolve.cash_payments, size=FEW)
    shipments: list[LaterShipment] = loaded("order_shipments", key="id", size=FEW)
    """Its parcels that are packed."""
    tickets: list[LaterTicket] = loaded("order_tickets", key="id", size=FEW)
    """The after-sales tickets about it."""
    timeline: list[OrderEvent] = batched(timeline.timelines, size=SOME)
    provider_calls: list[LaterProviderCall] | None = batched(order_provider_calls, size=SOME)
    carrier_calls: list[LaterCarrierCall] | None = batched(order_carrier_calls, size=SOME)


@row_type(models.OrderNote)
class OrderNote:
    """A note about an order, by and for the staff."""

    text: str
    """The note."""
    author: Account = loaded("account", key="author_id")
    """Who wrote it."""
    created_at: datetime
    """When it was written."""


@row_type(models.Event)
class OrderUpdate:
    """One thing that happened to an order, with the statuses of the order after it."""

    version: int
    """The version of the order after this event; versions follow each other without a gap."""
    name: str
    """What happened, such as "order.confirmed"."""
    status: models.OrderStatus = field(timeline.status_then)
    payment_status: models.OrderPaymentStatus = field(timeline.payment_status_then)
    fulfilment_status: models.FulfilmentStatus = field(timeline.fulfilment_status_then)
    occurred_at: datetime
    """When the shop recorded it."""
    order: Order = loaded("order", key="subject_id")
    """The order as it is now."""


@row_type(resolve.OrderQuoteLine)
class CheckoutLine:
    """What one line would cost."""

    variant: Variant
    """The variant."""
    quantity: int
    """How many units."""
    unit_price: Money
    """What one unit costs."""
    discount: Money
    """This line's share of the discount."""
    total: Money
    """What all units cost after the discount."""
    backordered: int
    """How many of these units would wait for stock to come."""
    exclusion: models.ClaimExclusion | None
    """Why it cannot be returned without a reason, which the buyer confirms in `orderPlace`; null where it
    can."""


@row_type(resolve.OrderQuoteDelivery)
class CheckoutDelivery:
    """What one delivery would cost."""

    method: models.ShippingMethod
    """How it would be sent."""
    fee: Money
    """What sending it costs before any discount."""
    discount: Money
    """What the promotions take off the fee."""
    total: Money
    """What is left of the fee."""
    options: list[ShippingOption] = plain_list(size=FEW)
    """Every method by which it could be sent, with its fee."""


@row_type(resolve.PickupPlace)
class CheckoutPickupPlace:
    """A warehouse or shop where an order could be collected."""

    warehouse: Warehouse
    """The place."""
    ready: bool
    """Whether all of it is there now."""
    orderable: bool
    """Whether all of it can be ordered for there; what is not there now would wait for stock to come."""


def problems(root: resolve.OrderQuote, info: Info) -> list[UserError]:
    return [user_error(problem, info) for problem in root.problems]


@row_type(resolve.OrderQuote)
class CheckoutQuote:
    """An order as it could be placed now, and every reason why it could not."""

    lines: list[CheckoutLine] = plain_list(size=SOME)
    """What would be bought; what is not sold any more is left out."""
    deliveries: list[CheckoutDelivery] = plain_list(size=FEW)
    """Where it would go, in the order given."""
    subtotal: Money
    """What the lines cost before any discount."""
    discount: Money
    """What the promotions take off the lines."""
    shipping: Money
    """What the deliveries cost, after what the promotions take off their fees."""
    total: Money
    """What would have to be paid: subtotal - discount + shipping."""
    promotions: list[EvaluatedPromotion] = plain_list(size=FEW)
    """Every promotion that was considered, and why it applies or does not: those that apply first."""
    pickup_places: list[CheckoutPickupPlace] = field(resolve.pickup_places, size=SOME)
    problems: list[UserError] = plain_list(
        resolver=problems,
        description="Why the order could not be placed so; empty when it could. Paths lead into `input`.",
        size=FEW,
    )


@strawberry.type
class OrderQuery:
    order: Order | None = field(resolve.order, allow=Permission.ORDER_VIEW)
    orders: Connection[Order] = field(resolve.orders, allow=Permission.ORDER_VIEW, price=SEARCH)
    checkout_quote: CheckoutQuote = field(resolve.checkout_quote, allow=Permission.ORDER_PLACE, price=PRICING)


@strawberry.type
class OrderMutation:
    order_place = mutation(
        resolve.order_place,
        returns=Order,
        allow=Permission.ORDER_PLACE,
        price=2 * PRICING,
        further_fields={
            "secret": (
                str,
                "For a guest: what opens this order only, sent as `Authorization: Bearer ...`; keep it. Null "
                "otherwise.",
            )
        },
    )
    order_secret_request = mutation(
        resolve.order_secret_request,
        returns=datetime,
        field_name="requested_at",
        field_description="When it was asked for; null when the shop refused.",
        allow=Permission.PUBLIC,
    )
    order_cancel = mutation(resolve.order_cancel, returns=Order, allow=Permission.ORDER_CHANGE)
    order_receipt_confirm = mutation(resolve.order_receipt_confirm, returns=Order, allow=Permission.BUY)


@strawberry.type
class OrderSubscription:
    order_updates: OrderUpdate = subscription(timeline.order_updates, allow=Permission.ORDER_VIEW)
