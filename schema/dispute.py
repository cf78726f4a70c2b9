"""Disputes."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import dispute as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.connection import Connection
from schema.node import Node
from schema.order import Order
from schema.rows import field, loaded, row_type
from schema.scalars import Money

if TYPE_CHECKING:
    from schema.payment import Payment

DisputeStatus = describe_enum(models.DisputeStatus)

LaterPayment = Annotated["Payment", strawberry.lazy("schema.payment")]


@row_type(models.Dispute)
class Dispute(Node):
    """A payment that its customer disputes at the provider."""

    status: models.DisputeStatus
    """How it stands."""
    reference: str
    """The provider's name for it."""
    total: Money
    """How much is disputed."""
    fee: Money
    """What the provider charges for it."""
    reason: str
    """Why, as the provider tells it."""
    created_at: datetime
    """When the shop learned of it."""
    settled_at: datetime | None
    """When it was decided; null until then."""
    payment: LaterPayment = loaded("payment", key="payment_id")
    """The payment that is disputed."""
    order: Order = loaded("order", key="order_id")
    """The order it belongs to."""


@strawberry.type
class DisputeQuery:
    disputes: Connection[Dispute] = field(resolve.disputes, allow=Permission.REFUND)
