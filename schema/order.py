"""Orders: quoted, placed, watched."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import models
from domain.order import Quote, QuotedDelivery, QuotedLine
from loaders.order import OrderSort as Sort
from resolvers import change
from resolvers import order as resolve
from resolvers.described import describe_enum
from resolvers.guard import CUSTOMERS, SHOPPERS, SIGNED_IN, SUPPORT
from schema.account import Account
from schema.catalog import Product, Variant
from schema.connection import Connection
from schema.mutation import UserError, mutation, refusal
from schema.node import Node
from schema.offer import AppliedOffer, DiscountPart, JudgedOffer
from schema.rows import batched, field, loaded, row_type, subscription
from schema.scalars import Money
from schema.shipping import ShippingOption
from schema.stock import Warehouse

if TYPE_CHECKING:
    from schema.aftersales import Ticket
    from schema.payment import Payment
    from schema.shipment import Shipment

OrderStatus = describe_enum(models.OrderStatus)
OrderPaymentStatus = describe_enum(models.OrderPaymentStatus)
FulfilmentStatus = describe_enum(models.FulfilmentStatus)
OrderHeadline = describe_enum(models.OrderHeadline)
OrderSort = describe_enum(Sort)

LaterPayment = Annotated["Payment", strawberry.lazy("schema.payment")]
LaterShipment = Annotated["Shipment", strawberry.lazy("schema.shipment")]
LaterTicket = Annotated["Ticket", strawberry.lazy("schema.aftersales")]


@row_type(models.PostalAddress)
class PostalAddress:
    """Where a parcel goes, as it was written when the order was placed."""

    recipient: str
    """Who takes the parcel."""
    phone: str
    """The number the courier calls, in E.164."""
    country_code: str
    """The ISO 3166 code of the country."""
    province: str
    """Province, state or municipality; empty where there is none."""
    city: str
    """City or prefecture."""
    district: str
    """District or county; empty where there is none."""
    line1: str
    """Street, house and door."""
    line2: str
    """What else helps to find the door; may be empty."""
    postal_code: str
    """Postal code; may be empty."""


@row_type(models.OrderLine)
class OrderLine(Node):
    """One variant on an order, as it was called and priced when the order was placed."""

    position: int
    """Its place on the order, from 1."""
    title: str
    """What it was called."""
    sku: str | None
    """The stock keeping unit, if it has one."""
    options: list["LineOption"] = field(resolve.options)
    picture_url: str | None
    """What it looked like."""
    unit_price: Money
    """What one cost."""
    quantity: int
    """How many were bought."""
    discount: Money
    """This line's share of the order's discount."""
    discounts: list[DiscountPart] = field(resolve.discounts)
    total: Money
    """What all of them cost after that."""
    cancelled: int
    """How many of them were cancelled before they left."""
    product: Product | None = loaded("product", key="product_id")
    """The product as it is now."""
    variant: Variant | None = loaded("variant", key="variant_id")
    """The variant as it is now."""


@row_type(resolve.LineOption)
class LineOption:
    """A choice that makes a variant, such as a size."""

    name: str
    """What is chosen."""
    value: str
    """What was chosen."""


@row_type(models.DeliveryLine)
class DeliveryLine(Node):
    """Units of one order line that leave one warehouse for one address."""

    order_line: OrderLine = loaded("order_line", key="order_line_id")
    """What was bought."""
    quantity: int
    """How many units go there."""
    packed: int
    """How many of them are in parcels."""
    warehouse: Warehouse = loaded("warehouse", key="warehouse_id")
    """Where they lie."""


@row_type(models.Delivery)
class Delivery(Node):
    """The part of an order that goes to one address by one method."""

    position: int
    """Its place on the order, from 1."""
    address: PostalAddress
    """Where it goes."""
    method: models.ShippingMethod
    """How fast it travels."""
    fee: Money
    """What sending it costs, before any discount."""
    discount: Money
    """What the offers take off that."""
    discounts: list[DiscountPart] = field(resolve.discounts)
    total: Money
    """What is left of the fee."""
    lines: list[DeliveryLine] = loaded("delivery_lines", key="id")
    """What goes there, and from where."""
    shipments: list[LaterShipment] = loaded("delivery_shipments", key="id")
    """Its parcels, as far as they are packed."""
    order: "Order" = loaded("order", key="order_id")
    """The order it belongs to."""
    ticket: LaterTicket | None = loaded("ticket", key="ticket_id")
    """The ticket whose replacement this is; null for what was ordered."""


@row_type(models.Event)
class OrderEvent:
    """One thing that has happened to an order."""

    version: int
    """The order's version this made."""
    name: str
    """What happened, for programs: "order.confirmed"."""
    words: str = field(resolve.words_told)
    occurred_at: datetime
    """When the shop recorded it."""
    actor: Account | None = batched(resolve.actors)


@row_type(models.Order)
class Order(Node):
    """What a customer bought, at the prices agreed when it was placed."""

    number: str
    """What the customer reads out on the phone."""
    status: models.OrderStatus
    """Where it stands between the shop and its customer."""
    payment_status: models.OrderPaymentStatus
    """What has been paid."""
    fulfilment_status: models.FulfilmentStatus
    """How far its goods are."""
    headline: models.OrderHeadline
    """The one word all of that comes down to."""
    goods: Money = strawberry.field(name="subtotal")
    """What the lines cost."""
    discount: Money
    """What was taken off the lines."""
    shipping: Money
    """What its deliveries cost, after what was taken off their fees."""
    cancelled: Money
    """What was cancelled before it was paid, and is not due any more."""
    total: Money
    """What is to be paid: subtotal - discount + shipping - cancelled."""
    note: str
    """Words of the customer to the shop; may be empty."""
    version: int
    """One higher with each recorded event; pass it as `after` to watch without a gap."""
    placed_at: datetime
    """When it was placed."""
    payment_due_at: datetime | None
    """When it is cancelled unless it is paid; null when nothing is due."""
    confirmed_at: datetime | None
    """When the shop accepted it."""
    delivered_at: datetime | None
    """When the last of it arrived."""
    receipt_due_at: datetime | None
    """When its receipt is taken for confirmed; null before it arrives and afterwards."""
    completed_at: datetime | None
    """When its receipt was confirmed."""
    cancelled_at: datetime | None
    """When it was cancelled."""
    cancel_reason: str | None
    """Why it was cancelled."""
    held_at: datetime | None
    """Since when nothing of it may leave; null when it may."""
    hold: str | None = field(change.hold)
    staff_notes: list["OrderNote"] | None = batched(change.notes)
    customer: Account = loaded("account", key="account_id")
    """Who bought it."""
    lines: list[OrderLine] = loaded("order_lines", key="id")
    """What was bought."""
    offers: list[AppliedOffer] = loaded("order_offers", key="id")
    """What made it cheaper, in the order of application."""
    deliveries: list[Delivery] = loaded("order_deliveries", key="id")
    """Where it goes; replacements of after-sales come last."""
    payments: list[LaterPayment] = loaded("order_payments", key="id")
    """How it is paid."""
    shipments: list[LaterShipment] = loaded("order_shipments", key="id")
    """Its parcels, as far as they are packed."""
    tickets: list[LaterTicket] = loaded("order_tickets", key="id")
    """What was asked for after the sale."""
    timeline: list[OrderEvent] = batched(resolve.timelines)


@row_type(models.OrderNote)
class OrderNote:
    """What somebody of the staff wrote down about an order, for colleagues."""

    text: str
    """What was written."""
    author: Account = loaded("account", key="author_id")
    """Who wrote it."""
    created_at: datetime
    """When it was written."""


@row_type(models.Event)
class OrderUpdate:
    """One thing that happened to an order, and how the order stood then."""

    version: int
    """The order's version this made; they follow each other without a gap."""
    name: str
    """What happened, such as "order.confirmed"."""
    status: models.OrderStatus = field(resolve.status_told)
    payment_status: models.OrderPaymentStatus = field(resolve.payment_status_told)
    fulfilment_status: models.FulfilmentStatus = field(resolve.fulfilment_status_told)
    occurred_at: datetime
    """When the shop recorded it."""
    order: Order = loaded("order", key="subject_id")
    """The order as it is now."""


@row_type(QuotedLine)
class CheckoutLine:
    """What one line would cost."""

    variant: Variant
    """What would be bought."""
    quantity: int
    """How many units."""
    unit: Money = strawberry.field(name="unitPrice")
    """What one costs."""
    discount: Money
    """This line's share of the discount."""
    total: Money
    """What all of them cost after that."""


@row_type(QuotedDelivery)
class CheckoutDelivery:
    """What one delivery would cost."""

    method: models.ShippingMethod
    """How fast it travels."""
    fee: Money
    """What sending it costs, before any discount."""
    discount: Money
    """What the offers take off that."""
    total: Money
    """What is left of the fee."""
    options: list[ShippingOption]
    """Every way it could travel, and what that would cost."""


def problems(root: Any) -> list[UserError]:
    return [refusal(problem) for problem in root.problems]


@row_type(Quote)
class CheckoutQuote:
    """An order as it could be placed now, and every reason why it could not."""

    lines: list[CheckoutLine]
    """What would be bought; what is not sold any more is left out."""
    deliveries: list[CheckoutDelivery]
    """Where it would go, in the order given."""
    goods: Money = strawberry.field(name="subtotal")
    """What the lines cost."""
    discount: Money
    """What the offers take off the lines."""
    shipping: Money
    """What the deliveries cost together, after what the offers take off their fees."""
    total: Money
    """What would have to be paid: subtotal - discount + shipping."""
    offers: list[JudgedOffer]
    """Every offer that was considered, and why it applies or does not: those that apply first."""
    problems: list[UserError] = strawberry.field(
        resolver=problems,
        description="Why the order could not be placed so; empty when it could. Paths lead into `input`.",
    )


@strawberry.type
class OrderQuery:
    order: Order | None = field(resolve.order, allow=SIGNED_IN)
    orders: Connection[Order] = field(resolve.orders, allow=SIGNED_IN)
    checkout_quote: CheckoutQuote = field(resolve.checkout_quote, allow=SHOPPERS)


@strawberry.type
class OrderMutation:
    order_place = mutation(resolve.order_place, returns=Order, allow=CUSTOMERS)
    order_cancel = mutation(resolve.order_cancel, returns=Order, allow=CUSTOMERS | SUPPORT)
    order_receipt_confirm = mutation(resolve.order_receipt_confirm, returns=Order, allow=CUSTOMERS)


@strawberry.type
class OrderSubscription:
    order_updates: OrderUpdate = subscription(resolve.order_updates, allow=SIGNED_IN)
