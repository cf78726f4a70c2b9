"""Payments, refunds and cash."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import cash_rules as rules
from resolvers import dispute as disputes_of
from resolvers import payment as resolve
from resolvers import payment_methods as methods
from resolvers import reasons
from resolvers.context import Info
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.account import Account
from schema.connection import Connection
from schema.dispute import Dispute
from schema.limits.sizes import FEW, PRICING, SOME
from schema.mutation import UserError, mutation, user_error
from schema.node import Node
from schema.order import Order
from schema.rows import batched, field, loaded, row_type
from schema.scalars import Money

if TYPE_CHECKING:
    from schema.aftersales import Ticket

PaymentMethod = describe_enum(models.PaymentMethod)
PaymentStatus = describe_enum(models.PaymentStatus)
RefundStatus = describe_enum(models.RefundStatus)
RefundTarget = describe_enum(models.RefundTarget)
ActionKind = describe_enum(models.ActionKind)
PaymentChannel = describe_enum(models.PaymentChannel)
PaymentAttemptStatus = describe_enum(models.PaymentAttemptStatus)

LaterTicket = Annotated["Ticket", strawberry.lazy("schema.aftersales")]


@row_type(models.Refund)
class Refund(Node):
    """A refund of one payment, or of part of it."""

    status: models.RefundStatus
    """Its status."""
    target: models.RefundTarget
    """Where it goes."""
    total: Money
    """How much is refunded."""
    bonus: Money
    """What the shop adds in store credit when it is paid, zero where it goes elsewhere. Never in `total`."""
    reason: str = field(reasons.refund_reason)
    reference: str
    """The shop's own name for it."""
    provider_reference: str | None
    """What the provider or the bank calls it; null until one of them has said."""
    failure: str | None = field(reasons.refund_failure)
    created_at: datetime
    """When it was requested."""
    settled_at: datetime | None
    """When it reached the customer."""
    decided_at: datetime | None
    """When a second person approved or declined it; null where nobody had to, or nobody has yet."""
    expected_by: datetime | None = batched(resolve.expected_dates)
    requested_by: Account | None = batched(resolve.requesters)
    decided_by: Account | None = batched(resolve.deciders)
    payment: "Payment" = loaded("payment", key="payment_id")
    """The payment that is refunded."""
    ticket: LaterTicket | None = loaded("ticket", key="ticket_id")
    """The ticket it settles; null for a refund without one."""
    order: Order = loaded("order", key="order_id")
    """The order it belongs to."""


@row_type(models.Payment)
class Payment(Node):
    """A part of an order's total that is paid by one method."""

    position: int
    """Its place on the order, from 1."""
    method: models.PaymentMethod
    """How it is paid."""
    status: models.PaymentStatus
    """Its status."""
    total: Money
    """How much of the order's total it is."""
    captured: Money
    """How much of it has been received."""
    refunded: Money
    """How much of that is refunded, or requested to be."""
    reference: str
    """The shop's own name for it at the provider."""
    failure: str | None = field(reasons.payment_failure)
    started_at: datetime | None
    """When it was started at the provider."""
    captured_at: datetime | None
    """When the money was received."""
    refunds: list[Refund] = loaded("payment_refunds", key="id", size=FEW)
    """Refunds of it."""
    fee: Money | None = field(disputes_of.payment_fee)
    disputes: list[Dispute] | None = batched(disputes_of.payment_disputes, size=FEW)
    attempts: list["PaymentAttempt"] = loaded("payment_attempts", key="id", size=FEW)
    """The attempts to make it, the oldest first."""
    order: Order = loaded("order", key="order_id")
    """The order it belongs to."""


@row_type(resolve.NextAction)
class NextAction:
    """What the customer does next to pay."""

    kind: models.ActionKind
    """What to do with the value."""
    value: str
    """A URL to open, a code to show, or what the provider's library is given."""
    expires_at: datetime | None
    """Until when it is valid; null when the provider did not say."""


@row_type(resolve.ScanCodeAction)
class ScanCode:
    """A code to show; the customer scans it with the provider's app."""

    code: str
    """What the code contains."""
    expires_at: datetime
    """Until when it is valid."""


@row_type(resolve.RedirectAction)
class Redirect:
    """A page to send the browser to."""

    url: str
    """Its address."""
    expires_at: datetime
    """Until when it is valid."""


@row_type(resolve.AppParametersAction)
class AppParameters:
    """What the provider's app or library is opened with."""

    text: str
    """As it is handed over."""
    expires_at: datetime
    """Until when it is valid."""


@row_type(resolve.ClientSecretAction)
class ClientSecret:
    """What the provider's library in the page takes the payment with."""

    secret: str
    """For this payment only."""
    publishable_key: str
    """The shop's public key at the provider."""
    expires_at: datetime
    """Until when it is valid."""


@row_type(resolve.NoAction)
class NothingToDo:
    """The customer has nothing to do."""

    expires_at: datetime
    """When the attempt ends."""


PaymentAction = Annotated[
    ScanCode | Redirect | AppParameters | ClientSecret | NothingToDo,
    strawberry.union("PaymentAction", description="What the customer does next to pay."),
]


@row_type(models.PaymentAttempt)
class PaymentAttempt(Node):
    """One attempt to make a payment at its provider, through one channel."""

    number: int
    """Its place among the attempts of the payment, from 1."""
    channel: models.PaymentChannel
    """Where the customer pays."""
    status: models.PaymentAttemptStatus
    """Its status."""
    total: Money
    """How much it is for."""
    reference: str
    """The shop's own name for it at the provider."""
    provider_reference: str | None
    """What the provider calls it; null where it has not said."""
    created_at: datetime
    """When it was begun."""
    expires_at: datetime
    """When it ends at the provider."""
    captured_at: datetime | None
    """When it brought the money."""
    failure: str | None = field(reasons.attempt_failure)


def refusal(root: methods.PaymentMethodOption, info: Info) -> UserError | None:
    return user_error(root.refusal, info) if root.refusal else None


@row_type(methods.PaymentMethodOption)
class PaymentMethodOption:
    """A payment method, and whether it is possible."""

    method: models.PaymentMethod
    """The method."""
    limit: Money | None
    """The most that can be paid with it on one order; null without a limit."""
    possible: bool
    """Whether it is possible for what was asked."""
    refusal: UserError | None = strawberry.field(
        resolver=refusal, description="Why it is not possible; null where it is. Paths lead into `input`."
    )


@row_type(models.CashRule)
class CashRule:
    """How much cash is taken at the doors of a region for one order, in one currency."""

    country_code: str | None = field(rules.country_code)
    province: str | None = field(rules.province)
    minimum: Money
    """The least."""
    maximum: Money
    """The most; nothing where no cash is taken."""
    version: int
    """One higher with each edit, which names the version it has read."""


@strawberry.type
class PaymentQuery:
    cash_rules: list[CashRule] = field(rules.cash_rules, allow=Permission.LOGISTICS_VIEW, size=SOME)
    payment_methods: list[PaymentMethodOption] = field(
        methods.payment_methods, allow=Permission.PUBLIC, size=FEW, price=PRICING
    )
    refunds: Connection[Refund] = field(resolve.refunds, allow=Permission.REFUND)


@strawberry.type
class PaymentMutation:
    cash_rule_save = mutation(
        rules.cash_rule_save,
        returns=list[CashRule],
        allow=Permission.SHIPPING_EDIT,
        field_name="cash_rules",
        field_description="All rules; null when the shop refused.",
    )
    cash_rule_remove = mutation(
        rules.cash_rule_remove,
        returns=list[CashRule],
        allow=Permission.SHIPPING_EDIT,
        field_name="cash_rules",
        field_description="The rules that are left; null when the shop refused.",
    )
    payment_start = mutation(
        resolve.payment_start,
        returns=Payment,
        allow=Permission.BUY,
        further_fields={
            "attempt": (PaymentAttempt, "The attempt; null when the shop refused."),
            "action": (PaymentAction, "What the customer does next; null when the shop refused."),
            "next_action": (
                NextAction,
                "As `action`, in one type for all kinds; null when the shop refused.",
            ),
        },
    )
    payment_refund = mutation(resolve.payment_refund, returns=Order, allow=Permission.REFUND)
    refund_redirect = mutation(resolve.refund_redirect, returns=Refund, allow=Permission.REFUND)
    refund_approve = mutation(resolve.refund_approve, returns=Refund, allow=Permission.REFUND)
    refund_decline = mutation(resolve.refund_decline, returns=Refund, allow=Permission.REFUND)
    refund_confirm = mutation(resolve.refund_confirm, returns=Refund, allow=Permission.REFUND)
    cash_collect = mutation(resolve.cash_collect, returns=Payment, allow=Permission.CASH_COLLECT)
