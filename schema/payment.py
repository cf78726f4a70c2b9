"""Payments, refunds and cash."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from gateways import payment as gateway
from resolvers import payment as resolve
from resolvers.described import describe_enum
from resolvers.guard import ANYONE, CUSTOMERS, DELIVERY, SUPPORT
from schema.connection import Connection
from schema.mutation import mutation
from schema.node import Node
from schema.order import Order
from schema.rows import field, loaded, row_type
from schema.scalars import Money

if TYPE_CHECKING:
    from schema.aftersales import Ticket

PaymentMethod = describe_enum(models.PaymentMethod)
PaymentStatus = describe_enum(models.PaymentStatus)
RefundStatus = describe_enum(models.RefundStatus)
ActionKind = describe_enum(gateway.ActionKind)

LaterTicket = Annotated["Ticket", strawberry.lazy("schema.aftersales")]


@row_type(models.Refund)
class Refund(Node):
    """Money going back to the customer over one payment's own road."""

    status: models.RefundStatus
    """Where it stands."""
    total: Money
    """How much goes back."""
    reason: str
    """Why."""
    reference: str
    """The shop's own name for it."""
    provider_reference: str | None
    """What the provider or the bank calls it; null until it has been paid."""
    failure: str | None
    """Why it was refused, when it last was."""
    created_at: datetime
    """When it was promised."""
    settled_at: datetime | None
    """When it reached the customer."""
    payment: "Payment" = loaded("payment", key="payment_id")
    """The payment it goes back over."""
    ticket: LaterTicket | None = loaded("ticket", key="ticket_id")
    """The ticket it settles; null for others."""
    order: Order = loaded("order", key="order_id")
    """The order it belongs to."""


@row_type(models.Payment)
class Payment(Node):
    """A part of an order's total, promised or taken by one method."""

    position: int
    """Its place on the order, from 1."""
    method: models.PaymentMethod
    """How it is paid."""
    status: models.PaymentStatus
    """Where it stands."""
    total: Money
    """How much of the order's total it is."""
    captured: Money
    """How much of it has arrived."""
    refunded: Money
    """How much of that went back or is promised back."""
    reference: str
    """The shop's name for it at the provider."""
    failure: str | None
    """Why it came to nothing, when it last did."""
    started_at: datetime | None
    """When the customer began to pay."""
    captured_at: datetime | None
    """When the money arrived."""
    refunds: list[Refund] = loaded("payment_refunds", key="id")
    """What goes back of it."""
    order: Order = loaded("order", key="order_id")
    """The order it belongs to."""


@row_type(gateway.NextAction)
class NextAction:
    """What the customer does next to pay."""

    kind: gateway.ActionKind
    """What to do with the value."""
    value: str
    """An address to open, a code to show, or what the provider's own library is given."""
    expires_at: datetime | None
    """Until when it is good; null when the provider did not say."""


@row_type(resolve.PaymentOffer)
class PaymentOffer:
    """A way to pay that the shop offers."""

    method: models.PaymentMethod
    """The way."""
    limit: Money | None
    """The most that can be paid so on one order; null where there is no limit."""


@strawberry.type
class PaymentQuery:
    payment_methods: list[PaymentOffer] = field(resolve.payment_methods, allow=ANYONE)
    refunds: Connection[Refund] = field(resolve.refunds, allow=SUPPORT)


@strawberry.type
class PaymentMutation:
    payment_start = mutation(
        resolve.payment_start,
        returns=Payment,
        allow=CUSTOMERS,
        beside={"next_action": (NextAction, "What the customer does next; null when the shop refused.")},
    )
    payment_refund = mutation(resolve.payment_refund, returns=Order, allow=SUPPORT)
    refund_confirm = mutation(resolve.refund_confirm, returns=Refund, allow=SUPPORT)
    cash_collect = mutation(resolve.cash_collect, returns=Payment, allow=DELIVERY)
